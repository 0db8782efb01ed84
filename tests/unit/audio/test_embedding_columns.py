"""Columns of embeddings by their names, and the one network that fits a model that hears them."""

import sys
from pathlib import Path
from typing import Any

import pytest

from made_listeners import write_listener
from synesthete.audio.embedding_columns import embedding_columns, embedding_in, recorded_embedder
from synesthete.audio.embedding_models import digest_folder
from synesthete.audio.embeddings import open_embedder
from synesthete.errors import ConfigError

COLUMNS = ("loudness", "bass", *embedding_columns("whisper", 3))
ASKED: dict[str, Any] = {"whose": "diffusion.weights", "where": "diffusion.embedding_dir"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_listener("whisper", tmp_path_factory.mktemp("whisper"))


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        (COLUMNS, ("whisper", 3)),
        (("whisper_0",), ("whisper", 1)),
        (("loudness", "band_0", "mfcc_4"), None),
        ((*COLUMNS, "loudness"), None),
        (("whisper_1", "whisper_0"), None),
        (("clap_0", "whisper_0"), None),
    ],
)
def test_numbers_stand_in_order_behind_all_else(columns: tuple[str, ...], found: object) -> None:
    assert embedding_in(columns) == found


def test_the_network_of_training_is_found_and_not_loaded(folder: Path) -> None:
    found = recorded_embedder(COLUMNS, folder, recorded=digest_folder(folder), **ASKED)
    assert found == open_embedder("whisper", folder, size=3)
    assert "_network" not in vars(found)
    assert recorded_embedder(COLUMNS[:2], None, recorded=None, **ASKED) is None


def test_what_does_not_fit_is_told_in_one_sentence(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = digest_folder(folder)
    for columns, given, recorded, said in (
        (COLUMNS[:2], folder, None, "hear the Timeline alone; leave out diffusion.embedding_dir"),
        (COLUMNS, None, known, "diffusion.weights also hear numbers of a whisper network; name the folder"),
        (COLUMNS, folder, "0" * 64, "holds another whisper network than the one that diffusion.weights"),
        (COLUMNS, folder, None, "holds another whisper network"),
        (COLUMNS, tmp_path / "none", known, "none is no folder; name the folder of a Whisper model"),
        (("clap_0",), folder, known, "type 'whisper'; name the folder of a CLAP model"),
    ):
        with pytest.raises(ConfigError, match=said):
            recorded_embedder(columns, given, recorded=recorded, **ASKED)
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ConfigError, match="needs the extra embed"):
        recorded_embedder(COLUMNS, folder, recorded=known, **ASKED)

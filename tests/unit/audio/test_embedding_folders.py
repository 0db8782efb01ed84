"""Folders of pretrained networks: what is not what was asked for is refused in one sentence."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from made_listeners import write_listener
from synesthete.audio.embedding_models import digest_folder
from synesthete.audio.embeddings import open_embedder
from synesthete.errors import ConfigError


@pytest.fixture(scope="module")
def whisper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_listener("whisper", tmp_path_factory.mktemp("whisper"))


@pytest.fixture
def copy(whisper: Path, tmp_path: Path) -> Path:
    """Give a copy to damage."""
    folder = tmp_path / "model"
    folder.mkdir()
    for path in whisper.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


def _without_weights(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def _cut_off(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])


def _weights(folder: Path, change: Callable[[dict[str, torch.Tensor]], None]) -> None:
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})


def _lacking(folder: Path) -> None:
    _weights(folder, lambda tensors: tensors.pop("encoder.conv1.weight"))


def _not_a_number(folder: Path) -> None:
    _weights(folder, lambda tensors: tensors["encoder.conv1.bias"].fill_(float("nan")))


def _settings(folder: Path, **changes: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def _of_other_ears(folder: Path) -> None:
    from transformers import WhisperFeatureExtractor

    WhisperFeatureExtractor(feature_size=40).save_pretrained(folder)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (_without_weights, "has no model.safetensors; other weights are refused"),
        (_cut_off, "can't be loaded"),
        (_lacking, "lacks 1 of the model's weights, such as conv1.weight"),
        (_not_a_number, "gives numbers that are not finite"),
        (lambda folder: _settings(folder, d_model=24), "can't be loaded"),
        (
            lambda folder: _settings(folder, model_type="wav2vec2"),
            "type 'wav2vec2'; name the folder of a Whisper",
        ),
        (
            lambda folder: (folder / "config.json").write_text("[]"),
            "no config.json that names a type of model",
        ),
        (lambda folder: (folder / "config.json").unlink(), "no config.json that names a type of model"),
        (_of_other_ears, "can't be used"),
    ],
)
def test_a_folder_that_can_not_be_used_is_told(
    copy: Path, damage: Callable[[Path], object], said: str
) -> None:
    damage(copy)
    with pytest.raises(ConfigError) as caught:
        open_embedder("whisper", copy, size=4)
    assert said in str(caught.value)
    assert str(copy) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_folder_another_kind_and_too_many_numbers_are_told(whisper: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="none is no folder; name the folder of a CLAP model"):
        open_embedder("clap", tmp_path / "none", size=4)
    with pytest.raises(ConfigError, match="type 'whisper'; name the folder of a Wav2Vec2 model"):
        open_embedder("wav2vec2", whisper, size=4)
    with pytest.raises(ConfigError, match="embedding_size = 17 is outside 1 to 16"):
        open_embedder("whisper", whisper, size=17)


def test_a_missing_extra_is_told(whisper: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(
        ConfigError, match=r'embedding = whisper needs the extra embed; .*"synesthete\[embed\]"'
    ):
        open_embedder("whisper", whisper, size=4)


def test_the_digest_is_of_what_the_folder_holds_and_not_of_where_it_is(whisper: Path, copy: Path) -> None:
    assert digest_folder(copy) == digest_folder(whisper)
    _weights(copy, lambda tensors: tensors["encoder.conv1.bias"].add_(1.0))
    assert digest_folder(copy) != digest_folder(whisper)


def test_the_package_needs_none_of_it() -> None:
    import subprocess

    script = "import sys, synesthete.training.dataset as d; sys.exit('transformers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0

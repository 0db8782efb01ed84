"""Films by a model that also hears the numbers of a pretrained network: rendered, resumed, probed."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import torch

import synesthete
from made_dreams import write_dream
from made_listeners import write_listener
from synesthete.audio.embeddings import open_embedder
from synesthete.config.preset import load_preset
from synesthete.config.render import RenderOptions
from synesthete.evaluation.music_changes import silenced
from synesthete.evaluation.subjects import PresetSubject, ProbeSong
from synesthete.generators.base import Size
from synesthete.render.listen import hear

Command = Callable[..., Any]


class _Stopped(Exception):  # noqa: N818 - stands for a Ctrl-C
    pass


@pytest.fixture
def dream(tmp_path: Path) -> Path:
    embedder = open_embedder("wav2vec2", write_listener("wav2vec2", tmp_path / "presets" / "ears"), size=4)
    return write_dream(tmp_path / "presets", embedder=embedder, embedding_dir="ears")


@pytest.fixture(scope="module")
def second(make_song: Command) -> Path:
    return make_song(1.0)


def test_a_song_becomes_a_film(
    render: Command, second: Path, dream: Path, workspace: Path, manifest_of: Command
) -> None:
    done = render(second, "-p", dream, "--no-certificate", "--json").events[-1]
    look = manifest_of(workspace)["preset_resolved"]["diffusion"]
    assert look["embedding_dir"]["file"] == "ears"
    assert len(look["embedding_dir"]["sha256"]) == 64
    again = render(second, "-p", dream, "--no-certificate", "--json").events[-1]
    assert (again["film"], again["segments_resumed"]) == (done["film"], 1)

    shutil.rmtree(dream.parent / "ears")
    assert "ears is no folder" in render(second, "-p", dream, status=2).message
    message = render(second, "-p", dream, "--set", "diffusion.embedding_dir=null", status=2).message
    assert "also hear numbers of a wav2vec2 network" in message


def test_another_network_is_another_film(render: Command, second: Path, dream: Path, tmp_path: Path) -> None:
    films = []
    for width in (16, 8):
        ears = write_listener("wav2vec2", tmp_path / "presets" / f"ears{width}", hidden_size=width)
        embedder = open_embedder("wav2vec2", ears, size=4)
        write_dream(dream.parent, embedder=embedder, embedding_dir=ears.name)
        films.append(Path(render(second, "-p", dream, "--no-certificate", "--json").events[-1]["film"]))
    assert films[0] != films[1]
    assert films[0].read_bytes() != films[1].read_bytes()


@pytest.mark.slow
def test_an_interrupted_film_is_resumed_to_the_same_bytes(
    make_song: Command, dream: Path, tmp_path: Path
) -> None:
    song = make_song(5.0)
    values: dict[str, Any] = {
        "preset": str(dream), "resolution": "64x64", "kernels": "eager", "fps": 24, "workers": 1,
        "certificate": False,
    }  # fmt: skip

    def stop(event: dict[str, Any]) -> None:
        if event["event"] == "progress" and event["rendered"] > 100:
            raise _Stopped

    calm = synesthete.render(song, workspace=tmp_path / "calm", **values)
    with pytest.raises(_Stopped):
        synesthete.render(song, workspace=tmp_path / "stopped", on_event=stop, **values)
    again = synesthete.render(song, workspace=tmp_path / "stopped", **{**values, "workers": 2})
    assert (calm.resumed, again.resumed) == (0, 1)
    assert again.film.read_bytes() == calm.film.read_bytes()


def test_cells_of_a_sheet_are_presets_that_render(
    cli: Command,
    render: Command,
    second: Path,
    dream: Path,
    tmp_path: Path,
    workspace: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = cli(
        "explore", second, "--preset", dream, "--grid", "2x1", "--no-mosaic", "--save", "2=saved/mine.yaml",
        "--workspace", workspace,
    )  # fmt: skip
    assert outcome.status == 0, outcome
    kept, saved = (
        load_preset(str(path)).diffusion.embedding_dir for path in (dream, Path("saved", "mine.yaml"))
    )
    assert kept is not None
    assert saved is not None
    assert saved.sha256 == kept.sha256
    render(second, "-p", "saved/mine.yaml", "--end", "0.2", "--no-certificate")
    assert not Path("cache").exists()  # all that is kept lies in the workspace


def test_a_change_of_the_music_is_heard_by_the_network_too(second: Path, dream: Path, tmp_path: Path) -> None:
    timeline, _ = hear(second, start=None, end=None, allow_truncated=False, workspace=tmp_path)
    # The Timeline's columns are silent either way, so that only the wave tells the two songs apart.
    quiet = silenced().timeline(timeline)
    sounding = ProbeSong("sounding", replace(quiet, wave=timeline.wave))
    subject = PresetSubject(load_preset(str(dream)), RenderOptions(kernels="eager", workspace=tmp_path))
    drawn = [
        torch.stack([*subject.draw(song, range(4, 12, 4), size=Size(32, 18), frame_rate=Fraction(15))])
        for song in (ProbeSong("quiet", quiet), sounding)
    ]
    assert float((drawn[0] - drawn[1]).abs().mean()) > 1e-3

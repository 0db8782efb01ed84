"""Films of the generator gan, with weights of the user's own: rendered, resumed, refused in one sentence."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import synesthete
from made_graphs import needs_onnx
from made_walks import write_walk
from synesthete.config.preset import DEFAULT_PRESETS

Command = Callable[..., Any]


class _Stopped(Exception):  # noqa: N818 - stands for a Ctrl-C
    pass


@pytest.fixture
def walk(tmp_path: Path) -> Path:
    return write_walk(tmp_path / "presets")


@pytest.mark.parametrize("runtime", ["torch", pytest.param("onnxruntime", marks=needs_onnx)])
def test_an_interrupted_walk_is_resumed_to_the_same_bytes(
    make_song: Command, walk: Path, tmp_path: Path, runtime: str
) -> None:
    song = make_song(5.0)
    values: dict[str, Any] = {
        "preset": str(walk), "resolution": "128x72", "kernels": "eager", "fps": 24, "workers": 1,
        "set": ["gan.move_beats=2", "gan.noise=beating"], "decoder": {"runtime": runtime},
    }  # fmt: skip

    def stop(event: dict[str, Any]) -> None:
        if event["event"] == "progress" and event["rendered"] > 100:
            raise _Stopped

    calm = synesthete.render(song, workspace=tmp_path / "calm", **values)
    with pytest.raises(_Stopped):
        synesthete.render(song, workspace=tmp_path / "stopped", on_event=stop, **values)
    others = {**values, "workers": 2, "decoder": {"runtime": runtime, "batch_size": 3}}
    again = synesthete.render(song, workspace=tmp_path / "stopped", **others)
    assert (calm.resumed, again.resumed) == (0, 1)
    assert again.film.read_bytes() == calm.film.read_bytes()
    assert calm.certificate is not None
    manifest = json.loads((calm.film.parent / "meta.json").read_text())
    assert manifest["numerics"]["path"].startswith({"torch": "eager-"}.get(runtime, "onnxruntime-"))


def test_other_weights_are_another_film_and_the_manifest_names_them(
    render: Command, make_song: Command, walk: Path, workspace: Path
) -> None:
    song, films = make_song(1.0), []
    for weights in (0, 1):
        write_walk(walk.parent, weights=weights)
        done = render(song, "-p", walk, "--generator", "gan", "--no-certificate", "--json").events[-1]
        films.append(Path(done["film"]))
        manifest = (Path(done["run"]) / "meta.json").read_text()
        assert "gan.safetensors" in manifest
    assert films[0] != films[1]
    assert films[0].read_bytes() != films[1].read_bytes()
    assert len(list((workspace / "cache" / "anchors").iterdir())) == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-p", "WALK", "-r", "640x64"), "at most 4:1, and 10:1 is wanted"),
        (("-p", "WALK", "--set", "gan.anchors=1"), "gan.anchors"),
        (("-p", "WALK", "--style-image", "red.png"), "only diffusion takes its style from a picture"),
    ],
)
def test_what_cannot_be_walked_is_refused(
    render: Command,
    make_song: Command,
    walk: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    said: str,
) -> None:
    monkeypatch.delitem(DEFAULT_PRESETS, "gan", raising=False)
    given = [str(walk) if text == "WALK" else text for text in arguments]
    assert said in render(make_song(1.0), *given, status=2).message

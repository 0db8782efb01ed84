"""The whole way in other formats: chosen by the output's name, resumed to the same bytes, certified."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import synesthete
from synesthete.errors import ConfigError, SynestheteError
from synesthete.media.watch import probe_pictures

FRAMES = 120
OPTIONS: dict[str, Any] = {"resolution": "64x64", "kernels": "eager", "fps": 24, "workers": 1, "end": 5}


class _Stopped(Exception):  # noqa: N818 - stands for a Ctrl-C
    pass


def stop_in_the_second_segment(event: dict[str, Any]) -> None:
    if event["event"] == "progress" and event["rendered"] > 100:
        raise _Stopped


@pytest.fixture(scope="module")
def song(make_song: Callable[..., Path]) -> Path:
    return make_song(5.0)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("film.webm", {"speed": "ultrafast"}),
        ("film.gif", {}),
        ("film.webp", {"alpha": True, "set": ["key=light"]}),
        ("film.mov", {}),
        ("film.mp4", {"codec": "hevc", "bit_depth": 10}),
    ],
)
def test_a_film_is_resumed_to_the_same_bytes_and_certified(
    tmp_path: Path, song: Path, name: str, options: dict[str, Any]
) -> None:
    if name == "film.gif":
        options = {**options, "fps": 25}
    output, values = tmp_path / name, {**OPTIONS, **options}
    calm = synesthete.render(song, output, workspace=tmp_path / "calm", **values)
    with pytest.raises(_Stopped):
        synesthete.render(
            song, output, workspace=tmp_path / "stopped", on_event=stop_in_the_second_segment, **values
        )
    again = synesthete.render(song, output, workspace=tmp_path / "stopped", **values)
    assert (calm.resumed, again.resumed) == (0, 1)
    assert output.read_bytes() == again.film.read_bytes() == (calm.run / name).read_bytes()
    recognised = synesthete.render(song, output, workspace=tmp_path / "stopped", **values)
    assert recognised.resumed == 2

    assert calm.certificate is not None
    integrity = calm.certificate["integrity"]
    assert integrity["problems"] == []
    frames = FRAMES if values["fps"] == 24 else 125
    assert probe_pictures(output).frames_declared == integrity["frames"] == frames
    assert probe_pictures(output).constant_rate
    manifest = json.loads((calm.run / "meta.json").read_text())
    assert manifest["film"]["file"] == calm.certificate["film"]["file"] == name
    assert not list(tmp_path.rglob("*.part"))


def test_a_finished_film_is_certified_from_its_file(tmp_path: Path, song: Path) -> None:
    """What is measured on a transparent film is what was seen when it was drawn."""
    values = {**OPTIONS, "end": 2, "codec": "prores4444", "alpha": True, "set": ["key=light"]}
    made = synesthete.render(song, workspace=tmp_path, **values)
    for path in made.run.glob("certificate.*"):
        path.unlink()
    found = synesthete.render(song, workspace=tmp_path, **values)
    assert found.resumed == 1
    assert made.certificate is not None
    assert found.certificate is not None
    for name in ("saturation", "contrast"):
        one, two = (film.certificate["look"][name] for film in (made, found))  # type: ignore[index]
        if isinstance(one, float):
            assert two == pytest.approx(one, abs=0.02)


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("film.mp4", {"codec": "vp9"}, r"film\.mp4 does not end in \.webm; vp9 films are VP9 in WebM"),
        ("film.mp4", {"alpha": True}, "--alpha can't be had in h264"),
        ("film.webm", {"alpha": True, "preset": "silk"}, "preset silk has no key .* arc, filament, halo"),
        ("film.mkv", {}, r"does not end in \.mp4, \.mov"),
    ],
)
def test_contradictions_are_refused_before_anything_is_rendered(
    tmp_path: Path, song: Path, name: str, options: dict[str, Any], says: str
) -> None:
    with pytest.raises(SynestheteError, match=says):
        synesthete.render(song, tmp_path / name, workspace=tmp_path, **{**OPTIONS, **options})
    assert not list(tmp_path.rglob("film.*"))


def test_bits_that_an_encoder_lacks_are_refused(tmp_path: Path, song: Path) -> None:
    from synesthete.media.encode import encoder_opens

    if encoder_opens("libvpx-vp9", "vp9", 10):
        pytest.skip("this libvpx writes 10 bits")
    with pytest.raises(ConfigError, match="libvpx-vp9 can't write 10 bits on this machine"):
        synesthete.render(song, tmp_path / "a.webm", workspace=tmp_path, bit_depth=10, **OPTIONS)

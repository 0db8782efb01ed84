"""The flash limiter in whole renders: on by default, to the byte the same however they are made."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

import synesthete
from synesthete.errors import ConfigError
from synesthete.generators.base import Size, Trajectory
from synesthete.render import score as score_module
from synesthete.render.pipeline import Film

FLASHES = """
name: flashes
summary: "A whole picture that pulses eight times a second"
generator: program
program:
  version: 1
  root:
    node: palette
    colours: {stops: dusk}
    light: {base: 1.0}
    of: {node: rings, count: 0.5, phase: {flow: 80.0}}
"""
Command = Callable[..., Any]


@pytest.fixture(scope="module")
def song(make_song: Command) -> Path:
    return make_song(4.5)


@pytest.fixture(scope="module")
def render(song: Path, tmp_path_factory: pytest.TempPathFactory) -> Command:
    """Render a film of two Segments that flashes; in a workspace of its own unless one is given."""
    preset = tmp_path_factory.mktemp("presets") / "flashes.yaml"
    preset.write_text(FLASHES)

    def made(workspace: Path | None = None, **options: Any) -> Film:
        given = {"preset": str(preset), "certificate": False, "workers": 1, **options}
        return synesthete.render(
            song,
            workspace=workspace or tmp_path_factory.mktemp("workspace"),
            resolution="64x64",
            kernels="eager",
            fps=24,
            **given,
        )

    return made


@pytest.fixture(scope="module")
def limited(render: Command) -> Film:
    return render(certificate=True)


@pytest.fixture(scope="module")
def unlimited(render: Command) -> Film:
    return render(flash_safety="off", certificate=True)


def brightness(png: Path) -> float:
    with Image.open(png) as picture:
        return float(np.asarray(picture, float).mean())


def manifest(film: Film) -> dict[str, Any]:
    return dict(json.loads((film.run / "meta.json").read_text()))


def test_a_film_that_flashes_is_limited_by_default(limited: Film, unlimited: Film) -> None:
    assert unlimited.certificate is not None
    assert limited.certificate is not None
    assert not unlimited.certificate["safety"]["pass"]
    assert "limiter" not in unlimited.certificate["safety"]
    assert manifest(unlimited)["flash_safety"] is None
    safety = limited.certificate["safety"]
    assert safety["pass"]
    assert safety["worst_per_second"] <= 3
    facts = safety["limiter"]
    assert facts == manifest(limited)["flash_safety"]
    assert facts["mode"] == "limit"
    assert facts["pass"]
    assert 1 < facts["touched_s"] <= 4.5
    assert facts["least_gain"] < 0.9 or facts["most_veiled"] > 0.1
    assert facts["stretches"]


def test_warnings_leave_the_film_and_say_so(render: Command, unlimited: Film) -> None:
    film = render(flash_safety="warn")
    assert film.film.read_bytes() == unlimited.film.read_bytes()
    facts = manifest(film)["flash_safety"]
    assert not facts["pass"]
    assert facts["worst_per_second"] > 3
    assert facts["touched_s"] == 0


def test_safe_films_are_the_same_to_the_byte(render: Command) -> None:
    slower = ("program.root.of.phase.flow=20",)
    films = [render(set=slower, flash_safety=mode) for mode in ("off", "limit")]
    assert films[0].film.read_bytes() == films[1].film.read_bytes()
    first, second = ([segment["key"] for segment in manifest(film)["segments"]] for film in films)
    assert first == second


def test_workers_make_no_difference(render: Command, limited: Film) -> None:
    assert render(workers=3).film.read_bytes() == limited.film.read_bytes()


def test_a_render_that_breaks_off_goes_on_to_the_same_film(
    render: Command, limited: Film, workspace: Path
) -> None:
    def break_off(event: dict[str, Any]) -> None:
        if event["event"] == "progress" and event["rendered"] >= 100:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        render(workspace, on_event=break_off)
    assert render(workspace).film.read_bytes() == limited.film.read_bytes()


def test_a_finished_film_gives_its_frames_limited(render: Command, limited: Film, tmp_path: Path) -> None:
    workspace, early, late = tmp_path / "workspace", tmp_path / "early", tmp_path / "late"
    first = render(workspace, frames=early)
    second = render(workspace, frames=late)
    assert first.run == second.run
    assert second.film.read_bytes() == limited.film.read_bytes()
    names = sorted(path.name for path in early.glob("*.png"))
    assert len(names) == 108
    for name in names[::7]:
        assert (early / name).read_bytes() == (late / name).read_bytes()
    light = [brightness(early / name) for name in names]
    assert np.ptp(light) > 10


def test_the_command_line_tells_and_refuses(
    cli: Command, song: Path, workspace: Path, tmp_path: Path
) -> None:
    preset = tmp_path / "flashes.yaml"
    preset.write_text(FLASHES)
    common = ("render", song, "--workspace", workspace, "--flash-safety")
    small = ("--resolution", "64x64", "--kernels", "eager", "--fps", "24", "--no-certificate", "--end", "2")
    warned = cli(*common, "warn", "--preset", preset, *small)
    assert "flashes    up to 7 in a second, 3 are safe: limit them with --flash-safety limit" in warned.out
    limited = cli(*common, "limit", "--preset", preset, *small)
    assert "flashes    limited for " in limited.out
    refused = cli(*common, "never")
    assert refused.status == 2
    assert "--flash-safety" in refused.err


class HiddenStrobe:
    """Flashes at the film's own size only: what is seen small does not show it."""

    def __init__(self, hidden: bool) -> None:
        self._hidden = hidden

    def prepare(self, trajectory: Trajectory, size: Size) -> str:
        return "eager-float32-cpu"

    def frames(
        self, trajectory: Trajectory, start: int, stop: int, size: Size
    ) -> Iterator[Float[Tensor, "3 height width"]]:
        for frame in range(start, stop):
            bright = frame >= 60 and (frame // 2) % 2 and not (self._hidden and size.short < 80)
            yield torch.full((3, size.height, size.width), 0.9 if bright else 0.2)


def test_what_only_finished_frames_show_is_rendered_again(
    monkeypatch: pytest.MonkeyPatch, song: Path, tmp_path: Path
) -> None:
    trajectory = Trajectory(np.zeros((108, 1), np.float32), ("level",), {})
    monkeypatch.setattr(score_module, "score_voices", lambda *_: (HiddenStrobe(True), trajectory))

    def render(workspace: Path, **options: Any) -> Film:
        return synesthete.render(
            song, workspace=workspace, resolution="128x96", kernels="eager", fps=24, workers=1, **options
        )

    events: list[dict[str, Any]] = []
    frames = tmp_path / "frames"
    film = render(tmp_path / "one", frames=frames, on_event=events.append)
    facts = manifest(film)["flash_safety"]
    assert facts["pass"]
    assert facts["rounds"] >= 2
    assert facts["demands"]
    assert film.certificate is not None
    assert film.certificate["safety"]["pass"]
    stages = manifest(film)["seconds"]
    assert "segments again" in stages
    # PNG frames and previews are those of the limited film; a finished film gives the same ones.
    light = np.array([brightness(path) for path in sorted(frames.glob("*.png"))])
    assert np.abs(light[:50] - 0.2 * 255).max() < 2
    assert np.abs(np.diff(light[64:])).max() < 0.5 * (0.7 * 255)
    again = tmp_path / "again"
    render(tmp_path / "one", frames=again)
    for path in sorted(frames.glob("*.png"))[::11]:
        assert path.read_bytes() == (again / path.name).read_bytes()

    def break_off(event: dict[str, Any]) -> None:
        if event["event"] == "progress" and event["frames"] == event["of"]:
            raise KeyboardInterrupt

    other = tmp_path / "other"
    with pytest.raises(KeyboardInterrupt):
        render(other, on_event=break_off)
    assert render(other).film.read_bytes() == film.film.read_bytes()


def test_albums_take_the_option() -> None:
    from synesthete.config.album import Album

    track = {"id": "one", "src": "one.wav"}
    assert Album.model_validate({"tracks": [track]}).flash_safety == "limit"
    assert Album.model_validate({"tracks": [track], "flash_safety": False}).flash_safety == "off"
    with pytest.raises((ConfigError, ValueError)):
        Album.model_validate({"tracks": [track], "flash_safety": "maybe"})

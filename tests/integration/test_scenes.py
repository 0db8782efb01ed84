"""Scenes in a film: each generator as it is alone, light that adds up between them, and post over all."""

import json
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import synesthete
from synesthete.config.base import build
from synesthete.config.render import RenderOptions
from synesthete.errors import ConfigError
from synesthete.generators.build import build_fuser
from synesthete.generators.quantise import Quantiser
from synesthete.render.mixer import score_voices
from synesthete.render.pipeline import Film, make_plan

RATE, SECONDS = 24, 9.0
SMALL: dict[str, Any] = {"resolution": "64x64", "kernels": "eager", "fps": RATE, "certificate": False}
BOUNDARY = 4.9  # s; a crossfade of one bar ends near it


@pytest.fixture(scope="module")
def track(make_song: Callable[..., Path]) -> Path:
    return make_song(SECONDS, name="scenes")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scenes")


OPTIONS: dict[str, Any] = {
    "preset": "silk", "scenes": "markers", "marker": (BOUNDARY,), "scene_preset": ("tiles",),
    "transition": "crossfade",
}  # fmt: skip


def film_of(track: Path, place: Path, name: str, **options: Any) -> tuple[Film, np.ndarray]:
    """Render; give the film, and its frames as bytes, float."""
    film = synesthete.render(track, frames=place / name, workspace=place, **{**SMALL, **options})
    pictures = []
    for path in sorted((place / name).glob("*.png")):
        with Image.open(path) as picture:
            pictures.append(np.asarray(picture, np.float64))
    assert len(pictures) == film.frames
    return film, np.stack(pictures)


def drawn_alone(track: Path, place: Path, preset: str, frames: Sequence[int]) -> dict[int, np.ndarray]:
    """Draw frames of the film of one preset, without the rest of it."""
    options = build(RenderOptions, {**SMALL, "preset": preset, "workspace": place}, where="options")
    plan, timeline = make_plan(track, options)
    fuser = build_fuser(options, plan.preset.generator, plan.size, plan.frames)
    painter, trajectory = score_voices(*plan.voices(), timeline, options, fuser)
    painter.prepare(trajectory, plan.size)
    quantiser = Quantiser(plan.size)
    return {
        k: quantiser.rgb8(next(painter.frames(trajectory, k, k + 1, plan.size))).numpy().astype(np.float64)
        for k in frames
    }


@pytest.fixture(scope="module")
def mixed(track: Path, place: Path) -> tuple[Film, np.ndarray]:
    return film_of(track, place, "mixed", **OPTIONS)


def scenes_of(film: Film) -> list[dict[str, Any]]:
    return list(json.loads((film.run / "meta.json").read_text())["scenes"])


def test_each_scene_is_the_film_of_its_preset_and_between_them_light_adds_up(
    track: Path, place: Path, mixed: tuple[Film, np.ndarray]
) -> None:
    film, pictures = mixed
    opening, scene = scenes_of(film)
    enters, begins = (
        int(np.ceil((scene["start_s"] - lead) * RATE - 1e-6)) for lead in (scene["lead_s"], 0.0)
    )
    between = range(enters + 3, begins - 3, 6)
    before, after = range(0, enters, 8), range(begins, film.frames, 8)
    first = drawn_alone(track, place, "silk", [*before, *between, enters - 1])
    second = drawn_alone(track, place, "tiles", [*between, *after, film.frames - 1])

    assert (opening["preset"], scene["preset"]) == ("silk", "tiles")
    assert scene["transition"] == "crossfade"
    assert len(between) >= 4
    assert abs(scene["start_s"] - BOUNDARY) <= 1.0
    for frame in (*before, enters - 1):
        np.testing.assert_array_equal(pictures[frame], first[frame])
    for frame in (*after, film.frames - 1):
        np.testing.assert_array_equal(pictures[frame], second[frame])
    for frame in between:
        t = (frame / RATE - scene["start_s"] + scene["lead_s"]) / scene["lead_s"]
        share = t * t * (3 - 2 * t)
        light = np.sqrt((1 - share) * first[frame] ** 2 + share * second[frame] ** 2)
        assert np.abs(pictures[frame] - light).max() <= 2.0  # all three are rounded
        assert np.abs(first[frame] - second[frame]).mean() > 5  # else it would not tell


def test_the_same_scenes_are_recognised_and_others_are_another_film(
    track: Path, place: Path, mixed: tuple[Film, np.ndarray]
) -> None:
    film, _ = mixed
    again = synesthete.render(track, workspace=place, **SMALL, **OPTIONS)
    assert again.run == film.run
    assert again.resumed > 0
    runs = set()
    for change in ({}, {"transition": "cut"}, {"marker": (0.5,)}, {"scene_preset": ("corona",)}):
        options = build(RenderOptions, {**SMALL, **OPTIONS, **change, "workspace": place}, where="options")
        runs.add(make_plan(track, options)[0].run_id)
    assert len(runs) == 4
    assert film.run.name in runs


def test_post_lies_over_the_film(track: Path, place: Path) -> None:
    plain, grainy = (
        film_of(track, place, name, preset="silk", end=0.5, set=(f"post.grain={grain}",))[1]
        for name, grain in (("plain", 0), ("grainy", 1))
    )
    change = grainy - plain
    assert 0.3 < np.abs(change).mean() < 3
    assert np.abs(change.mean((1, 2, 3))).max() < 0.5
    assert all((one != other).any() for one, other in pairwise(change))


def test_scenes_that_contradict_are_refused(track: Path, place: Path) -> None:
    for options, words in (
        ({"scenes": "markers"}, "--marker"),
        ({"scenes": "off", "transition": "cut"}, "scenes are off"),
        ({"marker": (3,)}, "--scenes markers"),
        ({"scenes": "every 0 bars"}, "1 or more"),
        ({"scenes": "every bar"}, "every N bars"),
        ({"scenes": "sections", "scene_preset": ("nothing",)}, "no preset"),
    ):
        with pytest.raises(ConfigError, match=words):
            synesthete.render(track, workspace=place, **SMALL, **options)


def test_markers_count_in_the_song_also_where_a_part_of_it_is_used(
    make_song: Callable[..., Path], tmp_path: Path
) -> None:
    given = {"preset": "silk", "resolution": "64x64", "scenes": "markers", "workspace": tmp_path}
    options = RenderOptions.model_validate({**given, "start": 5, "marker": (3, 12), "transition": "cut"})
    plan, _ = make_plan(make_song(20), options)

    assert plan.schedule is not None
    starts = [scene.start_s for scene in plan.schedule.scenes]
    assert len(starts) == 2
    assert starts[1] == pytest.approx(7.0, abs=1.0)  # moved to a bar
    with pytest.raises(ConfigError, match=r"marker at .* lies beyond the end of .* \(20\.0 s\)"):
        make_plan(make_song(20), RenderOptions.model_validate({**given, "marker": (21,)}))

"""Films that are loops, and films with motion blur: from the command line to the finished file."""

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import synesthete
from conftest import Outcome, music, write_wav
from synesthete.config.album_file import read_album
from synesthete.config.base import build
from synesthete.config.render import RenderOptions
from synesthete.files import make_folder
from synesthete.generators.quantise import Quantiser
from synesthete.media.decode import decode_sound
from synesthete.media.mux import film_facts, iterate_frames
from synesthete.render.album import render_album
from synesthete.render.album_join import without_effect
from synesthete.render.album_tracks import AlbumRun, plan_track
from synesthete.render.loop_plan import one_round
from synesthete.render.pipeline import Film, make_plan
from synesthete.render.score import score_film

SMALL: dict[str, Any] = {"resolution": "64x64", "kernels": "eager", "fps": 24, "crf": 4}


@pytest.fixture(scope="module")
def track(make_song: Callable[..., Path]) -> Path:
    return make_song(12.0, name="loops")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("loops")


def seam(values: np.ndarray, axes: tuple[int, ...]) -> float:
    """Give the step from the end to the start over the 95th percentile of all others."""
    steps = np.abs(np.diff(values, axis=0)).mean(axes)
    return float(np.abs(values[0] - values[-1]).mean() / np.percentile(steps, 95))


def pictures(film: Film) -> np.ndarray:
    return np.stack([frame.astype(np.float32) for frame in iterate_frames(film.film)])


def drawn(track: Path, **options: Any) -> np.ndarray:
    """Draw all frames of a film, without its previews and its file."""
    given = build(RenderOptions, {**SMALL, **options}, where="options")
    plan, heard = make_plan(track, given)
    timeline = heard if plan.loop is None else one_round(heard, plan.loop)
    score = score_film(plan, heard, timeline, make_folder(given.workspace / "score"))
    quantiser = Quantiser(plan.size)
    frames = score.painter.frames(score.trajectory, 0, plan.frames, plan.size)
    return np.stack([quantiser.rgb8(frame).numpy().astype(np.float32) for frame in frames])


def test_a_loops_end_meets_its_start(track: Path, place: Path) -> None:
    film = synesthete.render(track, preset="silk", loop="4s", workspace=place, **SMALL)
    told = json.loads((film.run / "meta.json").read_text())
    facts, frames = film_facts(film.film), pictures(film)
    sound = np.concatenate(list(decode_sound(film.film)), 1)[:, : told["song"]["samples"]]

    seconds = told["loop"]["seconds"]
    assert told["loop"]["bars"] >= 1
    assert abs(seconds - 4) <= 1
    assert facts.frames == len(frames) == round(24 * seconds)
    assert facts.sound_samples == told["song"]["samples"] == pytest.approx(44_100 * seconds, abs=1)
    assert seam(frames, (1, 2, 3)) <= 1.0
    assert seam(sound.T, (1,)) <= 1.0
    assert film.certificate is not None
    assert film.certificate["integrity"]["pass"], film.certificate["integrity"]["problems"]


@pytest.mark.parametrize(
    ("preset", "changes"),
    [
        ("trails", ()),
        ("kaleidoscope", ()),
        ("silk", ("post.trails.base=0.5", "post.trails.pulse=0.4", "post.bloom.spark=0.4")),
    ],
)
def test_pictures_that_remember_or_move_through_noise_meet_too(
    track: Path, place: Path, preset: str, changes: tuple[str, ...]
) -> None:
    looping = drawn(track, preset=preset, set=changes, loop="3s", start=4, workspace=place)
    cut = drawn(track, preset=preset, set=changes, start=4, end=7, workspace=place)
    assert seam(looping, (1, 2, 3)) <= 1.0
    assert seam(cut, (1, 2, 3)) > 1.2  # else it would not tell


def test_blur_and_loop_are_what_is_planned_and_another_film(track: Path, place: Path) -> None:
    given = {**SMALL, "preset": "silk", "workspace": place, "certificate": False}
    runs = set()
    for change in ({}, {"loop": "4s"}, {"loop": "6s"}, {"loop": "whole"}, {"shutter": 180}, {"shutter": 90}):
        plan, _ = make_plan(track, build(RenderOptions, {**given, **change}, where="options"))
        runs.add(plan.run_id)
    assert len(runs) == 6

    film = synesthete.render(track, loop="4s", shutter=180, frames=place / "blurred", **given)
    expected = drawn(track, **given, loop="4s", shutter=180)
    files = sorted((place / "blurred").glob("*.png"))
    assert len(files) == len(expected) == film.frames
    for frame in (0, 40, film.frames - 6, film.frames - 1):
        with Image.open(files[frame]) as picture:
            np.testing.assert_array_equal(np.asarray(picture, np.float32), expected[frame])
    assert json.loads((film.run / "meta.json").read_text())["options"]["shutter"] == 180


def test_blur_smooths_what_moves(track: Path, place: Path) -> None:
    given = {"preset": "silk", "workspace": place, "end": 2}
    sharp, blurred = (drawn(track, shutter=s, **given) for s in (0, 360))
    assert len(sharp) == len(blurred) == 48
    steps = [np.abs(np.diff(film, axis=0)).mean() for film in (sharp, blurred)]
    assert steps[1] < 0.97 * steps[0]
    # It is the same film, and not a late one.
    errors = [np.abs(blurred[2:-2] - sharp[2 + k : len(sharp) - 2 + k]).mean() for k in (-1, 0, 1)]
    assert errors[1] < 0.7 * min(errors[0], errors[2])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--loop", "8s", "--end", "9"), "drop --end"),
        (("--loop", "0.5"), "1 s or more"),
        (("--loop", "soon"), "write seconds"),
        (("--loop", "13"), "longer than loops.wav"),
        (("--loop", "8", "--start", "9"), "start earlier"),
        (("--loop", "8", "--scenes", "sections"), "one look"),
        (("--shutter", "361"), "360"),
        (("--shutter", "-1"), "0"),
    ],
)
def test_loops_and_shutters_that_can_not_be_are_refused(
    render: Callable[..., Outcome], track: Path, arguments: tuple[str, ...], words: str
) -> None:
    assert words in render(track, *arguments, status=2).message


def test_a_track_that_is_a_loop_keeps_its_sound_and_its_look(place: Path) -> None:
    folder = place / "album"
    folder.mkdir()
    write_wav(folder / "ring.wav", music(4.0))
    settings = {
        "resolution": [64, 64], "frame_rate": 24, "kernels": "eager", "preset": "silk", "shutter": 90,
        "scenes": "every 1 bars", "tracks": [{"id": "ring", "src": "ring.wav", "loop": True}],
    }  # fmt: skip
    (folder / "render.yaml").write_text(json.dumps(settings))
    files = read_album(folder)
    one = plan_track(files, 0, AlbumRun(previews=False))

    assert without_effect(files) == []
    assert one.plan.loop is not None
    assert one.plan.loop.whole
    assert one.plan.options.shutter == 90
    assert one.plan.frames == 96
    assert one.plan.schedule is None or len(one.plan.schedule.scenes) == 1
    film = render_album(files, AlbumRun(previews=False)).tracks["ring"]
    given = {"preset": "silk", "workspace": place, "shutter": 90}
    looping, cut = (drawn(folder / "ring.wav", loop=wish, **given) for wish in ("whole", None))
    seen = np.stack([frame.astype(np.float32) for frame in iterate_frames(film)])
    assert np.abs(seen - looping).mean() < 0.5 * np.abs(seen - cut).mean()
    sound = np.concatenate(list(decode_sound(film)), 1)[:, : 4 * 44_100]
    assert np.corrcoef(sound[0], music(4.0)[0])[0, 1] > 0.99
    assert Fraction(film_facts(film).sound_samples or 0, 44_100) == 4

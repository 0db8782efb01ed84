"""Voices drawn alone, and mixed as light; their Trajectories as one."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from made_scenes import TRAILS, heard_song, program_preset
from synesthete.audio.timeline import Timeline
from synesthete.config.preset import Preset, load_preset
from synesthete.config.render import RenderOptions
from synesthete.generators.base import FakeGenerator, Painter, Size, Trajectory
from synesthete.generators.build import build_fuser, build_generator, score_preset
from synesthete.render.mixer import Mixer, joined, score_voices
from synesthete.render.schedule import Scene, Schedule

SIZE = Size(64, 64)
SILK, MINE, TRAILING = load_preset("silk"), program_preset(), program_preset(TRAILS)
HEARING = program_preset({"node": "palette", "of": {"node": "spectrum_bars"}})
SCOPE = program_preset(
    {"node": "palette", "of": {"node": "spectrum_bars", "contrast": 0.5}}, name="other", seed=5
)
CROSSFADE = (Scene(0.0, "A", 0, (0.0,) * 4), Scene(2.0, "B", 1, (0.0,) * 4, "crossfade", 1.0))
"""From frame 30 to 60, at 30 a second."""


@lru_cache
def song() -> Timeline:
    return heard_song(4.0)


def scored(
    scenes: Sequence[Scene], presets: Sequence[Preset], frame_rate: int = 30
) -> tuple[Painter, Trajectory]:
    options = RenderOptions(kernels="eager", device="cpu", fps=Fraction(frame_rate))
    schedule = Schedule(tuple(presets), tuple(scenes))
    voices, weights = schedule.voices(song().frame_count(options.fps), options.fps)
    return score_voices(voices, weights, song(), options, build_fuser(options, "cppn", SIZE, 1))


def alone(preset: Preset, style: Sequence[float] = (0.0,) * 4) -> tuple[Painter, Trajectory]:
    options = RenderOptions(kernels="eager", device="cpu")
    generator = build_generator(preset, options, build_fuser(options, "cppn", SIZE, 1))
    curve = np.tile(np.array(style), (120, 1))
    return generator, score_preset(preset, generator, song(), frame_rate=Fraction(30), style=curve)


def frames(drawn: tuple[Painter, Trajectory], *wanted: int) -> list[Tensor]:
    painter, trajectory = drawn
    return [next(painter.frames(trajectory, k, k + 1, SIZE)).clone() for k in wanted]


def test_outside_a_crossfade_each_generator_is_seen_as_it_is() -> None:
    mixed = scored(CROSSFADE, [SILK, MINE])
    for shown, own in ((SILK, (0, 29, 30)), (MINE, (60, 61, 119))):
        for picture, expected in zip(frames(mixed, *own), frames(alone(shown), *own), strict=True):
            assert torch.equal(picture, expected)


def test_within_a_crossfade_light_is_added_up() -> None:
    wanted = (31, 45, 59)
    first, second = (frames(alone(preset), *wanted) for preset in (SILK, MINE))
    for frame, picture, a, b in zip(
        wanted, frames(scored(CROSSFADE, [SILK, MINE]), *wanted), first, second, strict=True
    ):
        t = (frame / 30 - 1.0) / 1.0
        share = t * t * (3 - 2 * t)
        expected = torch.sqrt((1 - share) * a**2 + share * b**2)
        torch.testing.assert_close(picture, expected, atol=2e-6, rtol=0)
    assert float((first[1] - second[1]).abs().mean()) > 0.05  # else it would not tell


def test_two_like_pictures_mixed_are_that_picture() -> None:
    class White:
        def prepare(self, trajectory: Trajectory, size: Size) -> str:
            return "eager"

        def frames(self, trajectory: Trajectory, start: int, stop: int, size: Size) -> Iterator[Tensor]:
            for _ in range(start, stop):
                yield torch.ones(3, size.height, size.width)

    # Shares that are rounded to float32 need not add up to 1.
    share = np.random.default_rng(1).random(200)
    rows = Trajectory(np.zeros((200, 1), np.float32), ("x",), {})
    trajectory = joined([rows, rows], np.stack([share, 1 - share], 1))
    for picture in Mixer([White(), White()]).frames(trajectory, 0, 200, Size(64, 64)):
        assert float(picture.max()) <= 1.0
        assert float(picture.min()) >= 1.0 - 2e-7


@pytest.mark.parametrize("second", [MINE, TRAILING], ids=["crossfade", "memory across a cut"])
def test_frames_are_the_same_from_any_segment(second: Preset) -> None:
    scenes = CROSSFADE
    if second is TRAILING:
        scenes = (
            Scene(0.0, "A", 1, (0.0,) * 4),
            Scene(0.5, "B", 1, (2.0, 1.0, -1.0, 1.0), "cut"),
            Scene(1.7, "C", 0, (0.0,) * 4, "crossfade", 1.0),
        )
    painter, trajectory = scored(scenes, [SILK, second])
    whole = [picture.clone() for picture in painter.frames(trajectory, 14, 62, SIZE)]
    pieces: list[Tensor] = []
    for start, stop in ((14, 16), (16, 29), (29, 46), (46, 47), (47, 62)):
        pieces += [picture.clone() for picture in painter.frames(trajectory, start, stop, SIZE)]

    assert len(whole) == len(pieces) == 48
    assert all(torch.equal(one, other) for one, other in zip(whole, pieces, strict=True))


def test_sixty_frames_a_second_make_the_moves_of_thirty() -> None:
    thirty, sixty = (scored(CROSSFADE, [SILK, MINE], rate) for rate in (30, 60))
    wanted = (12, 33, 47, 58, 80)
    for one, other in zip(
        frames(thirty, *wanted), frames(sixty, *(2 * frame for frame in wanted)), strict=True
    ):
        assert float((one - other).abs().max()) <= 2 / 255


def test_a_saved_trajectory_of_scenes_draws_the_same_frames(tmp_path: Path) -> None:
    painter, trajectory = scored(CROSSFADE, [SILK, MINE])
    trajectory.save(tmp_path)
    loaded = Trajectory.load(tmp_path)

    assert loaded.digest() == trajectory.digest()
    for one, other in zip(
        frames((painter, trajectory), 10, 45, 90), frames((painter, loaded), 10, 45, 90), strict=True
    ):
        assert torch.equal(one, other)


def test_another_transition_is_another_trajectory() -> None:
    later = (CROSSFADE[0], Scene(2.0, "B", 1, (0.0,) * 4, "crossfade", 0.9))
    digests = {scored(scenes, [SILK, MINE])[1].digest() for scenes in (CROSSFADE, later)}
    assert len(digests) == 2


def test_what_all_voices_look_at_is_kept_once() -> None:
    _, trajectory = scored(CROSSFADE, [HEARING, SCOPE])
    assert list(trajectory.tables) == ["0.spectrum"]
    assert trajectory.tables["0.spectrum"] is song().spectrum

    other = program_preset(TRAILS, name="other", seed=5, style=(1.0, 0.0, 0.0, 0.0))
    _, trajectory = scored(CROSSFADE, [TRAILING, other])
    assert list(trajectory.tables) == ["0.ticks", "1.ticks"]


def test_two_voices_of_one_preset_are_each_drawn_on_the_path_that_suits_them() -> None:
    far = (5.0, 0.0, 0.0, 0.0)  # needs narrower steps here
    scenes = (Scene(0.0, "A", 0, far), Scene(2.0, "B", 0, (0.0,) * 4, "crossfade", 1.0))
    painter, trajectory = scored(scenes, [SILK])
    (own, plain), (other, plain_too) = alone(SILK, far), alone(SILK)
    paths = [own.prepare(plain, SIZE), other.prepare(plain_too, SIZE)]

    assert paths[0] != paths[1]
    assert painter.prepare(trajectory, SIZE) == "+".join(["eager", *paths])
    for picture, expected in zip(
        frames((painter, trajectory), 5, 29), frames((own, plain), 5, 29), strict=True
    ):
        assert torch.equal(picture, expected)


def test_one_voice_needs_no_mixing() -> None:
    painter, trajectory = scored((Scene(0.0, "A", 0, (0.0,) * 4),), [SILK])
    assert not isinstance(painter, Mixer)
    assert trajectory.digest() == alone(SILK)[1].digest()


def test_only_if_every_voice_is_fused_scenes_are() -> None:
    class OfPath(FakeGenerator):
        def __init__(self, path: str) -> None:
            super().__init__()
            self.path = path

        def prepare(self, trajectory: Trajectory, size: Size) -> str:
            return self.path

    rows = Trajectory(np.zeros((2, 1), np.float32), ("x",), {})
    trajectory = joined([rows, rows], np.ones((2, 2)) / 2)
    named = {
        paths: Mixer([OfPath(path) for path in paths]).prepare(trajectory, SIZE)
        for paths in (("fused-a", "fused-b"), ("fused-a", "eager-b"), ("fused-a", "fused-a"))
    }
    assert named == {
        ("fused-a", "fused-b"): "fused-a+fused-b",
        ("fused-a", "eager-b"): "eager+fused-a+eager-b",
        ("fused-a", "fused-a"): "fused-a",
    }

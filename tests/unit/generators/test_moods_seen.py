"""Moods reach the picture: phases that step, wander and parts of another size, other frames on real music."""

from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from synesthete.audio.timeline import Timeline
from synesthete.config.control import Control, Part, Phase, Wander
from synesthete.config.mood import load_mood
from synesthete.config.preset import load_preset
from synesthete.config.render import RenderOptions
from synesthete.generators.base import Size
from synesthete.generators.build import build_generator, score_preset
from synesthete.generators.control import beat_pace, build_signals, follow, part_levels, wander_noise
from synesthete.generators.fuse import Fuser
from synesthete.render.listen import hear

SONG = Path(__file__).parents[3] / "album" / "torus-trooper-1.ogg"
SIZE, FPS = Size(128, 72), Fraction(10)
FRAMES = (12, 27, 41)
OWN = ("pulse", "drift", "fracture", "lumen", "nocturne", "surge")


@pytest.fixture(scope="module")
def timeline(tmp_path_factory: pytest.TempPathFactory) -> Timeline:
    heard, _ = hear(
        SONG,
        start=Fraction(40),
        end=Fraction(46),
        allow_truncated=False,
        workspace=tmp_path_factory.mktemp("w"),
    )
    return heard


# Signals ----------------------------------------------------------------------------------------------------


def test_a_stepping_phase_is_fastest_on_the_beat_and_as_far_in_the_end() -> None:
    count = np.arange(800) / 50  # two beats a second
    pace = beat_pace(count, 0.8)
    assert pace[::50] == pytest.approx(0.2 + 0.8 * np.exp(2) / np.i0(2))
    assert pace[25::50].max() < 0.25
    np.testing.assert_allclose(pace[10:41], pace[40:9:-1], rtol=1e-9)  # no lag: the same before as after
    assert pace[:750].mean() == pytest.approx(1.0, abs=1e-6)
    np.testing.assert_array_equal(beat_pace(count, 0.0), 1.0)


def test_where_no_beat_is_heard_a_stepping_phase_flows() -> None:
    count = np.minimum(np.arange(400) / 50, 4)
    np.testing.assert_array_equal(beat_pace(count, 1.0)[200:], 1.0)


def test_steps_fall_on_the_beats_of_real_music(timeline: Timeline) -> None:
    phases = {"even": {"rate": 1.0}, "stepping": {"rate": 1.0, "step": 1, "grip": 1.0}}
    signals = build_signals(timeline, Control.model_validate({"phases": phases}), frame_rate=FPS, seed=0)
    even, stepping = signals.ticks["even"], signals.ticks["stepping"]
    beats = np.array(timeline.music.beats)
    assert len(beats) >= 8
    speed = np.diff(stepping) * 100
    inner = beats[1:-2]
    on, off = (
        np.interp(moments * 100, np.arange(len(speed)), speed)
        for moments in (inner, inner + 0.5 * np.diff(beats)[1:-1])
    )
    assert on.min() > 2.5
    assert off.max() < 0.6
    assert np.abs(stepping - even).max() < np.diff(beats).max()  # never a beat's way apart


def test_wander_has_a_size_and_a_seed_of_its_own() -> None:
    seconds = np.arange(3000) / 100
    plain = wander_noise(seconds, Wander(correlation=2.0), seed=1, name="drift")
    twice = wander_noise(seconds, Wander(correlation=2.0, amount=2.0), seed=1, name="drift")
    np.testing.assert_array_equal(twice, 2 * plain)
    own = Wander(correlation=2.0, seed=9)
    a, b = (wander_noise(seconds, own, seed=seed, name="drift") for seed in (1, 2))
    np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(a, wander_noise(seconds, Wander(correlation=2.0), seed=9, name="drift"))
    assert np.abs(a - plain).max() > 0.3


def test_parts_have_a_size() -> None:
    section = np.repeat([0.0, 1.0, 0.0], 1000)
    plain = part_levels(section, Part(), seed=3, name="part")
    np.testing.assert_array_equal(part_levels(section, Part(amount=0.5), seed=3, name="part"), 0.5 * plain)


def test_a_phase_without_steps_is_what_it_was(timeline: Timeline) -> None:
    assert Phase().step is None
    first, second = (
        build_signals(timeline, control, frame_rate=FPS, seed=4)
        for control in (Control(), load_preset("aurora", mood=load_mood("default")).control)
    )
    for name, curve in first.curves.items():
        np.testing.assert_array_equal(curve, second.curves[name])


@pytest.mark.parametrize("mood", OWN)
def test_no_mood_is_late(mood: str) -> None:
    step = np.repeat([0.0, 1.0], [1500, 1500])
    for name, envelope in load_preset("silk", mood=load_mood(mood)).control.envelopes.items():
        curve = follow(step, envelope)
        assert curve[-1] == pytest.approx(1.0, abs=1e-6), name
        assert np.interp(0.5, curve[:1700], np.arange(1700)) == pytest.approx(1499.5, abs=0.51), name


# Pictures ---------------------------------------------------------------------------------------------------


@cache
def pictures(preset_name: str, mood: str | None, timeline: Timeline) -> np.ndarray:
    preset = load_preset(preset_name, mood=None if mood is None else load_mood(mood))
    options = RenderOptions(kernels="eager", device="cpu")
    generator = build_generator(preset, options, Fuser(Path(), wanted=False))
    trajectory = score_preset(preset, generator, timeline, frame_rate=FPS)
    generator.prepare(trajectory, SIZE)
    drawn = [next(iter(generator.frames(trajectory, f, f + 1, SIZE))).numpy().copy() for f in FRAMES]
    return np.stack(drawn)


@pytest.mark.parametrize("preset", ["silk", "indigo"])
def test_moods_are_seen(preset: str, timeline: Timeline) -> None:
    plain = pictures(preset, None, timeline)
    np.testing.assert_array_equal(pictures(preset, "default", timeline), plain)
    seen = {mood: pictures(preset, mood, timeline) for mood in ("default", *OWN)}
    names = list(seen)
    for i, first in enumerate(names):
        for second in names[:i]:
            difference = np.abs(seen[first] - seen[second]).mean()
            assert difference > 0.01, (first, second, difference)

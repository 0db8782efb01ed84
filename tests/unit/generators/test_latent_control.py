"""The latent controller: walks in time with the music, that react, and rest where nothing is heard."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from made_walks import beaten_timeline, heard
from synesthete.audio.timeline import Timeline
from synesthete.config.gan_look import GanLook
from synesthete.generators.latent_control import (
    AXES,
    MOST_PACE,
    WANDER_BOUND,
    WANDERS,
    LatentPlan,
    plan_latents,
)
from synesthete.generators.latents import Material, latents_of, on_two_spheres, wander_noises
from synesthete.seeding import generator_for

GRID = (8, 9, 16)
SECTIONS = ((0.0, "A"), (14.0, "B"), (26.0, "A"), (38.0, "C"))


def planned(timeline: Timeline, *, fps: int = 30, seed: int = 3, **look: Any) -> LatentPlan:
    signals = heard(timeline, fps)
    return plan_latents(signals, np.zeros((signals.frames, AXES)), GanLook(**look), seed)


def material(anchors: int = 12) -> Material:
    draw = generator_for(0, "made material")
    axes = draw.standard_normal((AXES, *GRID))
    return Material(
        draw.standard_normal((anchors, *GRID)).astype(np.float32),
        (axes / np.sqrt(np.square(axes).sum(axis=(1, 2, 3), keepdims=True))).astype(np.float32),
        wander_noises(3, WANDERS, GRID),
    )


def latents(plan: LatentPlan, made: Material | None = None) -> np.ndarray:
    made = made or material(plan.weights.shape[1])
    rows = zip(plan.weights, plan.axes, plan.wander, strict=True)
    return np.stack([latents_of(made, *row) for row in rows])


def steps(drawn: np.ndarray) -> np.ndarray:
    """Give how far latents go from frame to frame, as a share of their length."""
    apart = np.sqrt(np.square(np.diff(drawn, axis=0)).sum(axis=(1, 2, 3)))
    return np.asarray(apart / np.sqrt(drawn[0].size))


@pytest.fixture(scope="module")
def song() -> Timeline:
    return beaten_timeline(50.0, sections=SECTIONS)


@pytest.fixture(scope="module")
def plan(song: Timeline) -> LatentPlan:
    return planned(song)


# Anchors ----------------------------------------------------------------------------------------------------


@settings(max_examples=25)
@given(
    gap=st.one_of(st.none(), st.floats(0.3, 1.2)),
    silence=st.floats(0, 18),
    borders=st.lists(st.floats(0.5, 19), max_size=4, unique=True),
    anchors=st.integers(2, 9),
    move_beats=st.floats(1, 16),
    move_s=st.floats(0.5, 9),
    glide=st.floats(0.05, 4),
    grip=st.floats(0, 1),
    wander=st.floats(0, 3),
)
def test_whatever_the_song_anchors_sum_to_one_and_wander_stays_in_bounds(
    gap: float | None,
    silence: float,
    borders: list[float],
    anchors: int,
    move_beats: float,
    move_s: float,
    glide: float,
    grip: float,
    wander: float,
) -> None:
    sections = tuple((start, "ABAC"[place % 4]) for place, start in enumerate([0.0, *sorted(borders)]))
    timeline = beaten_timeline(20.0, gap=gap, sections=sections, silences=((silence, silence + 2.0),))
    plan = planned(
        timeline, anchors=anchors, move_beats=move_beats, move_s=move_s, glide=glide, grip=grip,
        wander=wander,
    )  # fmt: skip
    assert plan.weights.shape == (600, anchors)
    assert plan.weights.min() >= 0
    np.testing.assert_allclose(plan.weights.sum(axis=1), 1.0, atol=1e-12)
    assert ((plan.weights > 0).sum(axis=1) <= 2).all()
    assert np.abs(plan.wander).max() <= WANDER_BOUND * wander
    route = plan.route
    assert (np.diff(route.moments) > 0).all()
    assert (np.diff(route.stops) != 0).all()
    # As fast as the shortest move, all its grip and all its energy allow; a step may be as long as a move.
    least = 0.5 * min(glide, move_s, move_beats * (gap or 9.0))
    longest = np.abs(np.diff(plan.weights, axis=0)).max()
    assert longest <= min(1.0, MOST_PACE * max(1.0, 1.0 / move_beats) / least / 30 + 1e-9)


@settings(max_examples=25)
@given(
    gap=st.floats(0.3, 1.2),
    borders=st.lists(st.floats(0.5, 19), max_size=4, unique=True),
    move_beats=st.floats(1, 16),
    glide_beats=st.floats(1, 4),
    seed=st.integers(0, 2**32),
)
def test_where_beats_are_heard_every_stop_is_on_one(
    gap: float, borders: list[float], move_beats: float, glide_beats: float, seed: int
) -> None:
    sections = tuple((start, "ABAC"[place % 4]) for place, start in enumerate([0.0, *sorted(borders)]))
    timeline = beaten_timeline(20.0, gap=gap, sections=sections)
    glide = glide_beats * gap  # one that is shorter than a beat leaves for a section between two of them
    plan = planned(timeline, fps=100, seed=seed, move_beats=move_beats, glide=glide, grip=1, noise="beating")
    beats = np.array(timeline.music.beats)
    inner = plan.route.moments[(plan.route.moments > 0) & (plan.route.moments <= beats[-1])]
    assert np.abs(inner[:, None] - beats).min(axis=1).max() < 1e-9
    speed = np.diff(plan.grain)
    whole = beats[(beats > 1) & (beats < beats[-1] - 1)]
    on, off = (np.rint(100 * (whole + shift)).astype(int) for shift in (0.0, gap / 2))
    assert speed[on].min() > 5 * speed[off].max()


def test_moves_begin_and_end_on_beats(plan: LatentPlan, song: Timeline) -> None:
    inner = plan.route.moments[1:-1]
    apart = np.abs(inner[:, None] - np.array(song.music.beats)).min(axis=1)
    assert len(inner) >= 9
    assert apart.max() < 1e-9
    lengths = np.diff(plan.route.moments)[1:-1] / 0.5
    assert np.allclose(lengths, np.rint(lengths))  # whole beats
    assert 8 in np.rint(lengths)


def test_steps_within_a_move_fall_on_every_subdivision(song: Timeline) -> None:
    even, stepping, half = (
        np.abs(np.diff(planned(song, fps=100, grip=grip, subdivision=sub).weights, axis=0)).sum(axis=1)
        for grip, sub in ((0.0, 1.0), (1.0, 1.0), (1.0, 2.0))
    )
    beats = np.array(song.music.beats)
    inner = beats[(beats > 2) & (beats < 10)]
    on, off = (np.rint(100 * (inner + shift)).astype(int) for shift in (0.0, 0.25))
    assert stepping[on].mean() > 15 * stepping[off].mean()
    assert even[on].mean() < 2 * even[off].mean()
    strong = np.abs(half[on]).reshape(-1, 2).mean(axis=0)
    assert strong.max() > 15 * strong.min()


def test_without_beats_it_goes_on_and_rests_at_anchors() -> None:
    plan = planned(beaten_timeline(40.0, gap=None), move_s=4.0)
    assert len(plan.route.stops) >= 9
    assert np.diff(plan.route.moments)[:-1] == pytest.approx(4.0, abs=0.02)
    speed = np.abs(np.diff(plan.weights, axis=0)).sum(axis=1)
    stops = np.rint(30 * plan.route.moments[1:-1]).astype(int)
    assert speed[stops - 1].max() < 0.2 * speed.mean()


def test_a_section_is_reached_as_it_begins_and_comes_back_the_same(plan: LatentPlan) -> None:
    stops = dict(zip(np.round(plan.route.moments, 2), plan.route.stops, strict=True))
    arrivals = {start: stops[min(stops, key=lambda moment: abs(moment - start))] for start, _ in SECTIONS}
    assert all(min(abs(moment - start) for moment in stops) < 0.3 for start, _ in SECTIONS)
    assert arrivals[0.0] == arrivals[26.0]
    assert len({arrivals[0.0], arrivals[14.0], arrivals[38.0]}) == 3
    own = [
        {int(stop) for moment, stop in stops.items() if start - 0.3 <= moment < end - 2.5}
        for (start, _), end in zip(SECTIONS, (14.0, 26.0, 38.0, 50.0), strict=True)
    ]
    assert not own[0] & own[1]
    assert not own[1] & own[3]
    assert own[0] & own[2]


def test_sections_lie_as_far_apart_as_is_said(song: Timeline) -> None:
    none, some, far = (planned(song, sections=size).axes for size in (0.0, 0.5, 2.0))
    level = (some - none)[:, 0] / 0.5
    assert (far - none)[:, 0] == pytest.approx(2.0 * level)
    assert np.array_equal(some[:, 1:], none[:, 1:])
    middles = [round(30 * moment) for moment in (5.0, 18.0, 30.0, 45.0)]
    first, second, again, third = level[middles]
    assert first == again
    assert sorted([first, second, third]) == pytest.approx([-1.0, 0.0, 1.0])
    assert np.ptp(level[30 * 2 : 30 * 11]) < 1e-9  # it stays, and goes as the section's anchor is gone to
    starts = [round(30 * start) + 9 for start, _ in SECTIONS[1:]]
    assert level[starts] == pytest.approx([second, first, third])
    alone = [planned(beaten_timeline(10.0), sections=size).axes for size in (0.0, 2.0)]
    assert np.array_equal(*alone)


def test_sections_in_silence_wait_for_sound() -> None:
    timeline = beaten_timeline(24.0, sections=((0.0, "A"), (12.0, "B")), silences=((8.0, 16.0),))
    level = np.subtract(*(planned(timeline, sections=size).axes for size in (1.0, 0.0)))[:, 0]
    assert abs(level[-1] - level[0]) == pytest.approx(2.0, abs=0.1)
    assert np.ptp(level[30 * 8 + 1 : 30 * 16]) < 1e-9


def test_it_stays_among_all_anchors_and_never_in_one_place(plan: LatentPlan) -> None:
    """The trap of the zebra stripes: a film whose anchors had all become one."""
    share = plan.weights.mean(axis=0)
    used = share[share > 0]
    assert float(np.exp(-(used * np.log(used)).sum())) > 0.6 * len(share)


# Reactions --------------------------------------------------------------------------------------------------


def test_onsets_are_seen_whatever_the_smoothing(song: Timeline) -> None:
    """The trap of smoothing that hid all reaction."""
    raw, smooth = (planned(song, smoothing=smoothing).axes[:, 0] for smoothing in (0.0, 10.0))
    beats = np.array(song.music.beats)[2:-2]
    on, off = (np.rint(30 * (beats + shift)).astype(int) for shift in (0.06, 0.42))
    rise = [(curve[on] - curve[off]).mean() for curve in (raw, smooth)]
    assert rise[0] > 0.25
    assert rise[1] > 0.8 * rise[0]


def test_smoothing_stills_what_is_quiet() -> None:
    timeline = beaten_timeline(20.0, gap=None, level=0.45)
    raw, smooth = (planned(timeline, smoothing=smoothing).axes[:, 1] for smoothing in (0.0, 2.0))
    assert np.abs(np.diff(smooth)).sum() < 0.6 * np.abs(np.diff(raw)).sum()


def test_smoothing_is_centred(song: Timeline) -> None:
    raw, smooth = (planned(song, smoothing=smoothing).axes[:, 0] for smoothing in (0.0, 2.0))
    likeness = [np.corrcoef(np.roll(smooth, shift), raw)[0, 1] for shift in range(-3, 4)]
    assert int(np.argmax(likeness)) == 3


def test_only_onsets_over_the_gate_kick(song: Timeline) -> None:
    plan, shut = planned(song), planned(song, kick_gate=0.99)
    beats = np.array(song.music.beats)[2:-2]
    assert plan.axes[np.rint(30 * (beats + 0.03)).astype(int), 3].min() > 0.2
    assert shut.axes[:, 3].max() < 0.05
    assert planned(beaten_timeline(10.0, kicks=False)).axes[:, 3].max() == 0


def test_bands_move_their_axes_by_the_stated_amounts(song: Timeline) -> None:
    plan, still = (planned(song, bass=bass, sections=0.0) for bass in (2.0, 0.0))
    assert 1.0 < plan.axes[:, 0].max() <= 2.0 + 1e-6
    assert still.axes[:, 0].max() == 0
    assert np.array_equal(plan.axes[:, 1:], still.axes[:, 1:])


def test_outside_onsets_nothing_jumps(plan: LatentPlan, song: Timeline) -> None:
    """Frame to frame, at 30 a second, by at most a twentieth of the latents' length; on onsets by a tenth."""
    frames = np.arange(len(plan.weights) - 1) / 30
    since = np.abs(frames[:, None] - np.array(song.music.beats)).min(axis=1)
    moved = steps(latents(plan))
    assert moved[since > 0.1].max() < 0.05
    assert moved.max() < 0.1
    assert np.median(moved) > 0.001


def test_light_goes_with_the_energy() -> None:
    timeline = beaten_timeline(24.0, silences=((8.0, 16.0),))
    light = planned(timeline, dark=0.6).light
    assert light[300:420].max() == pytest.approx(0.4)
    assert light[60:210].min() > 0.5
    assert light.max() <= 1 + 1e-6
    assert (planned(timeline, dark=0.0).light == 1).all()


def test_silence_hardly_moves() -> None:
    timeline = beaten_timeline(24.0, silences=((8.0, 16.0),))
    moved = steps(latents(planned(timeline)))
    sound, silence = moved[60:210], moved[270:450]
    assert silence.max() == 0
    assert sound.mean() > 0.002


# Clocks, seeds and threads ----------------------------------------------------------------------------------


def test_another_frame_rate_is_the_same_walk(plan: LatentPlan, song: Timeline) -> None:
    fast = planned(song, fps=60)
    for name in ("weights", "axes", "wander", "grain", "light"):
        assert np.array_equal(getattr(fast, name)[::2], getattr(plan, name)), name


def test_seeds_are_other_walks(plan: LatentPlan, song: Timeline) -> None:
    other = planned(song, seed=4)
    assert not np.array_equal(other.route.stops, plan.route.stops)
    assert np.array_equal(other.route.moments, plan.route.moments)
    assert not np.array_equal(other.wander, plan.wander)
    own = planned(song, seed=4, wander_seed=3)
    assert np.array_equal(own.wander, planned(song, wander_seed=3).wander)


def test_wander_takes_its_time() -> None:
    """It forgets itself after a correlation time, whatever the frames."""
    timeline = beaten_timeline(60.0)
    slow, fast = (planned(timeline, wander_s=seconds).wander for seconds in (8.0, 2.0))
    assert np.abs(np.diff(fast, axis=0)).mean() > 2.5 * np.abs(np.diff(slow, axis=0)).mean()
    assert 0.1 < slow.std() / GanLook().wander < 0.9


def test_detail_beats_if_it_shall(song: Timeline) -> None:
    assert not planned(song).grain.any()
    grain = planned(song, noise="beating", grip=1.0, fps=100).grain
    assert grain[-1] == pytest.approx(0.25 * (len(song.music.beats) - 1), abs=0.15)
    beats = np.rint(100 * np.array(song.music.beats)[2:-2]).astype(int)
    speed = np.diff(grain)
    assert speed[beats].min() > 10 * speed[beats + 25].max()


@pytest.fixture
def two_threads() -> Iterator[None]:
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(1)


def test_no_bit_depends_on_the_threads(two_threads: None, plan: LatentPlan, song: Timeline) -> None:
    again = planned(song)
    for name in ("weights", "axes", "wander", "grain", "light"):
        assert np.array_equal(getattr(again, name), getattr(plan, name)), name


# Latents ----------------------------------------------------------------------------------------------------


def whole_length(grids: np.ndarray) -> np.ndarray:
    """Give the length of what holds for the whole picture: the means of the channels, scaled to N(0, 1)."""
    means = grids.astype(np.float64).mean(axis=(2, 3))
    return np.asarray(np.sqrt(np.square(means).sum(axis=1) * grids[0, 0].size))


def rest_length(grids: np.ndarray) -> np.ndarray:
    return np.asarray(np.sqrt(grids.astype(np.float64).var(axis=(2, 3)).sum(axis=1) * grids[0, 0].size))


def test_latents_keep_their_spread(plan: LatentPlan) -> None:
    """The trap of the output that lost its saturation: halfway latents were shorter, and pictures grey."""
    made = material()
    drawn = latents(plan, made)
    for length in (whole_length, rest_length):
        found, own = length(drawn), length(made.anchors)
        assert own.min() - 1e-3 <= found.min() <= found.max() <= own.max() + 1e-3


@given(share=st.floats(0, 1), seed=st.integers(0, 50))
def test_the_way_between_two_grids_is_even(share: float, seed: int) -> None:
    one, other = generator_for(seed, "two grids").standard_normal((2, *GRID))
    at = on_two_spheres(one, other, share)
    ahead = on_two_spheres(one, other, min(1.0, share + 0.01))
    halfway = on_two_spheres(one, other, 0.5)
    step = np.sqrt(np.square(on_two_spheres(one, other, 0.51) - halfway).sum())
    assert np.sqrt(np.square(ahead - at).sum()) <= 1.1 * step
    assert np.allclose(on_two_spheres(one, other, 0.0), one)
    assert np.allclose(on_two_spheres(one, other, 1.0), other)


def test_temperature_scales_and_one_anchor_is_itself() -> None:
    made = material(3)
    still = np.zeros(AXES), np.zeros(WANDERS)
    weights = np.array([0.0, 1.0, 0.0])
    assert np.allclose(latents_of(made, weights, *still), made.anchors[1], atol=1e-6)
    cool = latents_of(made, weights, *still, temperature=0.5)
    assert np.allclose(cool, 0.5 * made.anchors[1], atol=1e-6)

"""Scenes: where they begin, what they look like, and how one passes into the next."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from made_scenes import heard_song, program_preset
from synesthete.audio.timeline import Timeline
from synesthete.config.preset import Preset, load_preset
from synesthete.config.render import SceneRule, Transition
from synesthete.render.schedule import Scene, Schedule, lasting, plan_schedule

SECTIONS, MARKERS = SceneRule(kind="sections"), SceneRule(kind="markers")
SILK, MINE = load_preset("silk"), program_preset(style=(0.3, -0.2, 0.1, 1.0))


def looks(schedule: Schedule) -> list[tuple[float, int, tuple[float, ...]]]:
    return [(scene.start_s, scene.preset, scene.style) for scene in schedule.scenes]


def starts(schedule: Schedule) -> list[float]:
    return [scene.start_s for scene in schedule.scenes]


def marked(timeline: Timeline, *markers: float, presets: tuple[Preset, ...] = (MINE,)) -> Schedule:
    return plan_schedule(timeline, presets, MARKERS, markers=markers)


# Where ------------------------------------------------------------------------------------------------------


def test_sections_begin_on_the_bar_and_what_returns_looks_the_same() -> None:
    song = heard_song(80, {0.0: "A", 20.3: "B", 40.0: "A", 60.0: "C"})
    schedule = plan_schedule(song, [MINE], SECTIONS)

    assert starts(schedule) == [0.0, 20.0, 40.0, 60.0]
    assert [scene.label for scene in schedule.scenes] == ["A", "B", "A", "C"]
    first, second, again, other = (scene.style for scene in schedule.scenes)
    assert first == again == MINE.style
    assert len({first, second, other}) == 3


def test_presets_take_turns_in_the_order_in_which_music_is_first_heard() -> None:
    song = heard_song(100, {0.0: "A", 20.0: "B", 40.0: "C", 60.0: "B", 80.0: "A"})
    schedule = plan_schedule(song, [SILK, MINE], SECTIONS)

    assert [scene.preset for scene in schedule.scenes] == [0, 1, 0, 1, 0]
    assert schedule.scenes[0].style == schedule.scenes[4].style == SILK.style
    assert schedule.scenes[1].style == schedule.scenes[3].style == MINE.style
    assert schedule.scenes[2].style != SILK.style


def test_what_is_so_many_bars_into_the_same_music_looks_the_same() -> None:
    song = heard_song(96, {0.0: "A", 32.6: "B", 64.0: "A"})  # B begins between two bars
    schedule = plan_schedule(song, [MINE], SceneRule(kind="bars", bars=8))

    assert starts(schedule) == [0.0, 16.0, 32.0, 48.0, 64.0, 80.0]
    assert [scene.label for scene in schedule.scenes] == ["A1", "A2", "B1", "B2", "A1", "A2"]
    styles = [scene.style for scene in schedule.scenes]
    assert styles[:2] == styles[4:]
    assert len(set(styles)) == 4


def test_bars_are_counted_without_sections_too() -> None:
    schedule = plan_schedule(heard_song(40), [MINE], SceneRule(kind="bars", bars=6))
    assert starts(schedule) == [0.0, 12.0, 24.0, 36.0]
    assert len({scene.style for scene in schedule.scenes}) == 4


def test_bars_shorter_than_a_scene_are_joined() -> None:
    schedule = plan_schedule(heard_song(20), [MINE], SceneRule(kind="bars", bars=1))
    assert starts(schedule) == [0.0, 4.0, 8.0, 12.0, 16.0]


def test_markers_come_in_any_order_and_outside_the_song_there_is_no_scene() -> None:
    schedule = marked(heard_song(40), 29.4, 11.2, 38.0, 40.0, 900.0)

    assert starts(schedule) == [0.0, 12.0, 30.0]
    assert len({scene.style for scene in schedule.scenes}) == 3


def test_without_bars_scenes_begin_where_they_are_told_to() -> None:
    assert starts(marked(heard_song(40, bar_s=None), 11.3)) == [0.0, 11.3]
    assert starts(marked(heard_song(40, downbeats=(8.0,)), 11.3)) == [0.0, 11.3]


@pytest.mark.parametrize("seconds", [0.5, 3.0, 7.9])
@pytest.mark.parametrize("rule", [SECTIONS, MARKERS, SceneRule(kind="bars", bars=1)])
def test_songs_too_short_for_two_scenes_have_one(seconds: float, rule: SceneRule) -> None:
    song = heard_song(seconds, {0.0: "A", seconds / 2: "B"})
    schedule = plan_schedule(song, [SILK, MINE], rule, markers=[seconds / 2])

    (scene,) = schedule.scenes
    assert (scene.start_s, scene.preset, scene.style) == (0.0, 0, SILK.style)


@pytest.mark.parametrize("kind", ["sections", "bars"])
def test_where_nothing_is_heard_to_change_nothing_changes(kind: str) -> None:
    rule = SceneRule(kind=kind, bars=4 if kind == "bars" else 0)  # type: ignore[arg-type]
    assert len(plan_schedule(heard_song(60, bar_s=None), [SILK, MINE], rule).scenes) == 1


def test_a_section_too_short_to_be_seen_does_not_take_the_place_of_the_next() -> None:
    song = heard_song(90, {0.0: "A", 30.0: "B", 33.0: "A", 60.0: "C"}, bar_s=1.0)
    schedule = plan_schedule(song, [MINE], SECTIONS)

    assert [(scene.start_s, scene.label) for scene in schedule.scenes] == [(0.0, "A"), (60.0, "C")]
    opening = plan_schedule(heard_song(60, {0.0: "A", 3.0: "B", 30.0: "A"}, bar_s=1.0), [MINE], SECTIONS)
    assert [(scene.start_s, scene.label) for scene in opening.scenes] == [(0.0, "B"), (30.0, "A")]


def test_a_pause_without_beats_is_no_bar() -> None:
    downbeats = [*range(0, 31, 2), *range(90, 121, 2)]
    song = heard_song(120, {0.0: "A", 60.0: "B"}, downbeats=downbeats)
    (_, scene) = plan_schedule(song, [MINE], SECTIONS, transition="morph").scenes

    assert scene.start_s == 60.0
    assert scene.lead_s == 4.0


# What -------------------------------------------------------------------------------------------------------


def test_equal_presets_are_one_and_others_of_its_name_are_not() -> None:
    song = heard_song(60, {0.0: "A", 20.0: "B", 40.0: "C"})
    same = plan_schedule(song, [MINE, MINE.model_copy()], SECTIONS)
    namesake = program_preset({"node": "palette", "of": {"node": "rings"}}, name=MINE.name)
    other = plan_schedule(song, [MINE, namesake], SECTIONS)

    assert same.presets == (MINE,)
    assert looks(same) == looks(plan_schedule(song, [MINE], SECTIONS))
    assert [scene.preset for scene in other.scenes] == [0, 1, 0]


def test_the_presets_own_style_is_kept_to_the_last_digit() -> None:
    style = (0.123456789, -1 / 3, 1e-7, 2.0)
    schedule = plan_schedule(heard_song(10), [program_preset(style=style)], SECTIONS)
    assert schedule.scenes[0].style == style


def test_styles_lie_apart_and_within_their_range() -> None:
    song = heard_song(200, {20.0 * k: "ABCDEFGHIJ"[k] for k in range(10)})
    for corner in (0.0, 5.0, -5.0):
        schedule = plan_schedule(song, [program_preset(style=(corner,) * 4)], SECTIONS, offset=[1.0] * 4)
        styles = np.array([scene.style for scene in schedule.scenes])
        assert np.abs(styles).max() <= 5.0
    schedule = plan_schedule(song, [MINE], SECTIONS)
    styles = np.array([scene.style for scene in schedule.scenes])
    apart = [np.linalg.norm(a - b) for k, a in enumerate(styles) for b in styles[:k]]
    assert min(apart) > 0.3
    # Hue, axis 0: none of the first five looks has another's.
    hues = styles[:5, 0]
    assert min(abs(a - b) for k, a in enumerate(hues) for b in hues[:k]) > 0.3
    np.testing.assert_allclose(np.linalg.norm((styles - MINE.style)[1:, 1:], axis=1), 1.5, atol=1e-3)


def test_an_offset_moves_every_style() -> None:
    song = heard_song(60, {0.0: "A", 30.0: "B"})
    plain, moved = (
        plan_schedule(song, [MINE], SECTIONS, offset=offset) for offset in (None, (0.5, 0.0, -0.5, 0.25))
    )
    for one, other in zip(plain.scenes, moved.scenes, strict=True):
        np.testing.assert_allclose(np.subtract(other.style, one.style), (0.5, 0.0, -0.5, 0.25), atol=2e-4)


# How --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "transition", "lead_s"), [(0.2, "cut", 0.0), (0.06, "crossfade", 2.0), (0.01, "morph", 4.0)]
)
def test_how_much_the_music_changes_decides_how_it_is_shown(
    change: float, transition: Transition, lead_s: float
) -> None:
    song = heard_song(60, {0.0: "A", 30.0: "B"}, levels={30.0: 0.5 + change})
    (_, scene) = plan_schedule(song, [MINE], SECTIONS).scenes

    assert (scene.transition, scene.lead_s) == (transition, lead_s)
    assert scene.enters_s == 30.0 - lead_s


def test_a_morph_needs_one_preset() -> None:
    song = heard_song(90, {0.0: "A", 30.0: "B", 60.0: "C"})
    schedule = plan_schedule(song, [SILK, MINE], SECTIONS, transition="morph")
    assert [scene.transition for scene in schedule.scenes[1:]] == ["crossfade", "crossfade"]


def test_a_transition_takes_no_more_than_half_of_the_scene_that_it_ends() -> None:
    schedule = plan_schedule(
        heard_song(60, bar_s=6.0), [MINE], MARKERS, markers=[6.0, 12.0], transition="morph"
    )
    assert [scene.lead_s for scene in schedule.scenes] == [0.0, 3.0, 3.0]


def test_a_cut_jumps_on_its_frame_and_a_morph_arrives_on_it() -> None:
    rate, target = Fraction(30), (1.0, 2.0, 3.0, 4.0)
    for transition, lead_s in (("cut", 0.0), ("morph", 2.0)):
        scenes = (Scene(0.0, "A", 0, (0.0,) * 4), Scene(6.0, "B", 0, target, transition, lead_s))  # type: ignore[arg-type]
        (voice,), weights = Schedule((MINE,), scenes).voices(300, rate)
        assert (weights == 1.0).all()
        assert (voice.style[180:] == target).all()
        assert (voice.style[: 180 - round(lead_s * 30)] == 0.0).all()
        steps = np.abs(np.diff(voice.style[:, 3]))
        assert steps.max() == pytest.approx(4.0) if transition == "cut" else steps.max() < 0.11


def test_a_crossfade_rises_evenly_and_needs_a_second_voice_of_one_preset() -> None:
    scenes = (
        Scene(0.0, "A", 0, (0.0,) * 4),
        Scene(6.0, "B", 0, (1.0,) * 4, "crossfade", 2.0),
        Scene(12.0, "A", 0, (0.0,) * 4, "crossfade", 2.0),
    )
    voices, weights = Schedule((MINE,), scenes).voices(480, Fraction(30))

    assert len(voices) == 2
    assert (weights[:121] == (1.0, 0.0)).all()
    assert weights[150] == pytest.approx((0.5, 0.5))
    assert (np.diff(weights[120:181, 1]) > 0).all()
    assert (weights[180:301] == (0.0, 1.0)).all()
    assert (weights[360:] == (1.0, 0.0)).all()
    assert (voices[0].style == 0.0).all()
    assert (voices[1].style[120:] == 1.0).all()


def test_a_song_in_one_look_has_one_voice() -> None:
    (voice,), weights = lasting(MINE).voices(7, Fraction(30))
    assert voice.preset is MINE
    assert (voice.style == MINE.style).all()
    assert (weights == np.ones((7, 1))).all()


LABELS = st.lists(st.tuples(st.floats(0.1, 30.0), st.sampled_from("ABCD")), min_size=0, max_size=8)


@settings(max_examples=25)
@given(
    LABELS,
    st.sampled_from([None, 0.5, 2.0, 7.3]),
    st.integers(1, 3),
    st.sampled_from([None, "cut", "crossfade", "morph"]),
    st.floats(0.0, 6.0),
)
def test_whatever_is_heard_the_looks_add_up(
    parts: list[tuple[float, str]],
    bar_s: float | None,
    many: int,
    transition: Transition | None,
    rest_s: float,
) -> None:
    moments = np.cumsum([0.0, *(length for length, _ in parts)]).round(3)
    labels = ["A", *(label for _, label in parts)]
    seconds = float(moments[-1]) + rest_s + 0.02
    rise = {float(start): 0.3 + 0.05 * (k % 3) for k, start in enumerate(moments)}
    song = heard_song(
        round(seconds, 2), dict(zip(moments.tolist(), labels, strict=True)), bar_s=bar_s, levels=rise
    )
    presets = [SILK, MINE, program_preset(name="other", seed=4)][:many]
    schedule = plan_schedule(song, presets, SECTIONS, transition=transition)

    scenes = schedule.scenes
    assert scenes[0].start_s == 0.0
    assert all(b.start_s - a.start_s >= 4.0 for a, b in pairwise(scenes))
    assert all(b.enters_s >= a.start_s + 0.5 * (b.start_s - a.start_s) - 1e-9 for a, b in pairwise(scenes))
    assert all((a.preset, a.style) != (b.preset, b.style) for a, b in pairwise(scenes))
    assert scenes[-1].start_s <= song.duration
    by_label: dict[str, set[tuple[int, tuple[float, ...]]]] = {}
    for scene in scenes:
        by_label.setdefault(scene.label, set()).add((scene.preset, scene.style))
    assert all(len(found) == 1 for found in by_label.values())

    frames = song.frame_count(Fraction(24))
    voices, weights = schedule.voices(frames, Fraction(24))
    assert len(voices) <= 2 * many
    np.testing.assert_allclose(weights.sum(1), 1.0, atol=1e-12)
    np.testing.assert_allclose(weights.astype(np.float32).sum(1), 1.0, atol=1e-6)
    assert weights.min() >= 0.0
    assert ((weights > 0).sum(1) <= 2).all()
    moments_s = np.arange(frames) / 24
    for scene, until in zip(scenes, [*(s.enters_s for s in scenes[1:]), np.inf], strict=True):
        alone = (moments_s >= scene.start_s + 1e-9) & (moments_s < until - 1e-9)
        assert (weights[alone].max(1) == 1.0).all()
        for shown in set(weights[alone].argmax(1).tolist()):
            assert voices[shown].preset is schedule.presets[scene.preset]
            assert (voices[shown].style[alone] == scene.style).all()


@pytest.mark.parametrize("ntsc", [False, True])
def test_frame_i_at_30_is_frame_2i_at_60(ntsc: bool) -> None:
    song = heard_song(
        80, {0.0: "A", 20.0: "B", 40.0: "A", 61.0: "C"}, levels={20.0: 0.56, 40.0: 0.57, 61.0: 0.9}
    )
    schedule = plan_schedule(song, [SILK, MINE], SECTIONS)
    rate = Fraction(30_000, 1001) if ntsc else Fraction(30)
    slow, slow_weights = schedule.voices(song.frame_count(rate), rate)
    fast, fast_weights = schedule.voices(song.frame_count(2 * rate), 2 * rate)

    assert {scene.transition for scene in schedule.scenes[1:]} >= {"crossfade", "cut"}
    np.testing.assert_array_equal(slow_weights, fast_weights[::2][: len(slow_weights)])
    for one, other in zip(slow, fast, strict=True):
        np.testing.assert_array_equal(one.style, other.style[::2][: len(one.style)])


def test_the_manifest_says_what_begins_when() -> None:
    schedule = plan_schedule(
        heard_song(60, {0.0: "A", 30.0: "B"}), [SILK, MINE], SECTIONS, transition="crossfade"
    )
    assert schedule.to_json()[1] == {
        "start_s": 30.0,
        "label": "B",
        "preset": "mine",
        "style": list(MINE.style),
        "transition": "crossfade",
        "lead_s": 2.0,
    }
    assert schedule.inputs()["presets"][1] == MINE.model_dump(mode="json")

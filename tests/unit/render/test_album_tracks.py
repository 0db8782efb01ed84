"""From an album's files to a plan for each track: what is said anywhere reaches the plan, and the picture."""

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conftest import music, write_wav
from synesthete.config.album_file import read_album
from synesthete.errors import ConfigError
from synesthete.generators.build import build_fuser
from synesthete.generators.family import main_hue
from synesthete.render.album_tracks import AlbumRun, PlannedTrack, plan_track
from synesthete.render.mixer import score_voices

Plan = Callable[..., list[PlannedTrack]]
SMALL = {"resolution": [64, 64], "frame_rate": 24, "kernels": "eager", "preset": "silk"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two sounds; what is heard in them is kept."""
    folder = tmp_path_factory.mktemp("album")
    for name, seed in (("a.wav", 0), ("b.wav", 1)):
        write_wav(folder / name, music(3.0, seed=seed))
    return folder


@pytest.fixture
def plan(folder: Path) -> Plan:
    """Plan an album of these tracks, each one's own fields given, with these fields of the album's."""

    def plan(*tracks: dict[str, Any], **album: Any) -> list[PlannedTrack]:
        listed = [{"id": f"t{k}", "src": "a.wav", **track} for k, track in enumerate(tracks)]
        (folder / "render.yaml").write_text(json.dumps({**SMALL, **album, "tracks": listed}))  # JSON is YAML
        files = read_album(folder)
        return [plan_track(files, index, AlbumRun()) for index in range(len(listed))]

    return plan


def trajectory(one: PlannedTrack) -> str:
    """The digest of what the frames are drawn from."""
    plan = one.plan
    fuser = build_fuser(plan.options, plan.preset.generator, plan.size, plan.frames)
    return score_voices(*plan.voices(), one.timeline, plan.options, fuser)[1].digest()


def styles(one: PlannedTrack) -> np.ndarray:
    return np.array([voice.style[0] for voice in one.plan.voices()[0]])


# Moods -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "controller",
    [
        {"preset": "drift"},
        {"preset": "surge"},
        {"smoothing_alpha": 0.98},
        {"wander_seed": 7},
        {"tempo_sync": {"enabled": True, "subdivision": 0.5}},
    ],
    ids=str,
)
def test_a_tracks_mood_reaches_the_trajectory(plan: Plan, controller: dict[str, Any]) -> None:
    plain, moody = plan({}, {"controller": controller}, arc=None)
    assert trajectory(moody) != trajectory(plain)
    assert plain.plan.inputs() != moody.plan.inputs()


def test_an_albums_mood_is_that_of_its_tracks_and_a_tracks_own_goes_over_it(plan: Plan) -> None:
    first, second, third = plan(
        {}, {"controller": {"preset": "drift"}}, {"controller": {"preset": "default"}}, arc=None,
        controller={"preset": "surge"},
    )  # fmt: skip
    assert [one.plan.mood for one in (first, second, third)] == ["surge", "drift", "default"]
    assert len({trajectory(one) for one in (first, second, third)}) == 3


def test_a_mood_that_is_named_as_the_preset_is_taken_as_the_mood(plan: Plan) -> None:
    (one,) = plan({"preset": "drift"})  # as the original has it
    assert one.plan.mood == "drift"


def test_smoothing_is_given_as_a_share_kept_per_sixtieth_of_a_second(plan: Plan) -> None:
    none, some = plan(
        {"controller": {"smoothing_alpha": 0}}, {"controller": {"smoothing_alpha": 0.92}}, arc=None
    )
    attack = [one.plan.preset.control.envelopes["pulse"].attack for one in (none, some)]
    assert attack[1] - attack[0] == pytest.approx(-1 / (60 * np.log(0.92)), abs=1e-6)


# The look --------------------------------------------------------------------------------------------------


def test_seed_changes_and_post_reach_the_preset(plan: Plan) -> None:
    one, two = plan(
        {"set": ["cppn.net.gain=1.25"], "postfx": {"chroma_shift": 0.0}},
        {"seed": 3, "postfx": {"tone_curve": "soft"}},
        seed=8,
        postfx={"tone_curve": "filmlog", "grain_intensity": 0.15, "chroma_shift": 0.004},
    )
    posts = [one.plan.preset.post for one in (one, two)]
    assert [(p.tone_curve, p.grain.base, p.chroma_shift.base) for p in posts] == [
        ("filmlog", 0.15, 0.0),
        ("soft", 0.15, 0.004),
    ]
    assert (one.plan.preset.seed, two.plan.preset.seed) == (8, 3)
    assert one.plan.preset.cppn.net.gain == 1.25
    assert one.plan.inputs() != two.plan.inputs()


def test_the_style_takes_its_arc_from_the_first_track_to_the_last(plan: Plan) -> None:
    arc = {"start": [-1, 0, 0, 0], "end": [1, 0, 0.5, 0]}
    first, middle, last = (styles(one)[0] for one in plan({}, {}, {}, arc=arc, scenes="off"))
    np.testing.assert_allclose(last - first, [2, 0, 0.5, 0], atol=1e-6)
    np.testing.assert_allclose(middle - first, [1, 0, 0.25, 0], atol=1e-6)
    flat = [styles(one)[0] for one in plan({}, {}, {}, arc=None, scenes="off")]
    np.testing.assert_array_equal(flat[0], flat[2])


def test_a_key_and_a_style_of_its_own_move_a_track(plan: Plan) -> None:
    plain, keyed, styled = (
        styles(one)[0] for one in plan({}, {"key": "F#m"}, {"style": [0, 1, 0, 0]}, arc=None, scenes="off")
    )
    assert keyed[0] - plain[0] == pytest.approx(3 * 0.12)
    np.testing.assert_allclose(styled - plain, [0, 1, 0, 0], atol=1e-6)


def test_a_shared_palette_turns_the_others_hues_towards_the_first_tracks(plan: Plan) -> None:
    def away(tracks: list[PlannedTrack]) -> float:
        first, second = (main_hue(one.plan.preset) for one in tracks)
        assert first is not None
        assert second is not None
        return abs((second - first + 0.5) % 1 - 0.5)

    looks = ({"preset": "amberfog"}, {"preset": "sapphire"})
    own = plan(*looks, palette="own")
    shared = plan(*looks)
    assert away(own) > 1 / 6
    assert away(shared) <= 1 / 12 + 0.01
    assert shared[0].plan.preset == own[0].plan.preset


# Where scenes begin ----------------------------------------------------------------------------------------


def test_markers_begin_scenes_unless_other_scenes_are_asked_for(plan: Plan) -> None:
    one, other = plan({"markers": [1.5]}, {"markers": [1.5], "scenes": "off"})
    assert one.plan.options.scenes is not None
    assert one.plan.options.scenes.kind == "markers"
    assert other.plan.options.scenes is not None
    assert other.plan.options.scenes.kind == "off"


def test_markers_count_in_the_file_also_where_a_track_is_trimmed(plan: Plan) -> None:
    (one,) = plan({"markers": [0.5, 1.5, 2.8], "trim": {"start": 1, "end": 2.5}})
    assert one.plan.options.marker == (Fraction(3, 2),)
    (none,) = plan({"markers": [0.5, 2.8], "trim": {"start": 1, "end": 2.5}})
    assert none.plan.options.marker == ()


# What is known of the music --------------------------------------------------------------------------------


def test_trim_and_tempo_reach_analysis(plan: Plan) -> None:
    (one,) = plan({"trim": {"start": 0.5, "end": 2}, "bpm": 120})
    assert (one.plan.song.samples, one.plan.frames) == (66_150, 36)
    assert one.plan.options.bpm == 120


def test_a_trim_beyond_the_end(plan: Plan) -> None:
    with pytest.raises(Exception, match="start") as failure:
        plan({"trim": {"start": 100}})
    assert getattr(failure.value, "exit_status", None) == 2


def test_tags_are_the_albums_over_the_files(plan: Plan) -> None:
    one, two = plan(
        {"title": "Own", "artist": "Self", "licence": "CC0"},
        {"license": "CC-BY"},
        title="Album", artist="Band", date="1999", licence="all rights",
    )  # fmt: skip
    assert dict(one.plan.film_tags()) == {
        "title": "Own", "artist": "Self", "album": "Album", "album_artist": "Band", "date": "1999",
        "copyright": "CC0", "track": "1/2",
    }  # fmt: skip
    assert {k: two.plan.film_tags()[k] for k in ("title", "artist", "copyright", "track")} == {
        "title": "a", "artist": "Band", "copyright": "CC-BY", "track": "2/2",
    }  # fmt: skip


# What can't be ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("track", "message"),
    [
        ({"src": "../a.wav"}, "track t0: src = '../a.wav': '..' is not allowed"),
        ({"src": "http://host/a.wav"}, "track t0: src .* protocols"),
        ({"art": "nosuch.png"}, "track t0: art = 'nosuch.png': there is no such picture"),
        ({"stems": "/stems"}, "track t0: stems .* is absolute"),
        ({"preset": "/etc/x.yaml"}, "track t0: preset .* is absolute"),
        ({"scene_presets": ["../x.yml"]}, r"track t0: preset .* '\.\.' is not allowed"),
        ({"controller": {"preset": "~/x.yaml"}}, "track t0: controller.preset .* is absolute"),
        ({"preset": "nosuch"}, "there is no preset 'nosuch'"),
        ({"set": ["nosuch=1"]}, "nosuch is no known field"),
    ],
)
def test_what_a_track_may_not_name(plan: Plan, track: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        plan(track)


def test_a_picture_that_is_none_is_found_before_anything_is_rendered(plan: Plan) -> None:
    with pytest.raises(Exception, match=r"is no picture that can be read|neither JPEG nor PNG"):
        plan({"art": "b.wav"})

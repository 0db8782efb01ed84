import dataclasses
import itertools
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synesthete.clock import MAX_FRAME_RATE, MIN_FRAME_RATE
from synesthete.config.post import Lut
from synesthete.config.preset import load_preset, with_lut
from synesthete.config.render import RenderOptions
from synesthete.config.titles import Titles
from synesthete.files import code_digest
from synesthete.generators.base import Size
from synesthete.media.encode import VideoSettings
from synesthete.render import plan as plan_module
from synesthete.render.plan import RenderPlan, Segment, SongFacts, cut_segments
from synesthete.render.titles import film_titles


@pytest.fixture
def plan() -> RenderPlan:
    song = SongFacts(
        path=Path("music/Björk - Jóga.flac"),
        digest="a" * 64,
        sample_rate=44_100,
        channels=2,
        samples=441_000,
        start=None,
        end=None,
        tags={"title": "Jóga"},
    )
    return RenderPlan(
        song=song,
        preset=load_preset("silk"),
        options=RenderOptions(),
        size=Size(1920, 1080),
        frame_rate=Fraction(30),
        frames=300,
        video=VideoSettings(),
        timeline_digest="b" * 64,
    )


@given(st.integers(1, 10**6), st.fractions(MIN_FRAME_RATE, MAX_FRAME_RATE, max_denominator=1001))
def test_segments_hold_every_frame_once_in_order(frames: int, rate: Fraction) -> None:
    segments = cut_segments(frames, rate)
    assert segments[0].start == 0
    assert segments[-1].stop == frames
    assert [s.index for s in segments] == list(range(len(segments)))
    assert all(one.stop == other.start for one, other in itertools.pairwise(segments))
    assert len({s.frames for s in segments[:-1]}) <= 1
    assert all(1 <= s.frames <= round(4 * rate) for s in segments)


def test_segments_do_not_depend_on_the_end_of_the_film() -> None:
    assert cut_segments(1000, Fraction(24))[:10] == cut_segments(960, Fraction(24))


def test_segments_are_longer_where_trails_must_be_warmed_up(plan: RenderPlan) -> None:
    def seconds(*changes: str) -> Fraction:
        trailing = dataclasses.replace(plan, preset=load_preset("silk", assignments=changes))
        return trailing.segment_seconds

    assert seconds() == seconds("post.trail_seconds=2.5") == 4
    assert seconds("post.trails=0.5", "post.trail_seconds=2.5") == Fraction("12.5")
    assert seconds("post.trails.pulse=0.5", "post.trail_seconds=2") == 10


def test_the_same_inputs_name_the_same_run(plan: RenderPlan) -> None:
    assert plan.run_id == dataclasses.replace(plan).run_id
    assert plan.run_id.startswith("bj-rk-j-ga-silk-")
    elsewhere = dataclasses.replace(
        plan,
        song=dataclasses.replace(plan.song, path=Path("/else/where/Björk - Jóga.wav")),
        options=RenderOptions(workers=3, force=True, workspace="there", frames="out", tile=64),
    )
    assert elsewhere.run_id == plan.run_id


def song_with(plan: RenderPlan, **changes: Any) -> RenderPlan:
    return dataclasses.replace(plan, song=dataclasses.replace(plan.song, **changes))


def titled(plan: RenderPlan, **wish: Any) -> RenderPlan:
    song = plan.song
    titles = film_titles(
        Titles(cover_art="off", **wish), song=song.path, duration=song.duration, tags=song.tags
    )
    return dataclasses.replace(plan, titles=titles)


CHANGES: dict[str, Callable[[RenderPlan], RenderPlan]] = {
    "song": lambda p: song_with(p, digest="c" * 64),
    "start": lambda p: song_with(p, start=Fraction(1)),
    "end": lambda p: song_with(p, end=Fraction(9)),
    "length": lambda p: song_with(p, samples=441_001),
    "sample rate": lambda p: song_with(p, sample_rate=48_000),
    "seed": lambda p: dataclasses.replace(p, preset=load_preset("silk", assignments=["seed=99"])),
    "look": lambda p: dataclasses.replace(p, preset=load_preset("silk", assignments=["cppn.net.gain=1.01"])),
    "control": lambda p: dataclasses.replace(
        p, preset=load_preset("silk", assignments=["control.envelopes.energy.gamma=1.01"])
    ),
    "size": lambda p: dataclasses.replace(p, size=Size(1280, 720)),
    "frame rate": lambda p: dataclasses.replace(p, frame_rate=Fraction(60)),
    "frames": lambda p: dataclasses.replace(p, frames=301),
    "crf": lambda p: dataclasses.replace(p, video=VideoSettings(crf=20)),
    "speed": lambda p: dataclasses.replace(p, video=VideoSettings(speed="slow")),
    "kernels": lambda p: dataclasses.replace(p, options=RenderOptions(kernels="eager")),
    "precision": lambda p: dataclasses.replace(p, options=RenderOptions(precision="float32")),
    "device": lambda p: dataclasses.replace(p, options=RenderOptions(device="cpu")),
    "loudness": lambda p: dataclasses.replace(p, options=RenderOptions(loudness=-14)),
    "limiter": lambda p: dataclasses.replace(p, options=RenderOptions(loudness=-14, limiter=True)),
    "timeline": lambda p: dataclasses.replace(p, timeline_digest="d" * 64),
    "fade": lambda p: titled(p, fade_in=1),
    "card": lambda p: titled(p, card=True),
    "overlay": lambda p: titled(p, overlay=True),
    "post": lambda p: dataclasses.replace(p, preset=load_preset("silk", assignments=["post.bloom=0.1"])),
    "driven post": lambda p: dataclasses.replace(
        p, preset=load_preset("silk", assignments=["post.bloom.pulse=0.1"])
    ),
    "table": lambda p: dataclasses.replace(p, preset=with_lut(p.preset, Lut(file="a.cube", sha256="e" * 64))),
    "other table": lambda p: dataclasses.replace(
        p, preset=with_lut(p.preset, Lut(file="a.cube", sha256="f" * 64))
    ),
}


KEYED = (
    "look", "size", "frame rate", "crf", "speed", "post", "driven post", "table", "other table", "fade",
    "card", "overlay",
)  # fmt: skip


def test_every_input_changes_the_run(plan: RenderPlan) -> None:
    names = {case: change(plan).run_id for case, change in CHANGES.items()}
    assert len({plan.run_id, *names.values()}) == len(CHANGES) + 1, names


def test_another_version_of_the_code_is_another_run(
    plan: RenderPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = plan.run_id
    assert code_digest() == code_digest()
    monkeypatch.setattr(plan_module, "code_digest", lambda: "e" * 64)
    assert plan.run_id != before


def test_a_segments_key_follows_from_its_picture_only(plan: RenderPlan) -> None:
    segment = Segment(1, 120, 240)

    def key(plan: RenderPlan = plan, segment: Segment = segment, **given: str) -> str:
        return plan.segment_key(segment, **{"trajectory": "t", "numeric_path": "eager-float32-cpu", **given})

    assert key() == key(
        song_with(plan, digest="c" * 64)
    )  # what the picture takes from it is in the trajectory
    assert key() == key(CHANGES["limiter"](plan))  # nor does the picture take how loud its sound is made
    assert key() == key(CHANGES["kernels"](plan))  # the numeric path stands for it
    others = [
        key(trajectory="u"),
        key(numeric_path="fused-float32-cpu"),
        key(segment=Segment(1, 120, 239)),
        key(segment=Segment(1, 121, 240)),
        key(CHANGES["overlay"](CHANGES["timeline"](plan))),
        *(key(CHANGES[case](plan)) for case in KEYED),
    ]
    assert len({key(), *others}) == len(others) + 1


def test_the_summary_is_what_a_user_wants_to_know(plan: RenderPlan) -> None:
    summary = plan.summary()
    assert summary["duration_s"] == 10.0
    assert (summary["width"], summary["height"], summary["frames"], summary["segments"]) == (
        1920,
        1080,
        300,
        3,
    )
    assert summary["frame_rate"] == "30"
    assert plan.song.duration == 10

"""What of a song is a loop, its sound, and its pictures."""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from conftest import music, write_wav
from made_scenes import heard_song
from synesthete.audio.timeline import Timeline
from synesthete.clock import Clock
from synesthete.errors import ConfigError
from synesthete.generators.base import Size, Trajectory
from synesthete.media.decode import decode_sound
from synesthete.render.loop_picture import Looper, looped
from synesthete.render.loop_plan import Loop, choose_loop, one_round, whole_loop
from synesthete.render.loop_sound import crossfade_gains, loop_chunks, repeated

THIRTY = Fraction(30)
RATE = 44_100


def with_beats(seconds: float, *, first_s: float = 0.0, bar_s: float = 2.0) -> Timeline:
    bars = np.arange(first_s, seconds - 1e-9, bar_s)
    beats = tuple(np.arange(first_s, seconds - 1e-9, bar_s / 4).tolist())
    heard = heard_song(seconds, downbeats=bars.tolist())
    return replace(heard, music=replace(heard.music, beats=beats))


def chosen(timeline: Timeline, wish: float, start: float | None = None, rate: Fraction = THIRTY) -> Loop:
    begin = None if start is None else Fraction(start)
    return choose_loop(timeline, Fraction(wish), start=begin, frame_rate=rate, song="song.ogg")


# Which bars ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wish", "start", "bars", "begins"),
    [
        (8.0, None, 4, 2.0),  # the first bar has no beat before it
        (7.2, None, 4, 2.0),
        (6.8, None, 3, 2.0),
        (1.0, 10.0, 1, 10.0),
        (8.0, 10.7, 4, 10.0),
        (8.0, 11.3, 4, 12.0),
        (8.0, 32.0, 4, 32.0),  # ends with the song
        (38.0, None, 19, 2.0),
        (40.0, None, 20, 0.0),  # all there is
    ],
)
def test_a_loop_is_the_whole_bars_nearest_to_the_wish(
    wish: float, start: float | None, bars: int, begins: float
) -> None:
    loop = chosen(with_beats(40.0), wish, start)
    assert loop.bars == bars
    assert loop.seconds == 2 * bars
    assert loop.bpm == 120
    assert loop.fade == Fraction(1, 2)
    # It begins a moment before its first bar, where there is one.
    assert loop.start == max(Fraction(0), Fraction(begins) - Fraction(1, 10))
    assert loop.start + loop.seconds <= 40


@pytest.mark.parametrize("rate", [Fraction(24_000, 1001), Fraction(25), THIRTY, Fraction(60)])
def test_a_loop_has_whole_frames_and_as_much_sound(rate: Fraction) -> None:
    loop = chosen(with_beats(30.0, first_s=0.31, bar_s=1.777), 8.0, rate=rate)
    assert abs(float(loop.seconds) - loop.bars * 1.777) <= 0.51 / float(rate)
    for sample_rate in (22_050, 44_100, 48_000):
        samples = loop.samples(sample_rate)
        assert Clock(rate).frames_for(samples, sample_rate) == loop.frames
        assert 0 <= loop.seconds - Fraction(samples, sample_rate) < Fraction(1, sample_rate)
    assert loop.lead >= 3
    assert (loop.lead * rate).denominator == 1


def test_without_bars_a_loop_is_as_long_as_wished() -> None:
    loop = chosen(heard_song(20.0, bar_s=None), 7.77, 3.5)
    assert (loop.start, loop.frames, loop.bars, loop.bpm) == (Fraction(7, 2), 233, None, None)
    assert chosen(heard_song(20.0, bar_s=None), 20.0).frames == 600


def test_a_loop_is_a_second_or_more() -> None:
    loop = chosen(with_beats(20.0, bar_s=0.4), 1.0, 5.0)
    assert loop.seconds >= 1
    assert loop.fade_frames <= loop.frames // 2


@pytest.mark.parametrize(
    ("wish", "start", "words"),
    [(41.0, None, r"a loop of 41.0 s is longer than song.ogg \(40.0 s\)"), (8.0, 35.0, "start earlier")],
)
def test_a_loop_that_does_not_fit_is_refused(wish: float, start: float | None, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        chosen(with_beats(40.0), wish, start)


def test_a_whole_song_keeps_every_sample() -> None:
    timeline = replace(with_beats(7.0), samples=7 * RATE - 13)
    loop = whole_loop(timeline, start=Fraction(3), frame_rate=THIRTY, song="song.ogg")
    assert loop.whole
    assert loop.start == 3
    assert loop.samples(RATE) == timeline.samples
    assert loop.frames == timeline.frame_count(THIRTY)
    with pytest.raises(ConfigError, match=r"song.ogg lasts 0.9 s; a loop lasts 1 s or more"):
        whole_loop(heard_song(0.9), start=None, frame_rate=THIRTY, song="song.ogg")


def test_a_round_is_a_song_of_its_own() -> None:
    loop = Loop(Fraction(5), 60, THIRTY, 15)
    heard = with_beats(10.0)
    own = one_round(heard, loop)
    assert (own.samples, own.ticks) == (2 * RATE, 200)
    assert own.music.downbeats == (0.0,)
    np.testing.assert_array_equal(own.column("bass"), heard.column("bass")[400:600])
    assert own.column("time")[0] == 0


# Sound -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_wav(tmp_path_factory.mktemp("loops") / "song.wav", music(12.0))


def once(song: Path, loop: Loop) -> np.ndarray:
    return np.concatenate(list(loop_chunks(song, loop, sample_rate=RATE, allow_truncated=False)), 1)


def test_the_last_beat_passes_over_into_the_one_before_the_start(song: Path) -> None:
    loop = Loop(Fraction(29, 10), 150, THIRTY, 15)
    sound, whole = once(song, loop), np.concatenate(list(decode_sound(song)), 1)
    first, samples, fade = round(2.9 * RATE), 5 * RATE, RATE // 2

    assert sound.shape == (2, samples)
    np.testing.assert_array_equal(sound[:, :-fade], whole[:, first : first + samples - fade])
    # The last sample comes right before the first, as in the song.
    np.testing.assert_allclose(sound[:, -1], whole[:, first - 1], atol=1e-6)
    np.testing.assert_allclose(sound[:, -40:], whole[:, first - 40 : first], atol=0.02)
    power = (sound[:, -fade:] ** 2).mean()
    assert 0.8 < power / (whole[:, first - fade : first] ** 2).mean() < 1.25


def test_before_the_song_there_is_silence(song: Path) -> None:
    sound = once(song, Loop(Fraction(0), 90, THIRTY, 15))
    assert sound.shape == (2, 3 * RATE)
    assert np.abs(sound[:, -1]).max() < 1e-6
    assert np.abs(sound[:, -RATE // 2 : -RATE // 4]).max() > 0.05


@pytest.mark.parametrize("alike", [0.0, 0.4, 1.0])
def test_crossfades_keep_the_power_of_sounds_that_are_alike_or_not(alike: float) -> None:
    fall, rise = crossfade_gains(1000, alike)
    np.testing.assert_allclose(fall**2 + rise**2 + 2 * alike * fall * rise, 1.0)
    assert (np.diff(fall) < 0).all()
    assert (np.diff(rise) > 0).all()
    assert (fall[-1], rise[-1]) == (0.0, 1.0)


@pytest.mark.parametrize(("before", "after"), [(0, 0), (3, 4), (10, 10), (25, 31)])
def test_a_loop_repeats_before_and_after_itself(before: int, after: int) -> None:
    ring = np.arange(10, dtype=np.float32)[None]
    chunks = repeated(lambda: iter([ring[:, :4], ring[:, 4:]]), 10, before=before, after=after)
    expected = np.arange(-before, 10 + after) % 10
    np.testing.assert_array_equal(np.concatenate(list(chunks), 1)[0], expected)


# Pictures --------------------------------------------------------------------------------------------------


class Counting:
    """Every picture is as bright as its frame's row says."""

    def prepare(self, trajectory: Trajectory, size: Size) -> str:
        return "eager"

    def frames(self, trajectory: Trajectory, start: int, stop: int, size: Size) -> Iterator[Tensor]:
        picture = torch.empty(3, size.height, size.width)
        for frame in range(start, stop):
            yield picture.fill_(float(trajectory.rows[frame, 0]))


SMALL = Size(64, 64)
RING = Loop(Fraction(0), 60, THIRTY, 10)


def brightness(start: int, stop: int, rows: np.ndarray) -> list[float]:
    trajectory = Trajectory(rows.astype(np.float32)[:, None], ("x",), {})
    painter = looped(Counting(), RING)
    return [float(picture.mean()) for picture in painter.frames(trajectory, start, stop, SMALL)]


def test_the_last_frame_is_the_one_before_the_first() -> None:
    lead = RING.lead_frames
    rows = np.random.default_rng(0).random(2 * lead + 60)
    seen = brightness(0, 60, rows)

    np.testing.assert_allclose(seen[:50], rows[lead : lead + 50], atol=1e-6)
    assert seen[59] == pytest.approx(rows[lead - 1], abs=1e-6)
    for frame in range(50, 60):
        now, before = rows[lead + frame], rows[lead + frame - 60]
        t = (frame - 49) / 10
        share = t * t * (3 - 2 * t)
        light = (1 - share) * now**2 + share * before**2
        assert seen[frame] == pytest.approx(np.sqrt(light), abs=1e-5)


def test_pictures_that_come_round_are_not_changed() -> None:
    rows = np.resize(np.random.default_rng(1).random(60), 2 * RING.lead_frames + 60)
    lead = RING.lead_frames
    np.testing.assert_allclose(brightness(0, 60, rows), rows[lead : lead + 60], atol=1e-6)


def test_frames_of_a_loop_are_the_same_from_any_segment() -> None:
    rows = np.random.default_rng(2).random(2 * RING.lead_frames + 60)
    pieces = [value for a, b in ((0, 20), (20, 52), (52, 53), (53, 60)) for value in brightness(a, b, rows)]
    assert pieces == brightness(0, 60, rows)


def test_no_loop_is_no_other_painter() -> None:
    painter = Counting()
    assert looped(painter, None) is painter
    assert isinstance(looped(painter, RING), Looper)

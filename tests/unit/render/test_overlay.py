"""The analyser overlay shows what the Timeline holds: levels, moments, sections; at every rate alike."""

import itertools
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch

from made_timelines import quiet_timeline
from synesthete.audio.music import Music, Section
from synesthete.audio.timeline import Timeline
from synesthete.generators.base import Size
from synesthete.render.layers import Layer
from synesthete.render.overlay import Overlay, strip_height
from synesthete.render.overlay_strip import _mean_between, _peaks_between

SIZE = Size(640, 360)
RATE = Fraction(30)


def song(seconds: float = 20.0, **columns: np.ndarray) -> Timeline:
    beats = tuple(0.5 * k for k in range(round(2 * seconds)))
    music = Music(
        beats=beats, downbeats=beats[::4], beat_confidence=1.0, tempo_bpm=120.0, beats_per_bar=4,
        key="A minor", sections=(Section(0, 10, "A"), Section(10, seconds, "B")),
    )  # fmt: skip
    ticks = round(seconds * 100)
    known = {
        "tempo": np.full(ticks, 120.0),
        "section": (np.arange(ticks) >= 1000).astype(float),
        "loudness": np.full(ticks, 0.5),
    }
    timeline = quiet_timeline(seconds, **{**known, **columns})
    spectrum = np.full((ticks, 64), 0.3, np.float32)
    return replace(timeline, music=music, spectrum=spectrum)


def seen(layer: Layer) -> torch.Tensor:
    """Give the light of the strip on black, summed over colours."""
    return layer.light.sum(0)


def at(timeline: Timeline, moment: float, size: Size = SIZE, rate: Fraction = RATE) -> Layer:
    return Overlay(timeline, rate).layer(round(moment * rate), size)


def test_frame_i_at_30_is_frame_2i_at_60() -> None:
    timeline = song(loudness=np.random.default_rng(1).random(2000))
    for moment in (0.0, 1 / 30, 7.1, 10.0, 19.9):
        frame = round(moment * 30)
        slow, fast = (
            Overlay(timeline, RATE).layer(frame, SIZE),
            Overlay(timeline, RATE * 2).layer(2 * frame, SIZE),
        )
        assert torch.equal(slow.light, fast.light)
        assert torch.equal(slow.coverage, fast.coverage)


@pytest.mark.parametrize(
    "size", [Size(640, 360), Size(360, 640), Size(360, 360), Size(840, 360), Size(64, 64)]
)
def test_the_strip_lies_within_the_picture_and_its_light_within_its_coverage(size: Size) -> None:
    layer = at(song(), 9.0, size)
    height, width = layer.coverage.shape[1:]
    assert layer.left >= 0.05 * size.short - 1
    assert layer.left + width <= size.width - 0.05 * size.short + 1
    assert layer.top + height <= 0.95 * size.height + 1
    assert layer.top >= size.height - strip_height(size) * size.short - 1
    assert (layer.light <= layer.coverage + 1e-5).all()
    assert (layer.light >= -1e-6).all()
    assert float(layer.coverage.max()) <= 1.0 + 1e-6


def test_a_louder_band_is_a_taller_bar_in_its_place() -> None:
    timeline = song()
    base = seen(at(timeline, 5.0))
    for band in (0, 20, 63):
        spectrum = timeline.spectrum.copy()
        spectrum[:, band] = 0.7
        more = seen(at(replace(timeline, spectrum=spectrum), 5.0)) - base
        columns = (more > 0.2).any(0).nonzero()[:, 0]
        bars = at(timeline, 5.0)
        assert len(columns)
        left, right = _bars_edges()
        expected = left + (band + 0.5) / 64 * (right - left)
        assert float(columns.float().mean()) == pytest.approx(expected, abs=2.0), bars.left


def _bars_edges() -> tuple[float, float]:
    quiet, loud = song(), song()
    loud = replace(loud, spectrum=np.full_like(loud.spectrum, 0.7))
    columns = ((seen(at(loud, 5.0)) - seen(at(quiet, 5.0))) > 0.2).any(0).nonzero()[:, 0]
    return float(columns.min()), float(columns.max() + 1)


def test_an_onset_passes_the_playhead_at_its_moment() -> None:
    onset = np.zeros(2000)
    onset[800] = 1.0
    plain, with_it = song(), song(onset=onset)
    moments, places = (6.0, 7.0, 9.0, 11.0), []
    for moment in moments:
        more = seen(at(with_it, moment)) - seen(at(plain, moment))
        places.append(float((more.abs().sum(0) > 0.3).nonzero()[:, 0].float().mean()))
    slope, now = np.polyfit(np.array(moments) - 8.0, places, 1)
    assert np.allclose(np.polyval([slope, now], np.array(moments) - 8.0), places, atol=1.0)
    assert slope < -10  # it moves left
    playhead = int(seen(at(song(loudness=np.zeros(2000)), 8.0)).sum(0)[200:450].argmax()) + 200
    assert now == pytest.approx(playhead, abs=1.5)


def test_beats_are_counted_from_the_bar() -> None:
    overlay = Overlay(song(), RATE)
    assert [overlay.heard(round(30 * moment)).beat_of_bar for moment in (0.0, 0.4, 0.5, 1.0, 1.9, 2.0)] == [
        0, 0, 1, 2, 3, 0,
    ]  # fmt: skip
    assert overlay.heard(0).tempo == 120
    assert [overlay.heard(frame).label for frame in (0, 299, 300, 590)] == ["A", "A", "B", "B"]
    assert Overlay(quiet_timeline(5), RATE).heard(30).beat_of_bar is None
    assert Overlay(quiet_timeline(5), RATE).heard(30).tempo is None


def test_marks_wait_at_a_peak_and_fall() -> None:
    timeline = song()
    spectrum = np.zeros_like(timeline.spectrum)
    spectrum[500, 10] = 0.9
    overlay = Overlay(replace(timeline, spectrum=spectrum), RATE)
    heights = [float(overlay.heard(frame).held[10]) for frame in range(150, 200)]
    assert heights[2] == pytest.approx(0.9, abs=0.02)
    assert all(a >= b - 1e-6 for a, b in itertools.pairwise(heights[1:]))
    assert heights[15] < 0.75
    assert float(overlay.heard(149).held[10]) < 0.5  # nothing is known before it is heard


def test_sections_have_colours_of_their_own_and_the_next_comes_into_sight() -> None:
    timeline = song()
    early, late, between = (at(timeline, moment).light.mean((1, 2)) for moment in (4.0, 16.0, 10.0))
    assert float(early[2]) > float(early[0])  # A is blue
    assert float(late[0]) > float(late[2])  # B is orange
    assert float(late[2]) < float(between[2]) < float(early[2])


def test_nothing_is_drawn_beside_the_song() -> None:
    begin, middle = seen(at(song(), 0.0)), seen(at(song(), 9.0))
    assert float(begin.sum()) < 0.85 * float(middle.sum())
    end = seen(at(song(), 19.96))
    assert float(end.sum()) < float(middle.sum())


def test_means_and_peaks_are_those_of_the_rows() -> None:
    rows = np.random.default_rng(2).random((400, 2)).astype(np.float32)
    middles = np.array([0.5, 1.234, 3.0])
    found = _mean_between(rows, 0, middles, 0.2)
    for value, middle in zip(found, middles, strict=True):
        fine = np.arange(middle - 0.1, middle + 0.1, 1e-4) * 100
        assert np.allclose(value, rows[np.floor(fine + 0.5).astype(int)].mean(0), atol=3e-3)
    spikes = np.zeros(400, np.float32)
    spikes[123] = 1.0
    starts = np.arange(0, 4, 0.05)
    assert np.flatnonzero(_peaks_between(spikes, 0, starts, 0.05)).tolist() == [24]


def test_a_small_strip_is_the_large_one_from_further_away() -> None:
    timeline = song(loudness=0.5 + 0.3 * np.sin(np.arange(2000) / 40))
    large, small = at(timeline, 9.0, Size(1280, 720)), at(timeline, 9.0, Size(320, 180))

    def whole(layer: Layer, size: Size) -> torch.Tensor:
        plane = torch.zeros(3, size.height, size.width)
        height, width = layer.coverage.shape[1:]
        plane[:, layer.top : layer.top + height, layer.left : layer.left + width] = layer.light
        return plane

    shrunk = whole(large, Size(1280, 720)).reshape(3, 180, 4, 320, 4).mean((2, 4))
    assert float((shrunk - whole(small, Size(320, 180))).abs().mean()) < 0.006


def test_the_words_stand_above_the_strip() -> None:
    from synesthete.render.title_layout import Frame, draw_lower_third

    for size in (SIZE, Size(360, 640), Size(360, 360)):
        layer = draw_lower_third(Frame(size, strip_height(size) + 0.04), "Vibe Ace", "Kevin MacLeod")
        assert layer is not None
        rows = (layer.light > 0.05).any(0).any(1).nonzero()
        assert layer.top + int(rows.max()) < size.height - strip_height(size) * size.short

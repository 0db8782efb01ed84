"""What must hold for every chunking, every frame rate, every range."""

from fractions import Fraction

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from synesthete.audio.columns import COLUMN_NAMES, COLUMNS, SPECS
from synesthete.audio.features import FeatureStream, compute, measure
from synesthete.audio.timeline import Timeline
from synesthete.clock import MAX_FRAME_RATE, analysis_ticks
from synesthete.seeding import generator_for

FRAME_RATES = st.one_of(
    st.sampled_from(
        [
            Fraction(text)
            for text in ("24000/1001", "24", "25", "30000/1001", "30", "48", "50", "60000/1001", "60")
        ]
    ),
    st.fractions(24, 60, max_denominator=1001),
)


def random_timeline(seed, ticks):
    random = generator_for(seed, "test.timeline")
    table = random.random((ticks, len(COLUMN_NAMES)), dtype=np.float32)
    spectrum = random.random((ticks, 64), dtype=np.float32)
    return Timeline(table, COLUMN_NAMES, spectrum, ticks * 441 - int(random.integers(441)), 44_100)


@settings(max_examples=15, deadline=None)
@given(
    samples=st.integers(1, 200_000),
    channels=st.sampled_from([1, 2]),
    cuts=st.lists(st.floats(0, 1), max_size=8),
    seed=st.integers(0, 1000),
)
def test_chunks_change_nothing(samples, channels, cuts, seed):
    sound = generator_for(seed, "test.chunks").uniform(-1, 1, (channels, samples)).astype(np.float32)
    stream = FeatureStream()
    pieces = np.split(sound, sorted(int(cut * samples) for cut in cuts), axis=1)
    parts = [*(stream.push(piece) for piece in pieces), stream.flush()]
    whole = measure(torch.from_numpy(sound)[None])
    assert torch.equal(torch.cat([part.columns for part in parts]), whole.columns[0])
    assert torch.equal(torch.cat([part.spectrum for part in parts]), whole.spectrum[0])


@settings(max_examples=40, deadline=None)
@given(
    samples=st.integers(1, 20_000),
    scale=st.sampled_from([1e-20, 1e-5, 0.01, 1.0, 10.0, 1e20]),
    offset=st.sampled_from([0.0, 1.0, -0.5]),
    seed=st.integers(0, 1000),
)
def test_columns_are_finite_and_in_range(samples, scale, offset, seed):
    sound = scale * generator_for(seed, "test.range").standard_normal((1, 2, samples)) + offset
    table = compute(torch.from_numpy(sound).float())[0].numpy()
    assert table.shape == (analysis_ticks(samples), len(COLUMNS))
    assert np.isfinite(table).all()
    assert (table >= [spec.low for spec in COLUMNS]).all()
    assert (table <= [spec.high for spec in COLUMNS]).all()


@settings(max_examples=60, deadline=None)
@given(rate=FRAME_RATES, times=st.integers(2, 4), ticks=st.integers(1, 700), seed=st.integers(0, 99))
def test_frame_at_one_rate_is_the_same_moment_s_frame_at_another(rate, times, ticks, seed):
    if rate * times > MAX_FRAME_RATE:
        times = 2
    timeline = random_timeline(seed, ticks)
    slow = timeline.at_frames(rate)
    fast = timeline.at_frames(rate * times)
    np.testing.assert_array_equal(slow, fast[::times][: len(slow)])
    np.testing.assert_array_equal(
        timeline.spectrum_at_frames(rate), timeline.spectrum_at_frames(rate * times)[::times][: len(slow)]
    )


@settings(max_examples=60, deadline=None)
@given(rate=FRAME_RATES, ticks=st.integers(1, 900), data=st.data())
def test_range_of_frames_is_a_cut_of_the_whole(rate, ticks, data):
    timeline = random_timeline(ticks, ticks)
    frames = timeline.frame_count(rate)
    start = data.draw(st.integers(0, frames))
    stop = data.draw(st.integers(start, frames))
    names = data.draw(st.lists(st.sampled_from(COLUMN_NAMES), unique=True, max_size=5))
    part = timeline.at_frames(rate, names, start, stop)
    whole = timeline.at_frames(rate)
    np.testing.assert_array_equal(part, whole[start:stop, [COLUMN_NAMES.index(name) for name in names]])


@settings(max_examples=60, deadline=None)
@given(rate=FRAME_RATES, ticks=st.integers(3, 600), seed=st.integers(0, 99))
def test_frames_stay_within_what_was_heard_and_keep_every_maximum(rate, ticks, seed):
    timeline = random_timeline(seed, ticks)
    frames = timeline.at_frames(rate)
    for index, name in enumerate(COLUMN_NAMES):
        column = timeline.column(name)
        if SPECS[name].kind == "moment":
            continue
        assert column.min() <= frames[:, index].min()
        assert frames[:, index].max() <= column.max()
        if SPECS[name].kind == "peak":
            last_covered = int((len(frames) - 1) / rate * 100 + Fraction(21, 10))
            assert frames[:, index].max() == column[: last_covered + 1].max()

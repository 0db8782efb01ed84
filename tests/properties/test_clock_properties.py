from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from synesthete.clock import MAX_FRAME_RATE, MIN_FRAME_RATE, Clock, parse_frame_rate, parse_timestamp

FRAME_RATES = st.one_of(
    st.sampled_from([Fraction(n * 1000, 1001) for n in (24, 30, 48, 60, 120)]),
    st.fractions(MIN_FRAME_RATE, MAX_FRAME_RATE, max_denominator=1001),
)
SAMPLE_RATES = st.sampled_from([8000, 11_025, 22_050, 44_100, 48_000, 96_000, 192_000])
FRAMES = st.integers(0, 10**8)


@given(FRAME_RATES, FRAMES)
def test_a_frame_is_on_screen_from_its_moment_to_the_next(rate: Fraction, frame: int) -> None:
    clock = Clock(rate)
    assert clock.frame_at(clock.seconds(frame)) == frame
    just_before = clock.seconds(frame + 1) - Fraction(1, 10**9)
    assert clock.frame_at(just_before) == frame


@given(FRAME_RATES, SAMPLE_RATES, st.integers(1, 10**11))
def test_picture_ends_less_than_a_frame_after_the_sound(
    rate: Fraction, sample_rate: int, samples: int
) -> None:
    clock = Clock(rate)
    picture = clock.seconds(clock.frames_for(samples, sample_rate))
    assert 0 <= picture - Fraction(samples, sample_rate) < 1 / rate


@given(FRAME_RATES, FRAMES)
def test_twice_the_frame_rate_shows_the_same_moments(rate: Fraction, frame: int) -> None:
    assert Clock(rate).seconds(frame) == Clock(2 * rate).seconds(2 * frame)
    slow, fast = Clock(rate).moments(frame, frame + 5), Clock(2 * rate).moments(2 * frame, 2 * frame + 10)
    np.testing.assert_array_equal(slow, fast[::2])


@given(FRAME_RATES)
def test_frame_rates_survive_text(rate: Fraction) -> None:
    assert parse_frame_rate(str(rate)) == rate
    assert parse_frame_rate(parse_frame_rate(rate)) == rate


@given(st.fractions(0, 999_999, max_denominator=10**9))
def test_moments_survive_text(moment: Fraction) -> None:
    assert parse_timestamp(str(moment)) == moment


@given(st.integers(0, 99), st.integers(0, 59), st.integers(0, 59), st.integers(0, 999))
def test_hours_minutes_and_seconds_add_up(hours: int, minutes: int, seconds: int, thousandths: int) -> None:
    text = f"{hours}:{minutes:02}:{seconds:02}.{thousandths:03}"
    assert parse_timestamp(text) == 3600 * hours + 60 * minutes + seconds + Fraction(thousandths, 1000)


@given(st.floats(0, 1e5))
def test_floats_are_taken_to_the_nanosecond(seconds: float) -> None:
    assert abs(parse_timestamp(seconds) - Fraction(seconds)) <= Fraction(1, 10**9)

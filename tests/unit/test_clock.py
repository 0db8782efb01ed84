import re
from fractions import Fraction

import numpy as np
import pytest

from synesthete.clock import (
    Clock,
    analysis_ticks,
    format_duration,
    parse_frame_rate,
    parse_timestamp,
    samples_at,
)
from synesthete.errors import ConfigError

NTSC = Fraction(30_000, 1001)


@pytest.mark.parametrize(
    ("rate", "samples", "sample_rate", "frames"),
    [
        (30, 44_100, 44_100, 30),
        (30, 44_101, 44_100, 31),
        (30, 1, 44_100, 1),
        (24, 44_100 * 60, 44_100, 1440),
        (NTSC, 44_100, 44_100, 30),
        (Fraction(24_000, 1001), 48_000 * 1001, 48_000, 24_000),
        (Fraction(24_000, 1001), 48_000 * 1001 + 1, 48_000, 24_001),
        (60, 10**12, 44_100, -(-(10**12) * 60 // 44_100)),
    ],
)
def test_a_film_has_as_many_frames_as_touch_the_sound(
    rate: Fraction, samples: int, sample_rate: int, frames: int
) -> None:
    assert Clock(Fraction(rate)).frames_for(samples, sample_rate) == frames


def test_ten_hours_of_ntsc_do_not_drift() -> None:
    clock = Clock(NTSC)
    frame = 10 * 3600 * 30
    assert clock.seconds(frame) == Fraction(frame * 1001, 30_000)
    assert clock.moments(frame, frame + 1)[0] == pytest.approx(frame * 1001 / 30_000, abs=1e-9)


def test_moments_are_those_of_the_frames() -> None:
    clock = Clock(NTSC)
    expected = [float(clock.seconds(frame)) for frame in range(7, 50)]
    np.testing.assert_allclose(clock.moments(7, 50), expected, rtol=1e-15)
    assert clock.moments(3, 3).shape == (0,)


def test_the_frame_on_screen_is_the_last_that_began() -> None:
    clock = Clock(Fraction(24))
    assert [clock.frame_at(s) for s in (0, 0.041, Fraction(1, 24), 1.0, 1.04)] == [0, 0, 1, 24, 24]


def test_samples_and_analysis_rows() -> None:
    assert samples_at(Fraction(1, 3), 48_000) == 16_000
    assert samples_at(0.5, 44_100) == 22_050
    assert [analysis_ticks(n) for n in (0, 1, 441, 442, 44_100)] == [0, 1, 1, 2, 100]


@pytest.mark.parametrize(
    ("given", "rate"),
    [
        ("30", 30),
        (" 24 ", 24),
        (60, 60),
        (25.0, 25),
        ("12.5e1", None),
        ("29.97", NTSC),
        ("23.976", Fraction(24_000, 1001)),
        ("23.98", Fraction(24_000, 1001)),
        ("59.94", Fraction(60_000, 1001)),
        ("119.88", Fraction(120_000, 1001)),
        ("30000/1001", NTSC),
        ("24000/1001", Fraction(24_000, 1001)),
        (NTSC, NTSC),
        ("120", 120),
        ("27.5", Fraction(55, 2)),
    ],
)
def test_frame_rates_are_exact(given: object, rate: Fraction | None) -> None:
    if rate is None:
        with pytest.raises(ConfigError):
            parse_frame_rate(given)  # type: ignore[arg-type]
    else:
        assert parse_frame_rate(given) == rate  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("", "is no number"),
        ("fast", "'fast' is no number; pass one such as --fps 30"),
        ("30/0", "is no number"),
        ("30/", "is no number"),
        ("nan", "is no number"),
        ("inf", "is no number"),
        (float("nan"), "is no number"),
        ("-30", "is no number"),
        (True, "'True' is no number"),
        ("1e999999999", "is no number"),  # which Fraction would compute
        ("9" * 5000, r"'9{37}\.\.\.' is no number"),
        ("23", "'23' is outside 24000/1001 to 120; pass for instance --fps 30"),
        ("23.97", "is outside 24000/1001"),
        ("0", "is outside"),
        ("120.01", "is outside"),
        ("121", "is outside"),
        ("30.0001", "has a denominator over 1001; pass a whole number or N/1001"),
        (23.976023976023978, "is outside|denominator"),
    ],
)
def test_other_frame_rates_are_refused(given: object, says: str) -> None:
    with pytest.raises(ConfigError, match=rf"^frame rate .*{says}"):
        parse_frame_rate(given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ("0", 0),
        ("83.5", Fraction(167, 2)),
        ("1:23.5", Fraction(167, 2)),
        ("0:05", 5),
        ("1:02:03", 3723),
        ("90:00", 5400),
        (" 7 ", 7),
        ("0.000000001", Fraction(1, 10**9)),
        (12, 12),
        (1.25, Fraction(5, 4)),
        (0.1 + 0.2, Fraction(3, 10)),
        (1e-7, Fraction(1, 10**7)),
        (Fraction(1, 3), Fraction(1, 3)),
        ("1/3", Fraction(1, 3)),
    ],
)
def test_moments_in_a_track(given: object, seconds: Fraction) -> None:
    assert parse_timestamp(given) == seconds  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "given",
    [
        "",
        "abc",
        "-1",
        "1:60",
        "1:75:10",
        "1:2:3:4",
        "1:",
        ":30",
        "1,5",
        "1e3",
        "inf",
        "1/0",
        "1/2/3",
        "1 2",
        -0.5,
        float("nan"),
        float("inf"),
        True,
        Fraction(-1, 2),
        "9" * 500,
        "1:23.5s",
    ],
)
def test_what_is_no_moment_is_refused(given: object) -> None:
    with pytest.raises(
        ConfigError, match=r"is no moment in a track; write seconds \(83\.5\) or m:ss"
    ) as caught:
        parse_timestamp(given)  # type: ignore[arg-type]
    assert len(str(caught.value)) < 150


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0 s"),
        (42, "42.0 s"),
        (59.94, "59.9 s"),
        (59.97, "1:00"),
        (60, "1:00"),
        (185, "3:05"),
        (119.7, "2:00"),
        (3600, "1:00:00"),
        (3723, "1:02:03"),
        (Fraction(1, 2), "0.5 s"),
    ],
)
def test_durations_for_people(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


def test_the_clock_refuses_in_one_sentence() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_frame_rate("x\ny")
    assert re.fullmatch(r"[^\n]+", str(caught.value))

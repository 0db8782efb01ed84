"""Signals that come round in a loop: curves, phases, wander, and what is made of them in looks."""

from fractions import Fraction

import numpy as np
import pytest
import torch

from made_timelines import quiet_timeline
from synesthete.config.control import Control
from synesthete.config.preset import Modulation
from synesthete.generators.control import Signals, build_signals, closing, modulate
from synesthete.generators.periodic import ROUNDS, Period
from synesthete.programs.program import Program
from synesthete.programs.whole_turns import with_whole_turns

LEAD, ROUND = 4.0, 2.5
PERIOD = Period(LEAD, ROUND, 0.5)
AT = np.arange(round(100 * (2 * LEAD + ROUND))) / 100


def repeating(seed: int = 0) -> np.ndarray:
    """A column of sound that repeats every round."""
    once = np.random.default_rng(seed).random(round(100 * ROUND))
    return np.resize(np.roll(once, round(100 * LEAD)), len(AT))


def signals(*, period: Period | None = PERIOD, **control: object) -> Signals:
    timeline = quiet_timeline(2 * LEAD + ROUND, loudness=0.5 + 0.4 * repeating(), bass=repeating(1))
    return build_signals(
        timeline, Control.model_validate(control), frame_rate=Fraction(100), seed=5, period=period
    )


def round_apart(curve: np.ndarray) -> np.ndarray:
    """By how much a curve grows in a round, from every moment on."""
    return curve[round(100 * ROUND) :] - curve[: -round(100 * ROUND)]


# Curves ----------------------------------------------------------------------------------------------------


def test_a_crossfaded_curve_repeats_and_is_its_own_before_the_fade() -> None:
    drift = AT**2
    closed = PERIOD.crossfaded(drift)
    np.testing.assert_allclose(round_apart(closed), 0.0, atol=1e-9)
    kept = (AT >= LEAD) & (AT < LEAD + ROUND - 0.5)
    np.testing.assert_allclose(closed[kept], drift[kept], atol=1e-9)
    # It ends where it was before it began, without a jump.
    assert abs(closed[round(100 * (LEAD + ROUND)) - 1] - drift[round(100 * LEAD) - 1]) < 0.05
    seam = np.abs(np.diff(closed))[round(100 * (LEAD + ROUND)) - 1]
    assert seam <= 0.1


@pytest.mark.parametrize(
    ("turns", "whole"), [(0.0, 0), (0.1, 0), (0.3, 1), (0.6, 1), (1.4, 1), (2.6, 3), (-0.7, -1), (-0.1, 0)]
)
def test_a_phase_makes_whole_turns_in_a_round(turns: float, whole: int) -> None:
    wobble = 0.02 * np.sin(2 * np.pi * AT / ROUND)
    phase = PERIOD.turned(turns * AT / ROUND + wobble, AT)
    np.testing.assert_allclose(round_apart(phase), whole, atol=1e-9)
    steps = np.diff(phase)
    inside = np.abs(AT[1:] - LEAD - ROUND) > 0.02
    assert np.abs(steps).max() <= np.abs(steps[inside]).max() + 1e-9  # no jump where it closes


def test_a_phase_that_hardly_turns_keeps_its_steps() -> None:
    steps = np.floor(AT / (ROUND / 5)) * 0.02
    phase = PERIOD.turned(steps, AT)
    rises = np.diff(phase)[round(100 * LEAD) + 10 : round(100 * (LEAD + ROUND)) - 10]
    assert rises.max() == pytest.approx(0.02, rel=0.05)  # forth with the music
    assert np.median(rises) < 0  # and evenly back


def test_every_signal_of_the_house_comes_round() -> None:
    made = signals(wander={"drift": {"correlation": 0.6}})
    assert made.period == PERIOD
    for name, curve in made.curves.items():
        growth = round_apart(curve)
        assert np.ptp(growth) < 1e-6, name
        assert abs(growth[0] - round(growth[0])) < 1e-6, name
        if name not in ("turn", "flow", "evolve", "bars", ROUNDS):
            assert abs(growth[0]) < 1e-6, name
    assert float(np.ptp(made.curves["drift"][400:650])) > 0.1
    assert float(np.ptp(made.curves["energy"][400:650])) > 0.1
    np.testing.assert_allclose(round_apart(made.curves[ROUNDS]), 1.0, atol=1e-9)


def test_silence_comes_round_too() -> None:
    timeline = quiet_timeline(2 * LEAD + ROUND, silences=((0.0, 2 * LEAD + ROUND),))
    made = build_signals(timeline, Control(), frame_rate=Fraction(30), seed=1, period=PERIOD)
    assert all(np.isfinite(curve).all() for curve in made.curves.values())
    assert float(np.ptp(made.curves["flow"])) == 0.0


def test_without_a_loop_nothing_is_changed_and_no_preset_can_count_rounds() -> None:
    assert ROUNDS not in signals(period=None).curves
    with pytest.raises(ValueError, match=ROUNDS):
        Control.model_validate({"phases": {ROUNDS: {"rate": 1}}})


# Looks -----------------------------------------------------------------------------------------------------


def test_a_parameter_that_goes_round_does_so_a_whole_number_of_times() -> None:
    made = signals(phases={"flow": {"rate": 0.8, "drive": {}}})
    angle = Modulation.model_validate({"base": 0.2, "by": {"flow": 0.7, "energy": 0.1}})
    growth = round_apart(modulate(closing(angle, made), made))
    np.testing.assert_allclose(growth, round(growth[0]), atol=1e-6)
    assert abs(round_apart(modulate(angle, made))[0] - round(growth[0])) > 0.1  # else it would not tell
    assert closing(angle, signals(period=None)) == angle


def test_programs_go_round_a_whole_number_of_times_and_long_ways_stay() -> None:
    program = Program.from_json(
        {
            "version": 1,
            "root": {
                "node": "palette",
                "colours": {"stops": "ember", "hue": {"flow": 0.3}},
                "of": {
                    "node": "rotate",
                    "turn": {"base": 0.1, "flow": 0.6},
                    "of": {"node": "cells", "phase": "0.3 * flow + 0.1", "path": {"flow": 7.0}, "size": 0.3},
                },
            },
        }
    )
    ends = {"flow": torch.tensor([0.4, 3.4], dtype=torch.float64)}
    closed = with_whole_turns(program, ends, along=ROUNDS)
    rounds = torch.tensor([0.0, 1.0], dtype=torch.float64)
    first, last = closed.vectors({**ends, ROUNDS: rounds})
    plain_first, plain_last = program.vectors(ends)

    assert closed.structure == program.structure
    assert closed.columns == program.columns
    torch.testing.assert_close(first, plain_first, atol=1e-6, rtol=0)
    for name, a, b, plain in zip(closed.columns, first, last, plain_last, strict=True):
        if ".path." in name:
            assert float(b) == pytest.approx(float(plain), abs=1e-5)
            assert float(b) != pytest.approx(float(a), abs=1e-3)
        else:
            assert min(abs(float(a - b)), 1 - abs(float(a - b))) < 1e-5, name
    assert float((plain_first - plain_last).abs().max()) > 0.1


def test_a_program_of_which_nothing_moves_stays_as_it_is() -> None:
    program = Program.from_json({"version": 1, "root": {"node": "palette", "of": {"node": "rings"}}})
    assert with_whole_turns(program, {}, along=ROUNDS) == program

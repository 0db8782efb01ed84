"""The reactive programs answer the music plainly, and rest in silence."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from torch import Tensor

from conftest import music
from synesthete.audio.analysis import analyse_songs
from synesthete.audio.timeline import Timeline
from synesthete.config.control import Control
from synesthete.generators.control import Signals, build_signals
from synesthete.generators.hearing import hear_moments, sources
from synesthete.programs.clips import draw_clips
from synesthete.training.reactive import REACTIVE, reactive_program

RATE = Fraction(15)


@pytest.fixture(scope="module")
def heard() -> tuple[Timeline, Signals]:
    (timeline,) = analyse_songs(torch.from_numpy(music(7.0, silences=((3.0, 5.5),)))[None])
    return timeline, build_signals(timeline, Control(), frame_rate=RATE, seed=0)


def drawn(place: int, heard: tuple[Timeline, Signals]) -> Tensor:
    timeline, signals = heard
    program = reactive_program(place)
    moments = np.arange(timeline.frame_count(RATE)) / float(RATE)
    curves = {name: torch.from_numpy(signals.at(name, moments))[None] for name in program.signals}
    tables = hear_moments(sources(timeline, program.hears), moments, program.hears)
    given = {name: table[None] for name, table in zip(program.hears, tables, strict=True)}
    return draw_clips([program], curves, given, size=(48, 48), frame_rate=RATE)[0]


@pytest.mark.parametrize("place", range(len(REACTIVE)), ids=list(REACTIVE))
def test_music_moves_them_and_silence_stills_them(place: int, heard: tuple[Timeline, Signals]) -> None:
    frames = drawn(place, heard)
    motion = (frames[1:] - frames[:-1]).abs().mean((1, 2, 3))
    music_motion, silence_motion = float(motion[:40].mean()), float(motion[52:80].mean())

    assert music_motion > 0.01
    assert silence_motion < 0.05 * music_motion
    assert float(frames[55:80].mean()) < 0.25 * float(frames[:40].mean())

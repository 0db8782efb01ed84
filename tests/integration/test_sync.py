"""Picture and sound are in time at every frame rate, and in silence the picture rests."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from scipy import signal

import synesthete
from synesthete.media.decode import decode_sound
from synesthete.media.mux import film_facts, iterate_frames

FRAME_RATES = [Fraction(24_000, 1001), Fraction(24), Fraction(30_000, 1001), Fraction(30), Fraction(60)]
FLASH = """
summary: A still picture that is black but for the loudness of the music
cppn:
  net: {evolution: 0, signals: {}, phases: []}
  surface: {exposure: {base: 0.0, level: 3.0}, darkness: 0.3, vignette: 0, mask: 0}
control:
  envelopes: {level: {column: loudness, floor: 0.3, ceil: 0.6, attack: 0, release: 0.1}}
"""
SMALL = {"resolution": "64x64", "kernels": "eager"}


@pytest.mark.parametrize("rate", FRAME_RATES, ids=str)
def test_picture_and_sound_are_in_time(
    make_song: Callable[..., Path], tmp_path: Path, rate: Fraction
) -> None:
    song = make_song(2.7, silences=((0.0, 0.9), (1.4, 2.0)))
    preset = tmp_path / "flash.yaml"
    preset.write_text(FLASH)
    film = synesthete.render(song, preset=str(preset), fps=rate, workspace=tmp_path, **SMALL)

    facts = film_facts(film.film)
    assert facts.frames == film.frames == -(-27 * rate // 10)
    assert (facts.frame_rate, facts.constant_rate) == (rate, True)
    assert facts.start_s == facts.sound_start_s == 0
    assert 0 <= facts.duration_s - facts.sound_samples / facts.sound_rate < 1 / rate

    heard, source = (np.concatenate(list(decode_sound(path)), axis=1)[0] for path in (film.film, song))
    assert 0 <= heard.size - source.size < 1024  # the last AAC frame is padded
    heard = heard[: source.size]
    correlation = signal.correlate(heard, source, method="fft")
    assert abs(int(correlation.argmax()) - (source.size - 1)) <= 44  # 1 ms

    light = np.array([frame.mean() for frame in iterate_frames(film.film)])
    bright = light > 0.5 * light.max()
    rises = (np.flatnonzero(bright[1:] & ~bright[:-1]) + 1) / float(rate)
    assert light[: int(0.8 * rate)].max() < 0.05 * light.max()
    for onset in (0.9, 2.0):
        nearest = rises[np.abs(rises - onset).argmin()]
        assert abs(nearest - onset) < 1 / float(rate) + 0.02, (onset, rises)


def test_in_silence_the_picture_rests(make_song: Callable[..., Path], tmp_path: Path) -> None:
    song = make_song(6.0, silences=((2.0, 5.0),))
    film = synesthete.render(song, resolution="128x72", kernels="eager", fps=24, workspace=tmp_path)
    frames = np.stack(list(iterate_frames(film.film))).astype(np.float32) / 255
    motion = np.abs(np.diff(frames, axis=0)).mean((1, 2, 3))
    moments = np.arange(1, len(frames)) / 24
    quiet = motion[(moments > 3.0) & (moments < 4.95)]
    loud = np.median(motion[(moments < 2.0) | (moments > 5.05)])
    assert loud > 0
    assert quiet.mean() <= 0.2 * loud
    assert np.median(quiet) <= 0.2 * loud

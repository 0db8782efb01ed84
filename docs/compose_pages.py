"""The pictures of docs/audio-inputs.md: a composed song with its truth, and songs of six genres."""

import sys
from collections.abc import Callable
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image

matplotlib.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from scipy.signal import spectrogram

from synesthete.audio.compose import Composition, compose
from synesthete.clock import ANALYSIS_SAMPLE_RATE

__all__ = ["composed_sheet", "composed_song", "save_pictures"]

SEED = 11
SIX = ("techno", "drum and bass", "rock", "jazz", "orchestral", "tabla")
_SECONDS = 16.0


def save_pictures(save: Callable[[np.ndarray, str], None]) -> None:
    """Draw both and hand them on with their names, as ``make_docs.save`` takes them."""
    save(composed_song(), "composed-song.jpg")
    save(composed_sheet(), "composed-sheet.jpg")


def composed_song() -> np.ndarray:
    """Draw a song with a drop and a silence: its level, its spectrogram, and the notes of its truth."""
    song = compose(SEED, 6, seconds=24.0, genre="trance", silence_mix_prob=1.0)
    figure, (wave, sound, notes) = plt.subplots(
        3, 1, figsize=(12, 7.5), sharex=True, height_ratios=(1, 2.4, 1.6), layout="constrained"
    )
    moments = np.arange(song.sound.shape[1]) / ANALYSIS_SAMPLE_RATE
    wave.plot(moments[::50], song.sound[0, ::50], linewidth=0.4)
    wave.set(ylim=(-1, 1), ylabel="left")
    wave.set_title(f"{song.truth.genre}, {song.truth.tempo:g} BPM, {song.truth.key}")
    _draw_spectrum(sound, song)
    colours = {stem: f"C{number}" for number, stem in enumerate(sorted({n.stem for n in song.truth.notes}))}
    for stem, colour in colours.items():
        own = [note for note in song.truth.notes if note.stem == stem and note.pitch is not None]
        notes.barh(
            [note.pitch for note in own],
            [note.duration_s for note in own],
            left=[note.start_s for note in own],
            height=0.9,
            color=colour,
            label=stem if own else None,
        )
    notes.set(ylabel="MIDI pitch", xlabel="seconds", xlim=(0, song.truth.seconds))
    notes.legend(loc="upper right", ncols=4, fontsize=8)
    for start, stop in song.truth.silences:
        for axes in (wave, notes):
            axes.axvspan(start, stop, color="0.85")
    return _drawn(figure)


def composed_sheet() -> np.ndarray:
    """Draw the spectrograms of six genres."""
    figure, places = plt.subplots(3, 2, figsize=(12, 9), sharex=True, layout="constrained")
    for place, genre in zip(places.flat, SIX, strict=True):
        song = compose(SEED, 3, seconds=_SECONDS, genre=genre)
        _draw_spectrum(place, song)
        place.set_title(
            f"{genre}: {song.truth.tempo:g} BPM in {song.truth.metre}, {song.truth.key}", fontsize=9
        )
    return _drawn(figure)


def _draw_spectrum(axes: Axes, song: Composition) -> None:
    """Draw a spectrogram with log frequency, sections and beats; the lines of downbeats are longer."""
    hertz, moments, power = spectrogram(
        song.sound.mean(axis=0), ANALYSIS_SAMPLE_RATE, nperseg=2048, noverlap=1024
    )
    decibels = 10 * np.log10(power[1:] + 1e-12)
    axes.pcolormesh(moments, hertz[1:], decibels, vmin=-110, vmax=-35, cmap="magma", shading="auto")
    axes.set(yscale="log", ylim=(40, 16_000), xlim=(0, song.truth.seconds), ylabel="Hz")
    bars = set(song.truth.downbeats)
    for beat in song.truth.beats:
        axes.plot([beat, beat], [40, 90 if beat in bars else 60], color="white", linewidth=1)
    for part in song.truth.sections:
        axes.axvline(part.start_s, color="cyan", linewidth=1.2)
        axes.text(part.start_s + 0.1, 11_000, part.name, color="cyan", fontsize=8)


def _drawn(figure: "plt.Figure") -> np.ndarray:
    figure.canvas.draw()
    pixels = np.asarray(figure.canvas.buffer_rgba())[..., :3].copy()  # type: ignore[attr-defined]
    plt.close(figure)
    return pixels


def main() -> int:
    """Write both into docs/images."""
    folder = Path(__file__).resolve().parent / "images"
    save_pictures(
        lambda picture, name: Image.fromarray(picture).save(folder / name, quality=80, optimize=True)
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())

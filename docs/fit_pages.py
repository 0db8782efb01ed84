"""The picture of docs/fit.md: pictures, what fitted nets show in silence, and moments of films."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from synesthete.config.fit import FitOptions
from synesthete.config.preset import load_preset
from synesthete.evaluation.probe_music import PROBE_SONGS
from synesthete.evaluation.subjects import PresetSubject, Style
from synesthete.generators.base import Size
from synesthete.generators.quantise import Quantiser
from synesthete.media.images import contact_sheet, write_png
from synesthete.render.evaluate_generator import probe_song
from synesthete.render.fit.fitting import fit_preset

__all__ = ["fit_sheet", "styles_sheet"]

STYLES = ("goldleaf", "medusa")
FITS = (("medusa", "field"), ("medusa", "cppn"))
_SHOWN, _SEEN = 300, Size(800, 450)
_SILENT, _MOMENTS = 660, (250, 416, 871)
_CELL = Size(320, 180)


def fit_sheet(workspace: Path) -> np.ndarray:
    """Fit nets to stills of shipped presets, and draw them where the music rests and where it plays."""
    cells = []
    for name, net in FITS:
        still = workspace / f"{name}.png"
        write_png(still, _drawn(name, [_SHOWN], workspace, _SEEN)[0])
        output = workspace / f"{name}-{net}.yaml"
        options = FitOptions.model_validate({"net": net, "workspace": workspace})
        fit_preset([still], output, options, force=True)
        cells += _drawn(name, [_SHOWN], workspace, _CELL)
        cells += _drawn(str(output), sorted((_SILENT, *_MOMENTS)), workspace, _CELL, first=_SILENT)
    labels = ["the picture", "the net in silence", "on a techno beat", "", ""]
    return contact_sheet(cells, columns=5, labels=labels + [""] * (len(cells) - 5))


def styles_sheet(workspace: Path) -> np.ndarray:
    """Fit one net to two stills, and draw the way from one to the other: in silence, then on a beat."""
    stills = [workspace / f"{name}.png" for name in STYLES]
    for name, still in zip(STYLES, stills, strict=True):
        write_png(still, _drawn(name, [_SHOWN], workspace, _SEEN)[0])
    output = workspace / "two.yaml"
    fit_preset(stills, output, FitOptions(workspace=workspace), force=True)
    subject, quantiser = PresetSubject(load_preset(str(output))), Quantiser(_CELL)
    song = probe_song(None, next(iter(PROBE_SONGS)), workspace)
    cells = []
    for frame in (_SILENT, _MOMENTS[1]):
        for share in (1.0, 0.5, 0.0, -0.5, -1.0):
            style = Style((share, 0.0, 0.0, 0.0), 0)
            drawn = subject.draw(song, [frame], size=_CELL, frame_rate=Fraction(30), style=style)
            cells.append(quantiser.rgb8(next(iter(drawn))).numpy())
    return contact_sheet(cells, columns=5)


def _drawn(
    preset: str, frames: Sequence[int], workspace: Path, size: Size, *, first: int | None = None
) -> list[np.ndarray]:
    """Draw frames of a preset on the shipped song, one of them before the others."""
    song = probe_song(None, next(iter(PROBE_SONGS)), workspace)
    quantiser = Quantiser(size)
    drawn = PresetSubject(load_preset(preset)).draw(song, frames, size=size, frame_rate=Fraction(30))
    pictures = {f: quantiser.rgb8(rgb).numpy() for f, rgb in zip(frames, drawn, strict=True)}
    return [pictures[frame] for frame in sorted(frames, key=lambda frame: frame != first)]

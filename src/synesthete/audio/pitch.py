"""Find which pitch classes sound: spectral peaks, each placed between the bins."""

import math
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from synesthete.audio.columns import CHROMA
from synesthete.audio.filterbanks import bin_frequencies

__all__ = ["pitch_classes"]

_LOW_HZ: Final = 120.0
_HIGH_HZ: Final = 5000.0
_CENTRE_HZ: Final = 370.0
_A4_HZ: Final = 440.0
_A4_NOTE: Final = 69
# Farther from any note than a peak can be moved: weighs nothing.
_NOWHERE: Final = 9.0


class _Notes(NamedTuple):
    """The bins whose peaks can reach a pitch class, class by class, and how far they lie from the note.

    A peak moves by half a bin at most, so that a bin reaches 2 to 4 notes. The sum over this fixed list has
    the same order on every device; `Tensor.scatter_add_` has none on a GPU.
    """

    first: int
    last: int
    weights: Float[Tensor, " heard"]
    bins: Int64[Tensor, " near"]
    distance: Float[Tensor, "12 near_one"]
    slope: Float[Tensor, "12 near_one"]


@lru_cache(maxsize=8)
def _notes(n_fft: int, device: str) -> _Notes:
    hz = bin_frequencies(n_fft)
    first, last = np.searchsorted(hz, [_LOW_HZ, _HIGH_HZ])
    hz = hz[first:last]
    pitch = 12 * np.log2(hz / _A4_HZ) + _A4_NOTE
    slope = 12 / math.log(2) / np.arange(first, last)
    reach = 1 + slope / 2
    near: list[list[tuple[int, float]]] = [[] for _ in range(CHROMA)]
    for index in range(len(hz)):
        lowest, highest = pitch[index] - reach[index], pitch[index] + reach[index]
        for note in range(math.ceil(lowest), math.floor(highest) + 1):
            near[note % CHROMA].append((index, pitch[index] - note))
    width = max(map(len, near))
    padded = np.array([row + [(0, _NOWHERE)] * (width - len(row)) for row in near])
    bins = padded[..., 0].astype(np.int64)

    def moved(values: np.ndarray) -> Tensor:
        return torch.from_numpy(values).to(device=device, dtype=torch.float32)

    return _Notes(
        first=int(first),
        last=int(last),
        weights=moved(np.exp(-0.5 * np.log2(hz / _CENTRE_HZ) ** 2)),
        bins=torch.from_numpy(bins.reshape(-1)).to(device),
        distance=moved(padded[..., 1]),
        slope=moved(slope[bins]),
    )


def pitch_classes(power: Float[Tensor, "*batch bins"]) -> Float[Tensor, "*batch 12"]:
    r"""Add up the spectral peaks of each pitch class.

    A peak is a bin :math:`b` from 120 Hz to 5 kHz that is stronger than its neighbours. A parabola through
    the three magnitudes places it: :math:`b + \delta`,
    :math:`\delta = \frac12 (X_{b+1} - X_{b-1}) / (2 X_b - X_{b-1} - X_{b+1})`. It lies :math:`d` semitones
    from a note (A4 = 440 Hz), and adds :math:`X_b \cdot w(b) \cdot \cos^2(\pi d/2)` to its pitch class if
    :math:`d < 1`; :math:`w = \exp(-\frac12 \log_2^2(f/370\,\mathrm{Hz}))`. What is not a peak (drums, the
    skirts of loud tones, where bins are wider than semitones) adds little or nothing.

    Parameters
    ----------
    power
        :math:`X^2`, non-negative and finite: all bins of the real FFT of a window at 44.1 kHz.

    Returns
    -------
    Strengths of the classes, C first, in the unit of the magnitudes; 0 where nothing sounds.

    References
    ----------
    Gómez, "Tonal description of music audio signals", PhD thesis, UPF Barcelona 2006, section 3.1 (HPCP:
    peaks, a cos² window); Smith & Serra, "PARSHL", ICMC 1987 (the parabola). *Differs:* magnitudes instead of
    powers, weighed by octave; no harmonics are folded back; cos² reaches 1 semitone, so that nothing is lost
    between notes.

    Examples
    --------
    >>> power = torch.zeros(2049)
    >>> power[40:43] = torch.tensor([1.0, 4.0, 1.0])  # 441 Hz
    >>> pitch_classes(power).argmax()
    tensor(9)
    """
    notes = _notes(2 * (power.shape[-1] - 1), str(power.device))
    magnitude = power[..., notes.first - 1 : notes.last + 1].sqrt()
    before, here, after = magnitude[..., :-2], magnitude[..., 1:-1], magnitude[..., 2:]
    peak = (here > before) & (here >= after)
    strength = torch.where(peak, here * notes.weights, 0.0)
    curve = (2 * here - before - after).clamp(min=torch.finfo(here.dtype).tiny)
    shift = torch.where(peak, 0.5 * (after - before) / curve, 0.0)
    shape = (*power.shape[:-1], *notes.distance.shape)
    distance = notes.distance + notes.slope * shift[..., notes.bins].view(shape)
    near = torch.cos(distance.clamp(-1.0, 1.0) * (math.pi / 2)).square()
    return (strength[..., notes.bins].view(shape) * near).sum(dim=-1)

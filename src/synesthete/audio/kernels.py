"""Windows and filter banks as tensors on one device, in the units of the analysis."""

from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from scipy.fft import dct
from torch import Tensor

from synesthete.audio import filterbanks
from synesthete.audio.columns import BANDS, MFCC, SPECTRUM_BANDS

__all__ = ["LONG", "LONG_BANDS", "LONG_SPECTRUM", "MIDDLE", "SHORT", "Bank", "Kernels", "kernels_for"]

LONG: Final = 4096
"""Window for what lies low, where 2048 samples can't tell bands or semitones apart (93 ms)."""

MIDDLE: Final = 2048
"""Window of everything else (46 ms)."""

SHORT: Final = 1024
"""Window of the onsets (23 ms): an impulse fills no more than 3 rows."""

LONG_BANDS: Final = 2
LONG_SPECTRUM: Final = 32
_MEL_BANDS: Final = 40
_ONSET_PER_OCTAVE: Final = 8


class Bank:
    """A filter bank: bands as weighted sums over stretches of bins.

    A matrix product would do the same, but its last bits depend on the number of threads (measured: MKL,
    256×1025 by 1025×78, 1 and 2 threads). Sums along the bins don't, and skip the zeros.
    """

    def __init__(self, weights: np.ndarray, device: str) -> None:
        self._bands: list[tuple[int, int, Tensor]] = []
        for band in weights.T:
            used = np.flatnonzero(band)
            first, last = int(used[0]), int(used[-1]) + 1
            part = torch.from_numpy(band[first:last].copy()).to(device=device, dtype=torch.float32)
            self._bands.append((first, last, part))

    def __call__(self, power: Float[Tensor, "*batch bins"]) -> Float[Tensor, "*batch bands"]:
        """Give the weighted sum of each band."""
        sums = [(power[..., first:last] * part).sum(dim=-1) for first, last, part in self._bands]
        return torch.stack(sums, dim=-1)


class Kernels(NamedTuple):
    """What the analysis multiplies with; banks turn spectral powers into mean squares (mel: as librosa)."""

    window_long: Float[Tensor, "4096"]
    window_middle: Float[Tensor, "2048"]
    window_short: Float[Tensor, "1024"]
    power_weights: Float[Tensor, "2048"]
    bands_low: Bank
    bands_high: Bank
    spectrum_low: Bank
    spectrum_high: Bank
    mel: Bank
    onset: Bank
    whole: Bank
    frequencies: Float[Tensor, " bins"]
    cosines: Float[Tensor, "mfcc mel"]
    heard: slice


@lru_cache(maxsize=8)
def kernels_for(device: str) -> Kernels:
    """Make the kernels for one device (``"cpu"``, ``"cuda:0"``), once."""
    windows = {n: np.hanning(n + 1)[:-1] for n in (LONG, MIDDLE, SHORT)}
    # Parseval, one-sided: mean square = 2 Σ|X|² / (n Σw²).
    scale = {n: 2.0 / (n * float(np.square(window).sum())) for n, window in windows.items()}
    edges, fine = filterbanks.log_edges(BANDS), filterbanks.log_edges(SPECTRUM_BANDS)
    low, high = edges[:-1], edges[1:]
    fine_low = filterbanks.widened(fine[:LONG_SPECTRUM], fine[1 : LONG_SPECTRUM + 1], LONG)
    fine_high = filterbanks.widened(fine[LONG_SPECTRUM:-1], fine[LONG_SPECTRUM + 1 :], MIDDLE)
    frequencies = filterbanks.bin_frequencies(MIDDLE)
    first, last = np.searchsorted(frequencies, [filterbanks.BAND_LOW_HZ, filterbanks.BAND_HIGH_HZ])

    def moved(values: np.ndarray) -> Tensor:
        return torch.from_numpy(values).to(device=device, dtype=torch.float32)

    def bank(weights: np.ndarray, n: int) -> Bank:
        return Bank(weights * scale[n], device)

    return Kernels(
        window_long=moved(windows[LONG]),
        window_middle=moved(windows[MIDDLE]),
        window_short=moved(windows[SHORT]),
        power_weights=moved(windows[MIDDLE] / windows[MIDDLE].sum()),
        bands_low=bank(filterbanks.overlap_bank(low[:LONG_BANDS], high[:LONG_BANDS], LONG), LONG),
        bands_high=bank(filterbanks.overlap_bank(low[LONG_BANDS:], high[LONG_BANDS:], MIDDLE), MIDDLE),
        spectrum_low=bank(filterbanks.overlap_bank(*fine_low, LONG), LONG),
        spectrum_high=bank(filterbanks.overlap_bank(*fine_high, MIDDLE), MIDDLE),
        mel=Bank(filterbanks.mel_bank(MIDDLE, _MEL_BANDS), device),
        onset=bank(filterbanks.triangle_bank(SHORT, _ONSET_PER_OCTAVE), SHORT),
        whole=bank(np.ones((SHORT // 2 + 1, 1)), SHORT),
        frequencies=moved(frequencies),
        cosines=moved(dct(np.eye(_MEL_BANDS), type=2, norm="ortho", axis=0)[:MFCC].copy()),
        heard=slice(int(first), int(last)),
    )

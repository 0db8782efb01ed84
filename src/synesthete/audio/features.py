"""Measure the sound at 100 Hz: batched torch code for training, the same in blocks for a stream.

Row ``k`` describes the moment ``k/100`` s; every window is centred on it, with silence before the first
sample and after the last. `synesthete.audio.columns.COLUMNS` says what each column is.
"""

from typing import Final, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32
from torch import Tensor
from torch.nn import functional

from synesthete.audio.columns import BANDS, COLUMN_NAMES, FLOOR_DBFS, MEASURED_NAMES, SPECTRUM_BANDS
from synesthete.audio.kernels import LONG, MIDDLE, Kernels, kernels_for
from synesthete.audio.listening import listen_through
from synesthete.audio.pitch import pitch_classes
from synesthete.clock import ANALYSIS_SAMPLE_RATE, HOP_SAMPLES, analysis_ticks
from synesthete.errors import InputError

__all__ = ["BLOCK_TICKS", "FeatureStream", "Measured", "compute", "measure"]

BLOCK_TICKS: Final = 256
"""Rows computed at once: fixed, so that the size of chunks changes nothing; 4 MB of windows fit the cache."""

_BEFORE: Final = 2
_AFTER: Final = 2
_LEAD: Final = _BEFORE * HOP_SAMPLES + LONG // 2
_ROW_MULTIPLE: Final = 16
_LIMIT: Final = 16.0
_TINY_POWER: Final = 1e-12
_ROLLOFF_PART: Final = 0.85

# Strength: λ = 1000 puts the knee of log(1+λX) at -60 dBFS a band; σ makes a loud drum hit read about 0.9.
_ONSET_KNEE: Final = 1000.0
_ONSET_SCALE: Final = 0.3
_BREAK_DB: Final = 12.0


class Measured(NamedTuple):
    """What is measured in a stretch of sound: the measured columns, and 64 log-spaced bands (0..1)."""

    columns: Float[Tensor, "*batch ticks measured"]
    spectrum: Float[Tensor, "*batch ticks bands"]


def compute(sound: Float[Tensor, "batch channels samples"]) -> Float[Tensor, "batch ticks columns"]:
    """Compute all columns of whole clips.

    Parameters
    ----------
    sound
        Samples at 44.1 kHz, 1 or 2 channels, full scale ±1; what is not finite counts as 0 (NaN) or ±16.

    Returns
    -------
    The table of each clip at 100 Hz, columns in the order of `COLUMN_NAMES`; finite for any input.

    Raises
    ------
    InputError
        If there are not 1 or 2 channels.

    Examples
    --------
    >>> table = compute(torch.zeros(1, 1, 44_100))
    >>> table.shape[1], table[0, 50, COLUMN_NAMES.index("silence")].item()
    (100, 1.0)
    """
    measured = measure(sound)
    clips, ticks, _ = measured.columns.shape
    if ticks == 0:
        return measured.columns.new_zeros(clips, 0, len(COLUMN_NAMES))
    duration_s = sound.shape[-1] / ANALYSIS_SAMPLE_RATE
    derived = []
    for table, spectrum in zip(measured.columns.cpu(), measured.spectrum.cpu(), strict=True):
        columns = dict(zip(MEASURED_NAMES, table.T.numpy(), strict=True))
        heard, _ = listen_through(columns, spectrum.numpy(), duration_s=duration_s)
        derived.append(torch.from_numpy(np.stack(list(heard.values()), axis=1)))
    return torch.cat([measured.columns, torch.stack(derived).to(measured.columns)], dim=-1)


@torch.no_grad()
def measure(sound: Float[Tensor, "batch channels samples"]) -> Measured:
    """Measure whole clips: `compute` without the derived columns, and with the spectrum.

    Raises
    ------
    InputError
        If there are not 1 or 2 channels.
    """
    _check_channels(sound.shape[1])
    ticks = analysis_ticks(sound.shape[2])
    padded_end = (_round_up(ticks) + _BEFORE + _AFTER) * HOP_SAMPLES + LONG
    padded = functional.pad(sound.float(), (_LEAD, max(0, padded_end - _LEAD - sound.shape[2])))
    blocks = [
        _measure_block(padded[..., start * HOP_SAMPLES :], min(BLOCK_TICKS, ticks - start))
        for start in range(0, ticks, BLOCK_TICKS)
    ]
    if not blocks:
        shape = (sound.shape[0], 0)
        return Measured(
            sound.new_zeros(*shape, len(MEASURED_NAMES), dtype=torch.float32),
            sound.new_zeros(*shape, SPECTRUM_BANDS, dtype=torch.float32),
        )
    return Measured(
        torch.cat([block.columns for block in blocks], dim=1),
        torch.cat([block.spectrum for block in blocks], dim=1),
    )


class FeatureStream:
    """Measure a stream of chunks: the same rows, to the bit, as `measure` gives for the whole.

    Memory is one block (`BLOCK_TICKS` rows of sound), whatever the length of the stream.

    Examples
    --------
    >>> stream = FeatureStream()
    >>> rows = [stream.push(np.zeros((2, 30_000), np.float32)).columns, stream.flush().columns]
    >>> sum(len(part) for part in rows)
    69
    """

    def __init__(self) -> None:
        self._buffer: Float32[np.ndarray, "channels samples"] | None = None
        self._filled = 0
        self._samples = 0
        self._ticks = 0

    @property
    def samples(self) -> int:
        """Samples pushed so far, per channel."""
        return self._samples

    def push(self, chunk: Float32[np.ndarray, "channels samples"]) -> Measured:
        """Take samples at 44.1 kHz and give the rows that are complete by now (often none).

        Raises
        ------
        InputError
            If there are not 1 or 2 channels, or their number changes.
        """
        buffer = self._buffer_for(chunk.shape[0])
        blocks: list[Measured] = []
        taken = 0
        while taken < chunk.shape[1]:
            count = min(chunk.shape[1] - taken, buffer.shape[1] - self._filled)
            buffer[:, self._filled : self._filled + count] = chunk[:, taken : taken + count]
            self._filled += count
            taken += count
            if self._filled == buffer.shape[1]:
                blocks.append(self._next_block(BLOCK_TICKS))
        self._samples += taken
        return _joined(blocks)

    def flush(self) -> Measured:
        """Give the remaining rows; the stream has ended, and the next push begins a new one."""
        blocks: list[Measured] = []
        if self._buffer is not None:
            ticks = analysis_ticks(self._samples)
            while self._ticks < ticks:
                self._buffer[:, self._filled :] = 0.0
                blocks.append(self._next_block(min(BLOCK_TICKS, ticks - self._ticks)))
        self._buffer, self._filled, self._samples, self._ticks = None, 0, 0, 0
        return _joined(blocks)

    def _buffer_for(self, channels: int) -> Float32[np.ndarray, "channels samples"]:
        _check_channels(channels)
        if self._buffer is None:
            self._buffer = np.zeros((channels, _block_samples(BLOCK_TICKS)), np.float32)
            self._filled = _LEAD
        if self._buffer.shape[0] != channels:
            raise InputError(
                f"the sound changes from {self._buffer.shape[0]} to {channels} channels; keep one number"
            )
        return self._buffer

    def _next_block(self, ticks: int) -> Measured:
        assert self._buffer is not None
        measured = _measure_block(torch.from_numpy(self._buffer)[None], ticks)
        keep = max(0, self._filled - ticks * HOP_SAMPLES)
        self._buffer[:, :keep] = self._buffer[:, self._filled - keep : self._filled].copy()
        self._filled = keep
        self._ticks += ticks
        return Measured(measured.columns[0], measured.spectrum[0])


def _joined(blocks: list[Measured]) -> Measured:
    if not blocks:
        return Measured(torch.zeros(0, len(MEASURED_NAMES)), torch.zeros(0, SPECTRUM_BANDS))
    return Measured(
        torch.cat([block.columns for block in blocks]), torch.cat([block.spectrum for block in blocks])
    )


def _check_channels(channels: int) -> None:
    if channels not in (1, 2):
        raise InputError(f"sound has {channels} channels; mix it down to 1 or 2 first")


def _round_up(ticks: int) -> int:
    # The same shapes whatever the length: rows come in sixteens.
    return -(-ticks // _ROW_MULTIPLE) * _ROW_MULTIPLE


def _block_samples(ticks: int) -> int:
    return (ticks + _BEFORE + _AFTER - 1) * HOP_SAMPLES + LONG


@torch.no_grad()
def _measure_block(sound: Float[Tensor, "batch channels samples"], ticks: int) -> Measured:
    """Measure ``ticks`` rows; sample 0 lies `_LEAD` before the first row's moment."""
    rows = _round_up(ticks)
    sound = sound[..., : _block_samples(rows)]
    sound = torch.nan_to_num(sound, nan=0.0, posinf=_LIMIT, neginf=-_LIMIT).clamp(-_LIMIT, _LIMIT)
    mono = sound.mean(dim=1)
    # An outer autocast (training) must not lower the precision of what follows.
    with torch.autocast(sound.device.type, enabled=False):
        kernels = kernels_for(str(sound.device))
        long, middle, short = _power_spectra(mono, kernels)
        loudness_power, width = _stereo(sound, kernels)
        levels, spectrum, chroma = _bands(long, middle, kernels)
        shape = _shape(middle, kernels)
        onset = _onset(short, kernels)
    gate = ((_dbfs(loudness_power) + 70.0) / 10.0).clamp(0.0, 1.0)[..., None]
    # Rows of the halo are dropped here: a row needs its neighbours for the rises only.
    inner = slice(_BEFORE, _BEFORE + rows)
    later, earlier = levels[:, _BEFORE + 1 :][:, :rows], levels[:, _BEFORE - 1 :][:, :rows]
    flux = (later - earlier)[..., :BANDS].clamp(min=0.0)
    columns = torch.cat(
        [
            _level(loudness_power)[:, inner, None],
            _peak(sound, rows),
            (width[..., None] * gate)[:, inner],
            levels[:, inner, :BANDS],
            flux,
            levels[:, inner, BANDS:],
            onset[:, :, None],
            (shape[..., :3] * gate)[:, inner],
            _crossings(mono, rows) * gate[:, inner],
            (chroma * gate)[:, inner],
            shape[:, inner, 3:],
        ],
        dim=-1,
    )
    return Measured(columns[:, :ticks], spectrum[:, inner][:, :ticks])


def _power_spectra(mono: Float[Tensor, "batch samples"], kernels: Kernels) -> tuple[Tensor, Tensor, Tensor]:
    """Give |X|² of windows of 4096, 2048 and 1024 samples around each row's moment."""
    frames = mono.unfold(-1, LONG, HOP_SAMPLES)
    spectra = []
    for window in (kernels.window_long, kernels.window_middle, kernels.window_short):
        offset = (LONG - len(window)) // 2
        transformed = torch.fft.rfft(frames[..., offset : offset + len(window)] * window)
        transformed = torch.fft.rfft(frames[..., offset : offset + len(window)] * window)
        # Six times as fast as a sum over pairs.
        spectra.append(transformed.real.square().add_(transformed.imag.square()))
    return spectra[0], spectra[1], spectra[2]


def _dbfs(power: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    return 10.0 * torch.log10(power + _TINY_POWER)


def _level(power: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    return (1.0 - _dbfs(power) / FLOOR_DBFS).clamp(0.0, 1.0)


def _stereo(
    sound: Float[Tensor, "batch channels samples"], kernels: Kernels
) -> tuple[Float[Tensor, "batch rows"], Float[Tensor, "batch rows"]]:
    """Give the windowed mean square, averaged over left and right, and the stereo width."""
    offset = (LONG - MIDDLE) // 2
    rows = (sound.shape[-1] - LONG) // HOP_SAMPLES + 1

    def mean_square(signal: Tensor) -> Tensor:
        frames = signal.square()[..., offset:].unfold(-1, MIDDLE, HOP_SAMPLES)[..., :rows, :]
        return (frames * kernels.power_weights).sum(dim=-1)

    if sound.shape[1] == 1:
        power = mean_square(sound[:, 0])
        return power, torch.zeros_like(power)
    middle = mean_square((sound[:, 0] + sound[:, 1]) / 2)
    side = mean_square((sound[:, 0] - sound[:, 1]) / 2)
    # M² + S² = (L² + R²) / 2: the two powers add up to the loudness.
    width = side.sqrt() / (middle.sqrt() + side.sqrt() + 1e-9)
    return middle + side, width


def _bands(
    long: Float[Tensor, "batch rows bins_long"], middle: Float[Tensor, "batch rows bins"], kernels: Kernels
) -> tuple[Float[Tensor, "batch rows 11"], Float[Tensor, "batch rows 64"], Float[Tensor, "batch rows 12"]]:
    """Give the levels of 8 bands with bass, mid and treble; the spectrum; the chroma."""
    power = torch.cat([kernels.bands_low(long), kernels.bands_high(middle)], dim=-1)
    sums = [power[..., first:last].sum(dim=-1, keepdim=True) for first, last in ((0, 3), (3, 6), (6, 8))]
    spectrum = torch.cat([kernels.spectrum_low(long), kernels.spectrum_high(middle)], dim=-1)
    strengths = pitch_classes(long)
    chroma = strengths / strengths.amax(dim=-1, keepdim=True).clamp(min=_TINY_POWER)
    return _level(torch.cat([power, *sums], dim=-1)), _level(spectrum), chroma


def _shape(middle: Float[Tensor, "batch rows bins"], kernels: Kernels) -> Float[Tensor, "batch rows 8"]:
    """Give centroid (Hz), rolloff (Hz), flatness, and 5 MFCC, as librosa defines them."""
    magnitude = middle.sqrt()
    total = magnitude.sum(dim=-1, keepdim=True).clamp(min=_TINY_POWER)
    centroid = (magnitude * kernels.frequencies).sum(dim=-1, keepdim=True) / total
    below = magnitude.cumsum(dim=-1) < _ROLLOFF_PART * total
    rolloff = kernels.frequencies[below.sum(dim=-1, keepdim=True).clamp(max=below.shape[-1] - 1)]
    heard = middle[..., kernels.heard].clamp(min=1e-10)
    geometric = heard.log().mean(dim=-1, keepdim=True).exp()
    flatness = (geometric / heard.mean(dim=-1, keepdim=True)).clamp(max=1.0)
    mel_db = 10.0 * torch.log10(kernels.mel(middle).clamp(min=1e-10))
    mfcc = (mel_db[..., None, :] * kernels.cosines).sum(dim=-1)
    return torch.cat([centroid, rolloff, flatness, mfcc], dim=-1)


def _onset(short: Float[Tensor, "batch rows bins"], kernels: Kernels) -> Float[Tensor, "batch inner"]:
    r"""Measure how strongly something begins: spectral flux of log magnitudes, 0..1.

    :math:`o_t = 1 - \exp(-m_t/\sigma)`,
    :math:`m_t = \frac1B\sum_b \max(0, S_{b,t} - \max_{|c-b|\le1} S_{c,t-20ms})`,
    :math:`S = \log_{10}(1+\lambda X)`

    Where the sound breaks off, the cut spreads over all bands and looks like an onset: rows at which the
    whole power falls by 12 to 24 dB within 40 ms fade out.

    References
    ----------
    Böck & Widmer, "Maximum filter vibrato suppression for onset detection" (SuperFlux), DAFx 2013, eq. 3-5;
    Bello et al., "A tutorial on onset detection in music signals", IEEE TSAP 13(5), 2005.
    Differs: windows of 23 ms, a mean instead of a sum, amplitudes in full scale, a soft ceiling at 1, no
    onsets at breaks.
    """
    strength = torch.log10(1.0 + _ONSET_KNEE * kernels.onset(short).sqrt())
    halo = _BEFORE + _AFTER
    widest = functional.max_pool1d(strength[:, :-halo], 3, stride=1, padding=1)
    rise = (strength[:, _BEFORE:-_AFTER] - widest).clamp(min=0.0).mean(dim=-1)
    # The knee as a power: what happens below -60 dBFS is no break.
    whole = torch.log10(kernels.whole(short)[..., 0] + _ONSET_KNEE**-2)
    fall_db = 10.0 * (whole[:, :-halo] - whole[:, halo:])
    kept = (2.0 - fall_db / _BREAK_DB).clamp(0.0, 1.0)
    return (1.0 - torch.exp(-rise / _ONSET_SCALE)) * kept


def _hops(
    signal: Float[Tensor, "batch samples"] | Bool[Tensor, "batch samples"], count: int
) -> Float[Tensor, "batch hops hop"]:
    """Cut what follows the first halo row's moment into ``count`` hops of 441 samples."""
    start = LONG // 2
    cut = signal[..., start : start + count * HOP_SAMPLES]
    return cut.reshape(*cut.shape[:-1], count, HOP_SAMPLES).float()


def _peak(sound: Float[Tensor, "batch channels samples"], rows: int) -> Float[Tensor, "batch rows 1"]:
    hops = _hops(sound.abs().amax(dim=1), rows + _BEFORE).amax(dim=-1)
    return torch.maximum(hops[:, 1 : rows + 1], hops[:, 2 : rows + 2]).clamp(max=1.0)[..., None]


def _crossings(mono: Float[Tensor, "batch samples"], rows: int) -> Float[Tensor, "batch rows 1"]:
    positive = mono >= 0
    changed = functional.pad(positive[:, 1:] != positive[:, :-1], (1, 0))
    hops = _hops(changed, rows + _BEFORE + _AFTER).sum(dim=-1)
    window = hops[:, :rows] + hops[:, 1 : rows + 1] + hops[:, 2 : rows + 2] + hops[:, 3 : rows + 3]
    return (window / (4 * HOP_SAMPLES))[..., None]

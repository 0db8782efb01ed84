"""The documented table of Timeline columns: unit, range, formula, and how each goes to the frame clock."""

from dataclasses import dataclass
from typing import Final, Literal

__all__ = [
    "BANDS",
    "CHROMA",
    "COLUMNS",
    "COLUMN_NAMES",
    "DERIVED_NAMES",
    "FLOOR_DBFS",
    "MEASURED_NAMES",
    "MFCC",
    "SPECS",
    "SPECTRUM_BANDS",
    "ColumnSpec",
    "Kind",
]

BANDS: Final = 8
CHROMA: Final = 12
MFCC: Final = 5
SPECTRUM_BANDS: Final = 64

FLOOR_DBFS: Final = -60.0
"""Level that reads 0 on the level scale; 0 dBFS (the RMS of a full-scale square wave) reads 1."""

Kind = Literal["peak", "level", "index", "moment"]
"""How a column goes to the frame clock: maximum or mean over ±21 ms, nearest row, or the frame's moment."""


@dataclass(frozen=True)
class ColumnSpec:
    """What one column of the Timeline holds.

    ``low`` and ``high`` bound the values (``inf`` where nothing does); ``formula`` says how it is made, in
    the words of the module `synesthete.audio.features`.
    """

    name: str
    unit: str
    low: float
    high: float
    kind: Kind
    formula: str


_LEVEL = "dBFS, -60..0 to 0..1"
_PITCHES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
_BAND_TEXT = (
    "30-66 Hz", "66-144 Hz", "144-316 Hz", "316-693 Hz",
    "0.69-1.52 kHz", "1.52-3.33 kHz", "3.33-7.30 kHz", "7.30-16 kHz",
)  # fmt: skip
_INF = float("inf")


def _level(name: str, formula: str) -> ColumnSpec:
    return ColumnSpec(name, _LEVEL, 0.0, 1.0, "level", formula)


_MEASURED: Final = (
    _level("loudness", "10·log10 Σ w·(L²+R²)/2 / Σ w, w = Hann 2048 (46 ms) centred; absolute"),
    ColumnSpec("peak", "full scale", 0.0, 1.0, "peak", "max |sample| of L and R within ±10 ms, clipped"),
    ColumnSpec(
        "width", "ratio", 0.0, 1.0, "level", "rms(S) / (rms(M) + rms(S)), M = (L+R)/2, S = (L-R)/2, gated"
    ),
    *(
        _level(
            f"band_{i}", f"10·log10 of the mean square of mono in log band {i}, {_BAND_TEXT[i]} (Parseval)"
        )
        for i in range(BANDS)
    ),
    *(
        ColumnSpec(
            f"flux_{i}", "rise / 20 ms", 0.0, 1.0, "peak", f"max(0, band_{i}(t+10 ms) - band_{i}(t-10 ms))"
        )
        for i in range(BANDS)
    ),
    _level("bass", "the powers of band_0..2 (30-316 Hz) summed, in dB"),
    _level("mid", "the powers of band_3..5 (316-3330 Hz) summed, in dB"),
    _level("treble", "the powers of band_6..7 (3.33-16 kHz) summed, in dB"),
    ColumnSpec(
        "onset", "strength", 0.0, 1.0, "peak",
        "1 - exp(-m/σ), m = mean over bands of max(0, log(1+λX(t)) - max₃ log(1+λX(t-20 ms))); 0 at breaks",
    ),
    ColumnSpec("centroid", "Hz", 0.0, 22_050.0, "level", "Σ f·|X| / Σ |X|, gated"),
    ColumnSpec("rolloff", "Hz", 0.0, 22_050.0, "level", "frequency below which 85 % of Σ |X| lies, gated"),
    ColumnSpec(
        "flatness", "ratio", 0.0, 1.0, "level", "geometric / arithmetic mean of |X|², 30 Hz-16 kHz, gated"
    ),
    ColumnSpec("zcr", "crossings / sample", 0.0, 1.0, "level", "sign changes of mono within ±20 ms, gated"),
    *(
        ColumnSpec(
            f"chroma_{i}", "ratio", 0.0, 1.0, "level",
            f"magnitudes of spectral peaks at pitch class {pitch}, weighed, / the strongest class, gated",
        )
        for i, pitch in enumerate(_PITCHES)
    ),
    *(
        ColumnSpec(
            f"mfcc_{i}", "dB", -_INF, _INF, "level", f"coefficient {i}, DCT-II (ortho) of 40 mel bands in dB"
        )
        for i in range(MFCC)
    ),
)  # fmt: skip

_DERIVED: Final = (
    ColumnSpec(
        "silence", "ratio", 0.0, 1.0, "level",
        "1 below -53 dBFS, 0 above -47, smoothstep between; then a centred Hann kernel of 140 ms",
    ),
    _level("percussive", "power of what lasts under 120 ms in the 64 bands: hits (median filtering)"),
    _level("harmonic", "power of what lasts in the 64 bands: tones and chords (median filtering)"),
    ColumnSpec("beat", "pulse", 0.0, 1.0, "peak", "exp(-age/200 ms) since a beat, faded by its confidence"),
    ColumnSpec("beat_sin", "ratio", -1.0, 1.0, "level", "sin 2πb, b counts beats, faded by beat confidence"),
    ColumnSpec("beat_cos", "ratio", -1.0, 1.0, "level", "cos 2πb: 1 on beats, faded by beat confidence"),
    ColumnSpec("bar_sin", "ratio", -1.0, 1.0, "level", "sin 2πt, t counts bars, faded by bar confidence"),
    ColumnSpec("bar_cos", "ratio", -1.0, 1.0, "level", "cos 2πt: 1 on downbeats, faded by bar confidence"),
    ColumnSpec("tempo", "beats / minute", 0.0, 240.0, "level", "mean over 4 beats; 0 where no beat is"),
    ColumnSpec("section", "index", 0.0, _INF, "index", "0 for label A, 1 for B, …: same number, same music"),
    ColumnSpec("novelty", "ratio", 0.0, 1.0, "level", "how much the music changes here"),
    ColumnSpec("time", "s", 0.0, _INF, "moment", "the row's moment, k / 100"),
)  # fmt: skip

COLUMNS: Final[tuple[ColumnSpec, ...]] = _MEASURED + _DERIVED
"""All columns in the order of the table: first what is measured in the sound, then what is derived from it.

*Gated* columns fade to 0 between -60 and -70 dBFS, where they would describe dither."""

MEASURED_NAMES: Final[tuple[str, ...]] = tuple(spec.name for spec in _MEASURED)
DERIVED_NAMES: Final[tuple[str, ...]] = tuple(spec.name for spec in _DERIVED)
COLUMN_NAMES: Final[tuple[str, ...]] = MEASURED_NAMES + DERIVED_NAMES
SPECS: Final[dict[str, ColumnSpec]] = {spec.name: spec for spec in COLUMNS}

"""The one maker of signals: from the Timeline to named control curves, for every generator.

Everything is computed at 100 Hz over the whole track and then sampled at the frames' moments, so that the
same song makes the same moves at any frame rate, and frame ``i`` at 30 is frame ``2i`` at 60.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from jaxtyping import Float
from scipy.ndimage import uniform_filter1d

from synesthete.audio.timeline import Timeline
from synesthete.clock import ANALYSIS_RATE, film_clock
from synesthete.config.control import Control, Envelope, Oscillator, Part, Phase, Wander
from synesthete.config.modulation import Modulation
from synesthete.errors import ConfigError
from synesthete.generators.periodic import ROUNDS, Period
from synesthete.seeding import generator_for

__all__ = [
    "Signals",
    "beat_pace",
    "build_signals",
    "closing",
    "count_bars",
    "count_beats",
    "follow",
    "hann_smoothed",
    "integrate",
    "modulate",
    "part_levels",
    "running_integral",
    "wander_noise",
]

_DECIBEL_COLUMNS = ("loudness", "bass", "mid", "treble", *(f"band_{i}" for i in range(8)))
_SONG_LEVEL = 0.82
_GOLDEN = (np.sqrt(5.0) - 1.0) / 2.0
_SURE_BEAT = 0.2
_PAUSE_BEATS = 2.5
_KNOTS_PER_DRAW = 256
_SURROUNDINGS_TICKS = 301  # ±1.5 s
_STEP_SHARPNESS = 2.0  # 3.2 times as fast on the beat, 0.06 times halfway between
_STEP = 1.0 / ANALYSIS_RATE


@dataclass(frozen=True)
class Signals:
    """Named control curves at the frames of a film.

    Attributes
    ----------
    frame_rate
        Frames per second.
    curves
        One float64 array ``(frames,)`` per name. Envelopes and ``calm`` lie in 0-1, wander and oscillators
        in about -1 to 1, phases count turns and grow without bound.
    ticks
        The same curves at 100 Hz, if they are known.
    timeline
        What they were made from, for generators that look at spectra or waves.
    shutter
        If it is not 0, the curves are those at the pictures of a `ShutterClock`, several to a frame.
    period
        The round of a loop, if it is one; then there is a signal `ROUNDS`.
    """

    frame_rate: Fraction
    curves: Mapping[str, Float[np.ndarray, " frames"]]
    ticks: Mapping[str, Float[np.ndarray, " ticks"]] = field(default_factory=dict)
    timeline: Timeline | None = None
    shutter: Fraction = Fraction(0)
    period: Period | None = None

    @property
    def frames(self) -> int:
        """Count the frames."""
        return len(next(iter(self.curves.values())))

    def at(self, name: str, moments: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """Give a signal, or a column of the Timeline, at moments in seconds."""
        if name in self.ticks or name not in self.curves:
            curve = self.ticks.get(name)
            if curve is None:
                if self.timeline is None:
                    raise KeyError(name)
                curve = np.asarray(self.timeline.column(name), dtype=np.float64)
            known = np.arange(len(curve)) * _STEP
        else:
            curve = self.curves[name]
            known = film_clock(self.frame_rate, self.shutter).moments(0, len(curve))
        return np.asarray(np.interp(moments, known, curve))


def build_signals(
    timeline: Timeline,
    control: Control,
    *,
    frame_rate: Fraction,
    seed: int,
    shutter: Fraction = Fraction(0),
    period: Period | None = None,
) -> Signals:
    """Make every signal that a preset's control section names.

    Parameters
    ----------
    seed
        Decides the wander noise; nothing else is random.
    shutter
        Degrees; if it is not 0, signals are sampled at the pictures of a `ShutterClock`.
    period
        The round of a loop, if the music is one: then all signals come round in it, phases in whole turns.

    Raises
    ------
    ConfigError
        If an envelope names a column that the Timeline does not have.
    """

    def repeating(curve: np.ndarray) -> np.ndarray:
        return curve if period is None else period.crossfaded(curve)

    presence = repeating(1.0 - np.asarray(timeline.column("silence"), dtype=np.float64))
    lift = _song_lift(timeline) if control.song_gain else 0.0
    ticks: dict[str, np.ndarray] = {"calm": 1.0 - presence}
    for name, envelope in control.envelopes.items():
        if envelope.column not in timeline.names:
            stem = "; pass --stems FOLDER, with that stem in it" if "." in envelope.column else ""
            raise ConfigError(
                f"control.envelopes.{name}.column = {envelope.column!r} is no Timeline column{stem}; "
                f"known are {', '.join(timeline.names)}"
            )
        column = np.asarray(timeline.column(envelope.column), dtype=np.float64)
        if envelope.column in _DECIBEL_COLUMNS:
            column = np.where(column > 0, column + lift, 0.0)
        ticks[name] = repeating(follow(column, envelope)) * presence
    music_seconds = running_integral(presence)

    def turning(phase: np.ndarray) -> np.ndarray:
        return phase if period is None else period.turned(phase, music_seconds)

    beats, bars = turning(count_beats(timeline)), turning(count_bars(timeline))
    for name, phase in control.phases.items():
        pace = presence if phase.step is None else presence * beat_pace(beats / phase.step, phase.grip)
        ticks[name] = integrate(phase, ticks, pace)
        if phase.beats is not None:
            ticks[name] += beats / phase.beats
        if phase.bars is not None:
            ticks[name] += bars / phase.bars
        ticks[name] = turning(ticks[name])
    for name, wander in control.wander.items():
        ticks[name] = wander_noise(music_seconds, wander, seed=seed, name=name, period=period)
    for name, part in control.parts.items():
        section = np.asarray(timeline.column("section"))
        ticks[name] = repeating(part_levels(section, part, seed=seed, name=name))
    for name, oscillator in control.oscillators.items():
        ticks[name] = _oscillate(oscillator, ticks[oscillator.phase])
    if period is not None:
        ticks[ROUNDS] = period.rounds(music_seconds)
    clock = film_clock(frame_rate, shutter)
    moments = clock.moments(0, clock.frames_for(timeline.samples, timeline.sample_rate))
    at = np.arange(len(presence)) * _STEP
    curves = {name: np.interp(moments, at, curve) for name, curve in ticks.items()}
    return Signals(frame_rate, curves, ticks, timeline, shutter, period)


def follow(column: Float[np.ndarray, " ticks"], envelope: Envelope) -> Float[np.ndarray, " ticks"]:
    """Follow a column: rescale, hold peaks with an exponential release, smooth without delay.

    Parameters
    ----------
    column
        Values at 100 Hz.

    Returns
    -------
    The envelope, 0-1. Its rises are centred on the column's: the lag is 0.
    """
    if envelope.contrast > 0:
        around = uniform_filter1d(column, _SURROUNDINGS_TICKS, mode="nearest")
        column = column + envelope.contrast * (column - around)
    x = np.clip((column - envelope.floor) / (envelope.ceil - envelope.floor), 0.0, 1.0) ** envelope.gamma
    if envelope.release > _STEP / 10:
        # A decaying peak hold is a running maximum in the log domain: no loop over ticks.
        decay = np.arange(len(x)) * (_STEP / envelope.release)
        x = np.exp(np.maximum.accumulate(np.log(x + 1e-9) + decay) - decay)
    return hann_smoothed(x, round(2 * envelope.attack * ANALYSIS_RATE) | 1)  # odd, so that it is centred


def integrate(
    phase: Phase, curves: Mapping[str, np.ndarray], presence: Float[np.ndarray, " ticks"]
) -> Float[np.ndarray, " ticks"]:
    """Integrate a phase's rate at 100 Hz; silence stops it.

    Parameters
    ----------
    presence
        What the rate is multiplied by: 0 in silence, 1 where it runs free.

    Returns
    -------
    Turns since the start; 0 at tick 0.
    """
    rate = np.full_like(presence, phase.rate)
    for name, amount in phase.drive.items():
        rate = rate + amount * curves[name]
    return running_integral(rate * presence)


def beat_pace(count: Float[np.ndarray, " ticks"], grip: float) -> Float[np.ndarray, " ticks"]:
    r"""Give the pace of a phase that steps: fastest where the count is whole, on average 1 over a step.

    :math:`1 - g + g \, e^{\kappa \cos 2\pi c} / I_0(\kappa)`, the density of von Mises, is symmetric
    about the beat, so that the step has no lag.

    Parameters
    ----------
    count
        Steps since the start, at 100 Hz; where it rests there is no beat, and the pace is 1.
    grip
        0 (even) to 1.
    """
    window = np.exp(_STEP_SHARPNESS * np.cos(2 * np.pi * count)) / np.i0(_STEP_SHARPNESS)
    pace = np.where(np.diff(count, append=count[-1:]) > 0, 1.0 - grip + grip * window, 1.0)
    return np.asarray(pace, dtype=np.float64)


def count_beats(timeline: Timeline) -> Float[np.ndarray, " ticks"]:
    """Count beats, between beats too; the count rests where there is no beat to be sure of.

    Returns
    -------
    Beats since the start at 100 Hz: between two beats that are sure, it grows by exactly 1.
    """
    return _count(timeline, timeline.music.beats, "beat")


def count_bars(timeline: Timeline) -> Float[np.ndarray, " ticks"]:
    """Count bars from the first downbeat on, as `count_beats` counts beats: whole at every sure downbeat."""
    return _count(timeline, timeline.music.downbeats, "bar")


def _count(timeline: Timeline, marks: tuple[float, ...], columns: str) -> Float[np.ndarray, " ticks"]:
    moments, ticks = np.array(marks), timeline.ticks
    if len(moments) < 2:
        return np.zeros(ticks)
    confidence = np.hypot(timeline.column(f"{columns}_sin"), timeline.column(f"{columns}_cos"))
    at = np.clip(np.rint(moments * ANALYSIS_RATE).astype(np.int64), 0, ticks - 1)
    sure = confidence[at] > _SURE_BEAT
    gaps = np.diff(moments)
    # Whole beats only, so that what is locked to them stays so after a pause.
    counted = sure[1:] & sure[:-1] & (gaps <= _PAUSE_BEATS * np.median(gaps))
    count = np.concatenate([[0.0], np.cumsum(counted)])
    return np.asarray(np.interp(np.arange(ticks) * _STEP, moments, count))


def part_levels(
    section: Float[np.ndarray, " ticks"], part: Part, *, seed: int, name: str
) -> Float[np.ndarray, " ticks"]:
    """Give each section's music its level, and glide from one to the next.

    Parameters
    ----------
    section
        The Timeline's column: the same number, the same music.

    Returns
    -------
    -1 to 1, times the part's amount. Steps of the golden ratio keep the levels of successive numbers apart.
    """
    first = generator_for(seed, f"part.{name}", 0).random()
    levels = 2.0 * np.mod(first + _GOLDEN * section.astype(np.float64), 1.0) - 1.0
    return part.amount * hann_smoothed(levels, round(part.glide * ANALYSIS_RATE) | 1)


def wander_noise(
    music_seconds: Float[np.ndarray, " ticks"],
    wander: Wander,
    *,
    seed: int,
    name: str,
    period: Period | None = None,
) -> Float[np.ndarray, " ticks"]:
    """Interpolate seeded normal knots, one per correlation time, by Catmull-Rom splines.

    Parameters
    ----------
    music_seconds
        Time that passes only while there is sound, so that the wander rests in silence.
    period
        The round of a loop: the walk is closed.

    Returns
    -------
    Smooth noise with standard deviation about 0.5, clipped to ±1.5, times the wander's amount.
    """
    seed = seed if wander.seed is None else wander.seed
    position, around = music_seconds / wander.correlation, 0
    if period is not None:
        position, around = period.circle(music_seconds, wander.correlation)
    whole = np.floor(position).astype(np.int64)
    fraction = position - whole
    count = around or int(whole[-1]) + 4
    draws = [
        generator_for(seed, f"wander.{name}", block).standard_normal(_KNOTS_PER_DRAW)
        for block in range(-(-count // _KNOTS_PER_DRAW))
    ]
    knots = np.concatenate(draws)
    a, b, c, d = (knots[(whole + k) % around if around else whole + k] for k in range(4))
    t = fraction
    curve = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    return wander.amount * np.clip(0.6 * curve, -1.5, 1.5)


def modulate(parameter: Modulation, signals: Signals) -> Float[np.ndarray, " frames"]:
    """Evaluate ``base + Σ by[signal] · signal`` at every frame."""
    curve = np.full(signals.frames, parameter.base)
    for name, amount in parameter.by.items():
        curve = curve + amount * signals.curves[name]
    return curve


def closing(parameter: Modulation, signals: Signals) -> Modulation:
    """Let a parameter that goes round at 1 go round a whole number of times in a loop, the nearest one."""
    if signals.period is None:
        return parameter
    first, last = sum(
        (amount * signals.at(name, signals.period.ends()) for name, amount in parameter.by.items()),
        np.zeros(2),
    )
    missing = float(np.rint(last - first) - (last - first))
    return parameter.model_copy(update={"by": {**parameter.by, ROUNDS: missing}})


def hann_smoothed(curve: Float[np.ndarray, " ticks"], width: int) -> Float[np.ndarray, " ticks"]:
    """Smooth without delay by a Hann kernel of an odd number of ticks; the ends are held."""
    if width == 1:
        return curve
    kernel = np.hanning(width + 2)[1:-1]
    padded = np.pad(curve, (width // 2, width // 2), mode="edge")
    return np.convolve(padded, kernel / kernel.sum(), mode="valid")


def _oscillate(oscillator: Oscillator, phase: np.ndarray) -> np.ndarray:
    curve: np.ndarray = np.sin(2 * np.pi * (oscillator.ratio * phase + oscillator.offset))
    return curve


def running_integral(rate: Float[np.ndarray, " ticks"]) -> Float[np.ndarray, " ticks"]:
    """Integrate a rate per second, known at 100 Hz, from tick 0 on."""
    steps = np.concatenate([[0.0], (rate[1:] + rate[:-1]) * (0.5 * _STEP)])
    return np.cumsum(steps)


def _song_lift(timeline: Timeline) -> float:
    """Give one constant gain for the song, on the Timeline's dB scale: quiet masters come up to level."""
    loudness = np.asarray(timeline.column("loudness"))
    return float(np.clip(_SONG_LEVEL - np.percentile(loudness, 95), 0.0, 0.5))

"""Do peaks of the picture's motion fall on onsets and beats: AV-Align and beat alignment, beside their nulls.

Both scores are high for many an unrelated pair, as dense peaks meet by chance; so neither is given without
what the same film scores with other songs.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any, Final

import numpy as np
from jaxtyping import Float, Float32, Float64
from scipy.ndimage import maximum_filter1d, uniform_filter1d

from synesthete.audio.timeline import Timeline
from synesthete.clock import ANALYSIS_RATE, Clock
from synesthete.evaluation.chance import compare

__all__ = [
    "BeatAlignment",
    "av_align",
    "beat_alignment",
    "end_to_end",
    "flow_peaks",
    "measure_alignment",
    "onset_peaks",
]

_BEAT_KEYS: Final = (
    "precision", "recall", "f1", "null_precision", "null_recall", "null_f1", "effect", "p", "z", "count",
)  # fmt: skip

Moments = Sequence[float] | Float[np.ndarray, " moments"]
"""Seconds from the start of the film."""

_LEAST_FLOW_PX: Final = 0.1

# librosa.onset.onset_detect: its defaults at 100 Hz, but for the maximum, which it takes over the past only.
_MAXIMUM_TICKS: Final = 3
_MEAN_TICKS: Final = 10
_ABOVE_MEAN: Final = 0.07
_WAIT_TICKS: Final = 3
# The songs of the null bank are kept in bytes: nearer to its ceiling, the column says nothing.
_CEILING: Final = 0.99


@dataclass(frozen=True)
class BeatAlignment:
    """How well peaks and beats fall together, 0-1 each.

    Attributes
    ----------
    precision
        Of the picture's peaks: are they on beats?
    recall
        Of the beats: do they have a peak?
    f1
        Harmonic mean of both.
    """

    precision: float
    recall: float
    f1: float


def av_align(audio_peaks_s: Moments, video_peaks_s: Moments, *, frame_rate: Fraction | float) -> float:
    r"""Score how many peaks sound and picture share: intersection over union, AV-Align.

    :math:`I / (|A| + |V| - I)`, where :math:`I` counts sound peaks that have a picture peak of their own less
    than one frame away. Sound peaks choose in order of time; each takes the first that is left.

    Parameters
    ----------
    audio_peaks_s, video_peaks_s
        Moments, seconds, in any order.
    frame_rate
        Frames per second.

    Returns
    -------
    0-1; 0 where there are no peaks at all.

    References
    ----------
    Yariv et al., "Diverse and aligned audio-to-video generation via text-to-video model adaptation", AAAI
    2024, with ``av_align.py`` of its repository TempoTokens as revised in February 2025: each picture peak is
    matched once. Whether peaks exactly one frame apart match is up to the rounding of ``v - 1/fps`` and
    ``v + 1/fps`` there, and so it is here: the same peaks give the same score.
    Differs: 0 instead of a division by zero; linear instead of quadratic time.

    Examples
    --------
    >>> av_align([1.0, 2.0, 3.0], [1.01, 3.5], frame_rate=25)
    0.25
    """
    frame_s = 1 / float(frame_rate)
    audio = np.sort(np.asarray(audio_peaks_s, np.float64)).tolist()
    video = np.sort(np.asarray(video_peaks_s, np.float64))
    opens, closes = (video - frame_s).tolist(), (video + frame_s).tolist()
    matched = place = 0
    for moment in audio:
        # What is too early for this moment is so for all later ones: the first that is left is enough.
        while place < len(closes) and closes[place] <= moment:
            place += 1
        if place < len(opens) and opens[place] < moment:
            matched, place = matched + 1, place + 1
    union = len(audio) + len(opens) - matched
    return matched / union if union else 0.0


def onset_peaks(onset: Float32[np.ndarray, " ticks"]) -> Float64[np.ndarray, " peaks"]:
    r"""Pick the moments at which something begins from the Timeline's column ``onset``.

    The column's soft ceiling is undone, :math:`m = -\log(1 - o)`, and the range of :math:`m` over the song
    taken as 0..1. A peak is the largest value within ±30 ms, 0.07 or more above the mean within ±100 ms, and
    over 30 ms after the peak before.

    Parameters
    ----------
    onset
        Strength at 100 Hz, 0..1.

    Returns
    -------
    Moments, seconds, ascending; none where nothing begins.

    References
    ----------
    Böck, Krebs & Schedl, "Evaluating the online capabilities of onset detection methods", ISMIR 2012, as in
    ``librosa.onset.onset_detect``, which AV-Align takes its sound peaks from.
    Differs: strengths are the Timeline's, in rows of 10 instead of 23 ms, and the maximum is taken on both
    sides: a peak is at the onset, not on the slope before it. On five rhythmic tracks 70-95 % (F-measure,
    ±30 ms) are librosa's peaks, which come 28 ms later than the sound.

    Examples
    --------
    >>> onset_peaks(np.array([0, 0, 0.1, 0.8, 0.3, 0, 0, 0], np.float32))
    array([0.03])
    """
    strength = -np.log1p(-np.clip(np.asarray(onset, np.float64), 0.0, _CEILING))
    if len(strength) == 0 or strength.max() == strength.min():
        return np.zeros(0)
    strength = (strength - strength.min()) / (strength.max() - strength.min())
    largest = maximum_filter1d(strength, 2 * _MAXIMUM_TICKS + 1)
    width = 2 * _MEAN_TICKS + 1
    covered = uniform_filter1d(np.ones_like(strength), width, mode="constant")
    mean = uniform_filter1d(strength, width, mode="constant") / covered
    picked: list[int] = []
    for tick in np.flatnonzero((strength == largest) & (strength >= mean + _ABOVE_MEAN)).tolist():
        if not picked or tick - picked[-1] > _WAIT_TICKS:
            picked.append(tick)
    return np.array(picked, np.float64) / ANALYSIS_RATE


def flow_peaks(
    magnitude: Float32[np.ndarray, " pairs"], frame_rate: Fraction
) -> Float64[np.ndarray, " peaks"]:
    """Find the moments at which the picture moves most: strict maxima of the flow, 0.1 pixels or more.

    Parameters
    ----------
    magnitude
        Mean flow from each frame to the next, pixels; see `synesthete.evaluation.flow.flow_magnitude`.
    frame_rate
        Frames per second.

    Returns
    -------
    Moments of the later frames of those pairs, seconds, ascending; as in TempoTokens (see `av_align`). The
    first and the last pair are no maxima.

    Examples
    --------
    >>> flow_peaks(np.array([0, 2, 1, 1, 0.05, 1], np.float32), Fraction(25))
    array([0.08])
    """
    inner = magnitude[1:-1]
    highest = (inner > magnitude[:-2]) & (inner > magnitude[2:]) & (inner >= _LEAST_FLOW_PX)
    return np.asarray(Clock(frame_rate).moments(0, len(magnitude) + 1)[np.flatnonzero(highest) + 2])


def beat_alignment(picture_peaks_s: Moments, beats_s: Moments, *, sigma_s: float = 0.05) -> BeatAlignment:
    r"""Score how well the picture's peaks and the beats fall together, in both directions.

    Precision is the mean over peaks of :math:`\exp(-d^2 / 2\sigma^2)`, with :math:`d` the distance to the
    nearest beat; recall the same over beats, to the nearest peak.

    Parameters
    ----------
    picture_peaks_s, beats_s
        Moments, seconds, in any order.
    sigma_s
        Tolerance, seconds, over 0.

    Returns
    -------
    0 throughout where there are no peaks or no beats.

    References
    ----------
    Precision: Li et al., "AI choreographer: music conditioned 3D dance generation with AIST++", ICCV 2021.
    Recall: Siyao et al., "Bailando", CVPR 2022, which EDGE (Tseng et al., CVPR 2023) follows. Both have a
    sigma of 3 frames at 60 frames a second: 50 ms.
    Differs: peaks are maxima of the picture's flow, where dancers' beats are minima of their speed.

    Examples
    --------
    >>> beat_alignment([1.0], [1.0, 9.0])
    BeatAlignment(precision=1.0, recall=0.5, f1=0.6666666666666666)
    """
    peaks, beats = (np.sort(np.asarray(moments, np.float64)) for moments in (picture_peaks_s, beats_s))
    if len(peaks) == 0 or len(beats) == 0:
        return BeatAlignment(precision=0.0, recall=0.0, f1=0.0)
    precision, recall = _closeness(peaks, beats, sigma_s), _closeness(beats, peaks, sigma_s)
    both = precision + recall
    return BeatAlignment(precision, recall, 2 * precision * recall / both if both else 0.0)


def end_to_end(moments_s: Moments, length_s: float, duration_s: float) -> Float64[np.ndarray, " moments"]:
    """Give the moments of a song that is played end to end until ``duration_s``.

    Parameters
    ----------
    moments_s
        Of the song, seconds, ascending.
    length_s
        Of the song, seconds, over 0.
    duration_s
        How long to play, seconds; a longer song is cut.

    Returns
    -------
    Seconds, ascending, before ``duration_s``.

    Examples
    --------
    >>> end_to_end([0.5], 2.0, 5.0)
    array([0.5, 2.5, 4.5])
    """
    begins_s = np.arange(0.0, duration_s, length_s)
    moments = (begins_s[:, None] + np.asarray(moments_s, np.float64)).ravel()
    return moments[moments < duration_s]


def measure_alignment(
    magnitude: Float32[np.ndarray, " pairs"],
    frame_rate: Fraction,
    timeline: Timeline,
    nulls: Iterable[tuple[Float32[np.ndarray, " ticks"], Moments]],
) -> dict[str, Any]:
    """Score a film's AV-Align and beat alignment, each beside what other songs score with the same film.

    Parameters
    ----------
    magnitude
        Mean flow from each frame to the next, pixels; see `synesthete.evaluation.flow.flow_magnitude`.
    frame_rate
        Frames per second.
    timeline
        Of the film's sound.
    nulls
        Other songs, one at least: column ``onset`` at 100 Hz, of the song's own length, and its beats in
        seconds. Where they are shorter than the film they are played end to end.

    Returns
    -------
    ``av_align`` (``value``, ``null``, ``effect``, ``p``, ``z``, ``count``: see
    `synesthete.evaluation.chance.Comparison`), ``beat`` (``precision``, ``recall``, ``f1``, beside
    ``null_precision``, ``null_recall``, ``null_f1``; ``effect``, ``p``, ``z``, ``count`` of ``f1``),
    ``audio_peaks`` and ``picture_peaks`` (how many). Beats
    are compared with songs that have some; without such, or in a song without, ``beat`` is all None.
    """
    duration_s = float(Clock(frame_rate).seconds(len(magnitude) + 1))
    picture = flow_peaks(magnitude, frame_rate)
    sound = onset_peaks(timeline.column("onset"))
    sound = sound[sound < duration_s]
    beats = np.array([beat for beat in timeline.music.beats if beat < duration_s])
    aligned: list[float] = []
    on_beat: list[BeatAlignment] = []
    for onset, others in nulls:
        length_s = len(onset) / ANALYSIS_RATE
        other_sound = end_to_end(onset_peaks(onset), length_s, duration_s)
        aligned.append(av_align(other_sound, picture, frame_rate=frame_rate))
        if len(other_beats := end_to_end(others, length_s, duration_s)):
            on_beat.append(beat_alignment(picture, other_beats))
    score = av_align(sound, picture, frame_rate=frame_rate)
    return {
        "av_align": asdict(compare(score, aligned)),
        "beat": _beside_null(beat_alignment(picture, beats), on_beat if len(beats) else []),
        "audio_peaks": len(sound),
        "picture_peaks": len(picture),
    }


def _beside_null(score: BeatAlignment, nulls: Sequence[BeatAlignment]) -> dict[str, float | int | None]:
    if not nulls:
        return dict.fromkeys(_BEAT_KEYS)
    found = compare(score.f1, [null.f1 for null in nulls])
    return {
        **asdict(score),
        "null_precision": float(np.mean([null.precision for null in nulls])),
        "null_recall": float(np.mean([null.recall for null in nulls])),
        "null_f1": found.null,
        "effect": found.effect,
        "p": found.p,
        "z": found.z,
        "count": found.count,
    }


def _closeness(moments: np.ndarray, targets: np.ndarray, sigma_s: float) -> float:
    """Mean of exp(-d²/2σ²) over moments, d to the nearest of the targets, which are ascending."""
    place = np.searchsorted(targets, moments)
    after = targets[np.minimum(place, len(targets) - 1)]
    before = targets[np.maximum(place - 1, 0)]
    distance = np.minimum(np.abs(after - moments), np.abs(moments - before))
    return float(np.exp(-np.square(distance / sigma_s) / 2).mean())

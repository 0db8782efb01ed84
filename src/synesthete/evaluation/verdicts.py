"""Judge a certificate: each measured fact beside its limit, and what it means, in one sentence.

A fact that can't be told, or that no limit is set for, is neither passed nor failed. Keys are dotted, as
``sync.r2``; a value that is missing or None is undetermined.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any, Final

from synesthete.clock import format_duration

__all__ = [
    "LEAST_EFFECT",
    "LEAST_SATURATION",
    "MOST_BRIGHTNESS",
    "MOST_CLIPPED",
    "MOST_DARK",
    "MOST_FLASHES",
    "MOST_P",
    "MOST_P_WEAK",
    "MOST_SILENT_MOTION",
    "Verdict",
    "judge",
    "shown",
    "summary_lines",
    "value_at",
]

# The limits ------------------------------------------------------------------------------------------------

MOST_P: Final = 0.02
"""Driven by its music: p against other songs is below this, and the effect at least `LEAST_EFFECT`."""

LEAST_EFFECT: Final = 0.15
"""Share of the picture's dynamics that its own music explains beyond what other songs do."""

MOST_P_WEAK: Final = 0.05
"""Follows weakly: p is below this, and the effect above 0. Also for bar shifts and ``--full``."""

MOST_SILENT_MOTION: Final = 0.2
"""Motion in silence, as a share of the motion in loud passages."""

LEAST_SATURATION: Final = 0.15
"""Below it a film is grey; 0-1."""

MOST_BRIGHTNESS: Final = 0.75
"""Mean luma above which a film is washed out; 0-1."""

MOST_DARK: Final = 0.98
"""Share of dark pixels above which there is hardly a picture."""

MOST_CLIPPED: Final = 0.2
"""Share of pixels at full white or full colour above which a film is burnt out."""

MOST_FLASHES: Final = 3
"""Flashes in any one second (WCAG 2.3.1, ITU-R BT.1702)."""

_UNKNOWN: Final = "–"
_NOT_TOLD: Final = "not told"
_WIDEST_LINE: Final = 100


@dataclass(frozen=True)
class Verdict:
    """One fact on a film beside its limit.

    Attributes
    ----------
    name
        What is claimed.
    value
        What was measured, for people.
    limit
        What is asked for; empty where nothing is.
    passed
        None where it can't be told, or nothing is asked for.
    meaning
        One sentence.
    """

    name: str
    value: str
    limit: str
    passed: bool | None
    meaning: str

    def to_json(self) -> dict[str, Any]:
        """Give the verdict as JSON has it."""
        return asdict(self)


def judge(values: Mapping[str, Any]) -> list[Verdict]:
    """Judge a certificate.

    Parameters
    ----------
    values
        What ``certificate.json`` holds, without ``verdicts``.

    Returns
    -------
    The verdicts, the weightiest first; two more if ``alignment`` was measured.

    Examples
    --------
    >>> verdict = judge({"look": {"saturation": 0.1}})[5]
    >>> verdict.value, verdict.limit, verdict.passed
    ('saturation 0.10', 'at least 0.15', False)
    """
    verdicts = [
        _judge_sync(values),
        _judge_lag(values),
        _judge_bars(values),
        _judge_silence(values),
        _judge_stretches(values),
        _judge_colour(values),
        _judge_light(values),
        _describe_flicker(values),
        _judge_flashes(values),
        _judge_file(values),
    ]
    if value_at(values, "alignment"):
        verdicts += [
            _judge_alignment(values, "Peaks meet (AV-Align)", "alignment.av_align", "value", "null"),
            _judge_alignment(values, "Beats meet (F1)", "alignment.beat", "f1", "null_f1"),
        ]
    return verdicts


def summary_lines(values: Mapping[str, Any]) -> list[str]:
    """Say a certificate in three lines of at most 100 characters: sync, look, safety.

    Examples
    --------
    >>> summary_lines({"sync": {"status": "insufficient"}})[0]
    'sync       not told: the film is under 20 s or has no sound'
    """
    lines = (("sync", _sync_line(values)), ("look", _look_line(values)), ("safety", _safety_line(values)))
    return [_cut(f"{name:<10} {text}", _WIDEST_LINE) for name, text in lines]


def value_at(values: Mapping[str, Any], key: str) -> Any:
    """Give the value at a dotted key, or None where there is none.

    Examples
    --------
    >>> value_at({"sync": {"r2": 0.4}}, "sync.r2"), value_at({"sync": None}, "sync.r2")
    (0.4, None)
    """
    found: Any = values
    for name in key.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def shown(value: float | None, form: str = ".2f") -> str:
    """Write a number for people, with a true minus, or a dash for None.

    Examples
    --------
    >>> shown(-0.25, "+.1f"), shown(None)
    ('−0.2', '–')
    """
    if value is None:
        return _UNKNOWN
    text = format(value, form)
    text = text.lstrip("-") if not any(digit in text for digit in "123456789") else text
    return text.replace("-", "−")


# The verdicts ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Claim:
    """A verdict's name and limit, to be told or not."""

    name: str
    limit: str = ""

    def told(self, value: str, passed: bool | None, meaning: str) -> Verdict:
        return Verdict(self.name, value, self.limit, passed, meaning)

    def not_told(self, reason: str = "It was not measured.") -> Verdict:
        return Verdict(self.name, _NOT_TOLD, self.limit, None, reason)


def _judge_sync(values: Mapping[str, Any]) -> Verdict:
    claim = _Claim("Driven by its music", f"effect at least {LEAST_EFFECT}, p under {MOST_P}")
    effect, p = value_at(values, "sync.effect"), value_at(values, "sync.p")
    if effect is None or p is None:
        return claim.not_told("A film without sound or under 20 s is too little for a number.")
    r2, null = value_at(values, "sync.r2"), value_at(values, "sync.null_r2")
    value = f"R² {shown(r2)}, by chance {shown(null)}; effect {shown(effect, '+.2f')}, p {shown(p, '.2g')}"
    if p < MOST_P and effect >= LEAST_EFFECT:
        return claim.told(
            value, True, "The picture moves because of this music; other songs explain it far less."
        )
    if p < MOST_P_WEAK and effect > 0:
        return claim.told(value, None, "The picture follows this music more than by chance, but only weakly.")
    return claim.told(
        value, False, "The picture follows this music no better than songs it has nothing to do with."
    )


def _judge_lag(values: Mapping[str, Any]) -> Verdict:
    lag, rate = value_at(values, "sync.lag_ms"), value_at(values, "film.frame_rate")
    frame_ms = float(1000 / Fraction(rate)) if rate else None
    claim = _Claim("On time", "within one frame" + (f", {shown(frame_ms, '.0f')} ms" if frame_ms else ""))
    if lag is None:
        reasons = {
            "weak": "The rises of picture and sound agree too little to tell how far they are apart.",
            "periodic": "The rises of picture and sound agree as well at another lag.",
            "outside": "The rises of picture and sound agree best at 300 ms or more.",
        }
        told = reasons.get(value_at(values, "sync.lag_status"))
        return claim.not_told(told or "A film without sound or under 20 s is too little for a number.")
    interval = value_at(values, "sync.lag_interval_ms")
    bounds = f" ({' to '.join(shown(bound, '+.0f') for bound in interval)})" if interval else ""
    value = f"{shown(lag, '+.0f')} ms{bounds}"
    if frame_ms is None:
        return claim.told(value, None, "The film's frame rate is unknown.")
    if abs(lag) <= frame_ms:
        return claim.told(value, True, "What rises in the sound rises in the picture, within a frame.")
    side = "after" if lag > 0 else "before"
    return claim.told(value, False, f"The picture comes {shown(abs(lag), '.0f')} ms {side} the sound.")


def _judge_bars(values: Mapping[str, Any]) -> Verdict:
    claim = _Claim("Knows its bars", f"p under {MOST_P_WEAK}; music that repeats can't reach it")
    p, effect = value_at(values, "sync.bars.p"), value_at(values, "sync.bars.effect")
    if p is None or effect is None:
        return claim.not_told("There are too few bars to move the song by.")
    value = f"effect {shown(effect, '+.2f')}, p {shown(p, '.2g')}"
    shifts = value_at(values, "sync.bars.count")
    if shifts and 1 / (1 + shifts) >= MOST_P_WEAK:
        return claim.told(value, None, f"{shifts} shifts by whole bars are too few for a smaller p.")
    if p < MOST_P_WEAK and effect > 0:
        return claim.told(value, True, "Moved by whole bars, the song explains the film less.")
    return claim.told(value, None, "Moved by whole bars, the song explains the film as well.")


def _judge_silence(values: Mapping[str, Any]) -> Verdict:
    claim = _Claim("Rests in silence", f"at most {MOST_SILENT_MOTION} of the usual motion")
    motion = value_at(values, "silence.motion_ratio")
    if motion is None:
        return claim.not_told("The music has no silence that is long enough.")
    brightness = value_at(values, "silence.brightness_ratio")
    value = f"{shown(motion)} of the usual motion, {shown(brightness)} of the usual brightness"
    if motion <= MOST_SILENT_MOTION:
        return claim.told(value, True, "Where the music is silent, the picture comes to rest.")
    return claim.told(value, False, "The picture goes on moving where the music is silent.")


def _judge_stretches(values: Mapping[str, Any]) -> Verdict:
    claim = _Claim("Never stuck", "no frozen and no dead stretch")
    found = {kind: value_at(values, f"coherence.{kind}") for kind in ("frozen", "dead")}
    if all(stretches is None for stretches in found.values()):
        return claim.not_told()
    value = "; ".join(f"{kind} {_spans(stretches)}" for kind, stretches in found.items() if stretches)
    if value:
        return claim.told(value, False, "The picture stands still or is black while there is sound.")
    return claim.told("none", True, "The picture never stands still or goes black while there is sound.")


def _judge_colour(values: Mapping[str, Any]) -> Verdict:
    claim = _Claim("Colour", f"at least {LEAST_SATURATION}")
    saturation = value_at(values, "look.saturation")
    if saturation is None:
        return claim.not_told()
    passed = saturation >= LEAST_SATURATION
    meaning = "The film has colour." if passed else "The film is grey."
    return claim.told(f"saturation {shown(saturation)}", passed, meaning)


def _judge_light(values: Mapping[str, Any]) -> Verdict:
    limits = {"brightness": MOST_BRIGHTNESS, "dark": MOST_DARK, "clipped": MOST_CLIPPED}
    faults = {"brightness": "washed out", "dark": "almost black", "clipped": "burnt out"}
    forms = {"brightness": ".2f", "dark": ".0%", "clipped": ".1%"}
    limit = f"brightness at most {MOST_BRIGHTNESS}, dark {MOST_DARK:.0%}, clipped {MOST_CLIPPED:.0%}"
    claim = _Claim("Light", limit)
    levels = {name: value_at(values, f"look.{name}") for name in limits}
    if any(level is None for level in levels.values()):
        return claim.not_told()
    value = ", ".join(f"{name} {shown(level, forms[name])}" for name, level in levels.items())
    found = [faults[name] for name, most in limits.items() if levels[name] > most]
    if found:
        return claim.told(value, False, f"The film is {' and '.join(found)}.")
    return claim.told(value, True, "There are shadows and lights, and neither swallows the picture.")


def _describe_flicker(values: Mapping[str, Any]) -> Verdict:
    claim, flicker = _Claim("Flicker"), value_at(values, "flicker")
    if flicker is None:
        return claim.not_told()
    on, off = (value_at(values, f"coherence.flicker_{side}_onsets") for side in ("on", "off"))
    parts = (
        "" if on is None or off is None else f"; on onsets {shown(on, '.2g')}, off them {shown(off, '.2g')}"
    )
    meaning = "How much the light jumps to and fro: 0 is steady, 2 is black and white in turn."
    return claim.told(f"{shown(flicker, '.2g')}{parts}", None, meaning)


def _judge_flashes(values: Mapping[str, Any]) -> Verdict:
    claim = _Claim("Flash-safe", f"at most {MOST_FLASHES} flashes in any second")
    passed = value_at(values, "safety.pass")
    if passed is None:
        return claim.not_told()
    worst, moment = value_at(values, "safety.worst_per_second"), value_at(values, "safety.worst_s")
    by = "" if moment is None else f", by {format_duration(moment)}"
    value = f"{shown(worst, '.0f')} in the worst second{by}" if worst else "no flash"
    if passed:
        return claim.told(
            value, True, "It never flashes so often that it could harm who is sensitive to light."
        )
    return claim.told(value, False, "It flashes so often that who is sensitive to light must not see it.")


def _judge_file(values: Mapping[str, Any]) -> Verdict:
    claim = _Claim("File whole", "every frame there, sound and picture together")
    passed = value_at(values, "integrity.pass")
    if passed is None:
        return claim.not_told()
    frames, offset_ms, lufs = (value_at(values, f"integrity.{k}") for k in ("frames", "av_offset_ms", "lufs"))
    parts = [f"{shown(frames, 'd')} frames"]
    parts += [] if offset_ms is None else [f"sound {shown(offset_ms, '+.1f')} ms"]
    parts += [] if lufs is None else [f"{shown(lufs, '.1f')} LUFS"]
    value = ", ".join(parts)
    if passed:
        return claim.told(value, True, "Every frame is there, and picture and sound begin and end together.")
    problems = value_at(values, "integrity.problems") or ["the file is not whole"]
    return claim.told(value, False, " ".join(_sentence(problem) for problem in problems))


def _judge_alignment(values: Mapping[str, Any], name: str, key: str, score: str, null: str) -> Verdict:
    claim = _Claim(name, f"p under {MOST_P_WEAK}; a weak test")
    value, chance, p = (value_at(values, f"{key}.{part}") for part in (score, null, "p"))
    if value is None or p is None:
        return claim.not_told("There are too few peaks or beats.")
    text = f"{shown(value)}, by chance {shown(chance)}; p {shown(p, '.2g')}"
    if p < MOST_P_WEAK:
        return claim.told(text, True, "The picture's peaks meet the music's more often than another song's.")
    return claim.told(text, None, "The picture's peaks meet another song's as often.")


# The three lines -------------------------------------------------------------------------------------------


def _sync_line(values: Mapping[str, Any]) -> str:
    r2, p = value_at(values, "sync.r2"), value_at(values, "sync.p")
    if r2 is None or p is None:
        return "not told: the film is under 20 s or has no sound"
    parts = [f"R² {shown(r2)}, by chance {shown(value_at(values, 'sync.null_r2'))} (p {shown(p, '.2g')})"]
    lag = value_at(values, "sync.lag_ms")
    parts.append("lag not told" if lag is None else f"lag {shown(lag, '+.0f')} ms")
    if _judge_bars(values).passed:
        parts.append(f"knows its bars (p {shown(value_at(values, 'sync.bars.p'), '.2g')})")
    return "; ".join(parts)


def _look_line(values: Mapping[str, Any]) -> str:
    motion = value_at(values, "silence.motion_ratio")
    silence = "no silence" if motion is None else f"motion in silence {shown(motion)} of loud"
    if _judge_silence(values).passed is False:
        silence += " (restless)"
    saturation = f"saturation {shown(value_at(values, 'look.saturation'))}"
    if _judge_colour(values).passed is False:
        saturation += " (grey)"
    return f"{silence}; flicker {shown(value_at(values, 'flicker'), '.2g')}; {saturation}"


def _safety_line(values: Mapping[str, Any]) -> str:
    flashes, file = _judge_flashes(values), _judge_file(values)
    words = {True: "flash-safe", False: "NOT FLASH-SAFE", None: "flashes not told"}
    safety = words[flashes.passed] + ("" if flashes.passed is None else f" ({flashes.value})")
    if file.passed is False:
        return f"{safety}; FILE AT FAULT: {file.meaning}"
    if file.passed is None:
        return f"{safety}; file not told"
    offset_ms = value_at(values, "integrity.av_offset_ms")
    return f"{safety}; file whole, " + (
        "no sound" if offset_ms is None else f"sound {shown(offset_ms, '+.1f')} ms"
    )


def _spans(stretches: Sequence[Sequence[float]]) -> str:
    start, end = stretches[0]
    first = f"{format_duration(start)} to {format_duration(end)}"
    return first if len(stretches) == 1 else f"{first} and {len(stretches) - 1} more"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".") + "."


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"

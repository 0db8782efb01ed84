"""Lay a certificate out as one page: verdicts, onsets against motion, flashes, bands, moments, numbers.

The page needs nothing beside it: no script, no font, no link. Curves are SVG paths, written here from whole
numbers only: matplotlib would take longer to import than the page takes altogether, and its pictures follow
neither the width of a phone nor the colours of a print. Shapes stretch with the page; text is HTML, so that
it stays readable. The same certificate gives the same bytes.
"""

import base64
import itertools
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import numpy as np
from jaxtyping import Float32, Float64
from scipy.ndimage import maximum_filter1d

from synesthete.audio.filterbanks import log_edges
from synesthete.clock import ANALYSIS_RATE, Clock, format_duration
from synesthete.evaluation.page import hertz, write_page
from synesthete.evaluation.verdicts import MOST_FLASHES, shown, value_at

__all__ = ["Evidence", "write_report"]

_PAGE: Final = "certificate.html"

_WIDTH, _HEIGHT = 10_000, 1_000  # of every plot, in its own units
_COLUMNS: Final = 960
_BARS, _GAP_S = 600, 0.08
_STRONG: Final = 0.995
_STILL: Final = 1e-6
_ZOOM_S: Final = 10.0
_PEAK, _APART_S = 0.4, 0.08
_MOST_TICKS: Final = 11
_TICK_STEPS_S: Final = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200)
_SECTION_COLOURS: Final = 10
_LONGEST_LIST: Final = 240
_DARK_TEXT: Final = 0.6

Curve = Float64[np.ndarray, " points"]


@dataclass(frozen=True, eq=False)
class Evidence:
    """What the page shows beside the certificate's values.

    Attributes
    ----------
    values
        The certificate, with its verdicts.
    onset
        The Timeline's ``onset`` at 100 Hz; None for a film without sound.
    motion, brightness
        Of each frame; motion is the difference to the frame before.
    frame_rate
        Of the film.
    flashes
        Flashes in each second of the film.
    sheet_jpeg
        A contact sheet, JPEG; None for none.
    title
        Of the page.
    """

    values: Mapping[str, Any]
    onset: Float32[np.ndarray, " ticks"] | None
    motion: Float32[np.ndarray, " frames"]
    brightness: Float32[np.ndarray, " frames"]
    frame_rate: Fraction
    flashes: Float32[np.ndarray, " seconds"]
    sheet_jpeg: bytes | None
    title: str

    @property
    def duration_s(self) -> float:
        """Length of the film, seconds."""
        return float(Clock(self.frame_rate).seconds(len(self.motion)))


def write_report(path: Path, evidence: Evidence) -> None:
    """Write a certificate as one self-contained HTML page, whole.

    Parameters
    ----------
    path
        File to write, ``.html``.
    evidence
        What it shows. Curves are drawn with at most 960 points, so an hour takes no more than a minute of it.

    Raises
    ------
    OutputError, RenderError
        If the file can't be written.
    """
    write_page(path, _PAGE, _context(evidence))


def _context(evidence: Evidence) -> dict[str, Any]:
    values = evidence.values
    verdicts = [{**verdict, "state": _state(verdict)} for verdict in values.get("verdicts") or []]
    tally = Counter(verdict["state"] for verdict in verdicts)
    window = _strongest_window(evidence)
    sheet = evidence.sheet_jpeg
    return {
        "title": "".join(letter if letter.isprintable() else "?" for letter in evidence.title),
        "facts": list(_facts(values)),
        "verdicts": verdicts,
        "tally": tally,
        "width": _WIDTH,
        "height": _HEIGHT,
        "whole": _draw_whole(evidence, window),
        "zoom": _draw_zoom(evidence, window),
        "flashes": _draw_flashes(evidence),
        "bands": _band_table(values),
        "sheet": None if sheet is None else base64.b64encode(sheet).decode("ascii"),
        "songs": value_at(values, "sync.count") or None,
        "loudness_to_motion": shown(value_at(values, "response.loudness_to_motion"), "+.2f"),
        "numbers": list(_flattened({k: v for k, v in values.items() if k != "verdicts"})),
        "version": values.get("synesthete") or "",
    }


def _state(verdict: Mapping[str, Any]) -> str:
    """Say how a verdict is marked; what has no limit can't be open."""
    return {True: "pass", False: "fail", None: "open" if verdict["limit"] else "note"}[verdict["passed"]]


def _facts(values: Mapping[str, Any]) -> Iterator[str]:
    film, music = values.get("film") or {}, values.get("music") or {}
    if film.get("duration_s") is not None:
        yield format_duration(film["duration_s"])
    if film.get("width") and film.get("height"):
        yield f"{film['width']} × {film['height']}"
    if film.get("frame_rate"):
        yield f"{shown(float(Fraction(film['frame_rate'])), '.5g')} frames a second"
    if music.get("tempo_bpm"):
        per_bar = music.get("beats_per_bar")
        yield f"{shown(music['tempo_bpm'], '.1f')} BPM" + (f", {per_bar} to the bar" if per_bar else "")
    if music.get("key"):
        yield str(music["key"])


# The curves ------------------------------------------------------------------------------------------------


def _draw_whole(evidence: Evidence, window: tuple[float, float]) -> dict[str, Any]:
    """Draw onsets upwards and motion downwards from one line, brightness and sections below them."""
    duration_s = evidence.duration_s
    bounds = (0.0, duration_s)
    motion_s, frames_s = _frame_moments(evidence)
    drawn: dict[str, Any] = {
        "ticks": _ticks(bounds),
        "sections": _sections(evidence.values, duration_s),
        "window": _stretch(*window, bounds),
        "onset": None,
        "motion": _draw_half(evidence.motion, motion_s, bounds, upwards=False),
    }
    if evidence.onset is not None:
        onset_s = np.arange(len(evidence.onset)) / ANALYSIS_RATE
        drawn["onset"] = _draw_half(evidence.onset, onset_s, bounds, upwards=True)
    x, _, light = _envelope(evidence.brightness, frames_s)
    top = max(float(light.max()), _STILL)
    drawn["brightness"] = _area(x, _HEIGHT * (1 - light / top), _HEIGHT, bounds)
    return drawn


def _draw_half(
    values: np.ndarray, moments_s: np.ndarray, bounds: tuple[float, float], *, upwards: bool
) -> dict[str, str]:
    """Draw a curve's peaks and means from the middle line, scaled to its strong moments."""
    inside = moments_s <= bounds[1]
    x, peak, mean = _envelope(values[inside], moments_s[inside])
    scale = max(float(np.quantile(peak, _STRONG)), _STILL)
    middle = _HEIGHT / 2
    reach = -middle if upwards else middle
    curves = {"peak": peak, "mean": mean}
    return {
        name: _area(x, middle + reach * np.clip(curve / scale, 0, 1), middle, bounds)
        for name, curve in curves.items()
    }


def _draw_zoom(evidence: Evidence, window: tuple[float, float]) -> dict[str, Any]:
    """Draw a few seconds, both curves on one line, and a line at every onset, as clear as it is strong."""
    motion_s, frames_s = _frame_moments(evidence)
    drawn: dict[str, Any] = {"ticks": _ticks(window), "peaks": [], "onset": None}

    def inside(values: np.ndarray, moments: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        here = (moments >= window[0]) & (moments <= window[1])
        levels = np.asarray(values[here], np.float64)
        top = max(float(levels.max(initial=0.0)), _STILL)
        return moments[here], levels, np.asarray(_HEIGHT * (1 - 0.96 * levels / top))

    if evidence.onset is not None:
        x, levels, y = inside(evidence.onset, np.arange(len(evidence.onset)) / ANALYSIS_RATE)
        drawn["onset"] = _area(x, y, _HEIGHT, window)
        highest = float(levels.max(initial=0.0))
        if highest > _STILL:
            around = maximum_filter1d(levels, 2 * round(_APART_S * ANALYSIS_RATE) + 1)
            peaks = (levels == around) & (levels >= _PEAK * highest)
            strengths = (levels[peaks] / highest).tolist()
            places = [_place(moment, window) for moment in x[peaks]]
            drawn["peaks"] = [(at, f"{k:.2f}") for at, k in zip(places, strengths, strict=True)]
    x, _, y = inside(evidence.motion, motion_s)
    drawn["motion"] = _line(x, y, window)
    x, _, y = inside(evidence.brightness, frames_s)
    drawn["brightness"] = _area(x, y, _HEIGHT, window)
    return drawn


def _draw_flashes(evidence: Evidence) -> dict[str, Any]:
    """Draw a bar for every second, or for the worst of a few where a film is long."""
    flashes, bounds = np.asarray(evidence.flashes, np.float64), (0.0, evidence.duration_s)
    most = float(flashes.max(initial=0.0))
    top = max(MOST_FLASHES + 1.0, most)
    count = min(_BARS, len(flashes))
    edges = np.arange(count + 1) * len(flashes) // max(count, 1)
    bars = {"calm": "", "over": ""}
    for start, stop in itertools.pairwise(edges):
        level = float(flashes[start:stop].max())
        x, width = _stretch(start + _GAP_S, stop - _GAP_S, bounds)
        bar = f"M{x} {_HEIGHT}V{_HEIGHT * (1 - level / top):.0f}h{width}V{_HEIGHT}Z"
        bars["over" if level > MOST_FLASHES else "calm"] += bar if level > 0 else ""
    unsafe = [
        span for kind in ("general", "red") for span in value_at(evidence.values, f"safety.{kind}") or []
    ]
    return {
        **bars,
        "ticks": _ticks(bounds),
        "limit": MOST_FLASHES,
        "limit_y": round(_HEIGHT * (1 - MOST_FLASHES / top)),
        "none": most == 0,
        "unsafe": [_stretch(start, end, bounds) for start, end in unsafe],
    }


def _strongest_window(evidence: Evidence) -> tuple[float, float]:
    """Find the ten seconds with the strongest onsets, or with the most motion where there is no sound."""
    duration_s = evidence.duration_s
    if duration_s <= _ZOOM_S:
        return 0.0, duration_s
    if evidence.onset is None:
        values, rate = evidence.motion, float(evidence.frame_rate)
    else:
        values, rate = evidence.onset, float(ANALYSIS_RATE)
    values = values[: int(duration_s * rate)]
    width = round(_ZOOM_S * rate)
    sums = np.concatenate([[0.0], np.cumsum(np.square(values, dtype=np.float64))])
    first = int(np.argmax(sums[width:] - sums[:-width])) if len(sums) > width else 0
    start = min(first / rate, duration_s - _ZOOM_S)
    return start, start + _ZOOM_S


def _frame_moments(evidence: Evidence) -> tuple[np.ndarray, np.ndarray]:
    """Give the moments of the differences of frames, half a frame early, and those of the frames."""
    frames_s = Clock(evidence.frame_rate).moments(0, len(evidence.motion))
    half = float(1 / (2 * evidence.frame_rate))
    return np.maximum(frames_s - half, 0.0), frames_s


def _envelope(values: np.ndarray, moments_s: np.ndarray) -> tuple[Curve, Curve, Curve]:
    """Reduce a curve to at most `_COLUMNS` equal stretches: their middles, largest values and means."""
    count = min(_COLUMNS, len(values))
    edges = np.arange(count + 1) * len(values) // count
    first, last = edges[:-1], edges[1:] - 1
    wide = np.asarray(values, np.float64)
    means = np.add.reduceat(wide, first) / np.diff(edges)
    return (moments_s[first] + moments_s[last]) / 2, np.maximum.reduceat(wide, first), means


# Shapes, in whole numbers ----------------------------------------------------------------------------------


def _place(seconds: float, bounds: tuple[float, float]) -> int:
    share = (seconds - bounds[0]) / (bounds[1] - bounds[0])
    return round(_WIDTH * min(max(share, 0.0), 1.0))


def _stretch(start_s: float, end_s: float, bounds: tuple[float, float]) -> tuple[int, int]:
    """Give where a stretch begins, and its width."""
    x = _place(start_s, bounds)
    return x, max(_place(end_s, bounds) - x, 1)


def _line(moments_s: np.ndarray, y: np.ndarray, bounds: tuple[float, float]) -> str:
    if not len(moments_s):
        return ""
    share = (moments_s - bounds[0]) / (bounds[1] - bounds[0])
    points = np.rint(np.stack([_WIDTH * np.clip(share, 0, 1), y], axis=1)).astype(int)
    return "M" + " ".join(f"{x} {height}" for x, height in points.tolist())


def _area(moments_s: np.ndarray, y: np.ndarray, base: float, bounds: tuple[float, float]) -> str:
    line = _line(moments_s, y, bounds)
    return f"{line}V{base:.0f}H{line[1:].split(' ', 1)[0]}Z" if line else ""


def _ticks(bounds: tuple[float, float]) -> list[dict[str, Any]]:
    """Give the labels of a time axis; every other one is dropped on a narrow page."""
    length = bounds[1] - bounds[0]
    step = next((step for step in _TICK_STEPS_S if length / step <= _MOST_TICKS), _TICK_STEPS_S[-1])
    first = int(np.ceil(bounds[0] / step - 1e-9))
    numbers = range(first, int(np.floor(bounds[1] / step + 1e-9)) + 1)
    return [
        {"x": _place(k * step, bounds), "text": _clock_text(k * step, step), "spare": (k - first) % 2 == 1}
        for k in numbers
    ]


def _clock_text(seconds: float, step: float) -> str:
    if step < 1:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _sections(values: Mapping[str, Any], duration_s: float) -> list[dict[str, Any]]:
    """Place the music's sections; equal labels get equal colours, in the order in which they are heard."""
    sections = [s for s in value_at(values, "music.sections") or [] if s["start_s"] < duration_s]
    labels = list(dict.fromkeys(section["label"] for section in sections))
    return [
        {
            "place": _stretch(section["start_s"], section["end_s"], (0.0, duration_s)),
            "colour": labels.index(section["label"]) % _SECTION_COLOURS,
            "label": section["label"],
            "start": format_duration(section["start_s"]),
        }
        for section in sections
    ]


# The tables ------------------------------------------------------------------------------------------------


def _band_table(values: Mapping[str, Any]) -> dict[str, Any] | None:
    """Give how much each band of the music moves each side of the picture, with a shade for the strength."""
    rows = {name: gains for name, gains in (value_at(values, "response.bands") or {}).items() if gains}
    if not rows:
        return None
    most = max(max(abs(gain or 0.0) for gain in gains) for gains in rows.values())
    edges = log_edges(len(next(iter(rows.values()))))

    def cell(gain: float | None) -> dict[str, Any]:
        shade = abs(gain or 0.0) / max(most, _STILL)
        sign = "less" if (gain or 0.0) < 0 else "more"
        return {
            "text": shown(gain, "+.2f"),
            "sign": sign,
            "shade": f"{shade:.2f}",
            "strong": shade > _DARK_TEXT,
        }

    return {
        "bands": [hertz(float(hz)) for hz in edges[:-1]],
        "rows": [{"name": name, "cells": [cell(gain) for gain in gains]} for name, gains in rows.items()],
    }


def _flattened(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Give every value under its dotted key."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flattened(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", _value_text(value)


def _value_text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or isinstance(value, int | float):
        return shown(value, ".6g")
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST_LIST else f"{text[:_LONGEST_LIST]}…"

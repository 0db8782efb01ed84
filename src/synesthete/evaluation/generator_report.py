"""Show several generators side by side on one page: what moves them, how they look, every figure explained.

The page needs nothing beside it: no script, no font, no link. A JSON file with the figures goes next to it.
"""

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from synesthete import __version__
from synesthete.audio.columns import BANDS
from synesthete.errors import RenderError
from synesthete.evaluation.generator_probes import PUBLISHED_SHUFFLE_GAP, ProbeResult
from synesthete.evaluation.page import hertz, write_page
from synesthete.evaluation.style_probes import BANDWIDTH, KERNEL
from synesthete.evaluation.thumbnails import FEATURE
from synesthete.evaluation.verdicts import shown, value_at
from synesthete.files import write_json
from synesthete.media.images import contact_sheet, jpeg_bytes

__all__ = ["FIGURES", "Figure", "report_document", "write_generator_report"]

_PAGE: Final = "generators.html"
_FORMAT: Final = 1
_SHEET_COLUMNS: Final = 4
_WIDEST_GAP: Final = 1.5
_STRONG: Final = 0.6
_LABELS: Final = {"vector and seed": "vector, seed", "seed": "seed", "none": "none"}


@dataclass(frozen=True)
class Figure:
    """One row of the page's table.

    Attributes
    ----------
    key
        Where the figure stands in the JSON, dots are nesting.
    name, meaning
        As shown, and what it is in a sentence or two.
    form
        How the number is written.
    better
        Which way is better, or None where neither is.
    """

    key: str
    name: str
    meaning: str
    form: str = ".3f"
    better: Literal["higher", "lower"] | None = None


_GAP: Final = "mean |a − b| / mean |a| over display values 0-1"

FIGURES: Final[Mapping[str, Sequence[Figure]]] = {
    "Does it listen?": (
        Figure(
            "shuffle.gap", "shuffle gap",
            f"Rows of the Timeline permuted in time, same noise and style: {_GAP}. "
            f"The original project's best was {PUBLISHED_SHUFFLE_GAP}.", better="higher",
        ),
        Figure(
            "other_song.gap", "other song", "The same, with another song in the place of this one.",
            better="higher",
        ),
        Figure(
            "silence.gap", "silence", "The same, with digital silence in the place of the song.",
            better="higher",
        ),
        Figure(
            "unrelated.gap", "unrelated moments",
            "The same song, each frame against the one half the song away: a gap of this size leaves nothing "
            "of the frame.",
        ),
        Figure(
            "sync.effect", "sync",
            "Share of the picture's dynamics that the song predicts, beyond what other songs do.",
            better="higher",
        ),
        Figure(
            "sync.p", "sync, p", "How often other songs do as well.", better="lower",
        ),
        Figure(
            "sync.lag_ms", "lag, ms", "How late the picture is, on rising edges; early is negative.", "+.0f",
        ),
    ),
    "Is it steady?": (
        Figure(
            "flicker", "flicker",
            "How much light goes up and down again from one 1/30 s to the next, in a film of the middle of "
            "the song: 0 is steady, 2 is black and white in turn.", ".4f", "lower",
        ),
        Figure("stability", "stability", "How like a frame is to the one a second before; 1 is a still."),
        Figure(
            "drift", "drift", "OKLab distance between the mean looks of the song's first and last quarter.",
        ),
    ),
    "What styles has it?": (
        Figure(
            "style.diversity.mean_distance", "diversity",
            f"Mean distance between two styles on the same song: RMS over {FEATURE} at a few moments.",
            better="higher",
        ),
        Figure(
            "style.diversity.effective_number", "different styles",
            f"Effective number of styles (Vendi score), with the kernel {KERNEL} of those distances and "
            f"σ = {BANDWIDTH}: 1 if all look the same.", ".1f", "higher",
        ),
        Figure(
            "style.constancy.ratio", "inconstancy",
            "Distance between one style's mean looks on two songs, over that of two styles on one song: 0 if "
            "the look is the style's alone, 1 or more if it is the song's.", ".2f", "lower",
        ),
        Figure(
            "style.interpolation.path", "path between styles",
            "Length of the way from one style to another in eight steps, over the straight distance: 1 is "
            "straight.", ".2f", "lower",
        ),
        Figure(
            "style.interpolation.jump", "largest step",
            "The longest of those steps over the mean step: 1 is even.", ".2f", "lower",
        ),
    ),
    "Has it copied?": (
        Figure(
            "neighbours.least", "nearest reference",
            f"Least distance of any frame to the reference pictures: RMS over {FEATURE}; copies lie at 0.",
            better="higher",
        ),
        Figure("neighbours.median", "nearest, median", "Median over the frames of that distance."),
        Figure(
            "neighbours.copies", "copies", "Share of frames nearer to a reference than can be seen (0.02).",
            better="lower",
        ),
    ),
    "How fast is it?": (
        Figure(
            "speed.ms_per_frame", "ms a frame",
            "Wall clock on this machine, eager kernels, frames that follow one another.", ".1f", "lower",
        ),
    ),
}  # fmt: skip
"""All rows of the table, by question."""


def write_generator_report(path: Path, results: Sequence[ProbeResult]) -> None:
    """Write what was found out about generators as one self-contained HTML page, and as JSON beside it.

    Parameters
    ----------
    path
        File to write, ``.html``; the JSON has the same name with ``.json``.
    results
        At least one, probed on the same song with the same settings; in the order of the columns.

    Raises
    ------
    RenderError
        If there are no results.
    OutputError, RenderError
        If a file can't be written.
    """
    if not results:
        raise RenderError("a report on generators needs at least one of them")
    write_page(path, _PAGE, _context(results))
    write_json(path.with_suffix(".json"), report_document(results))


def report_document(results: Sequence[ProbeResult]) -> dict[str, Any]:
    """Give what was found out as JSON has it: ``results``, one after another as they were probed."""
    found = [dict(result.figures) for result in results]
    return {"format": _FORMAT, "synesthete": __version__, "results": found}


def _context(results: Sequence[ProbeResult]) -> dict[str, Any]:
    values = [result.figures for result in results]
    first = values[0]
    generators = [v["subject"] for v in values if v["kind"] == "generator"]
    return {
        "title": ", ".join(generators or [v["subject"] for v in values]),
        "song": first["song"],
        "other_song": first["other_song_name"],
        "frames": first["frames"],
        "size": first["size"],
        "styles": first["style"]["diversity"]["styles"],
        "subjects": [{"name": v["subject"], "kind": v["kind"]} for v in values],
        "charts": [_chart(figure, values) for figure in FIGURES["Does it listen?"][:3]],
        "bands": _band_rows(values),
        "sheets": [_sheet(result) for result in results],
        "groups": list(_groups(values)),
        "kinds": [_LABELS[v["style"]["kind"]] for v in values],
        "version": __version__,
    }


def _chart(figure: Figure, values: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Give one bar for each subject; bars longer than the widest are cut, their numbers are not."""
    gaps = [value_at(v, figure.key) for v in values]
    widest = min(_WIDEST_GAP, max([PUBLISHED_SHUFFLE_GAP, *(gap for gap in gaps if gap is not None)]))
    bars = [
        {
            "name": v["subject"],
            "kind": v["kind"],
            "width": f"{100 * min(1.0, (gap or 0.0) / widest):.1f}",
            "text": shown(gap, ".3f"),
        }
        for v, gap in zip(values, gaps, strict=True)
    ]
    published = f"{100 * PUBLISHED_SHUFFLE_GAP / widest:.1f}" if figure.key == "shuffle.gap" else None
    return {"name": figure.name, "bars": bars, "published": published}


def _band_rows(values: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Give what muting each band changes, with a shade that is full for the subject's strongest band."""
    rows = []
    for v in values:
        gaps = [v["bands"][f"band_{band}"] for band in range(BANDS)]
        most = max((gap for gap in gaps if gap is not None), default=0.0)
        shades = [(gap or 0.0) / most if most > 0 else 0.0 for gap in gaps]
        cells = [
            {"text": shown(gap), "shade": f"{shade:.2f}", "strong": shade > _STRONG}
            for gap, shade in zip(gaps, shades, strict=True)
        ]
        rows.append({"name": v["subject"], "cells": cells})
    edges = values[0]["bands_hz"]
    return {"rows": rows, "bands": [hertz(low) for low, _ in edges]}


def _sheet(result: ProbeResult) -> dict[str, str]:
    sheet = contact_sheet(list(result.pictures), columns=_SHEET_COLUMNS)
    return {
        "name": result.figures["subject"],
        "jpeg": base64.b64encode(jpeg_bytes(sheet)).decode("ascii"),
    }


def _groups(values: Sequence[Mapping[str, Any]]) -> Iterable[dict[str, Any]]:
    """Give the table's rows, without those that nothing is known of."""
    for question, figures in FIGURES.items():
        rows = [_row(figure, values) for figure in figures if _known(figure, values)]
        if rows:
            yield {"question": question, "rows": rows}


def _known(figure: Figure, values: Sequence[Mapping[str, Any]]) -> bool:
    return any(value_at(v, figure.key) is not None for v in values)


def _row(figure: Figure, values: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Give one row; the best is marked among generators only, as a still flickers least."""
    numbers = [value_at(v, figure.key) for v in values]
    rivals = [
        number
        for number, v in zip(numbers, values, strict=True)
        if v["kind"] == "generator" and number is not None
    ]
    best = None
    if figure.better is not None and len(set(rivals)) > 1:
        best = max(rivals) if figure.better == "higher" else min(rivals)
    parent = figure.key.rpartition(".")[0]
    cells = [
        {
            "text": shown(number, figure.form),
            "best": best is not None and number == best and v["kind"] == "generator",
            "reason": (value_at(v, f"{parent}.reason") or "") if number is None and parent else "",
        }
        for number, v in zip(numbers, values, strict=True)
    ]
    return {"name": figure.name, "meaning": figure.meaning, "key": figure.key, "cells": cells}

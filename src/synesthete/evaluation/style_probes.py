"""Probe style: how many looks there are, whether a look stays with its style, and how one becomes another.

A look is described by thumbnails of a few moments of the film. Distances are RMS over cells and moments, in
OKLab units: 0.02 can just be seen between flat colours, and 1 is black to white.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
from jaxtyping import Float, Float64

from synesthete.evaluation.subjects import ProbeSettings, ProbeSong, Style, Subject, spread
from synesthete.evaluation.thumbnails import (
    CELLS,
    FEATURE,
    Thumbnails,
    look_distance,
    look_distances,
    thumbnails,
)
from synesthete.seeding import MAX_SEED, generator_for

__all__ = ["BANDWIDTH", "KERNEL", "draw_styles", "effective_number", "probe_styles"]

KERNEL: Final = "exp(-d²/2σ²)"
BANDWIDTH: Final = 0.2
"""σ of the kernel, in the distance's units: looks 0.05 apart count as one, looks 0.6 apart as two."""

_CONSTANCY_STYLES: Final = 16
_PATHS: Final = 4
_STEPS: Final = 8
_SAME: Final = 1e-6
_STYLE_SEED: Final = 0


def effective_number(distances: Float[np.ndarray, "n n"], *, bandwidth: float = BANDWIDTH) -> float:
    r"""Count how many different looks there are: 1 if all are the same, ``n`` if no two are alike.

    :math:`\exp(-\sum_i\lambda_i\log\lambda_i)`, with :math:`\lambda` the eigenvalues of :math:`K/n` and
    :math:`K_{ij} = \exp(-d_{ij}^2 / 2\sigma^2)`.

    Parameters
    ----------
    distances
        Of each from each.
    bandwidth
        :math:`\sigma`, in the same unit.

    References
    ----------
    Friedman & Dieng, "The Vendi Score: a diversity evaluation metric for machine learning", TMLR 2023, eq. 1.

    Examples
    --------
    >>> round(effective_number(np.array([[0.0, 9.0, 9.0], [9.0, 0.0, 0.0], [9.0, 0.0, 0.0]])), 3)
    1.89
    """
    kernel = np.exp(-np.square(np.asarray(distances, np.float64)) / (2 * bandwidth**2))
    values = np.linalg.eigvalsh(kernel / len(kernel))
    kept = values[values > 1e-12]
    return float(np.exp(-(kept * np.log(kept)).sum()))


def draw_styles(size: int, count: int) -> list[Style]:
    """Draw styles: a vector from a standard normal, and a seed for each; always the same ones.

    Parameters
    ----------
    size
        Length of the vector, 0 or more.
    """
    draws = [generator_for(_STYLE_SEED, "evaluation.style", index) for index in range(count)]
    return [
        Style(tuple(draw.standard_normal(size).tolist()), int(draw.integers(MAX_SEED, endpoint=True)))
        for draw in draws
    ]


@dataclass(frozen=True)
class _Describer:
    """Describes a Subject's look on a song in a style, by thumbnails of a few moments."""

    subject: Subject
    settings: ProbeSettings

    def __call__(self, song: ProbeSong, style: Style) -> Thumbnails:
        settings = self.settings
        count = song.timeline.frame_count(settings.frame_rate)
        return thumbnails(
            self.subject.draw(
                song,
                spread(count, settings.moments),
                size=settings.style_size,
                frame_rate=settings.frame_rate,
                seed=settings.seed,
                style=style,
            )
        )


def probe_styles(
    subject: Subject,
    song: ProbeSong,
    other_song: ProbeSong,
    *,
    settings: ProbeSettings,
    on_step: Callable[[str], None] = lambda step: None,
) -> tuple[dict[str, Any], Thumbnails]:
    r"""Probe a Subject's styles.

    - ``kind``: what a style is: ``"vector and seed"``, ``"seed"`` (there is no vector, or it changes nothing)
      or ``"none"``.
    - ``diversity``: of many styles on one song, the mean distance of two, and the `effective_number`.
    - ``constancy``: the distance that a style keeps between two songs over the distance between two styles on
      one song, of descriptions averaged over time. 0: the look is the style's; 1 or more: the song's.
    - ``interpolation``, over straight paths between two vectors in eight steps with the seed held: ``path``,
      the length of the look's path over the distance of its ends (1 is straight), and ``jump``, the longest
      step over the mean step (1 is even).

    What can't be told is None, with the reason beside it.

    Returns
    -------
    The figures, ready for JSON, and the thumbnails of all that was drawn for diversity.
    """
    if subject.style_size is None:
        reason = "it has no styles"
        figures = {
            "kind": "none",
            "diversity": _diversity(np.zeros((settings.styles, settings.styles))),
            "constancy": {"ratio": None, "reason": reason},
            "interpolation": {"path": None, "jump": None, "reason": reason},
        }
        return figures, np.zeros((0, CELLS, CELLS, 3), np.float32)
    describe = _Describer(subject, settings)
    styles = draw_styles(subject.style_size, settings.styles)
    on_step("style diversity")
    looks = np.stack([describe(song, style) for style in styles])
    on_step("style constancy")
    constancy = _constancy(describe, other_song, styles[:_CONSTANCY_STYLES], looks)
    on_step("style interpolation")
    interpolation = _interpolation(describe, song, styles)
    figures = {
        "kind": "seed" if interpolation["path"] is None else "vector and seed",
        "diversity": _diversity(look_distances(looks, looks)),
        "constancy": constancy,
        "interpolation": interpolation,
    }
    return figures, looks.reshape(-1, CELLS, CELLS, 3)


def _diversity(distances: Float64[np.ndarray, "n n"]) -> dict[str, Any]:
    return {
        "styles": len(distances),
        "mean_distance": _mean_of_pairs(distances),
        "effective_number": effective_number(distances),
        "feature": FEATURE,
        "kernel": KERNEL,
        "bandwidth": BANDWIDTH,
    }


def _constancy(
    describe: _Describer, other_song: ProbeSong, styles: Sequence[Style], looks: np.ndarray
) -> dict[str, Any]:
    here = looks[: len(styles)].mean(axis=1)
    there = [describe(other_song, style).mean(axis=0) for style in styles]
    songs = float(np.mean([look_distance(a, b) for a, b in zip(here, there, strict=True)]))
    between = _mean_of_pairs(look_distances(here, here))
    ratio = songs / between if between > _SAME else None
    reason = None if ratio is not None else "all styles look the same"
    return {"ratio": ratio, "two_songs": songs, "two_styles": between, "reason": reason}


def _interpolation(describe: _Describer, song: ProbeSong, styles: Sequence[Style]) -> dict[str, Any]:
    if not styles[0].vector:
        return {"path": None, "jump": None, "reason": "its style is a seed, and seeds have no between"}
    paths, jumps = [], []
    for first, last in zip(styles[: 2 * _PATHS : 2], styles[1 : 2 * _PATHS : 2], strict=False):
        ends = np.array([first.vector, last.vector])
        points = [
            describe(song, Style(tuple(((1 - share) * ends[0] + share * ends[1]).tolist()), first.seed))
            for share in np.linspace(0.0, 1.0, _STEPS + 1)
        ]
        steps = [look_distance(a, b) for a, b in pairwise(points)]
        straight = look_distance(points[0], points[-1])
        if straight > _SAME:
            paths.append(sum(steps) / straight)
            jumps.append(max(steps) * len(steps) / sum(steps))
    if not paths:
        return {"path": None, "jump": None, "reason": "the style vector changes nothing"}
    return {"path": float(np.mean(paths)), "jump": float(np.mean(jumps)), "steps": _STEPS, "reason": None}


def _mean_of_pairs(distances: Float64[np.ndarray, "n n"]) -> float:
    return float(distances[np.triu_indices(len(distances), 1)].mean())

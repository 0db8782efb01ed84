"""What styles a model has: how many, whether they last, how one becomes another, and whether it copies."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from synesthete.config.data import DataConfig
from synesthete.config.vae import HELD_OUT
from synesthete.evaluation.style_probes import draw_styles, effective_number
from synesthete.evaluation.subjects import spread
from synesthete.evaluation.thumbnails import Thumbnails, look_distance, look_distances, thumbnails
from synesthete.models.style import spherical
from synesthete.training.drawer import Drawer, Frames, Teacher
from synesthete.training.following import over
from synesthete.training.items import make_planned
from synesthete.training.plan import ClipPlan, plan_clip
from synesthete.training.reactive import REACTIVE
from synesthete.training.songs import Songs

__all__ = ["StyleReport", "constancy", "looks_of", "measure_styles", "nearest", "references", "smoothness"]

_MOMENTS: Final = 4
_SONGS: Final = 8
_LASTING: Final = 32
_PATHS: Final = 4
_STEPS: Final = 8
_SHOWN: Final = 8
_OTHER_NOISE: Final = 1_000_000
_SHARED: Final = 64

Looks = Float[np.ndarray, "clips moments 8 8 3"]


class StyleReport(NamedTuple):
    """What was found.

    Attributes
    ----------
    figures
        As JSON has it; see `measure_styles`.
    songs
        For each of three songs, a frame in each of some styles.
    paths
        For each of some pairs of styles, a frame at each step from one to the other.
    """

    figures: dict[str, Any]
    songs: list[list[Tensor]]
    paths: list[list[Tensor]]


def measure_styles(drawer: Drawer, teacher: Teacher, *, styles: int) -> StyleReport:
    r"""Measure styles that are drawn from a standard normal, to one clip of music.

    Parameters
    ----------
    styles
        How many, 2 to 512.

    Returns
    -------
    Figures: ``number``: the effective number of different looks
    (`synesthete.evaluation.style_probes.effective_number`), of the ``model``, of as many held-out programs to
    the same music, the ``teacher``, and ``of_teacher``, one over the other. ``constancy``: see `constancy`,
    over two other songs, of the ``model``, each style with a noise of its own, of its style vectors alone,
    ``model_vector``, the noise being others on the other song, and of programs. ``interpolation``: see
    `smoothness`, of paths along the sphere between two styles, the noise held.
    """
    plans = _loudest(teacher)
    drawn_styles = draw_styles(drawer.model.spec.style_size, styles)
    vectors = torch.tensor([style.vector for style in drawn_styles])
    lasting = min(styles, _LASTING)
    programs = HELD_OUT[:: len(HELD_OUT) // styles][:styles]

    first = _drawn(drawer, teacher, plans[0], vectors, range(styles))
    taught = [teacher.clip(plans[0]._replace(program=program)).frames for program in programs]
    other = [_drawn(drawer, teacher, plan, vectors[:lasting], range(lasting)) for plan in plans[1:]]
    again = _drawn(drawer, teacher, plans[2], vectors[:lasting], range(_OTHER_NOISE, _OTHER_NOISE + lasting))
    kept = [
        [teacher.clip(plan._replace(program=program)).frames for program in programs[:lasting]]
        for plan in plans[1:]
    ]
    number = [_number(looks_of(clips)) for clips in (first, taught)]
    paths = _paths(drawer, teacher, plans[0], vectors)
    figures = {
        "styles": styles,
        "number": {"teacher": number[1], "model": number[0], "of_teacher": over(number[0], number[1])},
        "constancy": {
            "styles": lasting,
            "teacher": constancy(*map(looks_of, kept)),
            "model": constancy(*map(looks_of, other)),
            "model_vector": constancy(looks_of(other[0]), looks_of(again)),
        },
        "interpolation": smoothness([looks_of(path) for path in paths]),
    }
    middle = drawer.data.clip_frames // 2
    shown = [[clip[middle] for clip in clips[:_SHOWN]] for clips in (first, *other)]
    return StyleReport(figures, shown, [[clip[middle] for clip in path] for path in paths])


def looks_of(clips: Sequence[Frames]) -> Looks:
    """Describe clips by thumbnails of a few of their moments."""
    return np.stack([thumbnails(clip[spread(len(clip), _MOMENTS)]) for clip in clips])


def constancy(here: Looks, there: Looks) -> float:
    """Say how often a style is nearer to itself on another song than to another style there.

    Descriptions are averaged over time first. By chance it is a half.

    Parameters
    ----------
    here, there
        Of the same styles, on two songs.
    """
    apart = look_distances(here.mean(axis=1), there.mean(axis=1))
    nearer = np.diag(apart)[:, None] < apart
    return float(nearer[~np.eye(len(apart), dtype=bool)].mean())


def smoothness(paths: Sequence[Looks]) -> dict[str, float | None]:
    """Say how monotone and how even paths between two looks are.

    Returns
    -------
    ``monotone``: share of the steps after which the look is farther from its start than before. ``jump``: the
    longest step over the mean step, mean over paths; 1 is even. ``path``: a path's length over the distance
    of its ends, mean over paths; 1 is straight.
    """
    grew: list[bool] = []
    jumps, lengths = [], []
    for path in paths:
        steps = [look_distance(one, other) for one, other in pairwise(path)]
        away = [look_distance(path[0], one) for one in path]
        grew += [later > sooner for sooner, later in pairwise(away)]
        jumps.append(over(max(steps) * len(steps), sum(steps)))
        lengths.append(over(sum(steps), away[-1]))
    return {"monotone": float(np.mean(grew)), "jump": _mean(jumps), "path": _mean(lengths)}


def references(data: DataConfig, *, frames: int, seed: int) -> Thumbnails:
    """Draw frames of training programs, to music of a seed of its own; each program about as often.

    Parameters
    ----------
    data
        What the model was trained on.
    frames
        How many.
    """
    bare = data.model_copy(
        update={"seed": seed, "clip_frames": 1, "style_frames": 0, "crops": 0, "buckets": {"square": 1.0},
                "clips_per_song": _SHARED, "real_mix_prob": 0.0, "embedding": "none"}
    )  # fmt: skip
    reactive = [-1 - place for place in range(len(REACTIVE))]
    known = [*range(data.first_program, data.first_program + data.programs)] * (not data.audio_debug_mode)
    songs = Songs(bare)
    # Evenly spread over all of them, when there are fewer frames than programs.
    chosen = [known[place * len(known) // frames] for place in range(frames)] if known else []
    plans = [
        plan_clip(bare, number)._replace(program=program)
        for number, program in enumerate([*reactive, *chosen])
    ]
    drawn = (make_planned(bare, [plan], songs)[0].frames[0].float() / 255.0 for plan in plans)
    return thumbnails(drawn)


def nearest(drawn: Thumbnails, held_out: Thumbnails, trained: Thumbnails) -> dict[str, float | int | None]:
    """Compare how near drawn frames and those of held-out programs come to frames of training programs.

    Returns
    -------
    ``references``: of training, how many; ``model``, ``held_out``: median distance to the nearest one;
    ``ratio``: one over the other. Under 1 the model stays nearer to its training than new programs do.
    """
    medians = [float(np.median(look_distances(one, trained).min(axis=1))) for one in (drawn, held_out)]
    return {
        "references": len(trained), "model": medians[0], "held_out": medians[1],
        "ratio": over(medians[0], medians[1]),
    }  # fmt: skip


def _drawn(
    drawer: Drawer, teacher: Teacher, plan: ClipPlan, vectors: Float[Tensor, "styles size"], noises: range
) -> list[Frames]:
    rows = teacher.clip(plan).rows
    return drawer.draw([rows] * len(vectors), vectors, list(noises))


def _paths(
    drawer: Drawer, teacher: Teacher, plan: ClipPlan, vectors: Float[Tensor, "styles size"]
) -> list[list[Frames]]:
    found = []
    for place in range(min(_PATHS, len(vectors) // 2)):
        one, other = vectors[2 * place], vectors[2 * place + 1]
        points = torch.stack([spherical(one, other, step / _STEPS) for step in range(_STEPS + 1)])
        rows = teacher.clip(plan).rows
        found.append(drawer.draw([rows] * len(points), points, [2 * place] * len(points)))
    return found


def _loudest(teacher: Teacher) -> list[ClipPlan]:
    """Choose three clips of music in which much is heard, each of another song."""
    plans = [teacher.plan(song, HELD_OUT.start) for song in range(_SONGS)]

    def loudness(plan: ClipPlan) -> float:
        config = teacher.config
        song = teacher.songs.song(plan.song)
        stop = plan.first_frame + config.clip_frames
        heard = song.timeline.at_frames(config.rate, ["loudness"], start=plan.first_frame, stop=stop)
        return float(heard.mean())

    return sorted(plans, key=loudness, reverse=True)[:3]


def _number(looks: Looks) -> float:
    apart: Float64[np.ndarray, "n n"] = look_distances(looks, looks)
    return effective_number(apart)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None

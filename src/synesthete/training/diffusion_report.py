"""What a model that listens does on music and programs that it was not trained on, beside what these do.

Three kinds of figures: whether drawn clips follow the music (`synesthete.training.following`), on held-out
programs and on the reactive ones; what styles there are (`synesthete.training.diffusion_styles`); and whether
drawn frames are copies of training.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

from torch import Tensor

from synesthete.config.vae import HELD_OUT
from synesthete.evaluation.thumbnails import thumbnails
from synesthete.media.images import contact_sheet, write_png
from synesthete.training.diffusion_styles import StyleReport, measure_styles, nearest, references
from synesthete.training.drawer import Drawer, Teacher
from synesthete.training.following import (
    BANDS,
    Bands,
    Change,
    Following,
    Pair,
    another_song,
    draw_under,
    spliced_silence,
    without_bands,
)
from synesthete.training.listening import measure_listening
from synesthete.training.picture_codes import picture_bytes
from synesthete.training.plan import ClipPlan
from synesthete.training.reactive import REACTIVE

__all__ = ["DiffusionReport", "measure_diffusion", "report_sheets"]

_SILENCES: Final = 48
_REACTIVE: Final = 48
_STYLES: Final = 64
_LISTENING: Final = 32
_REFERENCES: Final = 8
"""Frames of training, for each clip that is measured."""

_SHOWN: Final = 12
_REFERENCE_SEED: Final = 1


class DiffusionReport(NamedTuple):
    """What was measured.

    Attributes
    ----------
    figures
        As JSON has it. ``held_out`` and ``reactive``: see `synesthete.training.following.Following.figures`;
        ``bands``: see `synesthete.training.following.Bands.figures`, of the reactive programs; ``styles``:
        see `synesthete.training.diffusion_styles.measure_styles`; ``neighbours``: see
        `synesthete.training.diffusion_styles.nearest`; ``listening``: see
        `synesthete.training.listening.measure_listening`, of the reactive programs. ``clips`` were asked for,
        ``drawn`` were drawn, in ``seconds_per_clip`` each; ``sampling``: how.
    clips
        Held-out clips, true and drawn.
    silences
        Of some of them, with silence spliced in.
    styles
        Frames in many styles.
    """

    figures: dict[str, Any]
    clips: list[Pair]
    silences: list[Pair]
    styles: StyleReport


def measure_diffusion(
    drawer: Drawer,
    *,
    clips: int = 200,
    seed: int = 13,
    on_clip: Callable[[str, int, int], None] = lambda what, done, of: None,
) -> DiffusionReport:
    """Measure a model.

    Parameters
    ----------
    clips
        How many held-out clips, 4 to 512, each of another program and song; of the rest, as many or fewer.
    seed
        Of the music and the moments.
    on_clip
        Is told what is measured, how many are done, and of how many.
    """
    teacher = Teacher(drawer.data, seed=seed, embedder=drawer.embedder)
    following, told = {"held_out": Following(), "reactive": Following()}, Bands()
    shown: list[Pair] = []
    silences: list[Pair] = []
    middles: list[Pair] = []
    for place, program in enumerate(HELD_OUT[:clips]):
        plan = teacher.plan(place, program)
        changes = {"other": another_song(plan)} | _silence(teacher, plan, place)
        pairs, silence = draw_under(drawer, teacher, plan, changes)
        following["held_out"].add(pairs, silence)
        middle = len(pairs["own"].true) // 2
        middles.append(Pair(*(clip[middle] for clip in pairs["own"])))
        if place % max(1, clips // _SHOWN) == 0 and len(shown) < _SHOWN:
            shown.append(pairs["own"])
            silences += [pairs["silence"]] if "silence" in pairs else []
        on_clip("held-out clips", place + 1, clips)
    reactive = min(clips, _REACTIVE)
    for place in range(reactive):
        which = place % len(REACTIVE)
        plan = teacher.plan(clips + place, -1 - which)
        changes = {"other": another_song(plan)} | _silence(teacher, plan, place)
        changes |= {name: without_bands(teacher, plan, bands) for name, bands in BANDS.items()}
        pairs, silence = draw_under(drawer, teacher, plan, changes)
        following["reactive"].add(pairs, silence)
        told.add(list(REACTIVE)[which], pairs)
        on_clip("reactive clips", place + 1, reactive)
    listening = measure_listening(drawer, seed=seed, clips=min(clips, _LISTENING))
    styles = measure_styles(drawer, teacher, styles=min(clips, _STYLES))
    wanted = min(drawer.data.programs, _REFERENCES * clips)
    trained = references(drawer.data, frames=wanted, seed=seed + _REFERENCE_SEED)
    drawn, held_out = (thumbnails([pair[which] for pair in middles]) for which in (1, 0))
    figures = {
        "clips": clips,
        **{name: one.figures() for name, one in following.items()},
        "bands": told.figures(),
        "listening": listening._asdict(),
        "styles": styles.figures,
        "neighbours": nearest(drawn, held_out, trained),
        "sampling": drawer.sampling.model_dump(exclude={"batches"}),
        "drawn": drawer.drawn,
        "seconds_per_clip": drawer.seconds / drawer.drawn,
    }
    return DiffusionReport(figures, shown, silences, styles)


def report_sheets(folder: Path, report: DiffusionReport) -> None:
    """Write what the eye should judge, as PNG.

    ``clips``: held-out clips, and below each the model's; ``silence``: the same with silence spliced in;
    ``styles``: styles by songs; ``interpolation``: paths from one style to another.
    """
    pairs = {"clips": report.clips, "silence": report.silences}
    frames: dict[str, list[list[Tensor]]] = {
        name: [[*clip] for pair in found for clip in pair] for name, found in pairs.items()
    }
    frames |= {"styles": report.styles.songs, "interpolation": report.styles.paths}
    titles = {
        "clips": "held-out clips, and below each what the model draws to its music in its style",
        "silence": "the same, silence spliced in",
        "styles": "a style in each column, a song in each row",
        "interpolation": "from one style to another, the noise held",
    }
    for name, rows in frames.items():
        pictures = [picture_bytes(frame) for row in rows for frame in row]
        write_png(folder / f"{name}.png", contact_sheet(pictures, columns=len(rows[0]), title=titles[name]))


def _silence(teacher: Teacher, plan: ClipPlan, place: int) -> dict[str, Change]:
    return {"silence": spliced_silence(teacher, plan)} if place < _SILENCES else {}

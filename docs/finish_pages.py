"""The pictures of docs/post.md and docs/titles.md: effects, one after another, and what titles look like."""

from pathlib import Path
from typing import Any

import numpy as np

from synesthete.config.base import build
from synesthete.config.render import RenderOptions
from synesthete.files import make_folder
from synesthete.generators.quantise import Quantiser
from synesthete.media.images import contact_sheet
from synesthete.render.pipeline import make_plan
from synesthete.render.score import score_film

__all__ = ["effects_sheet", "titles_sheet"]

EFFECTS = {
    "as it is": (),
    "filmlog": ("post.tone_curve=filmlog",),
    "filmic": ("post.tone_curve=filmic",),
    "punch": ("post.tone_curve=punch",),
    "neutral": ("post.tone_curve=neutral",),
    "balance: saturation 0.4, slope": ("post.balance.saturation=0.4", "post.balance.slope=[1.25, 1, 0.75]"),
    "vignette 0.8": ("post.vignette=0.8",),
    "grain 0.4": ("post.grain=0.4",),
    "chroma_shift 0.02": ("post.chroma_shift=0.02",),
    "bloom 0.6": ("post.bloom=0.6",),
    "trails 0.8": ("post.trails=0.8",),
    "sharpen 1.5": ("post.sharpen=1.5",),
}
TITLES: tuple[tuple[float, dict[str, Any]], ...] = (
    (3.0, {"card": True}),
    (3.0, {"lower_third": True, "watermark": "NOVA"}),
    (12.0, {"overlay": True}),
)


def effects_sheet(song: Path, workspace: Path) -> np.ndarray:
    """Draw one moment with one effect after the other."""
    pictures = [
        _still(song, workspace, 12.0, preset="horizon", set=changes, resolution="400x226")
        for changes in EFFECTS.values()
    ]
    return contact_sheet(pictures, columns=3, labels=list(EFFECTS), title=None)


def titles_sheet(song: Path, workspace: Path) -> np.ndarray:
    """Draw a title card, a lower third, and the overlay."""
    pictures = [
        _still(song, workspace, moment, preset="silk", titles=titles, resolution="640x360")
        for moment, titles in TITLES
    ]
    return contact_sheet(pictures, columns=1, labels=None, title=None)


def _still(song: Path, workspace: Path, moment: float, **options: Any) -> np.ndarray:
    """Draw a frame of a film as its options have it."""
    given = build(RenderOptions, {"kernels": "eager", "workspace": workspace, **options}, where="options")
    plan, timeline = make_plan(song, given)
    score = score_film(plan, timeline, timeline, make_folder(workspace / "docs"))
    frame = int(moment * plan.frame_rate)
    (picture,) = score.painter.frames(score.trajectory, frame, frame + 1, plan.size)
    return Quantiser(plan.size).rgb8(picture).numpy()

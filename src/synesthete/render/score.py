"""Plan what is drawn for a film, and put together the painters that a frame goes through."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from synesthete.audio.timeline import Timeline
from synesthete.errors import RenderError
from synesthete.generators.base import Painter, Trajectory
from synesthete.generators.build import build_fuser, choose_device
from synesthete.generators.quantise import Quantiser
from synesthete.render.loop_picture import looped
from synesthete.render.mixer import score_voices
from synesthete.render.plan import RenderPlan
from synesthete.render.post import finished, with_amounts
from synesthete.render.shutter import exposed, pictures_per_frame
from synesthete.render.titles import titled

__all__ = ["Score", "score_film"]


@dataclass(frozen=True)
class Score:
    """A film that is planned, and how it is computed.

    Attributes
    ----------
    trajectory
        What is drawn; memory-mapped.
    painter
        Draws finished frames of it.
    quantiser
        Turns them into bytes.
    numeric_path
        The name of the numeric path, for keys.
    fallback
        Why kernels are not fused, if they are not.
    """

    trajectory: Trajectory
    painter: Painter
    quantiser: Quantiser
    numeric_path: str
    fallback: str | None


def score_film(
    plan: RenderPlan,
    heard: Timeline,
    timeline: Timeline,
    work: Path,
    *,
    on_compile: Callable[[], None] = lambda: None,
) -> Score:
    """Plan the whole track, and choose how to compute it.

    The way of a frame: voices, mixed; shutter; post; loop; titles. What limits flashes comes after it.

    Parameters
    ----------
    heard
        What the voices follow; of a loop, with what comes before and after its round.
    timeline
        What the film is of: one round.
    work
        Where the Trajectory is kept.
    on_compile
        Called before kernels are compiled, which may take a while.

    Raises
    ------
    RenderError
        If kernels must be fused and can't be.
    """
    pictures = plan.frames * pictures_per_frame(plan.options.shutter)
    fuser = build_fuser(plan.options, plan.preset.generator, plan.size, pictures)
    period = None if plan.loop is None else plan.loop.period
    painter, planned = score_voices(*plan.voices(), heard, plan.options, fuser, period)
    planned = with_amounts(planned, plan.preset, heard, plan.frame_rate, period)
    painter = finished(
        exposed(painter, plan.options.shutter),
        plan.preset.post,
        plan.preset.seed,
        plan.frame_rate,
        fuser,
        device=choose_device(plan.options.device),
    )
    painter = titled(looped(painter, plan.loop), plan.titles, timeline, plan.frame_rate)
    planned.save(work / "trajectory")
    trajectory = Trajectory.load(work / "trajectory")
    if fuser.available:
        on_compile()
    path = painter.prepare(trajectory, plan.size)
    quantiser = Quantiser(plan.size, fuser, plan.video.pixels)
    if plan.options.kernels == "fused" and not path.startswith("fused"):
        raise RenderError(f"fused kernels can't be had: {fuser.reason}; pass --kernels auto")
    path = f"{path}-quantise-{'fused' if quantiser.fused else 'eager'}"
    return Score(trajectory, painter, quantiser, path, fuser.reason)

"""Whether a model listens at all: a test that one which ignores its music passes once in a thousand times."""

from typing import Final, NamedTuple

import torch
from jaxtyping import Float
from scipy.stats import wilcoxon
from torch import Tensor

from synesthete.models.diffusion import Conditions
from synesthete.models.flow import between
from synesthete.training.conditions import styled
from synesthete.training.drawer import Drawer, Teacher
from synesthete.training.reactive import REACTIVE

__all__ = ["FALSE_ALARMS", "Listening", "measure_listening"]

FALSE_ALARMS: Final = 0.001
"""How often a model that ignores its music is said to listen."""

_TIMES: Final = (0.1, 0.3, 0.5, 0.7)
_FIRST_SONG: Final = 10_000


class Listening(NamedTuple):
    """What was found.

    Attributes
    ----------
    clips
        How many were asked, each of a song of its own.
    better
        In how many the right music loses less than the wrong.
    right, wrong
        Mean squared error of velocities.
    p
        How often the differences of the losses' logarithms lie as far on this side, where they would as soon
        lie on the other: Wilcoxon's signed-rank test.
    listens
        Whether that is under `FALSE_ALARMS`.
    """

    clips: int
    better: int
    right: float
    wrong: float
    p: float
    listens: bool


@torch.no_grad()
def measure_listening(drawer: Drawer, *, seed: int, clips: int = 48) -> Listening:
    """Compare what a model loses under a clip's own music and under another song, on reactive programs.

    Every clip has its own song and its own wrong one, and both losses have the same noise, times and style:
    so clips are independent, and to a model that ignores what it hears both are the same, or as likely to be
    the smaller one.

    Parameters
    ----------
    seed
        Of the music and the moments.
    clips
        How many; with fewer than 10 none can be said to listen.
    """
    teacher = Teacher(drawer.data, seed=seed, embedder=drawer.embedder)
    losses = []
    for place in range(clips):
        plan = teacher.plan(_FIRST_SONG + 2 * place, -1 - place % len(REACTIVE))
        clip = teacher.clip(plan)
        other = teacher.rows(plan._replace(song=plan.song + 1))
        style = drawer.read_style(teacher.shown(plan))
        noise = drawer.noise(plan.number, len(clip.frames))
        both = torch.stack([clip.rows, other])
        losses.append(_losses(drawer, drawer.latents(clip.frames), noise, both, style))
    found = torch.stack(losses)
    better = int((found[:, 0] < found[:, 1]).sum())
    right, wrong = found.mean(dim=0).tolist()
    apart = (found[:, 1].log() - found[:, 0].log()).double().numpy()
    p = float(wilcoxon(apart, alternative="greater", method="exact").pvalue) if apart.any() else 1.0
    return Listening(clips, better, right, wrong, p, p < FALSE_ALARMS)


def _losses(
    drawer: Drawer, data: Tensor, noise: Tensor, rows: Float[Tensor, "both rows columns"], style: Tensor
) -> Float[Tensor, " both"]:
    """Give the errors of velocities under each of several rows, means over a few times."""
    count = len(_TIMES)
    time = torch.tensor(_TIMES, device=data.device)
    points = between(data.expand(count, *data.shape), noise.expand(count, *noise.shape), time)
    manner = styled(drawer.model, drawer.conditions, style.expand(count, -1))
    found = []
    for heard in drawer.heard(rows, len(data)):
        conditions = Conditions(heard.expand(count, *heard.shape), manner)
        velocity = drawer.model(points, time, conditions)
        found.append((velocity - (data - noise)).square().mean())
    return torch.stack(found).cpu()

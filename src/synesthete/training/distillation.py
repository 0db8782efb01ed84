"""A model that listens learns from one that does to draw in fewer steps, and as that one does with guidance.

References
----------
Salimans & Ho, "Progressive distillation for fast sampling of diffusion models", ICLR 2022. Meng et al., "On
distillation of guided diffusion models", CVPR 2023. Differs: both at once, in velocities of the flow.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from synesthete.config.diffusion import DiffusionConfig, Distillation
from synesthete.models.diffusion import Conditions, Diffusion
from synesthete.models.flow import between
from synesthete.models.vae import Vae
from synesthete.training.diffusion_module import DiffusionModule, compile_blocks
from synesthete.training.items import Batch

__all__ = ["DistilledModule"]


class DistilledModule(DiffusionModule):
    """Trains a model to draw as its teacher does; see `DiffusionModule`.

    Parameters
    ----------
    teacher
        Draws with guidance. It is not trained.
    """

    def __init__(
        self,
        config: DiffusionConfig,
        model: Diffusion,
        vae: Vae,
        silence: Float[Tensor, " columns"],
        *,
        teacher: Diffusion,
    ) -> None:
        super().__init__(config, model, vae, silence)
        # In a tuple it is no module of this one.
        self._teacher = (teacher.eval().requires_grad_(False),)
        # Styles stay what they are to the teacher.
        model.eye.requires_grad_(False)

    def on_fit_start(self) -> None:
        """Bring along what is no module of this one."""
        super().on_fit_start()
        (teacher,) = self._teacher
        teacher.to(self.device)
        if self.config.compiled:
            compile_blocks(teacher.dit.blocks)

    def training_step(self, batch: Batch, index: int) -> Tensor:
        """Learn where the teacher comes to in one step of fewer."""
        config, distil = self.config, self.config.distil
        assert distil is not None  # else this is not the module of the run
        seen, draws, _, noise = self.begin(batch)
        step = torch.from_numpy(draws.integers(distil.steps, size=len(noise))).to(self.device)
        time = step.float() / distil.steps
        unstyled = self.some(draws, len(noise), config.conditions.p_style_drop)
        deaf = self.some(draws, len(noise), config.conditions.p_audio_drop)
        points = between(seen.latents, noise, time)
        style = self.model.read_style(seen.shown).mean

        def conditions(model: Diffusion) -> Conditions:
            return Conditions(model.hear(seen.rows, dropped=deaf), model.styled(style, dropped=unstyled))

        (teacher,) = self._teacher
        with torch.no_grad():
            wanted = taught(teacher, points, time, conditions(teacher), distil)
        found = self.model(points, time, conditions(self.model)).float()
        loss: Tensor = (found - wanted).square().mean()
        self.log("train/loss", loss)
        return loss


def taught(
    teacher: Diffusion,
    points: Float[Tensor, "clips frames latents h w"],
    time: Float[Tensor, " clips"],
    conditions: Conditions,
    distil: Distillation,
) -> Float[Tensor, "clips frames latents h w"]:
    """Give the velocity that leads in one step to where a teacher comes in several, with guidance."""
    ahead = points
    each = 1.0 / (distil.steps * distil.substeps)
    for substep in range(distil.substeps):
        velocity = teacher.guided(
            ahead, time + substep * each, conditions, audio=distil.audio, style=distil.style
        )
        ahead = ahead + each * velocity
    return (ahead - points) * distil.steps

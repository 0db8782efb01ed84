"""What validation asks of drawn clips: whether they follow the music, and look like the truth."""

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from synesthete.config.diffusion import SamplingConfig
from synesthete.models.diffusion import Conditions, Diffusion
from synesthete.models.flow import Guidance
from synesthete.models.vae import Vae
from synesthete.training.auxiliary import looks

__all__ = ["PROBE_MEANINGS", "Probes", "correlation"]

_LEAST = 1e-6
_LOUD, _SILENT = 0.1, 0.9

PROBE_MEANINGS = {
    "shuffle": "change under another song's audio, over what is drawn: mean absolute difference of pixels",
    "brightness_r": "correlation of brightness, drawn and true, over all frames",
    "course_r": "the same within clips: their means taken out",
    "saturation": "mean saturation, over the truth's",
    "contrast": "mean contrast, over the truth's",
    "motion": "mean motion, over the truth's",
    "silence_motion": "motion in silence, over motion in music",
    "score": "by which weights are chosen: both correlations, less how far colour and contrast are off",
}
"""What validation logs of drawn clips."""


class Probes:
    """Draws clips, and keeps account of them until a validation is over.

    Parameters
    ----------
    config
        How to draw.
    vae
        Decodes what is drawn.
    """

    def __init__(self, config: SamplingConfig, vae: Vae) -> None:
        self._config, self._vae = config, vae
        self._seen: list[dict[str, Tensor]] = []

    def draw(
        self, model: Diffusion, noise: Float[Tensor, "clips frames latents h w"], conditions: Conditions
    ) -> Float[Tensor, "clips frames latents h w"]:
        """Draw scaled latents."""
        config = self._config
        guidance = Guidance(audio=config.audio_guidance, style=config.style_guidance)
        return model.sample(noise, conditions, guidance=guidance, steps=config.steps)

    def add(
        self,
        truth: Float[Tensor, "frames 3 height width"],
        drawn: Float[Tensor, "clips frames latents h w"],
        other: Float[Tensor, "clips frames latents h w"],
        silence: Float[Tensor, "clips frames"],
    ) -> None:
        """Look at clips.

        Parameters
        ----------
        truth
            Their true frames.
        drawn, other
            Latents drawn under their own audio, and under that of other songs.
        silence
            At each frame, 0-1.
        """
        shape = drawn.shape[:2]
        own, under = (
            self._vae.decode(clips.flatten(0, 1)).float().clamp(0.0, 1.0) for clips in (drawn, other)
        )
        quiet = silence[:, 1:] * silence[:, :-1]
        moved, true_motion = (
            clip.view(*shape, *clip.shape[1:]).diff(dim=1).abs().mean(dim=(2, 3, 4)) for clip in (own, truth)
        )
        self._seen.append(
            {
                "looks": looks(own).view(*shape, 3),
                "true_looks": looks(truth).view(*shape, 3),
                "apart": (own - under).abs().mean(dim=(1, 2, 3)),
                "level": own.mean(dim=(1, 2, 3)),
                "motion": moved,
                "true_motion": true_motion,
                "quiet": quiet,
            }
        )

    def figures(self, gather: Callable[[Tensor], Any] = lambda own: own) -> dict[str, Tensor]:
        """Give what was found, `PROBE_MEANINGS`, and forget it.

        Parameters
        ----------
        gather
            Stacks a tensor of this process and those of all others: all find the same, of all clips.
        """
        seen = {}
        for name in self._seen[0]:
            own = torch.cat([one[name] for one in self._seen])
            seen[name] = gather(own).reshape(-1, *own.shape[1:])
        self._seen = []
        drawn, true = seen["looks"], seen["true_looks"]
        ratios = drawn.mean(dim=(0, 1)) / true.mean(dim=(0, 1)).clamp(min=_LEAST)
        silent, loud = seen["quiet"] > _SILENT, seen["quiet"] < _LOUD
        figures = {
            "shuffle": seen["apart"].sum() / seen["level"].sum().clamp(min=_LEAST),
            "brightness_r": correlation(drawn[..., 0], true[..., 0]),
            "course_r": correlation(
                *(one[..., 0] - one[..., 0].mean(dim=1, keepdim=True) for one in (drawn, true))
            ),
            "contrast": ratios[1],
            "saturation": ratios[2],
            "motion": seen["motion"].mean() / seen["true_motion"].mean().clamp(min=_LEAST),
        }
        if silent.any() and loud.any():
            resting, moving = (seen["motion"][which].mean() for which in (silent, loud))
            figures["silence_motion"] = resting / moving.clamp(min=_LEAST)
        off = sum(figures[name].clamp(min=_LEAST).log().abs() for name in ("contrast", "saturation"))
        figures["score"] = figures["brightness_r"] + figures["course_r"] - off
        return figures


def correlation(one: Float[Tensor, "*shape"], other: Float[Tensor, "*shape"]) -> Float[Tensor, ""]:
    """Give the correlation of two sets of numbers; 0 where either never changes."""
    first, second = (values.double().flatten() - values.double().mean() for values in (one, other))
    found: Tensor = ((first * second).sum() / (first.norm() * second.norm()).clamp(min=_LEAST)).float()
    return found

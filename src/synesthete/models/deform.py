"""What a network's constant inputs shall do to a picture: bend it, carry it along, light parts of it up.

Each input has a smooth flow of its own, without sources, as of a liquid, and a smooth pattern of light. The
picture under a vector of inputs is the picture carried along by the sum of their flows, lit by the sum of
their patterns; with all inputs 0 it is the picture itself.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["Deformation", "carried"]

_WAVES = 4
_LOWEST, _HIGHEST = 0.7, 2.6  # radians per unit, along each axis


@dataclass(frozen=True)
class Deformation:
    """Flows and lights, one of each per input.

    Attributes
    ----------
    waves
        Radians per unit in x and y, of each input's waves.
    phases
        Of these waves, radians.
    reach
        How far each input carries things, in units of the coordinates, root mean square.
    light
        How much brighter (positive) or darker an input makes its bright patches; 0 for none.
    """

    waves: Float[Tensor, "inputs waves 2"]
    phases: Float[Tensor, "inputs waves"]
    reach: Float[Tensor, " inputs"]
    light: Float[Tensor, " inputs"]

    @classmethod
    def drawn(
        cls, reach: Float[Tensor, " inputs"], light: Float[Tensor, " inputs"], generator: torch.Generator
    ) -> "Deformation":
        """Draw the flows of so many inputs."""
        shape = (len(reach), _WAVES)
        turn = 2 * math.pi * torch.rand(*shape, generator=generator)
        low, high = math.log(_LOWEST), math.log(_HIGHEST)
        speed = torch.exp(low + (high - low) * torch.rand(*shape, generator=generator))
        waves = torch.stack([turn.cos(), turn.sin()], -1) * speed[..., None]
        return cls(waves, 2 * math.pi * torch.rand(*shape, generator=generator), reach, light)

    def at(
        self, places: Float[Tensor, "points 2"]
    ) -> tuple[Float[Tensor, "points inputs 2"], Float[Tensor, "points inputs"]]:
        """Give where each input carries a place at its full value, and the logarithm of its light there."""
        angle = torch.einsum("pd,kwd->pkw", places, self.waves) + self.phases
        # The flow is the potential's gradient, turned by a right angle: nothing is squeezed.
        rate = torch.cos(angle) / self.waves.square().sum(-1).sqrt()
        across = torch.stack([-self.waves[..., 1], self.waves[..., 0]], -1)
        flow = torch.einsum("pkw,kwd->pkd", rate, across) * math.sqrt(2.0 / _WAVES)
        patch = 0.5 + 0.5 * torch.tanh(torch.sin(angle).sum(-1))
        return flow * self.reach[:, None], patch * self.light


def carried(
    picture: Float[Tensor, "3 height width"],
    places: Float[Tensor, "points 2"],
    extent: tuple[float, float],
) -> Float[Tensor, "points 3"]:
    """Read a picture at places, smoothly; beyond its borders it is mirrored.

    Parameters
    ----------
    extent
        Half width and half height of the picture in the units of the coordinates.
    """
    grid = (places / torch.tensor(extent))[None, None]
    read = torch.nn.functional.grid_sample(
        picture[None], grid, mode="bilinear", padding_mode="reflection", align_corners=False
    )
    return read[0, :, 0].T

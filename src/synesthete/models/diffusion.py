"""The model that listens: clips of latents from noise, what is heard around each frame, and a style.

It holds all that sampling needs but the autoencoder: how latents are scaled, how rows are heard, how style is
read from pictures, and the transformer that draws.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from synesthete.models.dit import Dit
from synesthete.models.flow import Guidance, Solver, follow, guided, preconditioned, times
from synesthete.models.rows import RowEncoder
from synesthete.models.style import StandardStyles, StyleEncoder
from synesthete.models.vae import Posterior

__all__ = ["Conditions", "Diffusion", "DiffusionSpec", "Manner"]

_LEAST_DEVIATION = 0.25


@dataclass(frozen=True)
class DiffusionSpec:
    """The architecture of a `Diffusion`.

    Attributes
    ----------
    latents
        Channels of the autoencoder's latents.
    columns
        Names of a row's columns.
    rows_per_frame
        Rows of what is heard, for each frame.
    frame_rate
        Of training, frames per second.
    row_width, row_layers
        Of `RowEncoder`.
    style_channels, style_cells, style_width
        Of `StyleEncoder`.
    condition
        Channels of the conditions.
    width, blocks, window
        Of `Dit`.
    """

    latents: int
    columns: tuple[str, ...]
    rows_per_frame: int
    frame_rate: int
    row_width: int
    row_layers: int
    style_channels: int
    style_cells: int
    style_width: int
    condition: int
    width: int
    blocks: int
    window: int

    @property
    def style_size(self) -> int:
        """Count the numbers of a style."""
        return self.style_channels * self.style_cells**2

    def to_json(self) -> dict[str, Any]:
        """Give what `DiffusionSpec` can be made from again."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "DiffusionSpec":
        """Make it from what `to_json` gave."""
        return cls(**{**values, "columns": tuple(values["columns"])})


class Manner(NamedTuple):
    """A style as the transformer has it: one for the clip, or one for each frame.

    Attributes
    ----------
    whole
        Of the picture.
    cells
        Of its parts.
    """

    whole: Float[Tensor, "clips #frames condition"]
    cells: Float[Tensor, "clips #frames channels cells cells"]

    def of(self, clips: Sequence[int]) -> "Manner":
        """Give that of some clips."""
        return Manner(self.whole[clips], self.cells[clips])


class Conditions(NamedTuple):
    """What a clip is drawn from.

    Attributes
    ----------
    heard
        Of every frame.
    manner
        Its style.
    """

    heard: Float[Tensor, "clips frames condition"]
    manner: Manner


class Diffusion(nn.Module):
    """Draws clips of latents; see the module's text.

    Weights come from torch's global generator: build it inside ``torch.random.fork_rng``.
    """

    def __init__(self, spec: DiffusionSpec) -> None:
        super().__init__()
        self.spec = spec
        self.register_buffer("mean", torch.zeros(spec.latents))
        self.register_buffer("deviation", torch.ones(spec.latents))
        self.register_buffer("spread", torch.ones(spec.latents))
        self.mean: Tensor
        self.deviation: Tensor
        self.spread: Tensor
        self.ear = RowEncoder(
            len(spec.columns), width=spec.row_width, layers=spec.row_layers, size=spec.condition
        )
        self.eye = StyleEncoder(
            spec.latents, width=spec.style_width, channels=spec.style_channels, cells=spec.style_cells
        )
        self.styles = StandardStyles(spec.style_size)
        self.manner = nn.Linear(spec.style_size, spec.condition)
        self.unheard = nn.Parameter(torch.zeros(spec.condition))
        self.unstyled = nn.Parameter(torch.zeros(spec.condition))
        self.dit = Dit(
            spec.latents, width=spec.width, blocks=spec.blocks, condition=spec.condition,
            style=spec.style_channels, window=spec.window,
        )  # fmt: skip

    # What it is drawn from ----------------------------------------------------------------------------

    @torch.no_grad()
    def fit_scale(
        self, latents: Float[Tensor, "frames latents h w"], shares: Float[Tensor, " latents"] | None = None
    ) -> None:
        """Set what latents are shifted and divided by, so that they have a mean of 0 and a given deviation.

        Autoencoders want theirs to have one of 1: a channel that hardly varies here is not made much of.

        Parameters
        ----------
        shares
            The deviation of each channel, by default 1. One with less of it counts for less, and is lost in
            noise sooner: it is drawn later than the others.
        """
        flat = latents.double().transpose(0, 1).flatten(1)
        own = flat.std(dim=1).clamp(min=_LEAST_DEVIATION)
        wanted = torch.ones_like(own) if shares is None else shares.to(own)
        self.mean.copy_(flat.mean(dim=1))
        self.deviation.copy_(own / wanted)
        self.spread.copy_(wanted)

    def scaled(self, latents: Float[Tensor, "*batch latents h w"]) -> Float[Tensor, "*batch latents h w"]:
        """Give the autoencoder's latents as the transformer has them."""
        return (latents - self.mean[:, None, None]) / self.deviation[:, None, None]

    def unscaled(self, latents: Float[Tensor, "*batch latents h w"]) -> Float[Tensor, "*batch latents h w"]:
        """Give the transformer's latents as the autoencoder has them."""
        return latents * self.deviation[:, None, None] + self.mean[:, None, None]

    def hear(
        self,
        rows: Float[Tensor, "clips rows columns"],
        *,
        every: int | None = None,
        dropped: Bool[Tensor, " clips"] | None = None,
    ) -> Float[Tensor, "clips frames condition"]:
        """Hear rows; see `RowEncoder.forward`.

        Parameters
        ----------
        every
            Rows from frame to frame; by default as many as in training.
        dropped
            Clips that hear nothing.
        """
        heard: Tensor = self.ear(rows, every=every or self.spec.rows_per_frame)
        if dropped is None:
            return heard
        return torch.where(dropped[:, None, None], self.unheard.to(heard), heard)

    def read_style(self, latents: Float[Tensor, "clips frames latents h w"]) -> Posterior:
        """Read the style of pictures, from their scaled latents; `styles` makes standard ones of such."""
        posterior: Posterior = self.eye(latents)
        return posterior

    def styled(
        self,
        style: Float[Tensor, "clips size"] | Float[Tensor, "clips frames size"],
        *,
        dropped: Bool[Tensor, " clips"] | None = None,
    ) -> Manner:
        """Give a style, as `read_style` gives it, as a condition; with clips that have none."""
        style = style if style.ndim == 3 else style[:, None]
        whole: Tensor = self.manner(style)
        side = self.spec.style_cells
        cells = style.reshape(*style.shape[:2], self.spec.style_channels, side, side)
        if dropped is None:
            return Manner(whole, cells)
        return Manner(
            torch.where(dropped[:, None, None], self.unstyled.to(whole), whole),
            torch.where(dropped[:, None, None, None, None], 0.0, cells),
        )

    # Drawing ------------------------------------------------------------------------------------------

    def forward(
        self,
        latents: Float[Tensor, "clips frames latents h w"],
        time: Float[Tensor, " clips"],
        conditions: Conditions,
        *,
        spacing: float = 1.0,
    ) -> Float[Tensor, "clips frames latents h w"]:
        """Give the velocity of scaled latents; see `Dit.forward`."""
        heard, (whole, cells) = conditions
        enter, skip, leave = preconditioned(self.spread[:, None, None], time[:, None, None, None, None])
        found = self.dit(enter * latents, time, heard + whole, cells, spacing=spacing)
        velocity: Tensor = skip * latents + leave * found
        return velocity

    @torch.no_grad()
    def sample(
        self,
        noise: Float[Tensor, "clips frames latents h w"],
        conditions: Conditions,
        *,
        guidance: Guidance = Guidance(),  # noqa: B008
        steps: int = 8,
        shift: float = 1.0,
        solver: Solver = "euler",
        spacing: float = 1.0,
    ) -> Float[Tensor, "clips frames latents h w"]:
        """Draw scaled latents.

        Parameters
        ----------
        noise
            Standard normal.
        guidance
            How strongly conditions count.
        steps, shift, solver
            Of the flow; see `synesthete.models.flow.times` and `follow`.
        spacing
            From frame to frame, in frames of training.
        """

        def velocity(points: Tensor, time: float) -> Tensor:
            audio, style = guidance.at(time)
            at = torch.full((len(points),), time, device=points.device)
            return self.guided(
                points, at, conditions, audio=audio, style=style, rescale=guidance.rescale, spacing=spacing
            )

        return follow(velocity, noise, times(steps, shift=shift), solver=solver)

    def guided(
        self,
        points: Float[Tensor, "clips frames latents h w"],
        time: Float[Tensor, " clips"],
        conditions: Conditions,
        *,
        audio: float,
        style: float,
        rescale: float = 0.0,
        spacing: float = 1.0,
    ) -> Float[Tensor, "clips frames latents h w"]:
        """Give the velocity with guidance; see `synesthete.models.flow.guided`."""
        whole, cells = conditions.manner
        plain = Conditions(
            self.unheard.expand_as(conditions.heard),
            Manner(self.unstyled.expand_as(whole), torch.zeros_like(cells)),
        )
        styled = Conditions(plain.heard, conditions.manner)
        # One after the other: one large batch gains nothing.
        found = (
            self(points, time, given, spacing=spacing).float() if counts else None
            for given, counts in (
                (plain, style != 1.0), (styled, audio != style), (conditions, audio != 0.0)
            )
        )  # fmt: skip
        return guided(*found, audio=audio, style=style, rescale=rescale)

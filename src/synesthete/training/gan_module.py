"""The generator of pictures and its discriminator as Lightning trains them, and what validation measures.

Both learn in the same step, from the same pictures: the discriminator's loss does not reach the generator,
nor the generator's the discriminator.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import torch
from jaxtyping import Float
from lightning.pytorch import LightningModule
from torch import Tensor, nn
from torch.func import functional_call

from synesthete.config.gan import GanConfig
from synesthete.media.images import Picture
from synesthete.models.discriminator import Discriminator, View, views_of
from synesthete.models.gan import LATENT_SIDE, GanGenerator, on_sphere
from synesthete.models.vae import Vae
from synesthete.seeding import generator_for
from synesthete.training.adaptive import Adaptation, changed, draw_changes
from synesthete.training.adversarial import (
    chroma_gap,
    drawn_loss,
    fooling_loss,
    saturation_gap,
    slope_penalty,
    true_loss,
)
from synesthete.training.losses import mean_saturation
from synesthete.training.optimiser import configured
from synesthete.training.picture_codes import picture_bytes
from synesthete.training.stills.batches import StillBatch
from synesthete.training.stills.likeness import features_of, frechet_distance, variety

__all__ = ["SHEET_COLUMNS", "GanModule"]

SHEET_COLUMNS: Final = 8
"""Pictures in a row of a validation's sheet."""

_DRAWN_ROWS: Final = 3
_SWEEPS: Final = 2
_COLOUR: Final = 10.0
"""What a wrong saturation weighs beside Fréchet's distance, when weights are chosen."""

_LARGEST_SEED: Final = 2**63

Pictures = Float[Tensor, "batch 3 side side"]


class GanModule(LightningModule):
    """Trains a generator of pictures.

    Parameters
    ----------
    config
        The run.
    generator, discriminator
        The networks, with their first weights.
    adaptation
        Moves the probability of changes to what the discriminator sees.
    vae
        The autoencoder through whose encoder the discriminator looks, and whose features tell how like the
        data pictures are; it is not trained.

    Attributes
    ----------
    true_signs
        The mean signs of the scores of true pictures, of the last step.
    """

    true_signs: Float[Tensor, " batch"]

    def __init__(
        self,
        config: GanConfig,
        generator: GanGenerator,
        discriminator: Discriminator,
        adaptation: Adaptation,
        vae: Vae,
    ) -> None:
        super().__init__()
        self.config = config
        self.generator = generator.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.discriminator = discriminator.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._adaptation = adaptation
        # Not a module of this one: it is neither trained, averaged nor kept.
        vae = vae.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._frozen = (vae.eval().requires_grad_(requires_grad=False),)
        self._seen: list[dict[str, Tensor]] = []

    def configure_optimizers(self) -> Any:
        """Give the optimiser of both networks and its schedule."""
        own = self.config.optimiser
        return configured(
            self, own, steps=self.config.steps, rates={self.discriminator: own.discriminator_times}
        )

    def configure_gradient_clipping(
        self,
        optimizer: torch.optim.Optimizer,
        gradient_clip_val: int | float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Cut the gradient of each network by its own length."""
        for network in (self.generator, self.discriminator):
            nn.utils.clip_grad_norm_(network.parameters(), float(gradient_clip_val or 0.0))

    def training_step(self, batch: StillBatch, index: int) -> Tensor:
        """Draw pictures, let both them and true ones be judged, and compare their colours."""
        losses = self.config.losses
        pictures = _display(batch)
        source = self._source("training", batch)
        drawn = self._drawn(source, len(pictures))
        probability = self._adaptation.probability
        seen, judged = (
            one if probability == 0.0 else changed(one, draw_changes(len(one), probability, source))
            for one in (pictures, drawn)
        )
        place = torch.rand(2, generator=source).tolist()
        true_views, views = self._views(seen, place), self._views(judged, place)
        still = {name: weight.detach() for name, weight in self.discriminator.named_parameters()}
        true_scores = self.discriminator(true_views)
        self.true_signs = true_scores.detach().sign().mean(dim=1)
        with torch.autocast(self.device.type, enabled=False):
            gaps = chroma_gap(drawn, pictures), saturation_gap(drawn, pictures)
        parts = {
            "fooling": fooling_loss(functional_call(self.discriminator, still, (views,))),
            "chroma": losses.chroma * gaps[0],
            "saturation": losses.saturation * gaps[1],
            "true": true_loss(true_scores),
            "drawn": drawn_loss(self.discriminator([[one.detach() for one in view] for view in views])),
        }
        # Not at the first step, whose operations are counted as those of all.
        if losses.penalty and self.global_step % losses.penalty_every == losses.penalty_every - 1:
            weight = losses.penalty * losses.penalty_every
            parts["penalty"] = weight * slope_penalty(
                lambda pictures: self.discriminator(self._views(pictures, place)).mean(dim=1), seen
            )
        loss = torch.stack(list(parts.values())).sum()
        self.log_dict(
            {
                "train/loss": loss,
                **{f"train/{name}": part for name, part in parts.items()},
                "train/changes": probability,
            }
        )
        return loss

    def validation_step(self, batch: StillBatch, index: int) -> None:
        """Draw as many pictures, always the same, and keep what tells how like the true ones they are."""
        pictures = _display(batch)
        drawn = self._drawn(self._source("validation", batch), len(pictures))
        self._seen.append(
            {
                "drawn": features_of(self._vae, drawn),
                "true": features_of(self._vae, pictures),
                "saturation": torch.stack([mean_saturation(one) for one in (drawn, pictures)], dim=1),
                "brightness": torch.stack([one.mean(dim=(1, 2, 3)) for one in (drawn, pictures)], dim=1),
                "chroma": chroma_gap(drawn, pictures).expand(len(drawn)),
                "scores": torch.stack(
                    [self.discriminator(self._views(one)).mean(dim=1) for one in (drawn, pictures)], dim=1
                ),
            }
        )

    def on_validation_epoch_end(self) -> None:
        """Measure."""
        seen, self._seen = self._seen, []
        found = {name: self._gathered(torch.cat([one[name] for one in seen])) for name in seen[0]}
        distance = frechet_distance(found["drawn"], found["true"])
        drawn_score, true_score = found["scores"].mean(dim=0).tolist()
        colours = {name: _ratio(found[name]) for name in ("saturation", "brightness")}
        figures = {
            "frechet": distance,
            # The highest one's weights are kept.
            "score": -distance - _COLOUR * abs(colours["saturation"] - 1.0),
            "variety": variety(found["drawn"], found["true"]),
            "chroma": float(found["chroma"].mean()),
            **colours,
            "judged_drawn": drawn_score,
            "judged_true": true_score,
        }
        self.log_dict({f"validation/{name}": value for name, value in figures.items()}, sync_dist=True)

    @torch.no_grad()
    def sheet(self, batch: StillBatch) -> Iterator[Picture]:
        """Give a row of true pictures, some of what is drawn, and walks from one drawn picture to another."""
        first = batch.pictures[:SHEET_COLUMNS]
        yield from (picture_bytes(one / 255.0) for one in first)
        for _ in range(SHEET_COLUMNS - len(first)):
            yield picture_bytes(torch.zeros_like(first[0]).float())
        source = self._source("sheet", None)
        for _ in range(_DRAWN_ROWS):
            yield from map(picture_bytes, self._drawn(source, SHEET_COLUMNS))
        shares = torch.linspace(0.0, 1.0, SHEET_COLUMNS)
        for _ in range(_SWEEPS):
            ends = self._latents(source, 2)
            noise = self._noise(source, 1)
            walk = on_sphere(ends[0], ends[1], shares.to(self.device))
            yield from map(picture_bytes, self.generator(walk, noise))

    @property
    def _vae(self) -> Vae:
        own: Vae = self._frozen[0].to(self.device)
        return own

    def _views(self, pictures: Pictures, place: Sequence[float] = (0.5, 0.5)) -> list[View]:
        top, left = place
        return views_of(self._vae, pictures, self.discriminator.levels, (top, left))

    def _drawn(self, source: torch.Generator, count: int) -> Pictures:
        pictures: Tensor = self.generator(self._latents(source, count), self._noise(source, count))
        return pictures

    def _latents(self, source: torch.Generator, count: int) -> Float[Tensor, "batch latents rows columns"]:
        shape = (count, self.generator.spec.latents, LATENT_SIDE, LATENT_SIDE)
        return torch.randn(shape, generator=source).to(self.device)

    def _noise(self, source: torch.Generator, count: int) -> list[Float[Tensor, "batch 1 _ _"]]:
        grids = self.generator.spec.noise_grids(LATENT_SIDE, LATENT_SIDE)
        return [torch.randn(count, 1, *grid, generator=source).to(self.device) for grid in grids]

    def _source(self, name: str, batch: StillBatch | None) -> torch.Generator:
        """Give the batch's own draws: the same after a restart, and on every device."""
        number = 0 if batch is None else int(batch.number[0])
        draw = generator_for(self.config.seed, f"gan.{name}", number)
        return torch.Generator().manual_seed(int(draw.integers(_LARGEST_SEED)))

    def _gathered(self, values: Tensor) -> Tensor:
        """Give what all processes have."""
        gathered: Any = self.all_gather(values)
        return gathered.reshape(-1, *values.shape[1:]) if self.trainer.world_size > 1 else values


def _display(batch: StillBatch) -> Pictures:
    pictures = batch.pictures.float() / 255.0
    return pictures.contiguous(memory_format=torch.channels_last)


def _ratio(pairs: Float[Tensor, "batch 2"]) -> float:
    own, other = pairs.double().mean(dim=0).tolist()
    return float(own / max(other, 1e-6))

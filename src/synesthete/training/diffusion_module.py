"""The model that listens, as Lightning trains it: flow, pressure, and what validation probes."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float
from lightning.pytorch import LightningModule
from torch import Tensor, nn

from synesthete.config.data import share_at
from synesthete.config.diffusion import DiffusionConfig
from synesthete.models.diffusion import Conditions, Diffusion, Manner
from synesthete.models.flow import between, data_at_end, logit_normal
from synesthete.models.vae import Vae
from synesthete.seeding import generator_for
from synesthete.training.auxiliary import Matcher, silence_loss, statistics_loss
from synesthete.training.conditions import hear, heard_rows, silence_of, styled
from synesthete.training.diffusion_probes import Probes
from synesthete.training.items import Batch, style_places
from synesthete.training.optimiser import configured
from synesthete.training.pressure import draw_kinds, hinge, wrong_rows

__all__ = ["DiffusionModule", "compile_blocks"]

_LARGEST_SEED = 2**63
_MOST_SHAPES = 64
"""Blocks are compiled anew where a size is 1, along each axis, and for drawing without gradients."""
_LEAST_DIVERGENCE = 1e-6


class DiffusionModule(LightningModule):
    """Trains the model that listens.

    Parameters
    ----------
    config
        The run.
    model
        The network, with its first weights and scales.
    vae
        The autoencoder whose latents are learned; it is not trained.
    silence
        The Timeline's row in silence, of the model's columns.
    """

    def __init__(
        self, config: DiffusionConfig, model: Diffusion, vae: Vae, silence: Float[Tensor, " columns"]
    ) -> None:
        super().__init__()
        self.config = config
        self.model = model
        self.matcher = Matcher(model.spec.latents, model.spec.condition) if config.losses.matcher else None
        # Not a module of this one: it is neither trained, averaged nor kept.
        self._frozen = (vae.to(memory_format=torch.channels_last),)  # type: ignore[call-overload]
        self._silence = silence
        self._probes = Probes(config.sampling, self.vae)

    @property
    def vae(self) -> Vae:
        """Give the autoencoder."""
        vae: Vae = self._frozen[0]
        return vae

    def configure_optimizers(self) -> Any:
        """Give the optimiser and its schedule."""
        return configured(
            self, self.config.optimiser, steps=self.config.steps, hidden=[self.model.dit.blocks]
        )

    def on_fit_start(self) -> None:
        """Bring along what is no module of this one."""
        self.vae.to(self.device)
        self._silence = self._silence.to(self.device)
        if self.config.compiled:
            compile_blocks(self.model.dit.blocks)

    # Training -----------------------------------------------------------------------------------------

    def training_step(self, batch: Batch, index: int) -> Tensor:
        """Learn the flow, and that wrong audio leads astray."""
        config = self.config
        seen, draws, source, noise = self.begin(batch)
        time = logit_normal(
            torch.randn(len(noise), generator=source, device=self.device),
            mean=config.flow.time_mean, deviation=config.flow.time_deviation,
        )  # fmt: skip
        posterior = self.model.read_style(seen.shown)
        style = posterior.sample(torch.randn(posterior.mean.shape, generator=source, device=self.device))
        manner = self.model.styled(
            style, dropped=self.some(draws, len(noise), config.conditions.p_style_drop)
        )
        deaf = self.some(draws, len(noise), config.conditions.p_audio_drop)
        conditions = Conditions(self.hear(seen.rows, deaf), manner)
        points = between(seen.latents, noise, time)
        velocity = self.model(points, time, conditions).float()
        errors = _errors(velocity, seen.latents - noise)
        parts = {
            "flow": errors.mean(),
            "style": config.conditions.style_divergence * style.shape[1] * posterior.divergence(),
        }
        pressed, wrongs = self._pressed(batch, draws, deaf), {}
        if pressed:
            wrong = self._wrong(seen, pressed, draws)
            under = Conditions(self.hear(wrong), manner.of(pressed))
            bad = _errors(
                self.model(points[pressed], time[pressed], under).float(),
                (seen.latents - noise)[pressed],
            )
            pressure = config.pressure
            variance = float(self.model.spread.square().mean())
            parts["pressure"] = (pressure.weight * len(pressed) / len(noise)) * hinge(
                errors[pressed], bad, time[pressed], margin=variance * pressure.margin, space=pressure.space
            )
            wrongs = {"train/wrong": bad.mean() / errors[pressed].mean()}
        parts |= self._auxiliary(seen, conditions, data_at_end(points, velocity, time), time)
        loss = torch.stack(list(parts.values())).sum()
        self.log_dict(
            {"train/loss": loss, **{f"train/{name}": part for name, part in parts.items()}, **wrongs}
        )
        return loss

    def begin(self, batch: Batch) -> tuple["Seen", np.random.Generator, torch.Generator, Tensor]:
        """See a batch, and give its draws, of numbers and of tensors, and its noise."""
        seen = self.see(batch)
        draws = generator_for(self.config.seed, "diffusion.step", int(batch.number[0]))
        source = torch.Generator(self.device).manual_seed(int(draws.integers(_LARGEST_SEED)))
        noise = torch.randn(seen.latents.shape, generator=source, device=self.device)
        return seen, draws, source, noise

    def _auxiliary(
        self, seen: "Seen", conditions: Conditions, drawn: Tensor, time: Float[Tensor, " clips"]
    ) -> dict[str, Tensor]:
        losses = self.config.losses
        found = {}
        if losses.silence:
            found["silence"] = losses.silence * silence_loss(drawn, seen.latents, seen.silence)
        if losses.statistics:
            # What is drawn out of noise is a mean of many pictures, and rightly pale.
            weight = time.square().repeat_interleave(drawn.shape[1])
            own, true = (self.model.unscaled(clips).flatten(0, 1) for clips in (drawn, seen.latents))
            found["statistics"] = losses.statistics * statistics_loss(self.vae.decoder, own, true, weight)
        if self.matcher is not None:
            both = (self.matcher(clips, conditions.heard) for clips in (seen.latents, drawn))
            found["matcher"] = losses.matcher * torch.stack(list(both)).mean()
        return found

    def _pressed(self, batch: Batch, draws: np.random.Generator, deaf: Bool[Tensor, " clips"]) -> list[int]:
        """Choose the clips that are tried with wrong audio: as many in every batch, but none that is deaf."""
        pressure = self.config.pressure
        if not pressure.weight:
            return []
        number = int(batch.number[0]) // self.config.data.batch_size
        count = round(share_at(pressure.prob, number) * len(deaf))
        order = draws.permutation(len(deaf)).tolist()
        return sorted([clip for clip in order if not deaf[clip]][:count])

    def _wrong(self, seen: "Seen", clips: list[int], draws: np.random.Generator) -> Tensor:
        kinds = draw_kinds(self.config.pressure.negatives, len(clips), draws)
        scaled = self.model.ear.scaled(seen.rows)
        return wrong_rows(seen.rows, scaled, self._silence, clips, kinds)

    def some(self, draws: np.random.Generator, count: int, share: float) -> Bool[Tensor, " clips"]:
        """Choose clips by chance."""
        return torch.from_numpy(draws.random(count) < share).to(self.device)

    # What is seen and heard -----------------------------------------------------------------------------

    @torch.no_grad()
    def see(self, batch: Batch) -> "Seen":
        """Encode a batch, and cut its rows to what its frames hear."""
        data, frames = self.config.data, batch.clip_frames
        partners, places = torch.arange(len(batch.number)) ^ 1, style_places(data)
        if batch.latents.numel():
            latents = self.model.scaled(batch.latents.float())
            own, shown = latents, latents[partners][:, places]
        else:
            # Unless clips were put together otherwise, the partner's show the style: they are encoded once.
            known = torch.equal(batch.style_frames, batch.frames[partners][:, places])
            pictures = batch.frames if known else torch.cat([batch.frames, batch.style_frames], dim=1)
            latents = self.vae.encode(_floats(pictures)).mean.float()
            latents = self.model.scaled(latents).view(*pictures.shape[:2], *latents.shape[1:])
            own = latents[:, :frames]
            shown = latents[partners][:, places] if known else latents[:, frames:]
        rows = heard_rows(self.model, data, batch.rows, frames)
        return Seen(own, shown, rows, silence_of(data, batch.rows, frames))

    def hear(self, rows: Tensor, dropped: Bool[Tensor, " clips"] | None = None) -> Tensor:
        """Hear rows: each frame its own moment, or all the mean of the clip."""
        return hear(self.model, self.config.conditions, rows, dropped)

    # Validation ---------------------------------------------------------------------------------------

    def validation_step(self, batch: Batch, index: int) -> None:
        """Measure what is lost under right and under other audio, and probe what is drawn."""
        seen = self.see(batch)
        other = seen.rows.roll(2, dims=0)
        posterior = self.model.read_style(seen.shown)
        manner = self._manner(posterior.mean)
        noise = self._noise(batch, seen)
        time = torch.linspace(0.1, 0.9, len(noise), device=self.device)
        points = between(seen.latents, noise, time)
        good, bad = (
            _errors(
                self.model(points, time, Conditions(self.hear(rows), manner)).float(), seen.latents - noise
            ).mean()
            for rows in (seen.rows, other)
        )
        figures = {"flow": good, "wrong": bad / good.clamp(min=_LEAST_DIVERGENCE)}
        figures["style_divergence"] = posterior.divergence() * posterior.mean.shape[1]
        self.log_dict(
            {f"validation/{name}": value for name, value in figures.items()},
            sync_dist=True, batch_size=len(noise),
        )  # fmt: skip
        if index < self.config.sampling.batches:
            drawn = [
                self.model.unscaled(self._probes.draw(self.model, noise, Conditions(self.hear(rows), manner)))
                for rows in (seen.rows, other)
            ]
            self._probes.add(_floats(batch.frames), drawn[0], drawn[1], seen.silence)

    def on_validation_epoch_end(self) -> None:
        """Log what the probes found."""
        self.log_dict(
            {f"validation/{name}": value for name, value in self._probes.figures(self.all_gather).items()},
            sync_dist=True,
        )

    @torch.no_grad()
    def draw(self, batch: Batch) -> Float[Tensor, "clips frames 3 height width"]:
        """Draw a batch anew: to its music, in its style."""
        seen = self.see(batch)
        manner = self._manner(self.model.read_style(seen.shown).mean)
        noise = self._noise(batch, seen)
        drawn = self._probes.draw(self.model, noise, Conditions(self.hear(seen.rows), manner))
        pictures = self.vae.decode(self.model.unscaled(drawn).flatten(0, 1)).float()
        return pictures.view(*drawn.shape[:2], *pictures.shape[1:])

    def _manner(self, read: Float[Tensor, "clips size"]) -> Manner:
        return styled(self.model, self.config.conditions, self.model.styles.standard(read))

    def _noise(self, batch: Batch, seen: "Seen") -> Tensor:
        draws = generator_for(self.config.seed, "diffusion.validation", int(batch.number[0]))
        source = torch.Generator(self.device).manual_seed(int(draws.integers(_LARGEST_SEED)))
        return torch.randn(seen.latents.shape, generator=source, device=self.device)


class Seen(NamedTuple):
    """A batch as the model has it.

    Attributes
    ----------
    latents
        Scaled, of the clips.
    shown
        Scaled, of the frames that show the style.
    rows
        What the clips hear: from `RowEncoder.reach` rows before the first frame's own to as many after the
        last one's.
    silence
        At each frame, 0-1.
    """

    latents: Float[Tensor, "clips frames latents h w"]
    shown: Float[Tensor, "clips shown latents h w"]
    rows: Float[Tensor, "clips rows columns"]
    silence: Float[Tensor, "clips frames"]


def compile_blocks(blocks: Iterable[nn.Module]) -> None:
    """Compile blocks for pictures of any shape: all share what one of them has compiled."""
    torch._dynamo.config.recompile_limit = _MOST_SHAPES
    for block in blocks:
        block.compile(dynamic=True)


def _errors(velocity: Tensor, truth: Tensor) -> Float[Tensor, " clips"]:
    return (velocity - truth).square().mean(dim=(1, 2, 3, 4))


def _floats(frames: Tensor) -> Float[Tensor, "frames 3 height width"]:
    pictures = frames.flatten(0, 1).float() / 255.0
    return pictures.contiguous(memory_format=torch.channels_last)

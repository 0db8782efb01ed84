"""What the model that listens dreams: planned for a whole song, sampled block by block.

The plan says for every latent frame what is heard around it, and its style; its noise follows from the seed
and its number. A block is sampled jointly with some frames before and after it, which are then left out: near
its ends they see what the neighbouring blocks see there, so that blocks meet. None waits for another.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from typing import Any, Final

import numpy as np
import torch
from jaxtyping import Float, Float32, Int64
from torch import Tensor

from synesthete.audio.timeline import Timeline
from synesthete.clock import Clock
from synesthete.config.dream import MAX_GUIDANCE_SCALE, DiffusionLook
from synesthete.files import code_digest, digest_bytes, digest_json
from synesthete.generators.base import Trajectory
from synesthete.generators.blocks import BlockStore
from synesthete.generators.dream_hearing import heard_rows
from synesthete.generators.dream_style import base_style, directions
from synesthete.generators.networks import Networks
from synesthete.generators.threads import single_threaded
from synesthete.models.diffusion import Conditions
from synesthete.models.flow import Guidance
from synesthete.seeding import generator_for

__all__ = ["BLOCK", "CONTEXT", "Dreamer", "frame_noise"]

BLOCK: Final = 64
"""Latent frames of a block: 4.3 s at 15 frames a second."""

CONTEXT: Final = 16
"""Latent frames that are sampled with a block on either side, and left out."""

_HEARD, _STYLE = "heard", "style"
_ROWS: Final = 16


@dataclass(frozen=True)
class Dreamer:
    """Plans and samples latents.

    Attributes
    ----------
    look
        How the model is asked to draw.
    networks
        What draws.
    store
        Keeps blocks.
    device
        Where to compute.
    dtype
        The type of matrix products.
    block, context
        Latent frames of a block, and those that are sampled with it on either side, and left out.
    """

    look: DiffusionLook
    networks: Networks
    store: BlockStore
    device: torch.device
    dtype: torch.dtype = torch.float32
    block: int = BLOCK
    context: int = CONTEXT

    def with_dtype(self, dtype: torch.dtype) -> "Dreamer":
        """Give the same dreamer with another type of products."""
        return replace(self, dtype=dtype)

    def plan(
        self,
        timeline: Timeline,
        style_curve: Float[np.ndarray, "frames style"],
        moments: Float[np.ndarray, " frames"],
        seed: int,
    ) -> dict[str, Float32[np.ndarray, "..."]]:
        """Say what every latent frame is sampled from: a Trajectory's tables.

        Parameters
        ----------
        style_curve
            The preset's style at the moments.
        moments
            Of the pictures, seconds, ascending.

        Raises
        ------
        ConfigError
            If the song lacks a column that the model hears, or the pretrained network whose numbers it
            hears can't be loaded.
        """
        spec = self.networks.model.spec
        # One more than the last picture needs, for pictures lie between two.
        count = -(-(int(moments[-1] * spec.frame_rate) + 2) // _ROWS) * _ROWS
        at = Clock(Fraction(spec.frame_rate)).moments(0, count)
        curve = np.stack([np.interp(at, moments, axis) for axis in style_curve.T], 1).astype(np.float32)
        own = base_style(self.look, self.networks, seed).numpy()
        reach, each = self._reach, spec.rows_per_frame
        return {
            _HEARD: heard_rows(
                timeline, self.networks, Fraction(spec.frame_rate * each),
                -reach, each * (count - 1) + 1 + reach, store=self.store, device=self.device,
            ),
            _STYLE: own + self.look.style_reach * (curve @ directions(spec.style_size)),
        }  # fmt: skip

    def latents(
        self, trajectory: Trajectory, frames: Int64[np.ndarray, " n"]
    ) -> Float32[np.ndarray, "n latents h w"]:
        """Give latents of a plan by their numbers; blocks that they lie in are sampled where none is kept."""
        numbers = sorted({*(frames // self.block).tolist()})
        blocks = {number: self._block(trajectory, number) for number in numbers}
        return np.stack([blocks[frame // self.block][frame % self.block] for frame in frames.tolist()])

    def _block(self, trajectory: Trajectory, number: int) -> Float32[np.ndarray, "frames latents h w"]:
        count = len(trajectory.tables[_STYLE])
        start, stop = number * self.block, min((number + 1) * self.block, count)
        first, last = max(0, start - self.context), min(stop + self.context, count)
        each = self.networks.model.spec.rows_per_frame
        rows = np.asarray(trajectory.tables[_HEARD][each * first : each * (last - 1) + 1 + 2 * self._reach])
        styles = np.asarray(trajectory.tables[_STYLE][first:last])
        seed, grid = int(trajectory.fixed["seed"]), trajectory.fixed["grid"]
        key = digest_json(
            {
                **self._identity(), "seed": seed, "grid": list(grid), "frames": [first, start, stop, last],
                "heard": digest_bytes(rows.tobytes()), "style": digest_bytes(styles.tobytes()),
            }
        )  # fmt: skip

        def sampled() -> Float32[np.ndarray, "frames latents h w"]:
            noise = frame_noise(seed, range(first, last), (self.networks.vae.spec.latents, *grid))
            return self._sampled(rows, styles, noise)[start - first : stop - first]

        return self.store.get(key, sampled)

    def _sampled(self, rows: np.ndarray, styles: np.ndarray, noise: np.ndarray) -> np.ndarray:
        model, look = self.networks.model, self.look
        # The last bits of products depend on the threads.
        with torch.no_grad(), single_threaded(), self._typed():
            heard, style, points = (
                torch.from_numpy(np.array(values))[None].to(self.device) for values in (rows, styles, noise)
            )
            drawn = model.sample(
                points,
                Conditions(model.hear(heard), model.styled(model.styles(style))),
                guidance=self.guidance,
                steps=self.steps,
                shift=look.shift,
                solver=look.solver,
            )
            own: Tensor = model.unscaled(drawn)
        latents: np.ndarray = own[0].float().cpu().numpy()
        return latents

    @property
    def guidance(self) -> Guidance:
        """Say how strongly it follows the music and the style: as the look says, or as it was validated."""
        look, usual = self.look, self.networks.sampling
        audio, style = look.audio_guidance_scale, look.style_guidance_scale
        if audio is None:
            audio = min(MAX_GUIDANCE_SCALE, look.audio_guidance_factor * usual.audio_guidance)
        return Guidance(
            audio, usual.style_guidance if style is None else style,
            *look.guidance_interval, rescale=look.guidance_rescale,
        )  # fmt: skip

    @property
    def steps(self) -> int:
        """Count the steps from noise to latents."""
        return self.look.steps or self.networks.sampling.steps

    def _typed(self) -> torch.autocast:
        return torch.autocast(self.device.type, self.dtype, enabled=self.dtype is not torch.float32)

    def _identity(self) -> Mapping[str, Any]:
        """Give all that blocks of any song follow from."""
        look = self.look.model_dump(mode="json", include=_SAMPLED_BY)
        return {
            "code": code_digest(),
            "torch": [torch.__version__, torch.backends.cpu.get_cpu_capability()],
            "path": [self.device.type, str(self.dtype)],
            "weights": self.networks.digests["weights"],
            "look": {**look, "steps": self.steps, "guidance": asdict(self.guidance)},
        }

    @property
    def _reach(self) -> int:
        """Count the rows that a frame hears on each side."""
        return int(self.networks.model.ear.reach)


_SAMPLED_BY: Final = {"shift", "solver"}
"""Fields of a look by which plans are sampled, besides steps and guidance; the others are in the plans."""


def frame_noise(
    seed: int, frames: range, shape: tuple[int, int, int]
) -> Float32[np.ndarray, "frames latents h w"]:
    """Draw the noise of latent frames: of each by its own number, so that longer films begin alike."""
    drawn = [generator_for(seed, "diffusion.noise", frame).standard_normal(shape) for frame in frames]
    return np.stack(drawn).astype(np.float32)

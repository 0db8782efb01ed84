"""The diffusion generator: a trained model listens, and dreams latents; a field decoder draws them.

Latents are on the model's own clock, and sampled in blocks, as `frames` needs them; it moves along them in
straight lines, and draws any moment at any size.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from synesthete.clock import film_clock
from synesthete.config.decoder import Decoder
from synesthete.config.dream import DiffusionLook
from synesthete.generators.base import Size, Trajectory
from synesthete.generators.blocks import BlockStore
from synesthete.generators.control import Signals
from synesthete.generators.cppn import HALF_PRECISION_PSNR_DB, Precision
from synesthete.generators.decoders import Drawing, OnnxDecoder, PictureDecoder, TorchDecoder
from synesthete.generators.dream_grid import latent_grid
from synesthete.generators.dreamer import Dreamer, frame_noise
from synesthete.generators.fuse import Fuser
from synesthete.generators.networks import Networks
from synesthete.generators.threads import single_threaded
from synesthete.models.batches import BatchSize, in_batches
from synesthete.models.precision import sampling_dtype

__all__ = ["DiffusionGenerator"]

_PLACE = "latent"
_SAMPLES: Final = 2
_CALIBRATION_SIDE: Final = 256


class DiffusionGenerator:
    """Draws a preset of the model that listens.

    Parameters
    ----------
    look
        How the model is asked to draw.
    networks
        What draws.
    fuser
        Compiles kernels, or says that it can't.
    blocks
        Keeps what was sampled; by default in memory.
    aspect
        Width over height of the film: latents are drawn for it. Pictures of any other shape show the middle.
    device
        Where to compute.
    precision
        Of the decoder's trunk; ``auto`` takes half precision where it is accurate enough.
    decoding
        What decodes latents, and how many at a time.
    graphs
        Folder that keeps ONNX graphs; by default they are in memory.

    Attributes
    ----------
    dreamer
        Samples the latents that it draws.

    Raises
    ------
    ConfigError
        If pictures are too long for the model, or ONNX Runtime is asked for and missing.
    """

    name = "diffusion"

    def __init__(
        self,
        look: DiffusionLook,
        networks: Networks,
        fuser: Fuser,
        *,
        blocks: BlockStore | None = None,
        aspect: float = 16 / 9,
        device: torch.device | str = "cpu",
        precision: Precision = "auto",
        decoding: Decoder | None = None,
        graphs: Path | None = None,
    ) -> None:
        networks.model.to(device)
        self._networks = networks
        self.dreamer = Dreamer(look, networks, blocks or BlockStore(), torch.device(device))
        self._fuser = fuser
        self._grid = latent_grid(aspect)
        self._device = torch.device(device)
        self._precision = precision
        self._decoding = decoding or Decoder()
        self._decoder: PictureDecoder = (
            TorchDecoder(networks.vae.decoder, torch.float32, self._device)
            if self._decoding.runtime == "torch"
            else OnnxDecoder(
                networks.vae,
                networks.digests["vae"],
                graphs,
                provider=self._decoding.execution_provider,
            )
        )
        self._exact = self._decoder
        self._batches: dict[Size, BatchSize] = {}

    # Plan ---------------------------------------------------------------------------------------------

    def score(
        self, signals: Signals, style_curve: Float[np.ndarray, "frames style"], seed: int
    ) -> Trajectory:
        """Plan what is dreamt, and say where among the latents each frame lies.

        Raises
        ------
        ConfigError
            If the song lacks a column that the model hears, or the pretrained network whose numbers it
            hears can't be loaded.
        """
        if signals.timeline is None:
            raise ValueError("the model listens to the Timeline's rows, but there is no Timeline")
        moments = film_clock(signals.frame_rate, signals.shutter).moments(0, signals.frames)
        tables = self.dreamer.plan(signals.timeline, style_curve, moments, seed)
        rows = (moments * self._networks.model.spec.frame_rate)[:, None].astype(np.float32)
        fixed = {"generator": self.name, "seed": seed, "grid": list(self._grid)}
        return Trajectory(rows, (_PLACE,), {**fixed, "networks": self._networks.digests}, tables)

    # Draw ---------------------------------------------------------------------------------------------

    def prepare(self, trajectory: Trajectory, size: Size) -> str:
        """Choose and warm up the numeric path for a film of this size; give its name."""
        exact = self._precision == "float32"
        self.dreamer = self.dreamer.with_dtype(torch.float32 if exact else sampling_dtype(self._device))
        if isinstance(self._exact, TorchDecoder):
            with torch.no_grad(), single_threaded():
                self._decoder = self._calibrated(self._exact, size)
                if self._fuser.available:
                    self._decoder.fuse(self._fuser)
        return f"{self._decoder.name}-dreamt-{str(self.dreamer.dtype).removeprefix('torch.')}"

    def frames(
        self, trajectory: Trajectory, start: int, stop: int, size: Size
    ) -> Iterator[Float[Tensor, "3 height width"]]:
        """Draw frames ``start`` to ``stop`` (exclusive): display RGB, 0-1; see `Generator.frames`."""
        decoder = self._decoder
        # A new picture for every frame would cost more in page faults than in arithmetic.
        picture = torch.empty(3, size.height, size.width, device=self._device)
        batch = self._batches.setdefault(size, BatchSize(decoder.batch(self._decoding.batch_size, size)))

        def decoded(wanted: range, whole: range) -> tuple[int, Drawing]:
            made = whole if decoder.whole else wanted
            with torch.no_grad(), single_threaded():
                return made.start, decoder.decode(self._latents(trajectory, made), size)

        for wanted, (first, draw) in in_batches(start, stop, batch, decoded):
            for frame in wanted:
                with torch.no_grad(), single_threaded():
                    draw(frame - first, picture)
                yield picture

    def _latents(self, trajectory: Trajectory, numbers: range) -> Float[Tensor, "frames latents h w"]:
        """Give the latents of frames; beyond the last one, its own."""
        frames = np.minimum(np.array(numbers), trajectory.frames - 1)
        places = np.asarray(trajectory.rows[frames, 0])
        before = places.astype(np.int64)
        one, other = (torch.from_numpy(self.dreamer.latents(trajectory, before + k)) for k in range(2))
        share = torch.from_numpy(places - before.astype(np.float32))[:, None, None, None]
        return torch.lerp(one, other, share)

    # Numeric path ---------------------------------------------------------------------------------------

    def _calibrated(self, exact: TorchDecoder, size: Size) -> TorchDecoder:
        """Take half precision only where calibration frames agree with float32 at 40 dB or more."""
        own = TorchDecoder(self._networks.vae.decoder, torch.float32, self._device)
        if self._precision == "float32":
            return own
        half = {"float16": torch.float16}.get(self._precision, torch.bfloat16)
        if self._precision == "auto" and self._device.type == "cuda":
            half = torch.float16
        scale = min(1.0, _CALIBRATION_SIDE / size.short)
        small = Size(max(2, round(size.width * scale)), max(2, round(size.height * scale)))
        rough = TorchDecoder(self._networks.vae.decoder, half, self._device)
        pictures = [self._samples(decoder, small) for decoder in (exact, rough)]
        error = float((pictures[0] - pictures[1]).square().mean())
        return rough if error <= 10 ** (-HALF_PRECISION_PSNR_DB / 10) else own

    def _samples(self, decoder: TorchDecoder, size: Size) -> Tensor:
        """Draw noise: there is no livelier picture."""
        model = self._networks.model
        noise = frame_noise(0, range(_SAMPLES), (model.spec.latents, *self._grid))
        draw = decoder.decode(model.unscaled(torch.from_numpy(noise).to(self._device)), size)
        drawn = torch.empty(_SAMPLES, 3, size.height, size.width, device=self._device)
        for place, picture in enumerate(drawn):
            draw(place, picture)
        return drawn

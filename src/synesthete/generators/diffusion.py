"""The diffusion generator: a trained model listens, and dreams latents; a field decoder draws them.

Latents are on the model's own clock, and sampled in blocks, as `frames` needs them; it moves along them in
straight lines, and draws any moment at any size.
"""

import copy
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from synesthete.clock import film_clock
from synesthete.config.dream import DiffusionLook
from synesthete.generators.base import Size, Trajectory
from synesthete.generators.blocks import BlockStore
from synesthete.generators.control import Signals
from synesthete.generators.cppn import HALF_PRECISION_PSNR_DB, Precision
from synesthete.generators.dream_grid import latent_grid, shown_of
from synesthete.generators.dreamer import Dreamer, frame_noise
from synesthete.generators.fuse import Fuser, Kernel
from synesthete.generators.networks import Networks
from synesthete.generators.threads import single_threaded
from synesthete.models.field import FieldDecoder, draw_cells
from synesthete.models.precision import sampling_dtype

__all__ = ["DiffusionGenerator"]

_PLACE = "latent"
_PAIR: Final = 2
_CALIBRATION_SIDE: Final = 256
_EXAMPLE_CELLS: Final = (13, 101)


@dataclass(frozen=True)
class _Path:
    """How pictures are computed: a decoder, the type of its trunk, and the cells' kernel, if it is fused."""

    decoder: FieldDecoder
    dtype: torch.dtype
    kernel: Kernel | None = None


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

    Attributes
    ----------
    dreamer
        Samples the latents that it draws.

    Raises
    ------
    ConfigError
        If pictures are too long for the model.
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
    ) -> None:
        networks.model.to(device)
        self._networks = networks
        self.dreamer = Dreamer(look, networks, blocks or BlockStore(), torch.device(device))
        self._fuser = fuser
        self._grid = latent_grid(aspect)
        self._device = torch.device(device)
        self._precision = precision
        self._exact = _decoder(networks.vae.decoder, torch.float32, self._device)
        self._path = _Path(self._exact, torch.float32)

    # Plan ---------------------------------------------------------------------------------------------

    def score(
        self, signals: Signals, style_curve: Float[np.ndarray, "frames style"], seed: int
    ) -> Trajectory:
        """Plan what is dreamt, and say where among the latents each frame lies.

        Raises
        ------
        ConfigError
            If the song lacks a column that the model hears.
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
        with torch.no_grad(), single_threaded():
            self._path = _Path(self._exact, torch.float32)
            self._path = self._calibrated(size)
            if self._fuser.available:
                self._path = replace(self._path, kernel=self._compiled())
        kernels = "eager" if self._path.kernel is None else "fused"
        drawn, dreamt = (
            str(dtype).removeprefix("torch.") for dtype in (self._path.dtype, self.dreamer.dtype)
        )
        return f"{kernels}-{drawn}-{self._device.type}-dreamt-{dreamt}"

    def frames(
        self, trajectory: Trajectory, start: int, stop: int, size: Size
    ) -> Iterator[Float[Tensor, "3 height width"]]:
        """Draw frames ``start`` to ``stop`` (exclusive): display RGB, 0-1; see `Generator.frames`."""
        path = self._path
        # A new picture for every frame would cost more in page faults than in arithmetic.
        picture = torch.empty(3, size.height, size.width, device=self._device)
        pair, features = -1, picture
        for frame in range(start, stop):
            with torch.no_grad(), single_threaded():
                if frame // _PAIR != pair:
                    pair = frame // _PAIR
                    features = self._features(path, trajectory, pair)
                self._draw(path, features[frame % _PAIR][None], size, picture)
            yield picture

    def _features(self, path: _Path, trajectory: Trajectory, pair: int) -> Tensor:
        """Give the features of two frames: of a batch of one, convolutions give other last bits."""
        frames = np.minimum(_PAIR * pair + np.arange(_PAIR), trajectory.frames - 1)
        places = np.asarray(trajectory.rows[frames, 0])
        before = places.astype(np.int64)
        one, other = (torch.from_numpy(self.dreamer.latents(trajectory, before + k)) for k in range(2))
        share = torch.from_numpy(places - before.astype(np.float32))[:, None, None, None]
        latents = torch.lerp(one, other, share).to(self._device, memory_format=torch.channels_last)
        return path.decoder.features(latents)

    def _draw(
        self, path: _Path, features: Float[Tensor, "1 rows columns features"], size: Size, picture: Tensor
    ) -> None:
        wanted = (size.width, size.height)
        # The grid that the latents are of: a Trajectory may be of another shape than this generator's films.
        grid = (features.shape[1], features.shape[2])
        kernel = None if path.kernel is None else self._with_colours(path)
        for top, band in path.decoder.bands(features, wanted, shown=shown_of(wanted, grid), kernel=kernel):
            picture[:, top : top + band.shape[1]] = band

    # Numeric path ---------------------------------------------------------------------------------------

    def _with_colours(self, path: _Path) -> Kernel:
        """Give the kernel what the decoder's own would know: its last layer."""
        assert path.kernel is not None
        kernel, out = path.kernel, path.decoder.out.weight
        return lambda *tensors: kernel(*tensors, out)

    def _calibrated(self, size: Size) -> _Path:
        """Take half precision only where calibration frames agree with float32 at 40 dB or more."""
        if self._precision == "float32":
            return self._path
        half = {"float16": torch.float16}.get(self._precision, torch.bfloat16)
        if self._precision == "auto" and self._device.type == "cuda":
            half = torch.float16
        scale = min(1.0, _CALIBRATION_SIDE / size.short)
        small = Size(max(2, round(size.width * scale)), max(2, round(size.height * scale)))
        rough = _Path(_decoder(self._networks.vae.decoder, half, self._device), half)
        pictures = [self._samples(path, small) for path in (self._path, rough)]
        error = float((pictures[0] - pictures[1]).square().mean())
        return rough if error <= 10 ** (-HALF_PRECISION_PSNR_DB / 10) else self._path

    def _samples(self, path: _Path, size: Size) -> Tensor:
        """Draw noise: there is no livelier picture."""
        model = self._networks.model
        noise = frame_noise(0, range(_PAIR), (model.spec.latents, *self._grid))
        latents = model.unscaled(torch.from_numpy(noise).to(self._device))
        features = path.decoder.features(latents.contiguous(memory_format=torch.channels_last))
        drawn = torch.empty(_PAIR, 3, size.height, size.width, device=self._device)
        for own, picture in zip(features, drawn, strict=True):
            self._draw(path, own[None], size, picture)
        return drawn

    def _compiled(self) -> Kernel | None:
        """Compile the coordinate network; its numbers are passed, so that other weights need no other one."""
        features = self._path.decoder.hidden.weight.shape[0]
        rows, columns = _EXAMPLE_CELLS
        # Tracing takes sizes that are equal in the example for equal always.
        columns += columns == features
        make = partial(torch.zeros, device=self._device)
        out = self._path.decoder.out.weight
        return self._fuser.fuse(
            ("field cells", features),
            draw_cells,
            make(1, rows, columns, features),
            make(1, rows, columns, len(out)),
            make(1, rows, 1, features),
            make(1, features, features).transpose(1, 2),
            make(1, 1, features),
            out,
        )


def _decoder(decoder: FieldDecoder, dtype: torch.dtype, device: torch.device) -> FieldDecoder:
    """Give a decoder of one's own whose trunk computes in a type."""
    own = copy.deepcopy(decoder).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    own.trunk.to(dtype)
    found: FieldDecoder = own
    return found

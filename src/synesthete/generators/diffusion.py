"""The diffusion generator: a trained model listens, and dreams latents; a field decoder draws them.

`score` samples the latents of the whole clip in one window, on the model's own clock: noise is a function of
the seed and of each latent frame's number, and what is heard around every frame, and the style, make latents
of it. `frames` moves along them in straight lines, and draws any moment at any size.
"""

import copy
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from typing import Final

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor

from synesthete.audio.around import rows_around
from synesthete.audio.timeline import Timeline
from synesthete.clock import Clock, film_clock, format_duration
from synesthete.config.dream import DiffusionLook
from synesthete.errors import ConfigError
from synesthete.generators.base import Size, Trajectory
from synesthete.generators.control import Signals
from synesthete.generators.cppn import HALF_PRECISION_PSNR_DB, Precision
from synesthete.generators.dream_grid import latent_grid, shown_of
from synesthete.generators.dream_style import base_style, directions
from synesthete.generators.fuse import Fuser, Kernel
from synesthete.generators.networks import Networks
from synesthete.generators.threads import single_threaded
from synesthete.models.diffusion import Conditions
from synesthete.models.field import FieldDecoder, draw_cells
from synesthete.models.flow import Guidance
from synesthete.seeding import generator_for

__all__ = ["MOST_SECONDS", "DiffusionGenerator", "frame_noise"]

MOST_SECONDS: Final = 40
"""The longest song that is dreamt in one piece: its memory grows with its length."""

_LATENTS, _PLACE = "latents", "latent"
_ROWS: Final = 16
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
    aspect
        Width over height of the film: latents are drawn for it. Pictures of any other shape show the middle.
    device
        Where to compute.
    precision
        Of the decoder's trunk; ``auto`` takes half precision where it is accurate enough.

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
        aspect: float = 16 / 9,
        device: torch.device | str = "cpu",
        precision: Precision = "auto",
    ) -> None:
        self._look = look
        self._networks = networks
        self._model = networks.model.to(device)
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
        """Dream the latents of the whole clip, and say where among them each frame lies.

        Raises
        ------
        ConfigError
            If the song is longer than `MOST_SECONDS`, or lacks a column that the model hears.
        """
        timeline = signals.timeline
        if timeline is None:
            raise ValueError("the model listens to the Timeline's rows, but there is no Timeline")
        self._check(timeline)
        rate = self._model.spec.frame_rate
        moments = film_clock(signals.frame_rate, signals.shutter).moments(0, signals.frames)
        # One more than the last frame needs, for frames lie between two; a whole number of rows of products.
        count = -(-(int(moments[-1] * rate) + 2) // _ROWS) * _ROWS
        at = Clock(Fraction(rate)).moments(0, count)
        curve = np.stack([np.interp(at, moments, axis) for axis in style_curve.T], 1)
        with torch.no_grad(), single_threaded():  # the last bits of products depend on the threads
            latents = self._dreamt(timeline, curve, seed)
        rows = (moments * rate)[:, None].astype(np.float32)
        fixed = {"generator": self.name, "seed": seed, "networks": self._networks.digests}
        return Trajectory(rows, (_PLACE,), fixed, {_LATENTS: latents})

    def _check(self, timeline: Timeline) -> None:
        if timeline.duration > MOST_SECONDS:
            raise ConfigError(
                f"the song lasts {format_duration(timeline.duration)}, and the generator diffusion draws at "
                f"most {MOST_SECONDS} s; pass --start and --end, or choose a preset of another generator"
            )
        missing = [name for name in self._model.spec.columns if name not in timeline.names]
        if missing:
            raise ConfigError(
                f"diffusion.weights hear {missing[0]!r}, which is no column of this song's Timeline; name "
                "weights that hear what there is"
            )

    def _dreamt(
        self, timeline: Timeline, curve: Float[np.ndarray, "frames style"], seed: int
    ) -> Float32[np.ndarray, "frames latents h w"]:
        """Sample the latents of all moments in one window."""
        model, look, spec = self._model, self._look, self._model.spec
        frames, each, reach = len(curve), spec.rows_per_frame, model.ear.reach
        rows = rows_around(
            timeline, spec.columns, Fraction(spec.frame_rate * each), -reach, each * (frames - 1) + 1 + reach
        )
        style = base_style(look, self._networks, seed).numpy() + look.style_reach * (
            curve.astype(np.float32) @ directions(spec.style_size)
        )
        noise = frame_noise(seed, range(frames), (spec.latents, *self._grid))
        heard, styles, points = (
            torch.from_numpy(values)[None].to(self._device) for values in (rows, style, noise)
        )
        conditions = Conditions(model.hear(heard), model.styled(styles))
        drawn = model.sample(
            points,
            conditions,
            guidance=Guidance(
                audio=look.audio_guidance_scale,
                style=look.style_guidance_scale,
                start=look.guidance_interval[0],
                stop=look.guidance_interval[1],
                rescale=look.guidance_rescale,
            ),
            steps=look.steps,
            shift=look.shift,
            solver=look.solver,
        )
        latents: np.ndarray = model.unscaled(drawn)[0].cpu().numpy()
        return latents

    # Draw ---------------------------------------------------------------------------------------------

    def prepare(self, trajectory: Trajectory, size: Size) -> str:
        """Choose and warm up the numeric path for a film of this size; give its name."""
        with torch.no_grad(), single_threaded():
            self._path = _Path(self._exact, torch.float32)
            self._path = self._calibrated(trajectory, size)
            if self._fuser.available:
                self._path = replace(self._path, kernel=self._compiled(trajectory))
        kernels = "eager" if self._path.kernel is None else "fused"
        return f"{kernels}-{str(self._path.dtype).removeprefix('torch.')}-{self._device.type}"

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
        table = trajectory.tables[_LATENTS]
        one, other = (torch.from_numpy(np.array(table[before + k])) for k in range(2))
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

    def _calibrated(self, trajectory: Trajectory, size: Size) -> _Path:
        """Take half precision only where calibration frames agree with float32 at 40 dB or more."""
        if self._precision == "float32":
            return self._path
        half = {"float16": torch.float16}.get(self._precision, torch.bfloat16)
        if self._precision == "auto" and self._device.type == "cuda":
            half = torch.float16
        scale = min(1.0, _CALIBRATION_SIDE / size.short)
        small = Size(max(2, round(size.width * scale)), max(2, round(size.height * scale)))
        rough = _Path(_decoder(self._networks.vae.decoder, half, self._device), half)
        pictures = [self._samples(path, trajectory, small) for path in (self._path, rough)]
        error = float((pictures[0] - pictures[1]).square().mean())
        return rough if error <= 10 ** (-HALF_PRECISION_PSNR_DB / 10) else self._path

    def _samples(self, path: _Path, trajectory: Trajectory, size: Size) -> Tensor:
        """Draw the brightest frame of each third of the film: errors don't show in the dark."""
        table = torch.from_numpy(np.array(trajectory.tables[_LATENTS]))
        light = self._exact.base(table.to(self._device)).mean(dim=(1, 2, 3)).cpu().numpy()
        at = light[np.asarray(trajectory.rows[:, 0]).astype(np.int64)]
        drawn = []
        for part in np.array_split(np.arange(trajectory.frames), 3):
            if len(part):
                frame = int(part[np.argmax(at[part])])
                picture = torch.empty(3, size.height, size.width, device=self._device)
                features = self._features(path, trajectory, frame // _PAIR)
                self._draw(path, features[frame % _PAIR][None], size, picture)
                drawn.append(picture)
        return torch.stack(drawn)

    def _compiled(self, trajectory: Trajectory) -> Kernel | None:
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


def frame_noise(
    seed: int, frames: range, shape: tuple[int, int, int]
) -> Float32[np.ndarray, "frames latents h w"]:
    """Draw the noise of latent frames: of each by its own number, so that longer films begin alike."""
    drawn = [generator_for(seed, "diffusion.noise", frame).standard_normal(shape) for frame in frames]
    return np.stack(drawn).astype(np.float32)


def _decoder(decoder: FieldDecoder, dtype: torch.dtype, device: torch.device) -> FieldDecoder:
    """Give a decoder of one's own whose trunk computes in a type."""
    own = copy.deepcopy(decoder).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    own.trunk.to(dtype)
    found: FieldDecoder = own
    return found

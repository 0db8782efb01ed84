"""The generator gan: films that walk among the latents of a generator of pictures.

Every frame is drawn on the network's own grid, and enlarged or reduced to the film's size.
"""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor, nn

from synesthete.config.decoder import Decoder
from synesthete.config.gan_look import MOST_ANCHORS, GanLook
from synesthete.generators.anchors import anchor_bank
from synesthete.generators.base import Size, Trajectory
from synesthete.generators.blocks import BlockStore
from synesthete.generators.control import Signals
from synesthete.generators.cppn import HALF_PRECISION_PSNR_DB, Precision
from synesthete.generators.drawers import Drawer, OnnxDrawer, TorchDrawer
from synesthete.generators.latent_control import AXES, WANDERS, plan_latents
from synesthete.generators.latents import Material, latents_of, wander_noises
from synesthete.generators.networks import GanNetwork
from synesthete.generators.threads import single_threaded
from synesthete.generators.walk_grid import walk_grid, without_margin
from synesthete.models.batches import BatchSize, in_batches
from synesthete.models.gan import noise_maps
from synesthete.seeding import MAX_SEED, generator_for

__all__ = ["WalkGenerator"]

_ANCHORS, _AXES, _NOISES = "anchors", "axes", "noises"
_GRAIN: Final = "grain"
_LIGHT: Final = "light"
_PAIR: Final = 2


class WalkGenerator:
    """Draws a preset of the generator of pictures.

    Parameters
    ----------
    look
        How its latents are walked through.
    network
        What draws.
    anchors
        Keeps the anchors that were found; by default in memory.
    aspect
        Width over height of the film: latents are of that shape. Pictures of any other shape show the middle.
    device
        Where PyTorch computes: it finds the anchors, whatever draws.
    precision
        Of PyTorch's network; ``auto`` takes half precision where it is accurate enough.
    decoding
        What draws, and how many frames at a time, at most; on a processor always two, that fit its cache.
    graphs
        Folder that keeps ONNX graphs; by default they are in memory.

    Raises
    ------
    ConfigError
        If pictures are too long, or ONNX Runtime is asked for and missing.
    """

    name = "gan"

    def __init__(
        self,
        look: GanLook,
        network: GanNetwork,
        *,
        anchors: BlockStore | None = None,
        aspect: float = 16 / 9,
        device: torch.device | str = "cpu",
        precision: Precision = "auto",
        decoding: Decoder | None = None,
        graphs: Path | None = None,
    ) -> None:
        self._look, self._device = look, torch.device(device)
        self._network = copy.deepcopy(network.generator).to(self._device)
        self._digests = network.digests
        decoding = decoding or Decoder()
        self._exact = (
            TorchDrawer(self._network, torch.float32, self._device)
            if decoding.runtime == "torch"
            else OnnxDrawer(network, graphs, provider=decoding.execution_provider)
        )
        self._drawer: Drawer = self._exact
        self._store = anchors or BlockStore()
        self._grid = walk_grid(aspect, look.latents)
        self._precision = precision
        # Of a batch of one, convolutions give other last bits.
        self._batch = BatchSize(max(_PAIR, decoding.batch_size) if self._exact.batches else _PAIR)
        self._noise: dict[tuple[int, int, int], tuple[list[Tensor], list[Tensor]]] = {}

    # Plan ---------------------------------------------------------------------------------------------

    def score(
        self, signals: Signals, style_curve: Float[np.ndarray, "frames style"], seed: int
    ) -> Trajectory:
        """Plan what becomes of the latents; find the anchors, if they aren't known yet."""
        look, spec = self._look, self._network.spec
        bank = anchor_bank(
            self._network, self._digests["weights"], self._grid, self._store, device=self._device
        )
        own = seed if look.anchor_seed is None else look.anchor_seed
        pack = np.sort(generator_for(own, "gan.pack").permutation(MOST_ANCHORS)[: look.anchors])
        plan = plan_latents(signals, style_curve, look, seed)
        columns = (
            *(f"anchor.{place}" for place in range(look.anchors)),
            *(f"axis.{place}" for place in range(AXES)),
            *(f"wander.{place}" for place in range(WANDERS)),
            _GRAIN,
            _LIGHT,
        )
        ends = np.stack([plan.grain, plan.light], axis=1)
        rows = np.concatenate([plan.weights, plan.axes, plan.wander, ends], 1)
        tables = {
            _ANCHORS: bank.anchors[pack],
            _AXES: bank.axes,
            _NOISES: wander_noises(seed, WANDERS, (spec.latents, *self._grid)),
        }
        fixed = {
            "generator": self.name, "seed": seed, "temperature": look.temperature,
            "networks": self._digests,
        }  # fmt: skip
        return Trajectory(rows.astype(np.float32), columns, fixed, tables)

    # Draw ---------------------------------------------------------------------------------------------

    def prepare(self, trajectory: Trajectory, size: Size) -> str:
        """Choose the numeric path, and give its name."""
        if isinstance(self._exact, TorchDrawer):
            with torch.no_grad(), single_threaded():
                self._drawer = self._calibrated(self._exact, trajectory)
        return self._drawer.name

    def frames(
        self, trajectory: Trajectory, start: int, stop: int, size: Size
    ) -> Iterator[Float[Tensor, "3 height width"]]:
        """Draw frames ``start`` to ``stop`` (exclusive): display RGB, 0-1; see `Generator.frames`."""

        def drawn(wanted: range, whole: range) -> tuple[int, Tensor]:
            with torch.no_grad(), single_threaded():
                return whole.start, self._drawn(trajectory, whole, self._drawer)

        for wanted, (first, pictures) in in_batches(start, stop, self._batch, drawn):
            for frame in wanted:
                with torch.no_grad(), single_threaded():
                    shown = _resampled(pictures[frame - first], size)
                yield shown

    def _drawn(
        self, trajectory: Trajectory, numbers: range, drawer: Drawer
    ) -> Float32[Tensor, "frames 3 rows columns"]:
        """Draw frames in the network's own size; beyond the last one, that one again."""
        # Where memory is short a batch may become one; it is drawn as two all the same.
        count = max(_PAIR, len(numbers))
        frames = np.minimum(numbers.start + np.arange(count), trajectory.frames - 1)
        rows = np.asarray(trajectory.rows[frames], np.float64)
        latents = torch.from_numpy(np.stack([self._latents(trajectory, row) for row in rows]))
        grain, light = torch.from_numpy(rows[:, -2:]).T
        drawn = drawer.draw(latents, self._noise_at(trajectory, grain))
        seen: Tensor = without_margin(drawn, self._network.spec.scale) * light[:, None, None, None].to(drawn)
        return seen

    def _latents(
        self, trajectory: Trajectory, row: Float[np.ndarray, " columns"]
    ) -> Float32[np.ndarray, "latents rows columns"]:
        tables = trajectory.tables
        anchors = len(tables[_ANCHORS])
        return latents_of(
            Material(tables[_ANCHORS], tables[_AXES], tables[_NOISES]),
            row[:anchors],
            row[anchors : anchors + AXES],
            row[anchors + AXES : anchors + AXES + WANDERS],
            temperature=float(trajectory.fixed["temperature"]),
        )

    def _noise_at(self, trajectory: Trajectory, turns: Float[Tensor, " frames"]) -> list[Tensor]:
        """Give the noise maps of frames: one, turned towards another one, as spread out as both."""
        seed = int(trajectory.fixed["seed"])
        rows, columns = trajectory.tables[_ANCHORS].shape[2:]
        key = seed, int(rows), int(columns)
        if key not in self._noise:
            other = int(generator_for(seed, "gan.grain").integers(MAX_SEED, endpoint=True))
            one, two = (
                noise_maps(self._network.spec, own, rows=rows, columns=columns) for own in (seed, other)
            )
            self._noise[key] = (one, two)
        pairs = zip(*self._noise[key], strict=True)
        angle = (2 * np.pi * turns)[:, None, None, None]
        ahead, aside = torch.cos(angle).float(), torch.sin(angle).float()
        return [ahead * one + aside * other for one, other in pairs]

    # Numeric path ---------------------------------------------------------------------------------------

    def _calibrated(self, exact: TorchDrawer, trajectory: Trajectory) -> TorchDrawer:
        """Take half precision only where frames agree with float32 at 40 dB or more."""
        if self._precision == "float32":
            return exact
        half = {"float16": torch.float16}.get(self._precision, torch.bfloat16)
        if self._precision == "auto" and self._device.type == "cuda":
            half = torch.float16
        rough = TorchDrawer(self._network, half, self._device)
        frames = range(trajectory.frames // 2, trajectory.frames // 2 + _PAIR)
        one, other = (self._drawn(trajectory, frames, drawer) for drawer in (exact, rough))
        error = float((one - other).square().mean())
        return rough if error <= 10 ** (-HALF_PRECISION_PSNR_DB / 10) else exact


def _resampled(picture: Float[Tensor, "3 rows columns"], size: Size) -> Float[Tensor, "3 height width"]:
    """Enlarge or reduce a picture by antialiased bicubic splines, and show its middle, unstretched."""
    rows, columns = picture.shape[1:]
    scale = max(size.height / rows, size.width / columns)
    height, width = max(size.height, round(rows * scale)), max(size.width, round(columns * scale))
    shown = picture[None]
    if (height, width) != (rows, columns):
        shown = nn.functional.interpolate(
            shown, (height, width), mode="bicubic", align_corners=False, antialias=True
        )
    top, left = (height - size.height) // 2, (width - size.width) // 2
    return shown[0, :, top : top + size.height, left : left + size.width].clamp(0.0, 1.0)

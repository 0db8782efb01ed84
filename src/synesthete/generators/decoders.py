"""What turns latents into pictures: PyTorch, or ONNX Runtime."""

import copy
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final, Protocol

import torch
from jaxtyping import Float
from torch import Tensor

from synesthete.generators.base import Size
from synesthete.generators.dream_grid import shown_of
from synesthete.generators.fuse import Fuser, Kernel
from synesthete.generators.graphs import kept_session
from synesthete.models.field import Canvas, FieldDecoder, draw_cells
from synesthete.models.onnx_nets import DecoderNet
from synesthete.models.onnx_session import Provider
from synesthete.models.vae import Vae

__all__ = ["Drawing", "OnnxDecoder", "PictureDecoder", "TorchDecoder"]

Drawing = Callable[[int, Tensor], None]
"""Draws one picture of a batch, by its place in it, into a tensor ``(3, height, width)``."""

_PAIR: Final = 2
_CPU_PIXELS: Final = 2_000_000
_EXAMPLE_CELLS: Final = (13, 101)


class PictureDecoder(Protocol):
    """Turns latents into pictures of any size."""

    @property
    def name(self) -> str:
        """Name the numeric path; part of Segment keys."""

    def batch(self, most: int, size: Size) -> int:
        """Say how many latents it takes at once, if it may be so many."""

    @property
    def whole(self) -> bool:
        """Tell whether a picture's last bits depend on how many are decoded with it."""

    def decode(self, latents: Float[Tensor, "batch latents h w"], size: Size) -> Drawing:
        """Decode a batch."""


class TorchDecoder:
    """A field decoder of one's own, whose trunk computes in a type.

    Parameters
    ----------
    decoder
        What is copied.
    dtype
        Of the trunk's convolutions.
    device
        Where to compute.
    """

    # Of a batch of one, convolutions give other last bits.
    whole = True

    def __init__(self, decoder: FieldDecoder, dtype: torch.dtype, device: torch.device) -> None:
        own = copy.deepcopy(decoder).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        own.trunk.to(dtype)
        self._decoder: FieldDecoder = own
        self._dtype, self._device = dtype, device
        self._kernel: Kernel | None = None

    @property
    def name(self) -> str:
        """Name its kernels, its type and its device."""
        kernels = "eager" if self._kernel is None else "fused"
        return f"{kernels}-{str(self._dtype).removeprefix('torch.')}-{self._device.type}"

    def batch(self, most: int, size: Size) -> int:
        """On a processor, two: more leave its cache, and gain nothing."""
        return _PAIR if self._device.type == "cpu" else max(_PAIR, most)

    def fuse(self, fuser: Fuser) -> None:
        """Compile the coordinate network; its numbers are passed, so that other weights need no other one."""
        features = self._decoder.hidden.weight.shape[0]
        rows, columns = _EXAMPLE_CELLS
        # Tracing takes sizes that are equal in the example for equal always.
        columns += columns == features
        make = partial(torch.zeros, device=self._device)
        out = self._decoder.out.weight
        self._kernel = fuser.fuse(
            ("field cells", features),
            draw_cells,
            make(1, rows, columns, features),
            make(1, rows, columns, len(out)),
            make(1, rows, 1, features),
            make(1, features, features).transpose(1, 2),
            make(1, 1, features),
            out,
        )

    def decode(self, latents: Float[Tensor, "batch latents h w"], size: Size) -> Drawing:
        """Make the features of a batch; pictures are drawn from them one by one, in bands of rows."""
        made = latents.to(self._device, memory_format=torch.channels_last)
        features = self._decoder.features(made)
        wanted = (size.width, size.height)
        # The grid that the latents are of: a Trajectory may be of another shape than this generator's films.
        shown = shown_of(wanted, (features.shape[1], features.shape[2]))
        kernel = None if self._kernel is None else self._with_colours(self._kernel)

        def draw(place: int, picture: Tensor) -> None:
            own = features[place][None]
            for top, band in self._decoder.bands(own, wanted, shown=shown, kernel=kernel):
                picture[:, top : top + band.shape[1]] = band

        return draw

    def _with_colours(self, kernel: Kernel) -> Kernel:
        """Give the kernel what the decoder's own would know: its last layer."""
        out = self._decoder.out.weight
        return lambda *tensors: kernel(*tensors, out)


class OnnxDecoder:
    """A field decoder as an ONNX graph, in float32.

    Parameters
    ----------
    vae
        Whose decoder it is.
    digest
        SHA-256 of its file.
    graphs
        Folder that keeps graphs; see `synesthete.generators.graphs.kept_session`.
    provider
        Where to run it.

    Raises
    ------
    ConfigError
        If the extra packages are missing.
    """

    def __init__(self, vae: Vae, digest: str, graphs: Path | None, *, provider: Provider = "auto") -> None:
        net = DecoderNet(vae.decoder, vae.spec.latents)
        self._session = kept_session(net, digest, graphs, provider=provider)

    @property
    def whole(self) -> bool:
        """On a processor, pictures are decoded one by one inside; a graphics card may mix their sums."""
        return self._session.device != "cpu"

    @property
    def name(self) -> str:
        """Name the runtime with its version, and its device."""
        return self._session.name

    def batch(self, most: int, size: Size) -> int:
        """On a processor, as many as have some two million pixels: more gain nothing, and fill memory."""
        if self._session.device != "cpu":
            return most
        return max(1, min(most, _CPU_PIXELS // (size.width * size.height)))

    def decode(self, latents: Float[Tensor, "batch latents h w"], size: Size) -> Drawing:
        """Decode a batch; of one very large picture, one stretch of rows after another."""
        wanted = (size.width, size.height)
        columns, rows, pixel = Canvas.of(wanted, shown=shown_of(wanted, (latents.shape[2], latents.shape[3])))
        at_once = rows.shape[1]
        if self._session.device == "cpu":
            at_once = max(1, _CPU_PIXELS // (2 * size.width * len(latents)))
        found = [
            self._session({"latents": latents, "columns": columns, "rows": some, "pixel": pixel})
            for some in torch.split(rows, at_once, dim=1)
        ]

        def draw(place: int, picture: Tensor) -> None:
            top = 0
            for part in found:
                bottom = min(top + part.shape[2], size.height)
                picture[:, top:bottom] = part[place, :, : bottom - top, : size.width]
                top = bottom

        return draw

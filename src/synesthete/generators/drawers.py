"""What draws pictures from latents and noise, in the network's own size: PyTorch, or ONNX Runtime."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import torch
from jaxtyping import Float, Float32
from torch import Tensor

from synesthete.generators.graphs import kept_session
from synesthete.generators.networks import GanNetwork
from synesthete.models.gan import GanGenerator
from synesthete.models.onnx_nets import GeneratorNet
from synesthete.models.onnx_session import Provider

__all__ = ["Drawer", "OnnxDrawer", "TorchDrawer"]


class Drawer(Protocol):
    """Draws pictures of any shape.

    Attributes
    ----------
    batches
        Whether it gains by large batches; otherwise two pictures at a time fit a processor's cache.
    """

    batches: bool

    @property
    def name(self) -> str:
        """Name the numeric path; part of Segment keys."""

    def draw(
        self,
        latents: Float32[Tensor, "batch latents rows columns"],
        noise: Sequence[Float[Tensor, "batch 1 _ _"]],
    ) -> Float32[Tensor, "batch 3 height width"]:
        """Draw a batch; see `synesthete.models.gan.GanGenerator`."""


class TorchDrawer:
    """A generator of pictures, as it is.

    Parameters
    ----------
    generator
        On the device.
    dtype
        That it computes in.
    device
        Where to compute.
    """

    def __init__(self, generator: GanGenerator, dtype: torch.dtype, device: torch.device) -> None:
        self._generator, self._dtype, self._device = generator, dtype, device
        self.batches = device.type != "cpu"

    @property
    def name(self) -> str:
        """Name its type and its device."""
        return f"eager-{str(self._dtype).removeprefix('torch.')}-{self._device.type}"

    def draw(
        self,
        latents: Float32[Tensor, "batch latents rows columns"],
        noise: Sequence[Float[Tensor, "batch 1 _ _"]],
    ) -> Float32[Tensor, "batch 3 height width"]:
        """Draw a batch, on the device."""
        made = [one.to(self._device) for one in noise]
        with torch.autocast(self._device.type, self._dtype, enabled=self._dtype is not torch.float32):
            drawn: Tensor = self._generator(latents.to(self._device), made)
        return drawn.float()


class OnnxDrawer:
    """A generator of pictures as an ONNX graph, in float32.

    Parameters
    ----------
    network
        What is exported.
    graphs
        Folder that keeps graphs; see `synesthete.generators.graphs.kept_session`.
    provider
        Where to run it.

    Raises
    ------
    ConfigError
        If the extra packages are missing.
    """

    def __init__(
        self, network: GanNetwork, graphs: Path | None = None, *, provider: Provider = "auto"
    ) -> None:
        net = GeneratorNet(network.generator)
        self._names = [port.name for port in net.inputs]
        self._session = kept_session(net, network.digests["weights"], graphs, provider=provider)
        self.batches = self._session.device != "cpu"

    @property
    def name(self) -> str:
        """Name the runtime with its version, and its device."""
        return self._session.name

    def draw(
        self,
        latents: Float32[Tensor, "batch latents rows columns"],
        noise: Sequence[Float[Tensor, "batch 1 _ _"]],
    ) -> Float32[Tensor, "batch 3 height width"]:
        """Draw a batch; pictures come to the processor."""
        return self._session(dict(zip(self._names, (latents, *noise), strict=True)))

"""Networks in the form in which they are exported: all that a picture follows from is an input."""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from synesthete.models.cppn import ACTIVATIONS, COORDINATES, CppnWeights
from synesthete.models.field import Canvas, FieldDecoder
from synesthete.models.gan import GanGenerator
from synesthete.models.onnx_export import Port

__all__ = ["CppnNet", "DecoderNet", "GeneratorNet"]


class DecoderNet(nn.Module):
    """A field decoder whose canvas is an input, so that one graph draws pictures of every size.

    Attributes
    ----------
    inputs, output
        Of its graph.
    """

    def __init__(self, decoder: FieldDecoder, latents: int) -> None:
        super().__init__()
        self.decoder = decoder
        self.inputs = (
            Port("latents", ("batch", latents, "height", "width"), "what is drawn, as the encoder gives it"),
            Port("columns", (1, "columns"), "middles of pairs of columns, as shares of the picture's width"),
            Port("rows", (1, "rows"), "middles of pairs of rows, as shares of the picture's height"),
            Port("pixel", (1,), "width of a pixel, as a share of the picture's width"),
        )
        self.output = Port("pictures", ("batch", 3, "2*rows", "2*columns"), "display RGB, 0-1")

    def forward(
        self,
        latents: Float[Tensor, "batch latents h w"],
        columns: Float[Tensor, "1 columns"],
        rows: Float[Tensor, "1 rows"],
        pixel: Float[Tensor, "1"],
    ) -> Float[Tensor, "batch 3 height width"]:
        """Draw latents; see `Canvas` for what the other inputs are."""
        picture: Tensor = self.decoder(latents, Canvas(columns, rows, pixel))
        return picture.clamp(0.0, 1.0)


class GeneratorNet(nn.Module):
    """A generator of pictures whose noise maps are inputs one by one, for latents on a grid of any size.

    Attributes
    ----------
    inputs, output
        Of its graph; the inputs are ``latents``, ``noise_0``, and so on.
    """

    def __init__(self, generator: GanGenerator) -> None:
        super().__init__()
        self.generator = generator
        spec = generator.spec
        self.inputs = (
            Port("latents", ("batch", spec.latents, "height", "width"), "what is drawn, N(0, 1)"),
            *(
                Port(f"noise_{layer}", ("batch", 1, *_sides(times)), "what fine detail is made of, N(0, 1)")
                for layer, (times, _) in enumerate(spec.noise_grids(1, 1))
            ),
        )
        self.output = Port("pictures", ("batch", 3, *_sides(spec.scale)), "display RGB, 0-1")

    def forward(
        self, latents: Float[Tensor, "batch latents h w"], *noise: Float[Tensor, "batch 1 _ _"]
    ) -> Float[Tensor, "batch 3 height width"]:
        """Draw latents; see `GanGenerator` for the noise."""
        pictures: Tensor = self.generator(latents, noise)
        return pictures


class CppnNet(nn.Module):
    """A CPPN: its coordinates, its constant inputs, and what changes its weights, are inputs.

    Parameters
    ----------
    nets
        Two that a film's frames lie between, by an angle (`synesthete.models.cppn.blend`); or one that was
        given, which a pixel's footprint filters (`synesthete.models.cppn.prefiltered`).
    colour
        Whether it gives luma and colour differences: then its output is display RGB.

    Attributes
    ----------
    inputs, output
        Of its graph.
    """

    def __init__(self, nets: Sequence[CppnWeights], *, colour: bool) -> None:
        super().__init__()
        spec = nets[0].spec
        self.groups = [spec.groups(layer) for layer in range(spec.layers)]
        self.colour = colour
        self.between = len(nets) == 2
        for name in ("weights", "biases"):
            for k, net in enumerate(nets):
                for layer, values in enumerate(getattr(net, name)):
                    self.register_buffer(f"{name}_{k}_{layer}", values)
        self.register_buffer("squares", nets[0].weights[0][:, :COORDINATES].square().sum(1)[:, None])
        fades = torch.zeros(spec.units, 1)
        for name, first, stop in self.groups[0]:
            fades[first:stop] = float(name in ("sine", "cosine"))
        self.register_buffer("fades", fades)
        changed = (
            Port("evolution", ("batch",), "angle between the two networks that a film's lie between, radians")
            if self.between
            else Port("footprint", ("batch",), "standard deviation of a pixel, in units of the coordinates")
        )
        self.inputs = (
            Port("coordinates", ("batch", COORDINATES, "height", "width"), "u, v and r of each pixel"),
            Port("constants", ("batch", spec.constants), "phases, signals and style of a frame"),
            changed,
        )
        self.output = (
            Port("pictures", ("batch", 3, "height", "width"), "display RGB, 0-1")
            if colour
            else Port("values", ("batch", 3, "height", "width"), "form, tint and light, before squashing")
        )

    def forward(
        self,
        coordinates: Float[Tensor, "batch 3 height width"],
        constants: Float[Tensor, "batch constants"],
        changed: Float[Tensor, " batch"],
    ) -> Float[Tensor, "batch 3 height width"]:
        """Evaluate it at each pixel."""
        weight, bias = self._layer(0, changed)
        bias = bias + weight[..., COORDINATES:] @ constants[:, :, None]
        hidden = weight[..., :COORDINATES] @ coordinates.flatten(2) + bias
        for layer, groups in enumerate(self.groups, start=1):
            hidden = torch.cat([ACTIVATIONS[name](hidden[:, a:b]) for name, a, b in groups], 1)
            if layer == 1 and not self.between:
                fade: Any = self.fades
                hidden = hidden * torch.exp(-0.5 * fade * self.squares * changed[:, None, None].square())
            weight, bias = self._layer(layer, changed)
            hidden = weight @ hidden + bias
        values = torch.unflatten(hidden, 2, coordinates.shape[2:])
        return _display(values) if self.colour else values

    def _layer(self, layer: int, angle: Tensor) -> tuple[Tensor, Tensor]:
        """Give weights and biases as columns, for each of the batch or for all."""
        weight, bias = (getattr(self, f"{name}_0_{layer}") for name in ("weights", "biases"))
        if self.between:
            turn = angle[:, None, None]
            c, s = torch.cos(turn), torch.sin(turn)
            weight = weight * c + getattr(self, f"weights_1_{layer}") * s
            return weight, bias[:, None] * c + getattr(self, f"biases_1_{layer}")[:, None] * s
        return weight[None], bias[None, :, None]


def _sides(times: int) -> tuple[str, str]:
    """Name the sides of what is so many times as high and as wide as latents."""
    return ("height", "width") if times == 1 else (f"{times}*height", f"{times}*width")


def _display(values: Float[Tensor, "batch 3 height width"]) -> Float[Tensor, "batch 3 height width"]:
    """Turn luma and differences into RGB: ITU-R BT.709-6, item 3.3, differences of range -0.5 to 0.5."""
    luma, red, blue = values.unbind(1)
    green = luma - 0.4681 * red - 0.1873 * blue
    return torch.stack([luma + 1.5748 * red, green, luma + 1.8556 * blue], 1).clamp(0.0, 1.0)

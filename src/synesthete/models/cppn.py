r"""Compositional pattern-producing networks: from a pixel's coordinates to a few smooth values.

A CPPN is a small fully connected network whose layers mix sine, cosine, gaussian and tanh units
(Stanley, "Compositional pattern producing networks", 2007). Here the first three inputs vary over the
picture (``u, v, r``), all others are constant in a frame (phases, signals, style), so that they fold
into the first layer's bias: a frame costs the same with one constant input or with twenty.

Two ways to evaluate the same network:

`evaluate_units`
    Plane by plane with multiply-adds. For tiny nets, and the form that Inductor fuses.
`evaluate_tiles`
    Matrix products on tiles of pixels that fit the cache, fp32 or bf16. For wide nets.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = [
    "ACTIVATIONS",
    "COORDINATES",
    "FOOTPRINT",
    "OUTPUTS",
    "CppnSpec",
    "CppnWeights",
    "blend",
    "evaluate",
    "evaluate_tiles",
    "evaluate_units",
    "fold_constants",
    "initialise",
    "pack",
    "prefiltered",
]

COORDINATES = 3
"""Inputs that vary over the picture: u, v and r."""

OUTPUTS = 3
"""Values per pixel, before squashing: form, tint and light, or a colour's luma and its two differences."""

FOOTPRINT = 0.4
"""Standard deviation of a pixel for `prefiltered`, in pixels: a little more than that of a square."""


def _gaussian(x: Tensor) -> Tensor:
    return torch.exp(-x * x)


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "sine": torch.sin,
    "cosine": torch.cos,
    "gaussian": _gaussian,
    "tanh": torch.tanh,
}


@dataclass(frozen=True)
class CppnSpec:
    """The architecture of a CPPN.

    Attributes
    ----------
    layers, units
        Hidden layers (at least 1) and units in each (at least 1).
    activations
        Names from `ACTIVATIONS`.
    mix
        ``"unit"``: every layer holds all of them, in contiguous groups; ``"layer"``: layer ``i`` uses
        ``activations[i % len(activations)]`` throughout.
    constants
        Inputs that are constant in a frame.
    gain
        Xavier gain. High gains make fine patterns; from about 2 on deep wide nets turn to noise.
    bias
        Half-width of the uniform biases.
    """

    layers: int
    units: int
    activations: tuple[str, ...] = ("sine", "cosine", "gaussian", "tanh")
    mix: str = "unit"
    constants: int = 0
    gain: float = 1.0
    bias: float = 0.5

    def groups(self, layer: int) -> list[tuple[str, int, int]]:
        """Give ``(activation, first unit, last unit + 1)`` of each group of one hidden layer."""
        if self.mix == "layer":
            return [(self.activations[layer % len(self.activations)], 0, self.units)]
        count = len(self.activations)
        edges = [self.units * k // count for k in range(count + 1)]
        return [
            (name, start, stop)
            for name, (start, stop) in zip(self.activations, pairwise(edges), strict=True)
            if stop > start
        ]

    def widths(self) -> list[int]:
        """Give the widths from input to output."""
        return [COORDINATES + self.constants, *[self.units] * self.layers, OUTPUTS]


@dataclass(frozen=True)
class CppnWeights:
    """The weights ``(out, in)`` and biases ``(out,)`` of each layer, float32, output layer last."""

    spec: CppnSpec
    weights: tuple[Float[Tensor, "out in"], ...]
    biases: tuple[Float[Tensor, " out"], ...]


def initialise(spec: CppnSpec, generator: torch.Generator) -> CppnWeights:
    """Draw Xavier-uniform weights and uniform biases from a generator of the caller's.

    References
    ----------
    Glorot & Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010.
    """
    weights, biases = [], []
    widths = spec.widths()
    for fan_in, fan_out in pairwise(widths):
        bound = spec.gain * math.sqrt(6.0 / (fan_in + fan_out))
        weights.append((torch.rand(fan_out, fan_in, generator=generator) * 2 - 1) * bound)
        biases.append((torch.rand(fan_out, generator=generator) * 2 - 1) * spec.bias)
    return CppnWeights(spec, tuple(weights), tuple(biases))


def blend(first: CppnWeights, second: CppnWeights, angle: float) -> CppnWeights:
    r"""Rotate in weight space, :math:`W(\psi) = W_a \cos\psi + W_b \sin\psi`.

    The variance of the weights stays what it was, so the pattern evolves without fading to grey.

    Parameters
    ----------
    angle
        :math:`\psi`, radians.
    """
    c, s = math.cos(angle), math.sin(angle)
    mixed = [a * c + b * s for a, b in zip(first.weights, second.weights, strict=True)]
    biases = [a * c + b * s for a, b in zip(first.biases, second.biases, strict=True)]
    return CppnWeights(first.spec, tuple(mixed), tuple(biases))


def fold_constants(net: CppnWeights, constants: Float[Tensor, " constants"]) -> CppnWeights:
    """Fold a frame's constant inputs into the first bias; what remains has the coordinates as inputs."""
    first = net.weights[0]
    bias = net.biases[0] + first[:, COORDINATES:] @ constants
    return CppnWeights(net.spec, (first[:, :COORDINATES], *net.weights[1:]), (bias, *net.biases[1:]))


def prefiltered(net: CppnWeights, footprint: float | Tensor) -> CppnWeights:
    r"""Let the first layer's waves fade that a pixel can't hold, so that small pictures don't alias.

    A wave :math:`\sin(w \cdot x + b)`, averaged over a Gaussian of standard deviation :math:`\sigma`, is the
    same wave times :math:`e^{-\sigma^2 |w|^2 / 2}`: exact for the sine and cosine units of the first layer,
    and free, as it folds into the second one's weights. Other units are left as they are.

    Parameters
    ----------
    footprint
        :math:`\sigma`, in the units of the coordinates.

    References
    ----------
    Barron et al., "Mip-NeRF", 2021 (integrated positional encoding).
    """
    fading = torch.ones_like(net.biases[0])
    for name, a, b in net.spec.groups(0):
        if name in ("sine", "cosine"):
            square = net.weights[0][a:b, :COORDINATES].square().sum(1)
            fading = torch.cat([fading[:a], torch.exp(-0.5 * footprint * footprint * square), fading[b:]])
    first, second, *others = net.weights
    return CppnWeights(net.spec, (first, second * fading, *others), net.biases)


def pack(net: CppnWeights) -> Float[Tensor, " parameters"]:
    """Flatten a folded network for `evaluate_units`: per layer and unit the bias, then the weights."""
    rows = [torch.cat([b[:, None], w], 1).flatten() for w, b in zip(net.weights, net.biases, strict=True)]
    return torch.cat(rows)


def evaluate(net: CppnWeights, inputs: Float[Tensor, "pixels inputs"]) -> Float[Tensor, "pixels outputs"]:
    """Evaluate the network plainly: the reference for the two fast ways.

    Parameters
    ----------
    inputs
        One row per pixel: ``u, v, r`` and the constant inputs (none for a folded network).
    """
    hidden = inputs
    for layer in range(net.spec.layers):
        summed = hidden @ net.weights[layer].T + net.biases[layer]
        groups = net.spec.groups(layer)
        hidden = torch.cat([ACTIVATIONS[name](summed[:, a:b]) for name, a, b in groups], 1)
    return hidden @ net.weights[-1].T + net.biases[-1]


def evaluate_units(
    spec: CppnSpec, packed: Float[Tensor, " parameters"], planes: Sequence[Tensor]
) -> list[Tensor]:
    """Evaluate a folded network plane by plane.

    Parameters
    ----------
    packed
        What `pack` gives.
    planes
        The coordinates u, v and r, tensors of one shape.

    Returns
    -------
    The outputs, before squashing, each of the planes' shape.
    """
    hidden, scalars = list(planes), iter(packed.unbind())
    for layer in range(spec.layers):
        activation = {u: name for name, a, b in spec.groups(layer) for u in range(a, b)}
        summed = []
        for unit in range(spec.units):
            summed.append(ACTIVATIONS[activation[unit]](_affine(scalars, hidden)))
        hidden = summed
    return [_affine(scalars, hidden) for _ in range(OUTPUTS)]


def _affine(scalars: Iterator[Tensor], inputs: Sequence[Tensor]) -> Tensor:
    value = torch.addcmul(next(scalars), inputs[0], next(scalars))
    for plane in inputs[1:]:
        value = value.addcmul_(plane, next(scalars))  # in place: eagerly, a new plane costs page faults
    return value


def evaluate_tiles(
    net: CppnWeights,
    planes: Float[Tensor, "3 pixels"],
    *,
    tile: int = 4096,
    dtype: torch.dtype = torch.float32,
) -> Float[Tensor, "3 pixels"]:
    """Evaluate a folded network by matrix products on tiles of pixels.

    Parameters
    ----------
    planes
        The coordinates u, v and r, float32.
    tile
        Pixels per tile, a multiple of 16; the result does not depend on it, as every tile, the last
        included, has as many columns (fp32 kernels round partial tiles differently).
    dtype
        float32, bfloat16 or float16; sums are kept in float32 by the matrix units.

    Returns
    -------
    The outputs, before squashing, float32.
    """
    pixels = planes.shape[1]
    padded = -(-pixels // tile) * tile
    source = torch.nn.functional.pad(planes, (0, padded - pixels)).to(dtype)
    weights = [w.to(device=planes.device, dtype=dtype) for w in net.weights]
    biases = [b.to(device=planes.device, dtype=dtype)[:, None] for b in net.biases]
    result = torch.empty(OUTPUTS, padded, dtype=torch.float32, device=planes.device)
    for start in range(0, padded, tile):
        hidden = source[:, start : start + tile]
        for layer in range(net.spec.layers):
            hidden = torch.addmm(biases[layer], weights[layer], hidden)
            for name, a, b in net.spec.groups(layer):
                _apply_in_place(name, hidden[a:b])
        result[:, start : start + tile] = torch.addmm(biases[-1], weights[-1], hidden)
    return result[:, :pixels]


def _apply_in_place(name: str, values: Tensor) -> None:
    if name == "sine":
        values.sin_()
    elif name == "cosine":
        values.cos_()
    elif name == "tanh":
        values.tanh_()
    else:
        values.square_().neg_().exp_()

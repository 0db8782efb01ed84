"""What can be exported, by kind: a network, its inputs as they occur, and what is to be known of it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from synesthete.config.export import ExportKind, ExportOptions
from synesthete.config.preset import Preset, default_preset, load_preset
from synesthete.errors import ConfigError
from synesthete.files import digest_bytes, digest_file
from synesthete.generators.anchors import anchor_bank
from synesthete.generators.blocks import BlockStore
from synesthete.generators.build import weights_of
from synesthete.generators.cppn import constants_of, drawn_pair, spec_of
from synesthete.generators.walk_grid import MARGIN, walk_grid
from synesthete.models.cppn import CppnWeights
from synesthete.models.cppn_file import packed_bytes
from synesthete.models.field import Canvas
from synesthete.models.gan import GanGenerator
from synesthete.models.onnx_export import Port
from synesthete.models.onnx_nets import CppnNet, DecoderNet, GeneratorNet
from synesthete.models.vae import BLOCK, Vae
from synesthete.models.weights import load_gan, load_vae, shipped_weights
from synesthete.training.stills.sources import ProgramSource

__all__ = ["SUBJECTS", "Subject"]

Inputs = Mapping[str, Tensor]

_STILL_SIDE: Final = 176
_SHAPES: Final = ((128, 128), (96, 176))
_BUCKETS: Final = ("colour-field", "interference", "abstract", "relief")
_SEED: Final = 0
_SIZES: Final = (((96, 72), 1), ((54, 80), 3))
_GRIDS: Final = (((9, 16), 1), ((7, 5), 3))
_ANCHORED: Final = tuple(walk_grid(aspect) for aspect in (1.0, 16 / 9, 9 / 16))


@dataclass(frozen=True)
class Subject:
    """A network that is to be exported.

    Attributes
    ----------
    net
        Takes the inputs in their order, and gives the output.
    inputs, output
        Of its graph.
    facts
        What ``meta.json`` says of it besides.
    checks
        Inputs of at least two sizes and two batches, to compare runtimes with.
    samples
        Gives so many inputs as they occur, each another, for 8 bits; None where it has no convolutions.
    tables
        Computes numbers that go beside the graph, by name; None where there are none.
    """

    net: nn.Module
    inputs: Sequence[Port]
    output: Port
    facts: Mapping[str, Any]
    checks: Sequence[Inputs]
    samples: Callable[[int], Iterator[Inputs]] | None = None
    tables: Callable[[], Mapping[str, Tensor]] | None = None


def _decoder(options: ExportOptions) -> Subject:
    path = options.weights or shipped_weights("vae")
    vae, facts = load_vae(path)
    net = DecoderNet(vae.decoder, vae.spec.latents).eval()
    draw = torch.Generator().manual_seed(_SEED)

    def noise(size: tuple[int, int], batch: int) -> Inputs:
        grid = -(-size[1] // BLOCK), -(-size[0] // BLOCK)
        return _drawn_on(torch.randn(batch, vae.spec.latents, *grid, generator=draw), size)

    return Subject(
        net=net,
        inputs=net.inputs,
        output=net.output,
        facts={
            "weights": {"file": path.name, "sha256": digest_file(path), "steps": facts.get("steps")},
            "latent_shape": [vae.spec.latents, "height", "width"],
            "pixels_per_latent": BLOCK,
            "normalisation": {
                "latents": "none: as the encoder gives them, about N(0, 1)",
                "pictures": "display RGB, 0-1",
            },
        },
        checks=[noise(size, batch) for size, batch in _SIZES],
        samples=lambda count: _encoded(vae, count),
    )


def _drawn_on(latents: Float[Tensor, "batch latents h w"], size: tuple[int, int]) -> Inputs:
    columns, rows, pixel = Canvas.of(size)
    return {"latents": latents, "columns": columns, "rows": rows, "pixel": pixel}


def _encoded(vae: Vae, count: int) -> Iterator[Inputs]:
    """Encode stills that programs draw, alternately square and wide."""
    source = ProgramSource(_SEED, _STILL_SIDE)
    for k in range(count):
        still = source.draw(_BUCKETS[k % len(_BUCKETS)], k)
        height, width = _SHAPES[k % len(_SHAPES)]
        pixels = torch.from_numpy(still.picture[:height, :width]).permute(2, 0, 1)[None].float() / 255.0
        with torch.no_grad():
            yield _drawn_on(vae.encode(pixels).mean, (2 * width, 2 * height))


def _gan(options: ExportOptions) -> Subject:
    path = options.weights or shipped_weights("gan")
    generator, facts = load_gan(path)
    net = GeneratorNet(generator).eval()
    digest = digest_file(path)
    spec = generator.spec
    draw = torch.Generator().manual_seed(_SEED)

    def drawn(grid: tuple[int, int], batch: int) -> Inputs:
        shapes = [(spec.latents, *grid), *((1, *one) for one in spec.noise_grids(*grid))]
        values = [torch.randn(batch, *shape, generator=draw) for shape in shapes]
        return {port.name: value for port, value in zip(net.inputs, values, strict=True)}

    return Subject(
        net=net,
        inputs=net.inputs,
        output=net.output,
        facts={
            "weights": {"file": path.name, "sha256": digest, "steps": facts.get("steps")},
            "latent_shape": [spec.latents, "height", "width"],
            "pixels_per_latent": spec.scale,
            "margin": MARGIN,
            "normalisation": {
                "latents": "N(0, 1); between two of them keep the length, on the sphere: on a straight line "
                "pictures turn grey",
                "noise": "N(0, 1); a film holds it",
                "pictures": "display RGB, 0-1",
            },
            **{
                table: {_named(grid): f"{table}_{_named(grid)}" for grid in _ANCHORED}
                for table in ("anchors", "axes")
            },
        },
        checks=[drawn(grid, batch) for grid, batch in _GRIDS],
        samples=lambda count: (drawn(_ANCHORED[k % 2], 1) for k in range(count)),
        tables=lambda: _anchors(generator, digest),
    )


def _anchors(generator: GanGenerator, digest: str) -> dict[str, Tensor]:
    """Find the anchors and axes of square, wide and tall latents."""
    tables = {}
    for grid in _ANCHORED:
        bank = anchor_bank(generator, digest, grid, BlockStore())
        for table, values in bank._asdict().items():
            tables[f"{table}_{_named(grid)}"] = torch.from_numpy(values)
    return tables


def _named(grid: tuple[int, int]) -> str:
    rows, columns = grid
    return f"{rows}x{columns}"


def _cppn(options: ExportOptions) -> Subject:
    preset = load_preset(options.preset or default_preset("cppn"))
    if preset.generator != "cppn":
        raise ConfigError(
            f"preset {preset.name} is of the generator {preset.generator}, not cppn; name one that has a CPPN"
        )
    net = preset.cppn.net
    given = weights_of(preset.cppn)
    nets = drawn_pair(spec_of(net), preset.seed) if given is None else (given,)
    module = CppnNet(nets, colour=net.output == "colour").eval()
    draw = torch.Generator().manual_seed(_SEED)

    def looked(size: tuple[int, int], batch: int) -> Inputs:
        constants = torch.randn(batch, spec_of(net).constants, generator=draw)
        spread = torch.rand(batch, generator=draw)
        if given is not None:
            spread = spread * 4.0 / min(size)  # footprints of about a pixel
        values = (_coordinates(size, batch), constants, spread)
        return {port.name: value for port, value in zip(module.inputs, values, strict=True)}

    return Subject(
        net=module,
        inputs=module.inputs,
        output=module.output,
        facts={
            "weights": _origin(preset, nets),
            "constants": constants_of(net),
            "normalisation": {
                "coordinates": "short side of the picture = [-1, 1], y downward, before view; "
                "r = sqrt(u² + v² + 0.0001)",
                module.output.name: module.output.meaning,
            },
        },
        checks=[looked(size, batch) for size, batch in _SIZES],
    )


def _origin(preset: Preset, nets: Sequence[CppnWeights]) -> dict[str, Any]:
    """Say where a CPPN's weights come from, and what they are."""
    digests = [digest_bytes(packed_bytes(net)) for net in nets]
    brought = preset.cppn.net.weights
    if brought is not None:
        return {"preset": preset.name, "file": brought.file, "sha256": brought.sha256}
    return {"preset": preset.name, "seed": preset.seed, "sha256": digests}


def _coordinates(size: tuple[int, int], batch: int) -> Float[Tensor, "batch 3 height width"]:
    width, height = size
    x = (torch.arange(width) + 0.5 - width / 2) * 2.0 / min(size)
    y = (torch.arange(height) + 0.5 - height / 2) * 2.0 / min(size)
    v, u = torch.meshgrid(y, x, indexing="ij")
    return torch.stack([u, v, torch.sqrt(u * u + v * v + 1e-4)]).expand(batch, -1, -1, -1)


SUBJECTS: Final[Mapping[ExportKind, Callable[[ExportOptions], Subject]]] = {
    "decoder": _decoder,
    "gan": _gan,
    "cppn": _cppn,
}
"""How each kind of network is prepared."""

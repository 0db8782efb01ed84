"""ONNX Runtime draws what PyTorch draws: of any size, any batch, and by the networks' own functions."""

import math

import pytest
import torch

from made_dreams import made_vae
from made_graphs import CONSTANTS, cppn_graph, decoder_graph, gan_graph, made_cppn, needs_onnx
from made_walks import made_gan
from synesthete.models.cppn import CppnWeights, blend, evaluate, fold_constants, prefiltered
from synesthete.models.field import Canvas
from synesthete.models.onnx_export import FIRST_OPSET, LAST_OPSET, USUAL_OPSET
from synesthete.models.onnx_session import OnnxSession

pytestmark = needs_onnx

LEAST_DB = 50.0


def psnr(found: torch.Tensor, expected: torch.Tensor) -> float:
    span = float(expected.max() - expected.min())
    assert span > 0.1
    return 10 * math.log10(min(1.0, span) ** 2 / max(float((found - expected).square().mean()), 1e-30))


@pytest.fixture(scope="module")
def decoder() -> OnnxSession:
    return OnnxSession(decoder_graph(), provider="cpu")


@pytest.mark.parametrize(
    ("batch", "grid", "size"), [(1, (4, 4), (64, 64)), (3, (3, 5), (90, 54)), (2, (5, 3), (50, 31))]
)
def test_the_field_decoder(
    decoder: OnnxSession, batch: int, grid: tuple[int, int], size: tuple[int, int]
) -> None:
    vae = made_vae()
    latents = torch.randn(batch, vae.spec.latents, *grid, generator=torch.Generator().manual_seed(batch))
    canvas = Canvas.of(size, shown=(0.8, 1.0))
    columns, rows, pixel = canvas
    found = decoder({"latents": latents, "columns": columns, "rows": rows, "pixel": pixel})
    with torch.no_grad():
        expected = vae.decode(latents, canvas).clamp(0.0, 1.0)
    assert found.shape == expected.shape
    assert psnr(found, expected) >= LEAST_DB


def test_a_picture_is_the_same_in_any_batch(decoder: OnnxSession) -> None:
    columns, rows, pixel = Canvas.of((70, 44))
    latents = torch.randn(5, 4, 4, 6, generator=torch.Generator().manual_seed(0))

    def drawn(some: torch.Tensor) -> torch.Tensor:
        return decoder({"latents": some, "columns": columns, "rows": rows, "pixel": pixel})

    whole = drawn(latents)
    for first, stop in ((0, 1), (4, 5), (1, 3), (2, 5)):
        assert torch.equal(drawn(latents[first:stop]), whole[first:stop])


@pytest.mark.parametrize(
    ("opset", "batch", "grid"),
    [
        (USUAL_OPSET, 1, (16, 16)), (USUAL_OPSET, 3, (9, 16)), (USUAL_OPSET, 2, (7, 4)),
        (FIRST_OPSET, 2, (9, 16)), (LAST_OPSET, 2, (9, 16)),
    ],
)  # fmt: skip
def test_the_generator_of_pictures(opset: int, batch: int, grid: tuple[int, int]) -> None:
    gan = made_gan()
    draws = torch.Generator().manual_seed(batch)
    shapes = [(gan.spec.latents, *grid), *((1, *one) for one in gan.spec.noise_grids(*grid))]
    latents, *noise = (torch.randn(batch, *shape, generator=draws) for shape in shapes)
    given = {"latents": latents, **{f"noise_{layer}": one for layer, one in enumerate(noise)}}
    session = OnnxSession(gan_graph(opset=opset), provider="cpu")
    found = session(given)
    with torch.no_grad():
        expected = gan(latents, noise)
    assert found.shape == (batch, 3, 4 * grid[0], 4 * grid[1])
    assert psnr(found, expected) >= LEAST_DB
    still = session({**given, "noise_1": torch.zeros_like(noise[1])})
    assert psnr(found, still) < psnr(found, expected) - 20


def planes(batch: int, height: int, width: int) -> torch.Tensor:
    return torch.randn(batch, 3, height, width, generator=torch.Generator().manual_seed(height))


def plainly(net: CppnWeights, coordinates: torch.Tensor, constants: torch.Tensor) -> torch.Tensor:
    """Evaluate one picture by the reference for all fast ways."""
    pixels = coordinates.flatten(1).T
    return evaluate(fold_constants(net, constants), pixels).T.reshape(coordinates.shape)


@pytest.mark.parametrize(("batch", "height", "width"), [(1, 24, 40), (3, 17, 9)])
def test_a_cppn_between_two_networks(batch: int, height: int, width: int) -> None:
    first, second = made_cppn(2)
    coordinates, constants = planes(batch, height, width), torch.randn(batch, CONSTANTS)
    angles = torch.linspace(-0.6, 0.9, batch)
    found = OnnxSession(cppn_graph(between=True), provider="cpu")(
        {"coordinates": coordinates, "constants": constants, "evolution": angles}
    )
    expected = torch.stack(
        [
            plainly(blend(first, second, float(angle)), one, given)
            for angle, one, given in zip(angles, coordinates, constants, strict=True)
        ]
    )
    assert psnr(found, expected) >= LEAST_DB


@pytest.mark.parametrize(("batch", "height", "width"), [(1, 24, 40), (3, 17, 9)])
def test_a_cppn_of_colours(batch: int, height: int, width: int) -> None:
    (net,) = made_cppn(1)
    coordinates, constants = planes(batch, height, width), torch.randn(batch, CONSTANTS)
    footprints = torch.linspace(0.02, 0.5, batch)
    found = OnnxSession(cppn_graph(between=False), provider="cpu")(
        {"coordinates": coordinates, "constants": constants, "footprint": footprints}
    )
    values = torch.stack(
        [
            plainly(prefiltered(net, float(footprint)), one, given)
            for footprint, one, given in zip(footprints, coordinates, constants, strict=True)
        ]
    )
    # Luma, and how red and blue differ from it: ITU-R BT.709.
    luma, blue_less, red_less = values[:, 0], values[:, 2] * 1.8556, values[:, 1] * 1.5748
    red, blue = luma + red_less, luma + blue_less
    green = (luma - 0.2126 * red - 0.0722 * blue) / 0.7152
    assert psnr(found, torch.stack([red, green, blue], 1).clamp(0.0, 1.0)) >= LEAST_DB

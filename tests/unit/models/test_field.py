"""The field decoder draws one picture at every size, whole or in parts."""

import pytest
import torch

from synesthete.models.field import Canvas, FieldDecoder, spline_weights


@pytest.fixture(scope="module")
def decoder() -> FieldDecoder:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        made = FieldDecoder(latents=4, widths=(16, 16, 8), blocks=(1, 0, 1, 0), features=8)
        for layer in (made.out, made.trunk[-1]):  # type: ignore[union-attr]
            if hasattr(layer, "weight"):
                torch.nn.init.normal_(layer.weight, std=0.2)  # type: ignore[arg-type]
    return made.eval().requires_grad_(requires_grad=False)


@pytest.fixture(scope="module")
def features(decoder: FieldDecoder) -> torch.Tensor:
    latents = torch.randn(2, 4, 3, 5, generator=torch.Generator().manual_seed(1))
    return decoder.features(latents)


def test_splines_hold_what_is_constant_and_meet_slopes() -> None:
    places = torch.linspace(-2.0, 9.0, 50)[None]
    weights = spline_weights(places, 8)
    assert torch.allclose(weights.sum(dim=-1), torch.ones(1, 50))
    inside = places[(places > 1) & (places < 6)]
    slope = spline_weights(inside[None], 8) @ torch.arange(8.0)
    assert torch.allclose(slope[0], inside, atol=1e-5)


@pytest.mark.parametrize("size", [(80, 48), (160, 96), (121, 77), (2, 2), (1, 1)])
def test_bands_are_the_whole_picture(
    decoder: FieldDecoder, features: torch.Tensor, size: tuple[int, int]
) -> None:
    whole = decoder.paint(features[:1], Canvas.of(size))[0, :, : size[1], : size[0]].clamp(0, 1)
    drawn = torch.full((3, size[1], size[0]), -1.0)
    for top, band in decoder.bands(features[:1], size):
        drawn[:, top : top + band.shape[1]] = band
    assert torch.allclose(drawn, whole, atol=1e-5)


def test_a_crop_is_what_the_whole_picture_has_there(decoder: FieldDecoder, features: torch.Tensor) -> None:
    sizes = torch.tensor([[80.0, 48.0, 12.0, 7.0], [333.0, 200.0, 40.0, 101.0]])
    crops = decoder.paint(features, Canvas.crops(32, sizes))
    for k, (width, height, left, top) in enumerate(sizes.int().tolist()):
        # A whole picture has its cells at even places: look at the crop from the cell that holds its corner.
        whole = decoder.paint(features[k : k + 1], Canvas.of((width, height)))[0]
        if left % 2 == 0 and top % 2 == 0:
            assert torch.allclose(crops[k], whole[:, top : top + 32, left : left + 32], atol=1e-4)
        else:
            moved = torch.tensor([[float(width), float(height), left - left % 2, top - top % 2]])
            even = decoder.paint(features[k : k + 1], Canvas.crops(32, moved))[0]
            assert torch.allclose(
                even, whole[:, int(moved[0, 3]) :, int(moved[0, 2]) :][:, :32, :32], atol=1e-4
            )


def test_gradients_reach_every_weight(decoder: FieldDecoder) -> None:
    learner = FieldDecoder(latents=4, widths=(16, 16, 8), blocks=(1, 1, 1, 1), features=8)
    for _ in range(4):  # what begins at zero lets gradients through only after a step
        loss = learner(torch.randn(2, 4, 2, 2), Canvas.of((64, 64))).square().mean()
        learner.zero_grad()
        loss.backward()
        with torch.no_grad():
            for p in learner.parameters():
                p -= 0.1 * p.grad  # type: ignore[operator]
    dead = [name for name, p in learner.named_parameters() if p.grad is None or not p.grad.any()]
    assert dead == []

"""Tables of colours: what they leave alone, and what they do exactly."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from made_pictures import Pictures, seen
from synesthete.config.post import Lut, Post, digested_lut
from synesthete.errors import RenderError
from synesthete.generators.base import Size
from synesthete.render.post import finished

SIZE = Size(64, 48)
RATE = Fraction(30)
Colours = Callable[[np.ndarray], np.ndarray]


def noise(frame: int, size: Size) -> Tensor:
    return torch.rand(3, size.height, size.width, generator=torch.Generator().manual_seed(frame))


def cube(path: Path, side: int, colours: Colours, *, dimensions: int = 3, head: str = "") -> Lut:
    """Write a table that does what a function does; its domain is 0-1 unless ``head`` says otherwise."""
    axis = np.linspace(0, 1, side)
    places = [axis] if dimensions == 1 else np.meshgrid(axis, axis, axis, indexing="ij")
    points = np.stack([places[-1], places[dimensions // 2], places[0]], -1).reshape(-1, 3)
    rows = "\n".join(f"{r:.7f} {g:.7f} {b:.7f}" for r, g, b in colours(points))
    path.write_text(f'TITLE "made"\nLUT_{dimensions}D_SIZE {side}\n{head}\n# colours\n{rows}\n')
    return digested_lut(Lut(file=path.name), path, where="lut")


def through(lut: Lut, **post: object) -> Tensor:
    return seen(finished(Pictures(noise), Post(lut=lut, **post), 1, RATE), 0, SIZE)  # type: ignore[arg-type]


@pytest.mark.parametrize(("dimensions", "side"), [(1, 2), (1, 4096), (3, 2), (3, 17), (3, 33)])
def test_what_is_linear_is_exact(tmp_path: Path, dimensions: int, side: int) -> None:
    lut = cube(tmp_path / "a.cube", side, lambda p: 0.1 + 0.7 * p, dimensions=dimensions)
    torch.testing.assert_close(through(lut), 0.1 + 0.7 * noise(0, SIZE), atol=2e-6, rtol=0)


def test_colours_may_be_exchanged_and_mixed(tmp_path: Path) -> None:
    mix = np.array([[0.1, 0.6, 0.3], [0.8, 0.1, 0.1], [0.0, 0.2, 0.8]])
    lut = cube(tmp_path / "a.cube", 9, lambda p: p @ mix.T)
    expected = torch.einsum("oc,chw->ohw", torch.from_numpy(mix).float(), noise(0, SIZE))
    torch.testing.assert_close(through(lut), expected, atol=2e-6, rtol=0)
    halfway = through(lut, lut_amount=0.5)
    torch.testing.assert_close(halfway, 0.5 * (expected + noise(0, SIZE)), atol=2e-6, rtol=0)


def test_greys_stay_on_their_own_edge(tmp_path: Path) -> None:
    """Tetrahedra share the grey axis: a table that is grey on it keeps greys grey; cubes would tint them."""
    lut = cube(
        tmp_path / "a.cube", 5, lambda p: np.where(np.ptp(p, axis=1, keepdims=True) == 0, p, p[:, ::-1] * 0.3)
    )
    ramp = torch.linspace(0, 1, SIZE.width).expand(3, SIZE.height, -1)
    painter = finished(Pictures(lambda frame, size: ramp), Post(lut=lut), 1, RATE)
    torch.testing.assert_close(seen(painter, 0, SIZE), ramp, atol=2e-6, rtol=0)


def test_the_domain_says_where_the_table_lies(tmp_path: Path) -> None:
    for head in ("DOMAIN_MIN -1 -1 -1\nDOMAIN_MAX 3 3 3", "LUT_3D_INPUT_RANGE -1 3"):
        lut = cube(tmp_path / "a.cube", 5, lambda p: -1 + 4 * p, head=head)  # the identity
        torch.testing.assert_close(through(lut), noise(0, SIZE), atol=5e-6, rtol=0)


def test_a_table_that_changes_meanwhile_is_refused(tmp_path: Path) -> None:
    lut = cube(tmp_path / "a.cube", 3, lambda p: p)
    cube(tmp_path / "a.cube", 3, lambda p: 1 - p)
    with pytest.raises(RenderError, match="was changed"):
        through(lut)

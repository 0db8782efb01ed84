"""Blends: what two lights give together."""

import pytest
import torch
from torch import Tensor

from made_programs import drawn
from synesthete.generators.base import Size
from synesthete.programs.program import Program
from synesthete.programs.registry import primitives

BLENDS = [name for name, primitive in primitives().items() if primitive.family == "blend"]
VALUES = torch.tensor([0.0, 0.2, 0.5, 0.8, 1.0, 1.6])
BELOW, ABOVE = VALUES[:, None], VALUES[None, :]


def blended(name: str, below: Tensor, above: Tensor, matte: Tensor | None = None, **values: float) -> Tensor:
    primitive = primitives()[name]
    given = {
        key: torch.tensor(values.get(key, parameter.default))
        for key, parameter in primitive.parameters.items()
    }
    if "matte" in primitive.slots:
        given["matte"] = torch.zeros(()) if matte is None else matte
    result: Tensor = primitive.function(below=below, above=above, **given)
    return result


@pytest.mark.parametrize("name", BLENDS)
def test_light_is_never_negative(name: str) -> None:
    for matte in (torch.tensor(0.0), torch.tensor(1.0)):
        shown = blended(name, BELOW, ABOVE, matte)

        assert bool((shown >= 0.0).all())
        assert bool((shown < 12.0).all())


@pytest.mark.parametrize(
    "name", ["add", "screen", "lighten", "melt", "subtract", "difference", "exclusion", "dodge"]
)
def test_darkness_above_changes_nothing(name: str) -> None:
    below = VALUES[:5]

    torch.testing.assert_close(blended(name, below, torch.zeros(5)), below)


@pytest.mark.parametrize("name", ["multiply", "darken", "overlay", "soft_light", "dodge", "subtract"])
def test_light_above_leaves_darkness_below(name: str) -> None:
    assert float(blended(name, torch.zeros(6), VALUES).max()) == 0.0


@pytest.mark.parametrize(
    "name", ["add", "screen", "multiply", "lighten", "darken", "melt", "difference", "exclusion"]
)
def test_the_order_does_not_matter(name: str) -> None:
    below, above = VALUES[:5, None], VALUES[None, :5]

    torch.testing.assert_close(blended(name, below, above), blended(name, above, below))


def test_a_mix_goes_from_one_to_the_other() -> None:
    assert float(blended("mix", torch.tensor(0.2), torch.tensor(0.8), share=0.0)) == pytest.approx(0.2)
    assert float(blended("mix", torch.tensor(0.2), torch.tensor(0.8), share=1.0)) == pytest.approx(0.8)


def test_a_mask_shows_above_where_the_matte_is_bright() -> None:
    matte = torch.tensor([0.0, 0.5, 1.0])
    shown = blended("mask", torch.tensor(0.2), torch.tensor(0.8), matte)

    torch.testing.assert_close(shown, torch.tensor([0.2, 0.5, 0.8]))


def test_what_lies_over_hides_what_is_below_and_shines_beyond() -> None:
    matte = torch.tensor([0.0, 1.0])
    shown = blended("over", torch.tensor(0.4), torch.tensor(0.3), matte)

    torch.testing.assert_close(shown, torch.tensor([0.7, 0.3]))


def test_half_grey_above_leaves_soft_light_and_overlay_as_they_were() -> None:
    below = VALUES

    for name in ("soft_light", "overlay"):
        torch.testing.assert_close(blended(name, below, torch.tensor(0.5)), below)


def test_melting_fields_swell_where_they_meet() -> None:
    alone, met = torch.tensor(0.6), blended("melt", torch.tensor(0.6), torch.tensor(0.6))

    assert float(met) > float(alone) + 0.05


def test_fields_blend_to_a_field_and_pictures_to_a_picture() -> None:
    rings = {"node": "rings", "count": 2.0}
    mixed = {
        "version": 1,
        "root": {
            "node": "mask",
            "below": {"node": "palette", "of": rings},
            "above": {"node": "heat", "of": rings},
            "matte": {"node": "shift", "right": 0.3, "of": rings},
        },
    }
    plain = {
        "version": 1,
        "root": {"node": "difference", "below": rings, "above": {"node": "zoom", "factor": 2.0, "of": rings}},
    }

    assert Program.from_json(mixed).root.kind == "picture"
    assert Program.from_json(plain).root.kind == "field"
    assert drawn(Program.from_json(mixed), Size(64, 36)).shape == (3, 36, 64)

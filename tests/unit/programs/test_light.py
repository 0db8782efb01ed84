"""Light on a field: always a picture, whatever the parameters; relief, lines, tone as they are promised."""

import itertools

import numpy as np
import pytest
import torch

from synesthete.programs.light import SHADE_PARAMETERS, shade
from synesthete.programs.palettes import ramp_coefficients

Ramp = tuple[tuple[float, float, float], ...]
GREY: Ramp = ((0.0, 0.0, 0.0), (1.0, 0.0, 0.0))
BLACK: Ramp = ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0))
PLAIN = {
    "pixel": 2 / 512,
    "darkness": 0.5,  # the identity of Schlick's bias
    "relief": 1.0,
    "gloss": 0.0,
    "light_x": 0.6,
    "light_y": 0.0,
    "light_z": 0.8,
    "half_x": 0.3162,
    "half_y": 0.0,
    "half_z": 0.9487,
    "lines": 0.0,
    "line_count": 4.0,
    "line_phase": 0.0,
    "line_width": 0.02,
    "accent_r": 1.0,
    "accent_g": 1.0,
    "accent_b": 1.0,
}


def parameters(ramps: tuple[Ramp, Ramp] = (GREY, GREY), **changes: float) -> torch.Tensor:
    fitted = np.concatenate([ramp_coefficients(stops) for stops in ramps]).ravel()
    values = {**PLAIN, **changes, **{f"ramp_{i}": float(c) for i, c in enumerate(fitted)}}
    return torch.tensor([values[name] for name in SHADE_PARAMETERS])


def plane(value: float, shape: tuple[int, ...] = (4, 5)) -> torch.Tensor:
    return torch.full(shape, float(value))


def shaded(
    p: torch.Tensor,
    form: torch.Tensor,
    slope: tuple[torch.Tensor, torch.Tensor] | None = None,
    *,
    tint: float = 0.0,
    light: float = 1.0,
    relief: bool = False,
    lines: bool = False,
) -> torch.Tensor:
    tints, lights = plane(tint, form.shape), plane(light, form.shape)
    kept = None if slope is None else (slope[0].clone(), slope[1].clone())
    return torch.stack(list(shade(form, kept, tints, lights, p, relief=relief, lines=lines)))


EXTREMES = {
    "darkness": (0.02, 0.98),
    "relief": (0.0, 5.0),
    "gloss": (0.0, 5.0),
    "lines": (0.0, 5.0),
    "line_count": (0.0, 40.0),
    "line_width": (0.0005, 0.2),
    "pixel": (2 / 4320, 2 / 32),
}


@pytest.mark.parametrize(("relief", "lines"), list(itertools.product([False, True], repeat=2)))
def test_whatever_the_parameters_it_is_a_picture(relief: bool, lines: bool) -> None:
    drawn = torch.Generator().manual_seed(1)
    form = torch.cat([torch.rand(200, generator=drawn), torch.tensor([0.0, 1.0, 0.5])])
    steep = 10 ** (8 * torch.rand(2, 203, generator=drawn) - 4)
    steep[:, -3:] = 0.0
    sign = torch.where(torch.rand(2, 203, generator=drawn) < 0.5, -1.0, 1.0)
    slope = tuple(steep * sign)
    light = torch.cat([3.5 * torch.rand(202, generator=drawn), torch.zeros(1)])
    tint = torch.rand(203, generator=drawn)
    vivid = (((0.0, 0.0, 270.0), (0.5, 0.4, 285.0), (1.0, 0.4, 20.0)), GREY)
    for corner in itertools.product(*EXTREMES.values()):
        p = parameters(vivid, **dict(zip(EXTREMES, corner, strict=True)), line_phase=0.37)
        copies = (slope[0].clone(), slope[1].clone())
        picture = torch.stack(list(shade(form, copies, tint, light.clone(), p, relief=relief, lines=lines)))
        assert bool(picture.isfinite().all()), corner
        assert float(picture.min()) >= 0, corner
        assert float(picture.max()) <= 1 + 1e-6, corner


def test_a_flat_form_is_not_changed_by_relief() -> None:
    p, form = parameters(), torch.linspace(0, 1, 20)[None]
    flat = (torch.zeros_like(form), torch.zeros_like(form))
    torch.testing.assert_close(shaded(p, form, flat, relief=True), shaded(p, form), atol=1e-6, rtol=0)


def test_relief_is_brighter_towards_the_light_and_never_negative_away_from_it() -> None:
    p, form = parameters(light_x=0.6, light_y=0.0, light_z=0.8), plane(0.6)

    def level(slope_x: float) -> float:
        return float(shaded(p, form, (plane(slope_x), plane(0.0)), relief=True, light=0.5).mean())

    # A form that falls along x faces right, where the light is.
    assert level(-0.5) > level(0.0) > level(0.5) > level(1.2) > 0
    assert level(50.0) == 0.0


def test_gloss_is_a_highlight_where_the_form_faces_half_way_to_the_light() -> None:
    slopes = torch.linspace(-1.5, 1.5, 301)[None]
    form = plane(0.3, (1, 301))
    without, with_gloss = (
        shaded(parameters(gloss=g), form, (slopes, torch.zeros_like(slopes)), relief=True)[0, 0]
        for g in (0.0, 2.0)
    )
    added = with_gloss - without
    peak = float(slopes[0, int(added.argmax())])
    assert abs(peak + PLAIN["half_x"] / PLAIN["half_z"]) < 0.05
    assert float(added[(slopes[0] - peak).abs() > 1.0].max()) < 0.05 * float(added.max())


X = torch.linspace(-0.12, 0.12, 24_001)[None]


def line(steepness: float, **changes: float) -> torch.Tensor:
    """Light across one line, at x = 0, of a linear form; nothing else is lit."""
    p = parameters((BLACK, BLACK), **{"lines": 0.2, "pixel": 2 / 2048, **changes})
    form = 0.5 + steepness * X
    light = shaded(p, form, (torch.full_like(X, steepness), torch.zeros_like(X)), lines=True)[0, 0]
    assert float(light[len(light) // 2]) == float(light.max())
    return light


def width_of(light: torch.Tensor) -> float:
    middle = len(light) // 2
    below = (light < 0.5 * light[middle]).nonzero()[:, 0]
    left, right = below[below < middle].max(), below[below > middle].min()
    return float(X[0, right] - X[0, left])


def test_a_line_is_as_wide_on_a_steep_form_as_on_a_gentle_one() -> None:
    widths = [width_of(line(steepness, line_width=0.01)) for steepness in (0.1, 0.3, 1.0, 2.0)]
    assert max(widths) / min(widths) < 1.05
    assert abs(widths[0] - 2 * 0.01) < 0.001  # a Lorentzian of half-width `line_width`
    assert abs(width_of(line(0.3, line_width=0.02)) / widths[1] - 2) < 0.1


def test_a_line_thinner_than_a_pixel_is_drawn_as_wide_as_one_and_as_bright_in_sum() -> None:
    fine, coarse = (line(0.5, line_width=0.002, pixel=pixel) for pixel in (0.0005, 0.01))
    assert width_of(coarse) >= 0.01
    assert abs(float(coarse.sum() / fine.sum()) - 1) < 0.15  # tails that the next line cuts off
    assert float(coarse.max()) < 0.5 * float(fine.max())


def test_lines_that_crowd_fade_instead_of_flickering_between_pixels() -> None:
    sparse, crowded = (line(steepness, line_width=0.02, line_count=20.0) for steepness in (0.2, 20.0))
    assert float(crowded.max() - crowded.min()) < 0.02 * float(sparse.max() - sparse.min())
    assert float(crowded.max()) < 0.02


def test_tone_rises_and_meets_white_without_an_edge() -> None:
    form = plane(1.0, (1, 1))
    light = torch.linspace(0, 3, 601)
    tone = torch.stack([shaded(parameters(), form, light=float(level))[0, 0, 0] for level in light])
    steps = tone.diff()
    assert float(steps.min()) >= -1e-6
    assert float(tone[0]) == 0
    assert abs(float(tone[10] / light[10]) - 1) < 0.01
    assert abs(float(tone[-1]) - 1) < 1e-6
    assert float(steps.diff().abs().max()) < 1e-4  # no edge anywhere


def test_darkness_bends_the_middle_and_leaves_the_ends() -> None:
    form = torch.tensor([[0.0, 0.5, 1.0]])
    dark, plain, bright = (
        shaded(parameters(darkness=darkness), form, light=0.3)[0, 0] for darkness in (0.9, 0.5, 0.1)
    )
    for end in (0, 2):
        assert abs(float(dark[end] - plain[end])) < 0.01
        assert abs(float(bright[end] - plain[end])) < 0.01
    assert float(dark[1]) < 0.5 * float(plain[1]) < float(bright[1])


def test_tint_mixes_the_two_ramps() -> None:
    red: Ramp = ((0.0, 0.0, 29.0), (0.6, 0.2, 29.0))
    blue: Ramp = ((0.0, 0.0, 264.0), (0.45, 0.25, 264.0))
    p, form = parameters((red, blue)), plane(1.0)
    first, middle, second = (shaded(p, form, tint=tint, light=0.1)[:, 0, 0] for tint in (0.0, 0.5, 1.0))
    assert first.argmax() == 0
    assert second.argmax() == 2
    torch.testing.assert_close(middle, (first + second) / 2, atol=1e-3, rtol=0)


def test_bands_of_rows_are_rows_of_the_whole() -> None:
    drawn = torch.Generator().manual_seed(2)
    form, tint, light = (torch.rand(32, 24, generator=drawn) for _ in range(3))
    slope = 4 * torch.rand(2, 32, 24, generator=drawn) - 2
    p = parameters(gloss=1.0, lines=1.0)

    def draw(top: int, bottom: int) -> torch.Tensor:
        form_, tint_, light_, x, y = (t[top:bottom].clone() for t in (form, tint, light, *slope))
        return torch.stack(list(shade(form_, (x, y), tint_, light_, p, relief=True, lines=True)))

    assert torch.equal(torch.cat([draw(0, 8), draw(8, 32)], 1), draw(0, 32))

"""Fields of sound: they show the spectrum, the wave, the stereo figure and the pitch classes as they are."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from made_programs import drawn, heard_at, minimal_node
from synesthete.generators.base import Size
from synesthete.programs.heard import FIGURE_SIDE, stereo_figure
from synesthete.programs.program import Program
from synesthete.programs.registry import primitives

WIDE, SQUARE = Size(256, 144), Size(192, 192)
PLAIN = {"contrast": 0.0, "foot": 1.0, "softness": 0.0, "cap": 0.0, "glow": 0.0, "gap": 0.05}


def picture(name: str, size: Size = WIDE, heard: dict[str, Tensor] | None = None, **values: Any) -> Tensor:
    """Draw one channel of a field."""
    program = Program.from_json({"version": 1, "root": minimal_node(primitives()[name], **values)})
    return drawn(program, size, heard=heard_at() | (heard or {}))[0]


def band(*loud: int, level: float = 0.8) -> dict[str, Tensor]:
    """Make a spectrum of which only these bands sound."""
    spectrum = torch.zeros(64)
    spectrum[list(loud)] = level
    return {"spectrum": spectrum}


def wave(left: Tensor, right: Tensor) -> dict[str, Tensor]:
    both = torch.stack([left, right])
    return {"wave": both, "figure": stereo_figure(both)}


def centre_of_light(shown: Tensor) -> tuple[float, float]:
    """Say where the light is: its middle across and down, 0-1."""
    rows, columns = shown.shape
    across = float((shown.sum(0) * (torch.arange(columns) + 0.5)).sum() / shown.sum() / columns)
    return across, float((shown.sum(1) * (torch.arange(rows) + 0.5)).sum() / shown.sum() / rows)


@pytest.mark.parametrize("level", [0.25, 0.5, 0.8])
def test_a_bar_is_as_high_as_its_band_is_loud(level: float) -> None:
    shown = picture("spectrum_bars", heard=band(20, level=level), bars=64.0, base="edge", height=1.0, **PLAIN)

    column = shown[:, 4 * 20 + 1]
    assert float((column > 0.1).sum()) == pytest.approx(level * 144, abs=1.0)
    assert not shown[:, : 4 * 20].any()
    assert not shown[:, 4 * 21 :].any()


def test_bars_about_the_middle_are_the_same_above_and_below() -> None:
    shown = picture("spectrum_bars", base="middle")

    torch.testing.assert_close(shown, shown.flip(0), atol=1e-5, rtol=0)


def test_a_row_is_as_long_as_its_band_is_loud_and_low_notes_are_below() -> None:
    shown = picture("spectrum_rows", Size(256, 256), band(5), bars=64.0, base="edge", length=1.0, **PLAIN)

    row = shown[256 - 4 * 5 - 2]
    assert float((row > 0.1).sum()) == pytest.approx(0.8 * 256, abs=1.0)
    assert not shown[: 256 - 4 * 6].any()


def test_a_bar_that_shows_several_bands_hears_each_of_its_middle_ones() -> None:
    for loud in range(17, 23):  # The third of eight bars shows bands 16 to 23.
        shown = picture("spectrum_bars", heard=band(loud), bars=8.0)

        assert 0.25 < centre_of_light(shown)[0] < 0.375


def test_the_ring_has_low_notes_below_and_is_the_same_on_both_sides() -> None:
    low, high = (picture("spectrum_ring", SQUARE, band(k), rim=0.0) for k in (0, 63))

    assert centre_of_light(low)[1] > 0.6
    assert centre_of_light(high)[1] < 0.4
    shown = picture("spectrum_ring", SQUARE)
    torch.testing.assert_close(shown, shown.flip(1), atol=1e-4, rtol=0)


@pytest.mark.parametrize("name", ["spectrum_bars", "spectrum_rows", "spectrum_ring", "chroma_wheel"])
def test_what_is_louder_is_brighter_and_silence_is_dark(name: str) -> None:
    def light(level: float) -> float:
        heard = {"spectrum": torch.full((64,), level), "chroma": torch.full((12,), level)}
        return float(picture(name, heard=heard, **({"rim": 0.0} if name == "spectrum_ring" else {})).mean())

    assert light(0.0) == pytest.approx(0.0, abs=1e-3)
    assert light(0.3) < light(0.6) < light(0.9)


@pytest.mark.parametrize(("order", "turn"), [("fifths", 1 / 12), ("semitones", 7 / 12)])
def test_a_pitch_class_lights_its_petal(order: str, turn: float) -> None:
    chroma = torch.zeros(12)
    chroma[7] = 1.0  # G

    across, down = centre_of_light(picture("chroma_wheel", SQUARE, {"chroma": chroma}, order=order))

    assert math.atan2(across - 0.5, 0.5 - down) / math.tau % 1.0 == pytest.approx(turn, abs=0.01)


def test_the_scope_goes_through_the_values_of_the_wave() -> None:
    tone = 0.5 * torch.sin(math.tau * 2 * torch.arange(512) / 511)

    shown = picture("scope", heard=wave(tone, tone), gain=1.0, tie=0.0, glow=0.0, smoothness=0.0)

    way = torch.linspace(-1, 1, 257)[:-1] + 1 / 256
    value = 0.5 * torch.sin(math.tau * (way + 1))
    limited = value / torch.sqrt(1 + (value / 0.85) ** 2)
    rows = (shown * (torch.arange(144)[:, None] + 0.5)).sum(0) / shown.sum(0)
    torch.testing.assert_close(1 - rows / 72, limited, atol=0.01, rtol=0)


def test_the_scope_is_as_thick_on_slopes_as_on_the_level() -> None:
    ramp = torch.linspace(-1.0, 1.0, 512) * 0.2
    flat, steep = (
        picture("scope", SQUARE, wave(tone, tone), gain=4.0, span=span, tie=0.0, glow=0.0, thickness=0.06)
        for tone, span in ((torch.zeros(512), 1.0), (ramp, 1.0))
    )

    middle = slice(64, 128)
    limited = lambda x: 0.85 * x / math.sqrt(1 + x * x)  # noqa: E731
    slope = limited(4.0 * 0.2 / 3 / 0.85) * 3
    length = math.sqrt(1 + slope * slope)
    ratio = float(steep[:, middle].sum() / flat[:, middle].sum())
    assert ratio == pytest.approx(length, rel=0.05)


def test_stereo_shows_left_above_right() -> None:
    tone = 0.5 * torch.sin(math.tau * 6 * torch.arange(512) / 511)

    shown = picture("scope", heard=wave(tone, torch.zeros(512)), channels="stereo")

    level = (shown > 0.5).sum(0)
    assert (shown[72:] > 0.5).any(1).sum() < 8
    assert (shown[:72] > 0.5).any(1).sum() > 20
    assert (level > 0).all()


def test_the_ring_closes_though_the_wave_does_not() -> None:
    ramp = torch.linspace(-0.6, 0.6, 512)

    shown = picture("scope_ring", Size(256, 256), wave(ramp, ramp), smoothness=0.0, glow=0.0)

    # The seam is above the centre, between columns 127 and 128.
    rows = (shown[:128] * (torch.arange(128)[:, None] + 0.5)).sum(0) / shown[:128].sum(0)
    assert float(torch.abs(rows[122:134].diff()).max()) < 3.0


@pytest.mark.parametrize("name", ["chroma_wheel", "scope_ring"])
def test_one_turn_of_the_phase_brings_the_picture_back_and_half_a_turn_does_not(name: str) -> None:
    start, half, end = (picture(name, SQUARE, phase=phase) for phase in (0.0, 0.5, 1.0 - 1e-5))

    torch.testing.assert_close(start, end, atol=0.02, rtol=0)
    assert float(torch.abs(start - half).max()) > 0.3


def test_the_vectorscope_stands_upright_for_mono_and_lies_for_opposite_channels() -> None:
    tone = 0.5 * torch.sin(math.tau * 3 * torch.arange(512) / 511)
    mono, opposite = (picture("vectorscope", SQUARE, wave(tone, sign * tone)) for sign in (1.0, -1.0))

    assert (mono > 0.1).any(1).sum() > 5 * (mono > 0.1).any(0).sum()
    torch.testing.assert_close(opposite, mono.T, atol=2e-3, rtol=0)


def test_a_stereo_figure_is_a_soft_dot_for_every_eighth_of_a_sample() -> None:
    draws = torch.Generator().manual_seed(2)
    wave = torch.rand(2, 64, generator=draws) * 2 - 1
    fine = torch.nn.functional.interpolate(wave[None], scale_factor=8.0, mode="linear")[0].double()
    across, down = (fine[1] - fine[0]) * 0.5**0.5, -(fine[0] + fine[1]) * 0.5**0.5
    places = torch.arange(FIGURE_SIDE, dtype=torch.float64)

    def dots(at: torch.Tensor) -> torch.Tensor:
        place = torch.clamp((at / 2.5 + 0.5) * (FIGURE_SIDE - 1), 1.0, FIGURE_SIDE - 2.0)
        return torch.exp(-0.5 * ((place[:, None] - places) / 1.1) ** 2)

    beam = dots(down).T @ dots(across) * (8.0 / fine.shape[-1])
    wanted = 1.0 - torch.exp(-4.0 * beam)
    assert torch.allclose(stereo_figure(wave).double(), wanted, atol=1e-6)

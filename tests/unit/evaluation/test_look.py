"""What is measured of a picture: light and colour at any size alike, detail where it is."""

import json
from fractions import Fraction

import numpy as np
import pytest
import torch

from synesthete.evaluation.look import DETAIL_BANDS, LOOK_COLUMNS, display_rgb, look_report, measure_look
from synesthete.evaluation.observe import Observation, observe
from synesthete.generators.base import Size
from synesthete.generators.quantise import Quantiser

SIZE = Size(256, 144)


def planes_of(rgb: np.ndarray) -> np.ndarray:
    """Quantise display RGB, (height, width, 3), as films are."""
    height, width = rgb.shape[:2]
    picture = torch.from_numpy(np.ascontiguousarray(rgb.transpose(2, 0, 1), np.float32))
    return Quantiser(Size(width, height)).yuv420(picture).numpy()


def look(rgb: np.ndarray) -> dict[str, float]:
    height, width = rgb.shape[:2]
    values = measure_look(planes_of(rgb), Size(width, height))
    assert values.dtype == np.float32
    return dict(zip(LOOK_COLUMNS, values.tolist(), strict=True))


def flat(red: float, green: float, blue: float, size: Size = SIZE) -> np.ndarray:
    return np.full((size.height, size.width, 3), (red, green, blue), np.float32)


def places(size: Size) -> tuple[np.ndarray, np.ndarray]:
    """Give the pixels' places in short sides from the middle: the same for any size."""
    y = (np.arange(size.height) + 0.5 - size.height / 2) / size.short
    x = (np.arange(size.width) + 0.5 - size.width / 2) / size.short
    return np.meshgrid(y, x, indexing="ij")


def details(values: dict[str, float]) -> list[float]:
    return [values[f"detail_{band}"] for band in range(DETAIL_BANDS)]


def test_a_flat_grey_has_light_and_nothing_else() -> None:
    values = look(flat(0.4, 0.4, 0.4))
    assert values["brightness"] == pytest.approx(0.4, abs=0.005)
    assert values["contrast"] < 0.005
    assert values["saturation"] < 0.03
    assert values["entropy"] < 1.1  # dither lies between two levels
    assert (values["dark"], values["clipped"]) == (0.0, 0.0)
    exact = np.full((216, 256), 128, np.uint8)
    assert details(dict(zip(LOOK_COLUMNS, measure_look(exact, SIZE).tolist(), strict=True))) == [0.0] * 6


def test_black_is_dark_and_has_no_colour_and_white_is_clipped() -> None:
    black, white = look(flat(0, 0, 0)), look(flat(1, 1, 1))
    assert (black["brightness"], black["dark"], black["clipped"]) == (0.0, 1.0, 0.0)
    assert black["saturation"] == 0.0
    assert (white["dark"], white["clipped"]) == (0.0, 1.0)
    assert white["brightness"] == pytest.approx(1.0, abs=0.005)


def test_shares_of_dark_and_clipped_are_shares_of_the_picture() -> None:
    picture = flat(0.5, 0.5, 0.5)
    picture[:, : SIZE.width // 4] = 0.02
    picture[:, -SIZE.width // 8 :] = (1.0, 0.2, 0.2)
    values = look(picture)
    assert values["dark"] == pytest.approx(0.25, abs=0.01)
    assert values["clipped"] == pytest.approx(0.125, abs=0.01)


@pytest.mark.parametrize("rgb", [(0.8, 0.2, 0.2), (0.1, 0.6, 0.3), (0.3, 0.3, 0.9), (0.5, 0.25, 0.25)])
def test_saturation_is_that_of_hsv_where_something_can_be_seen(rgb: tuple[float, float, float]) -> None:
    expected = (max(rgb) - min(rgb)) / max(rgb)
    assert look(flat(*rgb))["saturation"] == pytest.approx(expected, abs=0.02)
    half = flat(*rgb)
    half[:, : SIZE.width // 2] = (0.02, 0.0, 0.0)  # too dark to have a colour
    assert look(half)["saturation"] == pytest.approx(expected, abs=0.02)


def test_contrast_and_entropy_of_two_levels() -> None:
    picture = flat(0.2, 0.2, 0.2)
    picture[: SIZE.height // 2] = 0.8
    values = look(picture)
    assert values["contrast"] == pytest.approx(0.3, abs=0.005)
    exact = np.full((216, 256), 128, np.uint8)
    exact[:72] = 60
    entropy = measure_look(exact, SIZE)[LOOK_COLUMNS.index("entropy")]
    assert entropy == pytest.approx(1.0)


def test_colourfulness_is_hasler_and_suesstrunk_s() -> None:
    random = np.random.default_rng(0)
    blocks = random.uniform(0.1, 0.9, (9, 16, 3)).astype(np.float32)
    picture = blocks.repeat(16, axis=0).repeat(16, axis=1)
    red, green, blue = 255 * picture.reshape(-1, 3).T.astype(np.float64)
    rg, yb = red - green, 0.5 * (red + green) - blue
    expected = np.hypot(rg.std(), yb.std()) + 0.3 * np.hypot(rg.mean(), yb.mean())
    assert look(picture)["colourfulness"] == pytest.approx(expected, rel=0.02)
    assert look(flat(0.5, 0.5, 0.5))["colourfulness"] < 1.5


@pytest.mark.parametrize(("cycles", "band"), [(2, 0), (5, 1), (12, 2), (40, 3), (100, 4), (230, 5)])
def test_detail_falls_into_its_band_of_cycles_per_short_side(cycles: int, band: int) -> None:
    size = Size(1920, 1080)
    _, x = places(size)
    wave = 0.5 + 0.3 * np.sin(2 * np.pi * cycles * x)
    shares = details(look(np.repeat(wave[..., None], 3, axis=2)))
    assert sum(shares) == pytest.approx(1.0, abs=1e-5)
    assert shares[band] > 0.8


def test_the_look_is_that_of_the_preview_and_of_the_portrait() -> None:
    looks = []
    for size in (Size(256, 144), Size(1280, 720), Size(720, 1280)):
        y, x = places(size)
        light = 0.5 + 0.2 * np.sin(2 * np.pi * 3 * x) * np.cos(2 * np.pi * 6 * y)
        looks.append(look(np.stack([light, 0.7 * light, 0.4 * np.ones_like(light)], axis=2)))
    preview, full, portrait = looks
    for name in LOOK_COLUMNS:
        assert preview[name] == pytest.approx(full[name], rel=0.03, abs=0.02), name
    for name in ("brightness", "contrast", "saturation", "entropy", *(f"detail_{k}" for k in range(3))):
        assert portrait[name] == pytest.approx(full[name], rel=0.1, abs=0.03), name


def test_a_preview_has_nothing_in_the_finest_band() -> None:
    noise = np.random.default_rng(0).uniform(0, 1, (144, 256, 1)).astype(np.float32)
    shares = details(look(np.repeat(noise, 3, axis=2)))
    assert shares[5] == 0.0
    assert shares[4] > 0.3


def test_display_rgb_undoes_the_quantiser() -> None:
    picture = np.random.default_rng(2).uniform(0, 1, (9, 16, 3)).repeat(16, axis=0).repeat(16, axis=1)
    shown = display_rgb(planes_of(picture), SIZE)
    assert shown.shape == (144, 256, 3)
    inside = (slice(3, None, 16), slice(3, None, 16))
    assert np.abs(shown[inside] - picture[inside]).max() < 0.02


def film_of(*pictures: np.ndarray) -> Observation:
    return observe((planes_of(p) for p in pictures), size=SIZE, frame_rate=Fraction(1))


def test_the_report_averages_the_sampled_frames() -> None:
    report = look_report(film_of(flat(0.2, 0.2, 0.2), flat(0.8, 0.4, 0.4)))
    json.dumps(report, allow_nan=False)
    assert report["brightness"] == pytest.approx((0.2 + 0.4851) / 2, abs=0.01)
    assert report["saturation"] == pytest.approx(0.25, abs=0.02)
    assert report["saturation_percentiles"]["p90"] > 0.4
    assert len(report["sharpness"]) == DETAIL_BANDS

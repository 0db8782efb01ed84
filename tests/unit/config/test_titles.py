"""Titles as options: what is understood, and what is refused with a clear word."""

import pytest

from synesthete.config.base import build
from synesthete.config.render import RenderOptions
from synesthete.config.titles import Titles, TitleStyle, is_picture_name
from synesthete.errors import ConfigError


@pytest.mark.parametrize(
    ("given", "seconds"), [("1s", 1.0), ("2.5 s", 2.5), ("3", 3.0), (0.25, 0.25), (4, 4.0), ("0s", 0.0)]
)
def test_fades_are_seconds(given: str | float, seconds: float) -> None:
    assert build(Titles, {"fade_in": given, "fade_out": given}, where="titles") == Titles(
        fade_in=seconds, fade_out=seconds
    )


@pytest.mark.parametrize("given", ["-1s", "1m", "61", "soon", "", "nan", None])
def test_other_fades_are_refused(given: str | None) -> None:
    with pytest.raises(ConfigError, match="fade_in"):
        build(Titles, {"fade_in": given}, where="titles")


def test_nothing_is_written_by_default() -> None:
    assert RenderOptions().titles == Titles()
    assert TitleStyle() == TitleStyle.model_validate({})
    assert not TitleStyle().card
    assert TitleStyle().watermark is None


def test_yaml_off_means_no_cover_art() -> None:
    assert Titles.model_validate({"cover_art": False}).cover_art == "off"


@pytest.mark.parametrize(
    ("field", "value"),
    [("watermark_opacity", 0), ("watermark_corner", "middle"), ("title", ""), ("art", "x")],
)
def test_what_is_out_of_range_is_named(field: str, value: object) -> None:
    with pytest.raises(ConfigError, match=field):
        build(RenderOptions, {"titles": {field: value}}, where="options")


def test_pictures_are_told_from_texts() -> None:
    assert all(is_picture_name(name) for name in ("a.png", "logos/B.JPG", "c.jpeg", "d.webp"))
    assert not any(is_picture_name(text) for text in ("© Nova", "png", "nova.fm", "Track no. 5"))

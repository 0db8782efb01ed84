"""Titles: seen in their moments only, the same at every rate and size, within the safe area, legible."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from made_timelines import quiet_timeline
from synesthete.config.titles import Titles
from synesthete.errors import InputError
from synesthete.generators.base import Painter, Size, Trajectory
from synesthete.render import titles as titles_module
from synesthete.render.layers import lay_over, layer_of
from synesthete.render.title_layout import Frame, draw_card, draw_lower_third, draw_watermark
from synesthete.render.titles import FilmTitles, Titler, film_titles, titled

SIZE = Size(256, 144)
NOTHING = Trajectory(np.zeros((2000, 1), np.float32), ("x",), {})
LONG = "An evening in the garden of unearthly delights, " * 6


class Plain:
    """Paints one colour; keeps what it painted, so that a change of it is seen."""

    def __init__(self, level: float = 0.5) -> None:
        self.level = level
        self.painted: list[Tensor] = []

    def prepare(self, trajectory: Trajectory, size: Size) -> str:
        return "eager-float32-cpu"

    def frames(self, trajectory: Trajectory, start: int, stop: int, size: Size) -> Iterator[Tensor]:
        picture = torch.full((3, size.height, size.width), self.level)
        for _ in range(start, stop):
            self.painted.append(picture)
            yield picture


def resolved(duration: int = 30, **wish: object) -> FilmTitles:
    found = film_titles(
        Titles.model_validate({"cover_art": "off", **wish}),
        song=Path("song.ogg"),
        duration=Fraction(duration),
        tags={"title": "Vibe Ace", "artist": "Kevin MacLeod"},
    )
    assert found is not None
    return found


def shown(titles: FilmTitles, moment: float, size: Size = SIZE, rate: int = 30, level: float = 0.5) -> Tensor:
    painter = Titler(Plain(level), titles, Fraction(rate))
    frame = round(moment * rate)
    return next(painter.frames(NOTHING, frame, frame + 1, size)).clone()


def png(path: Path, colour: tuple[int, ...], size: tuple[int, int] = (40, 40)) -> Path:
    Image.new("RGBA" if len(colour) == 4 else "RGB", size, colour).save(path)
    return path


def test_without_titles_the_painter_is_left_alone() -> None:
    painter: Painter = Plain()
    nothing = film_titles(Titles(), song=Path("a.ogg"), duration=Fraction(9), tags={})
    assert nothing is None
    assert titled(painter, nothing, quiet_timeline(1), Fraction(30)) is painter


def test_outside_its_moments_a_frame_passes_untouched() -> None:
    painter = Plain()
    drawn = list(
        Titler(painter, resolved(card=True, lower_third=True), Fraction(30)).frames(NOTHING, 0, 600, SIZE)
    )
    same = [a is b for a, b in zip(drawn, painter.painted, strict=True)]
    assert same[0]
    assert not same[90]
    assert all(same[540:])
    assert torch.equal(painter.painted[0], torch.full((3, 144, 256), 0.5))  # it isn't written into


def test_frame_i_at_30_is_frame_2i_at_60() -> None:
    titles = resolved(card=True, lower_third=True, watermark="NOVA", fade_in=1, fade_out=3)
    for frame in (0, 10, 37, 60, 180, 250, 299, 870, 899):
        slow, fast = (
            next(Titler(Plain(), titles, Fraction(rate)).frames(NOTHING, at, at + 1, SIZE)).clone()
            for rate, at in ((30, frame), (60, 2 * frame))
        )
        assert torch.equal(slow, fast), frame


@pytest.mark.parametrize("size", [Size(640, 360), Size(360, 640), Size(360, 360)])
def test_a_small_picture_is_the_large_one_from_further_away(size: Size) -> None:
    titles = resolved(card=True, watermark="NOVA", title="The Long and Winding Road")
    half = Size(size.width // 2, size.height // 2)
    large, small = shown(titles, 3, size), shown(titles, 3, half)
    light = (large * large).reshape(3, half.height, 2, half.width, 2).mean((2, 4))
    assert float((light.sqrt() - small).abs().mean()) < 0.012


def test_fades_go_from_black_to_black_in_linear_light() -> None:
    titles = resolved(fade_in=1, fade_out=3)
    assert float(shown(titles, 0).max()) == 0.0
    assert float(shown(titles, 0.5).mean()) ** 2 == pytest.approx(0.5 * 0.25, rel=1e-5)
    assert torch.equal(shown(titles, 1), shown(titles, 27))
    assert float(shown(titles, 28.5).mean()) ** 2 == pytest.approx(0.5 * 0.25, rel=1e-5)
    assert float(shown(titles, 899 / 30).max()) < 0.02
    levels = [float(shown(titles, frame / 30).mean()) for frame in range(31)]
    assert all(a < b for a, b in itertools.pairwise(levels))


def test_fades_take_what_is_written_with_them() -> None:
    both = resolved(duration=4, fade_in=1, fade_out=1, watermark="NOVA", watermark_opacity=1)
    assert float(shown(both, 0).max()) == 0.0
    assert float(shown(both, 2, level=0.0).max()) > 0.8


def test_the_lower_third_waits_for_the_card_and_short_films_show_both() -> None:
    card, lower = titles_module._times(resolved(card=True, lower_third=True))
    assert card is not None
    assert lower is not None
    assert card.gone <= lower.appears
    assert lower.gone < 16
    card, lower = titles_module._times(resolved(duration=4, card=True, lower_third=True))
    assert lower is not None
    assert lower.gone <= 4


@pytest.mark.parametrize("size", [Size(320, 180), Size(180, 320), Size(180, 180), Size(420, 180)])
@pytest.mark.parametrize("title", ["Vibe Ace", LONG, "W" * 300, "Ж", "שלום"])
def test_nothing_that_is_written_leaves_the_safe_area(size: Size, title: str) -> None:
    frame = Frame(size)
    art = Image.new("RGBA", (50, 40), (255, 0, 0, 255))
    layers = [
        draw_card(frame, title, title, None),
        draw_card(frame, title, title, art),
        draw_lower_third(frame, title, title),
        draw_watermark(frame, title, corner="top-left", opacity=1.0),
    ]
    for layer in layers:
        assert layer is not None
        whole = torch.zeros(3, size.height, size.width)
        lay_over(whole, layer, 1.0)  # shadows don't show on black
        lit = (whole > 0.05).any(0)
        rows, columns = lit.any(1).nonzero(), lit.any(0).nonzero()
        assert 0.05 * size.height - 1 <= int(rows.min())
        assert int(rows.max()) < 0.95 * size.height + 1
        assert 0.05 * size.width - 1 <= int(columns.min())
        assert int(columns.max()) < 0.95 * size.width + 1


@pytest.mark.parametrize("level", [0.0, 0.3, 0.6, 1.0])
def test_text_is_read_on_every_lightness(level: float) -> None:
    """WCAG 2.2, 1.4.3 asks a contrast of 3:1 of large text, here with a ring around the letters."""
    size = Size(1280, 720)
    for wish in ({"card": True}, {"lower_third": True}):
        light = shown(resolved(**wish), 3, size, level=level).mean(0) ** 2
        dark = shown(resolved(**wish), 3, size, level=0.0).mean(0)
        ink, touched = dark > 0.85, dark > 0.02
        ring = (torch.nn.functional.max_pool2d(touched[None].float(), 7, 1, 3)[0] > 0) & ~touched
        contrast = (float(light[ink].mean()) + 0.05) / (float(light[ring].mean()) + 0.05)
        assert contrast > 3.0, wish


@pytest.mark.parametrize("corner", ["top-left", "top-right", "bottom-left", "bottom-right"])
def test_a_watermark_stands_in_its_corner_all_along(tmp_path: Path, corner: str) -> None:
    mark = png(tmp_path / "logo.png", (255, 255, 255, 255))
    titles = resolved(watermark=str(mark), watermark_corner=corner, watermark_opacity=0.5)
    for moment in (0, 29):
        picture = shown(titles, moment, level=0.0)
        assert float(picture.max()) ** 2 == pytest.approx(0.5, abs=0.02)  # half of the light
        rows, columns = (picture > 0.1).any(0).nonzero(as_tuple=True)
        assert (float(rows.float().mean()) < 72) == corner.startswith("top")
        assert (float(columns.float().mean()) < 128) == corner.endswith("left")


def test_what_is_transparent_lends_no_colour(tmp_path: Path) -> None:
    image = Image.new("RGBA", (64, 64), (255, 0, 0, 0))
    image.paste((0, 0, 255, 255), (16, 16, 48, 48))
    image.save(tmp_path / "logo.png")
    picture = shown(resolved(watermark=str(tmp_path / "logo.png"), watermark_opacity=1), 1, level=0.0)
    assert float(picture[2].max()) > 0.9
    assert float(picture[0].max()) < 0.02


def test_art_is_shown_beside_the_card_in_its_colours(tmp_path: Path) -> None:
    art = png(tmp_path / "art.png", (200, 40, 90))
    picture = shown(resolved(card=True, cover_art=str(art)), 3, level=0.2)
    middle = picture[:, 72, 60] * 255
    found = [picture[:, :, x] for x in range(256)]
    match = [
        (torch.tensor([200.0, 40, 90])[:, None] - 255 * column).abs().amax(0).min() < 2 for column in found
    ]
    assert sum(bool(one) for one in match) > 40, middle
    assert not torch.equal(picture, shown(resolved(card=True), 3, level=0.2))


def test_words_come_from_the_wish_the_tags_or_the_name() -> None:
    def words(tags: dict[str, str], **wish: str) -> tuple[str, str]:
        found = film_titles(
            Titles.model_validate({"card": True, "cover_art": "off", **wish}),
            song=Path("01 my_song.ogg"), duration=Fraction(9), tags=tags,
        )  # fmt: skip
        assert found is not None
        return found.title, found.artist

    assert words({}) == ("01 my song", "")
    assert words({"title": "T", "artist": "A"}) == ("T", "A")
    assert words({"title": "T", "album_artist": "B"}, title="Mine") == ("Mine", "B")
    assert words({"title": "a\nb\x00"}, artist="Own") == ("a b", "Own")
    assert words({"title": "\u202e\n"}) == ("01 my song", "")


def test_letters_that_no_font_has_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synesthete.media.fonts._system_fonts", lambda: ())
    found = resolved(card=True, title="Tokyo \U0001fabf\U0001fabf", artist="日本")
    assert found.title == "Tokyo"
    assert found.artist == ""
    assert len(found.warnings) == 2
    assert "of the title" in found.warnings[0]
    assert "日本" in found.warnings[1]


def test_what_pillow_cannot_set_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert resolved(card=True, title="שלום").warnings == ()
    monkeypatch.setattr("synesthete.media.characters.features.check", lambda name: name != "fribidi")
    assert "right to left" in resolved(card=True, title="שלום").warnings[0]
    assert resolved(card=True, title="Vibe Ace").warnings == ()


@pytest.mark.parametrize("name", ["missing.png", "text.png", "folder.png", "a\0b.png"])
def test_a_picture_that_cannot_be_used_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(InputError, match="watermark"):
        resolved(watermark=str(tmp_path / name))
    with pytest.raises(InputError, match="cover art"):
        resolved(card=True, cover_art=str(tmp_path / name))


def test_everything_that_is_seen_is_part_of_the_key(tmp_path: Path) -> None:
    red, blue = png(tmp_path / "red.png", (255, 0, 0)), png(tmp_path / "blue.png", (0, 0, 255))
    kinds = [
        resolved(card=True), resolved(lower_third=True), resolved(card=True, title="Other"),
        resolved(card=True, artist="Other"), resolved(fade_in=1), resolved(fade_out=1),
        resolved(overlay=True),
        resolved(watermark="N"), resolved(watermark="M"), resolved(watermark="N", watermark_opacity=0.4),
        resolved(watermark="N", watermark_corner="top-left"), resolved(watermark=str(red)),
        resolved(watermark=str(blue)), resolved(card=True, cover_art=str(red)),
        resolved(card=True, cover_art=str(blue)), resolved(duration=31, card=True),
    ]  # fmt: skip
    inputs = [kind.inputs() for kind in kinds]
    assert all(a != b for i, a in enumerate(inputs) for b in inputs[:i])
    copy = png(tmp_path / "copy.png", (255, 0, 0))
    assert resolved(watermark=str(copy)).inputs() == resolved(watermark=str(red)).inputs()
    assert replace(kinds[0], warnings=("told",)).inputs() == inputs[0]


def test_a_layer_keeps_light_and_adds_up() -> None:
    coverage = np.zeros((6, 8), np.float32)
    coverage[2:4, 3:5] = 0.5
    layer = layer_of(np.stack([coverage] * 3), coverage, np.zeros_like(coverage))
    assert layer is not None
    assert (layer.top, layer.left, tuple(layer.coverage.shape)) == (2, 3, (1, 2, 2))
    picture = torch.full((3, 6, 8), 0.2)
    lay_over(picture, layer, 0.5)
    # A quarter of white light over three quarters of what was there.
    assert float(picture[0, 2, 3]) ** 2 == pytest.approx(0.25 + 0.75 * 0.04, rel=1e-5)
    assert float(picture[0, 0, 0]) == pytest.approx(0.2)
    assert layer_of(np.zeros((3, 6, 8), np.float32), coverage * 0, coverage * 0) is None


def test_pictures_are_turned_upright_and_large_ones_refused(tmp_path: Path) -> None:
    from synesthete.media.artwork import decode_picture

    turned = Image.new("RGB", (20, 10))
    exif = turned.getexif()
    exif[0x0112] = 6
    data = BytesIO()
    turned.save(data, "JPEG", exif=exif)
    assert decode_picture(data.getvalue()).size == (10, 20)
    wide = BytesIO()
    Image.new("L", (9000, 2)).save(wide, "PNG")
    with pytest.raises(ValueError, match="8192"):
        decode_picture(wide.getvalue())

"""What ``--style-image`` may name: pictures, films, moments of films."""

from fractions import Fraction
from pathlib import Path

import pytest

from synesthete.config.base import build
from synesthete.config.render import RenderOptions
from synesthete.config.style_image import FilmMoment, film_moment
from synesthete.errors import ConfigError


@pytest.mark.parametrize(
    "name", ["a.png", "A.JPG", "a.b.jpeg", "a.webp", "film.mp4@3/a.png", "film.mp4@3.png"]
)
def test_pictures_are_no_films(name: str) -> None:
    assert film_moment(Path(name)) is None


@pytest.mark.parametrize(
    ("given", "film", "moment"),
    [
        ("a.mp4", "a.mp4", None),
        ("A.MOV@0", "A.MOV", Fraction(0)),
        ("my films/a.webm@12.5", "my films/a.webm", Fraction(25, 2)),
        ("a.mkv@1:02.25", "a.mkv", Fraction(249, 4)),
        ("me@home.mp4", "me@home.mp4", None),
        ("me@home.mp4@3", "me@home.mp4", Fraction(3)),
        ("a.mp4@1.mov@2", "a.mp4@1.mov", Fraction(2)),
    ],
)
def test_films_and_their_moments(given: str, film: str, moment: Fraction | None) -> None:
    assert film_moment(Path(given)) == FilmMoment(Path(film), moment)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("a.mp4@", r"'', after the @, is no moment of a film; write seconds \(a\.mp4@12\.5\) or m:ss"),
        ("a.mp4@soon", r"'soon', after the @, is no moment"),
        ("a.mp4@-1", r"'-1', after the @, is no moment"),
        ("a.mp4@nan", r"'nan', after the @, is no moment"),
        ("a.avi", r"'a\.avi' does not end in \.png, .*, as pictures do, or in \.mp4, .*\.mov, as films do"),
        ("a.mp4@3/b", r"'b' does not end in"),
    ],
)
def test_what_is_neither_is_refused_before_anything_is_heard(given: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        build(RenderOptions, {"style_image": given}, where="options")
    assert str(caught.value).startswith("options: style_image")
    with pytest.raises(ConfigError, match=says):
        film_moment(Path(given))

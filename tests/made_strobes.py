"""Films that flash in every way that is known to be bad: 150 painters with exactly known pictures."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from synesthete.generators.base import Size, Trajectory
from synesthete.seeding import generator_for

__all__ = ["Strobe", "adversarial_films"]

Picture = Callable[[float, int, np.ndarray, np.ndarray], Any]
"""From a moment, its frame, and pixels' places (0-1 across and down) to linear light: RGB last, or grey, of
each or of all."""

RATES = (Fraction(24), Fraction(30), Fraction(60), Fraction(30_000, 1001))
BLACK, WHITE, GREY = (0.0,) * 3, (1.0,) * 3, (0.2126,) * 3
RED, BLUE, GREEN, YELLOW = (1.0, 0.0, 0.0), (0.0, 0.0, 1.0), (0.0, 1.0, 0.0), (1.0, 1.0, 0.0)
MAGENTA, PINK, DARK_RED, BRICK = (1.0, 0.0, 1.0), (1.0, 0.35, 0.35), (0.15, 0.0, 0.0), (0.6, 0.07, 0.05)


@dataclass(frozen=True)
class Strobe:
    """A painter of a film that flashes.

    Attributes
    ----------
    name
        What it does.
    frame_rate, seconds
        Of the film.
    picture
        Draws it.
    """

    name: str
    frame_rate: Fraction
    seconds: float
    picture: Picture

    @property
    def count(self) -> int:
        """Number of frames."""
        return round(self.seconds * self.frame_rate)

    def prepare(self, trajectory: Trajectory, size: Size) -> str:
        """Name the one numeric path there is."""
        return "eager-float32-cpu"

    def frames(
        self, trajectory: Trajectory, start: int, stop: int, size: Size
    ) -> Iterator[Float[Tensor, "3 height width"]]:
        """Draw its frames: each pixel is the mean of four points, or the picture is of one colour."""
        y, x = np.mgrid[: 2 * size.height, : 2 * size.width].astype(np.float32) + np.float32(0.5)
        x, y = x / (2 * size.width), y / (2 * size.height)
        for frame in range(start, stop):
            light = np.asarray(self.picture(float(frame / self.frame_rate), frame, x, y), np.float32)
            if light.ndim > 1:
                points = light.reshape(size.height, 2, size.width, 2, -1)
                light = points.mean((1, 3))
            codes = np.where(
                light <= 0.0031308, light * 12.92, 1.055 * np.maximum(light, 0.0) ** (1 / 2.4) - 0.055
            )
            whole = np.broadcast_to(codes, (size.height, size.width, 3)).transpose(2, 0, 1)
            yield torch.from_numpy(np.ascontiguousarray(whole, np.float32))


def adversarial_films() -> list[Strobe]:
    """Give 150 films."""
    films: list[Strobe] = []
    rates = itertools.cycle(RATES)

    def add(name: str, picture: Picture, *, rate: Fraction | None = None, seconds: float = 5.0) -> None:
        rate = rate or next(rates)
        films.append(Strobe(f"{name}, {float(rate):.5g} fps", rate, seconds, picture))

    for hertz, (wave, shape) in itertools.product((2, 3.5, 4, 5, 8, 12), WAVES.items()):  # 18
        add(f"full field, {wave}, {hertz} Hz", lambda t, i, x, y, h=hertz, w=shape: np.float32(w(t, h)))
    for rate in RATES:  # 8
        half = float(rate / 2)
        add(f"every other frame, {half:g} Hz", lambda t, i, x, y: np.float32(i % 2), rate=rate)
        add("random frames", lambda t, i, x, y: np.float32(_random("frames", i)), rate=rate)
    for dark, light in ((0, 0.13), (0.05, 0.3), (0.4, 0.55), (0.7, 0.95), (0.75, 1), (1, 0.2)):  # 12
        for hertz in (4, 9):
            add(
                f"from {dark} to {light}, {hertz} Hz",
                lambda t, i, x, y, a=dark, b=light, h=hertz: np.float32(a + (b - a) * _square(t, h)),
            )
    for hertz, (name, parts) in itertools.product((4, 7), PARTS.items()):  # 12
        add(
            f"{name} in turn, {hertz} Hz",
            lambda t, i, x, y, h=hertz, p=parts: np.abs(_checks(x, y, *p) - _square(t, h)),
        )
    for hertz in (5, 10):  # 4
        add(
            f"checks of 8 x 6 against black, {hertz} Hz",
            lambda t, i, x, y, h=hertz: _checks(x, y, 8, 6) * _square(t, h),
        )
        add(f"fine checks flash, {hertz} Hz", lambda t, i, x, y, h=hertz: _checks(x, y, 60, 34) * _sine(t, h))
    for share, (name, shape2) in itertools.product((0.2, 0.25, 0.27, 0.35, 0.6), AREAS.items()):  # 15
        add(f"{name} of {share:.0%}, 6 Hz", lambda t, i, x, y, s=share, f=shape2: f(x, y, s) * _square(t, 6))
    for (name, a, b), hertz in itertools.product(COLOURS, (4, 8)):  # 24
        add(
            f"{name}, {hertz} Hz",
            lambda t, i, x, y, a=a, b=b, h=hertz: _between(a, b, _square(t, h)),
        )
    for name, a, b in COLOURS[:4]:  # 4
        add(f"{name}, sine 5 Hz", lambda t, i, x, y, a=a, b=b: _between(a, b, _sine(t, 5)))
    for bpm, per_beat in ((128, 2), (174, 1), (174, 2), (140, 4), (100, 3)):  # 10
        hertz = bpm * per_beat / 60
        add(
            f"{per_beat} pulses a beat at {bpm} BPM",
            lambda t, i, x, y, h=hertz: np.float32(np.exp(-5 * (t * h % 1))),
        )
        add(
            f"{per_beat} red pulses a beat at {bpm} BPM over a picture",
            lambda t, i, x, y, h=hertz: (
                _scene(x, y, t)[..., None] * 0.4 + np.exp(-4 * (t * h % 1)) * np.float32([0.6, 0.0, 0.0])
            ),
        )
    add("saws up, 5 Hz", lambda t, i, x, y: np.float32(t * 5 % 1))  # 8
    add("saws down, 5 Hz", lambda t, i, x, y: np.float32(1 - t * 5 % 1))
    add("ever quicker, 2 to 15 Hz", lambda t, i, x, y: np.float32(_square(t * (2 + 1.3 * t), 1)))
    add("ever slower, 12 to 2 Hz", lambda t, i, x, y: np.float32(_square(t * (12 - t), 1)))
    add("ever stronger, 7 Hz", lambda t, i, x, y: np.float32(t / 5 * _square(t, 7)))
    add("ever weaker, 7 Hz", lambda t, i, x, y: np.float32((1 - t / 5) * _square(t, 7)))
    add(
        "on a slow swell, 6 Hz",
        lambda t, i, x, y: np.float32((0.3 + 0.3 * np.sin(2 * t)) * (0.4 + _square(t, 6))),
    )
    add("ever larger, 8 Hz", lambda t, i, x, y: _disc(x, y, 0.1 + t / 7) * _square(t, 8))
    for rate in RATES:  # 8
        add(
            "a burst over a border",
            lambda t, i, x, y: np.float32((3.5 < t < 4.5) * _square(t, 8)),
            rate=rate,
            seconds=8,
        )
        add(
            "red bursts over two borders",
            lambda t, i, x, y: _between(GREY, RED, (abs((t + 2) % 4 - 2) < 0.6) * _square(t, 6)),
            rate=rate,
            seconds=9,
        )
    for every in (5, 7, 11):  # 9
        add(f"single white frames, each {every}th", lambda t, i, x, y, n=every: np.float32(i % n == 0))
        add(f"single black frames, each {every}th", lambda t, i, x, y, n=every: np.float32(i % n != 0))
        add(
            f"single white frames over a picture, each {every}th",
            lambda t, i, x, y, n=every: np.maximum(_scene(x, y, t), i % n == 0),
        )
    for hertz in (4, 6, 9):  # 9
        add(f"a bar sweeps, {hertz} Hz", lambda t, i, x, y, h=hertz: ((x - h * t) % 1 < 0.5) * 1.0)
        add(
            f"a soft wave, {hertz} Hz",
            lambda t, i, x, y, h=hertz: 0.5 + 0.5 * np.sin(2 * np.pi * (x - h * t)),
        )
        add(f"a wedge turns, {hertz} Hz", lambda t, i, x, y, h=hertz: _wedge(x, y, h * t))
    for hertz in (4, 6, 13):  # 9
        add(f"a picture strobes, {hertz} Hz", lambda t, i, x, y, h=hertz: _scene(x, y, t) * _square(t, h))
        add(
            f"a picture in negative, {hertz} Hz",
            lambda t, i, x, y, h=hertz: np.abs(_scene(x, y, t) - _square(t, h)),
        )
        add(
            f"random tiles with pulses, {hertz} Hz",
            lambda t, i, x, y, h=hertz: _tiles(x, y, int(t * h * 2)) * (0.3 + 0.7 * _square(t, h)),
        )
    assert len(films) == 150, len(films)
    return films


def _square(t: float, hertz: float) -> float:
    return float((t * hertz + 1e-9) % 1 >= 0.5)


def _sine(t: float, hertz: float) -> float:
    return float(0.5 - 0.5 * np.cos(2 * np.pi * hertz * t))


def _random(name: str, index: int) -> float:
    return float(generator_for(11, f"strobes.{name}", index).random())


WAVES = {"square": _square, "sine": _sine, "random": lambda t, h: _random("levels", int(t * 2 * h + 1e-9))}


def _between(a: tuple[float, ...], b: tuple[float, ...], share: float) -> np.ndarray:
    return np.add(a, np.subtract(b, a) * share)


def _checks(x: np.ndarray, y: np.ndarray, across: int, down: int) -> np.ndarray:
    return ((x * across).astype(int) + (y * down).astype(int)) % 2.0


PARTS = {
    "halves": (2, 1), "upper and lower half": (1, 2), "quarters": (2, 2), "thirds": (3, 1),
    "3 x 2": (3, 2), "4 x 2": (4, 2),
}  # fmt: skip


def _disc(x: np.ndarray, y: np.ndarray, share: float) -> np.ndarray:
    return (np.hypot((x - 0.5) * 16, (y - 0.5) * 9) < np.sqrt(share * 144 / np.pi)) * 1.0


def _band(x: np.ndarray, y: np.ndarray, share: float) -> np.ndarray:
    return (np.abs(y - 0.4) < share / 2) * 1.0


def _corner(x: np.ndarray, y: np.ndarray, share: float) -> np.ndarray:
    return (x < 0.7) * (y < share / 0.7) * 1.0


AREAS = {"disc": _disc, "band": _band, "corner": _corner}

COLOURS = (
    ("red and black", RED, BLACK), ("red and blue", RED, BLUE), ("red and grey", RED, GREY),
    ("brick and grey", BRICK, GREY), ("red and green", RED, GREEN), ("red and white", RED, WHITE),
    ("pink and red", PINK, RED), ("dark red and black", DARK_RED, BLACK),
    ("blue and black", BLUE, BLACK), ("blue and yellow", BLUE, YELLOW), ("green and magenta", GREEN, MAGENTA),
    ("green and black", GREEN, BLACK),
)  # fmt: skip


def _scene(x: np.ndarray, y: np.ndarray, t: float) -> np.ndarray:
    """Give a picture that moves slowly, with some detail."""
    return (0.5 + 0.5 * np.sin(7 * x + t) * np.cos(5 * y - 0.7 * t)) * (0.7 + 0.3 * np.sin(90 * x + 60 * y))


def _wedge(x: np.ndarray, y: np.ndarray, turns: float) -> np.ndarray:
    return ((np.arctan2(y - 0.5, x - 0.5) / (2 * np.pi) - turns) % 1 < 0.5) * 1.0


def _tiles(x: np.ndarray, y: np.ndarray, index: int) -> np.ndarray:
    levels = generator_for(12, "strobes.tiles", index).random((5, 8))
    return levels[np.minimum((y * 5).astype(int), 4), np.minimum((x * 8).astype(int), 7)]

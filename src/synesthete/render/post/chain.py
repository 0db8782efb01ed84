"""What is done to each pixel by itself, as one kernel: lens, bloom, vignette, colour, tone, table, grain."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import torch
from jaxtyping import Float
from torch import Tensor

from synesthete.config.cube import Cube
from synesthete.config.modulation import Modulation
from synesthete.config.post import Post, ToneCurve
from synesthete.render.post.lens import vignette_strength
from synesthete.render.post.lut import looked_up
from synesthete.render.post.tones import Planes, luma, toned

__all__ = ["Chain", "Values"]

_COLOURS: Final = range(3)
_ONE: Final = Modulation(base=1.0)
_PLAIN: Final = (
    "bloom", "grain", "tone_amount", "lut_amount", "balance.saturation",
    *(f"balance.{name}.{colour}" for name in ("slope", "offset", "power") for colour in _COLOURS),
)  # fmt: skip
_OWN: Final = ("vignette", *(f"lut.{name}.{colour}" for name in ("low", "scale") for colour in _COLOURS))
_AT: Final = {name: place for place, name in enumerate((*_PLAIN, *_OWN))}

Values = Float[Tensor, " values"]


@dataclass(frozen=True)
class Chain:
    """Which effects there are: what a kernel is compiled for.

    Attributes
    ----------
    lens, bloom, vignette, grain
        Whether there is any.
    slope, power, saturation
        Whether the colour balance has any.
    tone
        The tone curve, and whether only some of it.
    partly_toned, partly_looked_up
        Whether only some of it.
    table
        Dimensions and side of the table of colours.
    """

    lens: bool
    bloom: bool
    vignette: bool
    grain: bool
    slope: bool
    power: bool
    saturation: bool
    tone: ToneCurve
    partly_toned: bool
    table: tuple[int, int] | None
    partly_looked_up: bool

    @classmethod
    def of(cls, post: Post, cube: Cube | None) -> "Chain":
        """Find what is to be done."""
        balance, toned = post.balance, post.tone_curve != "none" and not post.tone_amount.is_zero
        table = None if cube is None or post.lut_amount.is_zero else (cube.dimensions, cube.side)
        return cls(
            lens=not post.chroma_shift.is_zero,
            bloom=not post.bloom.is_zero,
            vignette=not post.vignette.is_zero,
            grain=not post.grain.is_zero,
            slope=any(value != _ONE for value in balance.slope) or not all(v.is_zero for v in balance.offset),
            power=any(value != _ONE for value in balance.power),
            saturation=balance.saturation != _ONE,
            tone=post.tone_curve if toned else "none",
            partly_toned=toned and post.tone_amount != _ONE,
            table=table,
            partly_looked_up=table is not None and post.lut_amount != _ONE,
        )

    @property
    def does_nothing(self) -> bool:
        """Tell whether there is no effect."""
        flags = (self.lens, self.bloom, self.vignette, self.grain, self.slope, self.power, self.saturation)
        return not any(flags) and self.tone == "none" and self.table is None

    def values(self, amounts: Mapping[str, float], cube: Cube | None) -> Values:
        """Put what a frame needs in the order in which the kernel takes it."""
        own = {"vignette": vignette_strength(amounts["vignette"])}
        for colour in _COLOURS:
            low, high = (0.0, 1.0) if cube is None else (cube.low[colour], cube.high[colour])
            own |= {f"lut.low.{colour}": low, f"lut.scale.{colour}": 1.0 / (high - low)}
        return torch.tensor([own[name] if name in own else amounts[name] for name in _AT])

    def paint(self, red: Tensor, green: Tensor, blue: Tensor, *rest: Tensor) -> Float[Tensor, "3 rows width"]:
        """Finish some rows.

        Parameters
        ----------
        red, green
            ``(rows, width)``; with a lens of the whole picture, which `resample_across` went over.
        blue
            ``(rows, width)``.
        rest
            What `tensors` put in order.
        """
        given = iter(rest)
        values = next(given)

        def value(name: str) -> Tensor:
            return values[_AT[name]]

        planes = (red, green, blue)
        if self.lens:
            planes = (_between(red, *_two(given)), _between(green, *_two(given)), blue)
        if self.bloom:
            planes = _lit(planes, next(given), *_two(given), value("bloom"))
        if self.vignette:
            columns, rows = _two(given)
            gain = 1.0 / (1.0 + value("vignette") * (columns + rows[:, None]))
            planes = (planes[0] * gain, planes[1] * gain, planes[2] * gain)
        planes = self._balanced(planes, value)
        if self.tone != "none":
            bent = toned(planes, self.tone)
            planes = _mixed(planes, bent, value("tone_amount")) if self.partly_toned else bent
        if self.table is not None:
            dimensions, side = self.table
            at = [(plane - value(f"lut.low.{c}")) * value(f"lut.scale.{c}") for c, plane in enumerate(planes)]
            looked = looked_up((at[0], at[1], at[2]), next(given), side=side, dimensions=dimensions)
            planes = _mixed(planes, looked, value("lut_amount")) if self.partly_looked_up else looked
        planes = tuple(torch.clamp(plane, 0.0, 1.0) for plane in planes)  # type: ignore[assignment]
        if self.grain:
            tile, rows = _two(given)
            light = 0.3 * planes[0] + 0.6 * planes[1] + 0.1 * planes[2]
            speckle = tile[rows] * (light * (1.0 - light) * value("grain"))
            planes = tuple(torch.clamp(plane + speckle, 0.0, 1.0) for plane in planes)  # type: ignore[assignment]
        return torch.stack(planes)

    def tensors(self, values: Values, parts: Mapping[str, tuple[Tensor, ...]]) -> list[Tensor]:
        """Put in order what `paint` takes after the colours.

        Parameters
        ----------
        parts
            ``lens``: places and shares along the columns, of red, then of green; ``bloom``: spilt light,
            places and shares along the columns; ``vignette``: squared distances of columns and of rows;
            ``table``: the table; ``grain``: the tile, and its rows.
        """
        wanted = {
            "lens": self.lens, "bloom": self.bloom, "vignette": self.vignette,
            "table": self.table is not None, "grain": self.grain,
        }  # fmt: skip
        return [values, *(tensor for name, is_on in wanted.items() if is_on for tensor in parts[name])]

    def _balanced(self, planes: Planes, value: Any) -> Planes:
        balanced = list(planes)
        for colour in _COLOURS:
            if self.slope:
                moved = balanced[colour] * value(f"balance.slope.{colour}") + value(
                    f"balance.offset.{colour}"
                )
                balanced[colour] = torch.clamp(moved, min=0.0)
            if self.power:
                balanced[colour] = torch.pow(balanced[colour], value(f"balance.power.{colour}"))
        if self.saturation:
            grey = luma((balanced[0], balanced[1], balanced[2]))
            by = value("balance.saturation")
            balanced = [torch.clamp(grey + by * (plane - grey), min=0.0) for plane in balanced]
        return balanced[0], balanced[1], balanced[2]


def _two(given: Iterator[Tensor]) -> tuple[Tensor, Tensor]:
    return next(given), next(given)


def _between(plane: Tensor, first: Tensor, share: Tensor) -> Tensor:
    """Give rows that lie between rows."""
    before = plane[first]
    return before + share[:, None] * (plane[first + 1] - before)


def _lit(planes: Planes, spilt: Tensor, first: Tensor, share: Tensor, amount: Tensor) -> Planes:
    """Add light; display values are its square roots."""
    red, green, blue = (
        torch.sqrt(plane * plane + amount * _between(more, first, share))
        for plane, more in zip(planes, spilt, strict=True)
    )
    return red, green, blue


def _mixed(planes: Planes, others: Planes, share: Tensor) -> Planes:
    red, green, blue = (a + share * (b - a) for a, b in zip(planes, others, strict=True))
    return red, green, blue

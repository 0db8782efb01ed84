"""What is done to finished pictures: light, lens, colour, grain."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from synesthete.config.base import Frozen
from synesthete.config.cube import read_cube
from synesthete.config.inside import place_inside
from synesthete.config.modulation import Modulated, Modulation, Within, limits_of
from synesthete.errors import ConfigError

__all__ = [
    "Balance",
    "Factors",
    "Lut",
    "Offsets",
    "Post",
    "Powers",
    "Share",
    "Sharpening",
    "Shift",
    "ToneCurve",
    "TrailSeconds",
    "digested_lut",
    "found_lut",
]

ToneCurve = Literal["none", "filmlog", "filmic", "punch", "neutral", "soft"]
_FACTOR, _OFFSET, _POWER = Within(0.0, 4.0), Within(-0.5, 0.5), Within(0.1, 4.0)
Share = Annotated[Modulated, AfterValidator(Within(0.0, 1.0))]
Shift = Annotated[Modulated, AfterValidator(Within(0.0, 0.05))]
Sharpening = Annotated[Modulated, AfterValidator(Within(0.0, 2.0))]
Factor = Annotated[Modulated, AfterValidator(_FACTOR)]
Offset = Annotated[Modulated, AfterValidator(_OFFSET)]
Power = Annotated[Modulated, AfterValidator(_POWER)]
TrailSeconds = Annotated[float, Field(ge=0.1, le=2.5)]
_ONE = Modulation(base=1.0)
_ZERO = Modulation()


def _for_each(value: Any) -> Any:
    """Take one value for red, green and blue alike."""
    return value if isinstance(value, list | tuple) else (value, value, value)


Factors = Annotated[tuple[Factor, Factor, Factor], BeforeValidator(_for_each)]
Offsets = Annotated[tuple[Offset, Offset, Offset], BeforeValidator(_for_each)]
Powers = Annotated[tuple[Power, Power, Power], BeforeValidator(_for_each)]


class Balance(Frozen):
    """Colour balance as an ASC Color Decision List: ``(value · slope + offset) ** power``, then saturation.

    One number is for red, green and blue alike; a list of three is for each. ``slope`` is what colourists
    call gain, ``offset`` lift, ``power`` 1/gamma.
    """

    slope: Factors = Field(default=(_ONE,) * 3, description="What values are multiplied by (gain).")
    offset: Offsets = Field(default=(_ZERO,) * 3, description="What is added to them (lift).")
    power: Powers = Field(default=(_ONE,) * 3, description="Their exponent (1/gamma).")
    saturation: Factor = Field(default=_ONE, description="0 is grey, 1 leaves colours as they are.")


class Lut(Frozen):
    """A table of colours in a ``.cube`` file.

    Attributes
    ----------
    file
        The path as it was written.
    sha256
        Of the file's content: what films and their keys follow from.
    place
        Where the file was found; never read from a file, and never written to one.
    """

    file: Annotated[str, Field(min_length=1, max_length=1024)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    place: Path | None = Field(default=None, exclude=True)


def _lut(value: Any) -> Any:
    if isinstance(value, str):
        return {"file": value}
    if isinstance(value, dict) and "place" in value:
        raise ValueError("must be a path, or file and sha256")
    return value


class Post(Frozen):
    """What is done to every picture before it is encoded; as it stands, nothing.

    Every amount may be driven by signals: ``{base: 0.1, pulse: 0.3}``.

    ``tone_curve``: *filmlog* lifts shadows and rolls off lights as negative film does, *filmic* adds contrast
    and a shoulder, *punch* contrast and colour, *neutral* keeps colours as they are and rolls off only the
    brightest light, *soft* is a shoulder alone; ``tone_amount`` says how much of it. ``lut``: a ``.cube``
    file below the preset's folder. ``balance``: slope, offset, power, saturation. ``vignette``: the share of
    light that is lost in the corners. ``grain``: film grain in the mid-tones, none in black.
    ``chroma_shift``: how much larger red is drawn than blue, a share of the picture, as simple lenses do.
    ``bloom``: light that bright places spill. ``trails``: how bright what was seen before still is; it is
    gone after ``trail_seconds``. ``sharpen``: contrast of the finest edges.
    """

    tone_curve: ToneCurve = "none"
    tone_amount: Share = _ONE
    lut: Annotated[Lut | None, BeforeValidator(_lut)] = None
    lut_amount: Share = _ONE
    balance: Balance = Balance()
    vignette: Share = _ZERO
    grain: Share = _ZERO
    chroma_shift: Shift = _ZERO
    bloom: Share = _ZERO
    trails: Share = _ZERO
    trail_seconds: TrailSeconds = 0.8
    sharpen: Sharpening = _ZERO

    def amounts(self) -> dict[str, tuple[Modulation, Within]]:
        """Give every amount by name, ``balance.slope.0`` for a colour's, and its range."""
        found: dict[str, tuple[Modulation, Within]] = {}
        for prefix, part in (("", self), ("balance.", self.balance)):
            for name, field in type(part).model_fields.items():
                within = limits_of(field.metadata)
                if within is not None:
                    found[prefix + name] = (getattr(part, name), within)
        for name, within in (("slope", _FACTOR), ("offset", _OFFSET), ("power", _POWER)):
            for colour, value in enumerate(getattr(self.balance, name)):
                found[f"balance.{name}.{colour}"] = (value, within)
        return found

    def signals(self) -> dict[str, list[str]]:
        """Give the signals that drive each amount that is driven."""
        return {name: list(value.by) for name, (value, _) in self.amounts().items() if value.moves}


def found_lut(lut: Lut, folder: Path, *, where: str) -> Lut:
    """Find a table below the folder of the file that names it, and take its digest.

    Raises
    ------
    ConfigError
        If it is not below the folder, is no such table, or not the one whose digest is given.
    """
    return digested_lut(lut, place_inside(folder, lut.file, where=where), where=where)


def digested_lut(lut: Lut, place: Path, *, where: str) -> Lut:
    """Read a table where it is known to lie, and take its digest.

    Raises
    ------
    ConfigError
        If it is no such table, or not the one whose digest is given.
    """
    sha256 = read_cube(place).sha256
    if lut.sha256 is not None and lut.sha256 != sha256:
        raise ConfigError(
            f"{where}: {place.name} is not the table whose sha256 is given ({lut.sha256[:12]}…); put that "
            "table back, or remove sha256"
        )
    return Lut(file=lut.file, sha256=sha256, place=place)

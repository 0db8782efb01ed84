"""Options of ``synesthete explore`` and ``synesthete breed``."""

import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from synesthete.config.base import Frozen
from synesthete.config.preset import GeneratorName
from synesthete.seeding import MAX_SEED

__all__ = ["BreedOptions", "ExploreOptions", "SheetOptions"]

_GRID = re.compile(r"(\d{1,2})x(\d{1,2})")
_MOST_COLUMNS = 12


def _grid(value: Any) -> Any:
    if isinstance(value, str):
        match = _GRID.fullmatch(value)
        if not match:
            raise ValueError("must be COLUMNSxROWS, such as 4x4")
        return int(match[1]), int(match[2])
    return value


def _numbered(value: Any) -> Any:
    """Read ``N=TEXT`` into a number and a text."""
    if isinstance(value, str):
        number, equals, text = value.partition("=")
        if not equals or not number.isdecimal() or not text:
            raise ValueError("must be CELL=VALUE, such as 5=my-look.yaml")
        return int(number), text
    return value


def _style(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return tuple(float(part) for part in value.split(","))
        except ValueError:
            raise ValueError("must be four numbers, such as 0.5,-1,0,2") from None
    return value


def _cells(value: Any) -> Any:
    if isinstance(value, str):
        if not all(part.strip().isdecimal() for part in value.split(",")):
            raise ValueError("must be numbers of cells, such as 3,7")
        return tuple(int(part) for part in value.split(","))
    return value


Side = Annotated[int, Field(ge=1, le=_MOST_COLUMNS)]
Grid = Annotated[tuple[Side, Side], BeforeValidator(_grid)]
Cell = Annotated[int, Field(ge=1, le=_MOST_COLUMNS**2)]
Saved = Annotated[tuple[Cell, Path], BeforeValidator(_numbered)]
Rated = Annotated[tuple[Cell, Annotated[float, Field(ge=0, le=5)]], BeforeValidator(_numbered)]
Seed = Annotated[int, Field(ge=0, le=MAX_SEED)]
Coordinate = Annotated[float, Field(ge=-5, le=5)]
Style = Annotated[tuple[Coordinate, Coordinate, Coordinate, Coordinate], BeforeValidator(_style)]


class SheetOptions(Frozen):
    """What every sheet takes."""

    grid: Annotated[Grid, Field(description="Cells of the sheet: COLUMNSxROWS.")] = (4, 4)
    seed: Annotated[Seed, Field(description="Where drawing begins; another one is another sheet.")] = 0
    mosaic: Annotated[bool, Field(description="Make a film of all cells at once, with the sound.")] = True
    html: Annotated[bool, Field(description="Make a gallery page of moving cells with their ratings.")] = (
        False
    )
    save: Annotated[
        tuple[Saved, ...], Field(description="Save a cell as a preset: CELL=FILE.yaml. Repeatable.")
    ] = ()
    rate: Annotated[tuple[Rated, ...], Field(description="Rate a cell, 0 to 5: CELL=STARS. Repeatable.")] = ()
    workspace: Annotated[Path, Field(description="Where cache/ and renders/ live.")] = Path()

    @model_validator(mode="after")
    def _on_the_sheet(self) -> "SheetOptions":
        cells = self.grid[0] * self.grid[1]
        for cell, _ in (*self.save, *self.rate):
            if cell > cells:
                raise ValueError(f"there is no cell {cell} on a sheet of {cells}; cells are 1 to {cells}")
        places = [path for _, path in self.save]
        if len(set(places)) < len(places):
            raise ValueError("save names one file for two cells; name another")
        return self


class ExploreOptions(SheetOptions):
    """What ``explore`` takes."""

    generator: Annotated[GeneratorName | None, Field(description="Generator to explore.")] = None
    preset: Annotated[
        str | None, Field(description="Preset to vary; without one, programs are sampled at random.")
    ] = None
    style: Annotated[
        Style | None,
        Field(description="Style of all cells, four numbers; for programs: matter, depth, warmth, density."),
    ] = None
    sweep: Annotated[
        tuple[str, ...],
        Field(max_length=2, description="Sweep a field over the cells, or two over columns and rows: "
              "FIELD=LOW:HIGH or FIELD=A,B,C."),
    ] = ()  # fmt: skip


class BreedOptions(SheetOptions):
    """What ``breed`` takes."""

    parents: Annotated[
        Annotated[tuple[Cell, ...], Field(min_length=1, max_length=16)] | None,
        BeforeValidator(_cells),
        Field(description="Cells to breed from, such as 3,7; by default the best rated."),
    ] = None
    strength: Annotated[
        float, Field(ge=0, le=1, description="How much children differ from their parents, 0 to 1.")
    ] = 0.3

"""A sheet's gallery: one self-contained page of its cells in motion, and the stars that they were given."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from synesthete.clock import format_duration
from synesthete.evaluation.page import write_page
from synesthete.files import write_json
from synesthete.render.explore.cells import CellFiles

__all__ = ["Ratings", "write_gallery"]

_FILE: Final = "ratings.json"
_PAGE: Final = "gallery.html"
_TEMPLATES: Final = Path(__file__).parent / "templates"
_MOST_PARENTS: Final = 4
_GOOD: Final = 3.0


@dataclass(frozen=True)
class Ratings:
    """Stars, 0 to 5, by the number of the cell. They lie beside the gallery, in ``ratings.json``."""

    stars: Mapping[int, float]

    @classmethod
    def read(cls, folder: Path) -> "Ratings":
        """Read those of a sheet; none if there is no such file, or it holds something else."""
        try:
            values = json.loads((folder / _FILE).read_text())
            stars = {int(cell): float(value) for cell, value in values.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return cls({})
        return cls({cell: value for cell, value in stars.items() if cell > 0 and 0 <= value <= 5})

    def write(self, folder: Path) -> None:
        """Write them, whole."""
        write_json(folder / _FILE, {str(cell): self.stars[cell] for cell in sorted(self.stars)})

    def rated(self, more: Mapping[int, float]) -> "Ratings":
        """Give these with others on top."""
        return Ratings({**self.stars, **more})

    def best(self) -> tuple[int, ...]:
        """Give the best rated cells: at most four, each with three stars or more."""
        good = sorted((-value, cell) for cell, value in self.stars.items() if value >= _GOOD)
        return tuple(cell for _, cell in good[:_MOST_PARENTS])


def write_gallery(
    path: Path,
    title: str,
    labels: Sequence[str],
    cells: Sequence[CellFiles],
    moments: Mapping[str, float],
    columns: int,
    ratings: Ratings,
    nets: Sequence[tuple[int, int]] = (),
) -> None:
    """Write the page, whole: films and pictures are in it, and nothing is loaded from anywhere.

    Parameters
    ----------
    nets
        Layers and units of each cell's network, for a table of what the stars say of architectures; none
        where cells are no networks.

    Raises
    ------
    OutputError, RenderError
        If the page can't be written.
    """
    shown = [
        {
            "number": number,
            "label": label,
            "film": base64.b64encode(cell.film.read_bytes()).decode(),
            "picture": base64.b64encode(cell.picture.read_bytes()).decode(),
            "preset": cell.preset.read_text(encoding="utf-8"),
            "stars": ratings.stars.get(number, 0),
        }
        for number, (label, cell) in enumerate(zip(labels, cells, strict=True), start=1)
    ]
    context = {
        "title": title,
        "cells": shown,
        "architectures": _architectures(nets, ratings),
        "columns": columns,
        "moments": ", ".join(f"{name} {format_duration(moment)}" for name, moment in moments.items()),
        "key": path.parent.name,
    }
    write_page(path, _PAGE, context, templates=_TEMPLATES)


def _architectures(nets: Sequence[tuple[int, int]], ratings: Ratings) -> list[dict[str, Any]]:
    """Say of each architecture which cells have it, and how many stars they were given, on average."""
    cells: dict[tuple[int, int], list[int]] = {}
    for number, net in enumerate(nets, start=1):
        cells.setdefault(net, []).append(number)
    rows = []
    for (layers, units), numbers in sorted(cells.items()):
        stars = [ratings.stars[number] for number in numbers if ratings.stars.get(number)]
        mean = f"{sum(stars) / len(stars):.2f}" if stars else "–"
        rows.append({"net": f"{layers} × {units}", "cells": numbers, "stars": mean, "rated": len(stars)})
    return rows

"""Parameters that move: a base, and signals that add to it."""

import contextlib
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from synesthete.config.base import Frozen
from synesthete.config.control import Amount, Name

__all__ = ["Modulated", "Modulation", "Within", "limits_of"]


class Modulation(Frozen):
    """A parameter that moves: ``base + Σ by[signal] · signal``. A plain number is a base alone."""

    base: Annotated[float, Field(ge=-100, le=100)] = 0.0
    by: dict[Name, Amount] = {}

    @property
    def moves(self) -> bool:
        """Tell whether signals drive it."""
        return bool(self.by)

    @property
    def is_zero(self) -> bool:
        """Tell whether it is 0 and stays so."""
        return self.base == 0.0 and not self.by


def _modulation(value: Any) -> Any:
    if isinstance(value, Modulation):
        return value
    if isinstance(value, dict):
        by = value.get("by", {})
        short = {name: amount for name, amount in value.items() if name not in ("base", "by")}
        return {"base": value.get("base", 0.0), "by": {**by, **short} if isinstance(by, dict) else by}
    if isinstance(value, str):
        with contextlib.suppress(ValueError):
            return {"base": float(value)}  # YAML 1.1 reads 1e-3 as text
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("must be a number, or base and signals such as {base: 0.5, energy: 1.0}")
    return {"base": value}


Modulated = Annotated[Modulation, BeforeValidator(_modulation)]


@dataclass(frozen=True)
class Within:
    """The range of a parameter that moves: its base is held to it, and what signals add stays in it."""

    low: float
    high: float

    def __call__(self, value: Modulation) -> Modulation:
        """Refuse a base outside the range."""
        if not self.low <= value.base <= self.high:
            raise ValueError(f"must be {self.low:g} to {self.high:g}")
        return value


def limits_of(metadata: list[Any] | tuple[Any, ...]) -> Within | None:
    """Give the range that a field's metadata hold, if they hold one."""
    found = (note.func for note in metadata if isinstance(note, AfterValidator))
    return next((note for note in found if isinstance(note, Within)), None)

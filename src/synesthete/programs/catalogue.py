"""Random programs that the guards have passed, by number: to look at them again would take a second each.

What is stored of each is how many draws the guards refused before it, and its exposure; the rest is the
grammar's. ``tools/make_catalogue.py`` looks at all of them, and writes the file.
"""

from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from jaxtyping import Int16

from synesthete.errors import ConfigError
from synesthete.programs.program import Program
from synesthete.programs.sample import sample_style, written

__all__ = ["CATALOGUE_FILE", "STOP_PARTS", "catalogue_size", "catalogued_program"]

CATALOGUE_FILE: Final = Path(__file__).with_name("catalogue.npy")
"""Rows of two: how many draws were refused, and the exposure in parts of a stop."""

STOP_PARTS: Final = 100
"""Parts of a stop that the file counts."""


def catalogue_size() -> int:
    """Count the programs that are known."""
    return len(_facts())


def catalogued_program(number: int) -> Program:
    """Give a program: that of ``sample_program(number, sample_style(number))``, at once.

    Parameters
    ----------
    number
        0 to ``catalogue_size() - 1``.

    Raises
    ------
    ConfigError
        If there is no such number.
    """
    if not 0 <= number < catalogue_size():
        raise ConfigError(
            f"the catalogue has no program {number}; take 0 to {catalogue_size() - 1}, or sample one"
        )
    refused, parts = _facts()[number].tolist()
    return written(number, sample_style(number), refused, stops=parts / STOP_PARTS)


@cache
def _facts() -> Int16[np.ndarray[Any, Any], "programs 2"]:
    return np.asarray(np.load(CATALOGUE_FILE, allow_pickle=False))

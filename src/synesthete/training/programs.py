"""The program of a clip: from the catalogue, varied or not, or one of the reactive few."""

from functools import lru_cache

from synesthete.programs.catalogue import catalogue_size, catalogued_program
from synesthete.programs.program import Program
from synesthete.programs.sample import sample_program, sample_style
from synesthete.programs.vary import shake
from synesthete.seeding import generator_for
from synesthete.training.reactive import reactive_program

__all__ = ["program_of", "style_of"]

_KEPT = 4096
"""Programs; 17 KB and 3 ms each: the whole catalogue."""

_MOST_SEED = 2**62


def program_of(number: int, *, variation: float = 0.0, seed: int = 0, pair: int = 0) -> Program:
    """Give a program by number.

    Parameters
    ----------
    number
        In the catalogue; below 0: one of the reactive programs, which do not vary.
    variation
        0 to 1: how far it strays from the catalogue's own.
    seed, pair
        Decide where to.
    """
    if number < 0:
        return reactive_program(-1 - number)
    program = _catalogued(number)
    if variation == 0.0:
        return program
    draw = int(generator_for(seed, "data.variation", pair).integers(_MOST_SEED))
    return shake(program, draw, strength=variation)


def style_of(number: int) -> tuple[float, ...]:
    """Give the style that a program was sampled with: four numbers; of a reactive one zeros."""
    return sample_style(number) if number >= 0 else (0.0, 0.0, 0.0, 0.0)


@lru_cache(maxsize=_KEPT)
def _catalogued(number: int) -> Program:
    if number < catalogue_size():
        return catalogued_program(number)
    # What is not in the catalogue is the same, but looked at now: a second each.
    return sample_program(number, sample_style(number)).program

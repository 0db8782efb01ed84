"""Sample programs: the grammar writes them, guards look at them, and what they refuse is drawn again."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from synesthete.errors import ConfigError
from synesthete.programs.draws import STYLE_AXES, Draws, Style, read_style
from synesthete.programs.grammar import write_program
from synesthete.programs.guards import Fault, find_fault, find_flaw, missing_stops
from synesthete.programs.program import VERSION, Program
from synesthete.seeding import generator_for

__all__ = ["Sampled", "sample_program", "sample_style", "until_fit", "written"]

_MOST_ATTEMPTS = 64


@dataclass(frozen=True)
class Sampled:
    """A program that the guards passed.

    Attributes
    ----------
    program
        The first that they did.
    refused
        How often they refused one before it, by reason.
    """

    program: Program
    refused: Mapping[Fault, int]


def sample_program(seed: int, style: Sequence[float] = (0.0,) * len(STYLE_AXES)) -> Sampled:
    """Draw a program from a seed and a style; the same ones give the same program.

    Parameters
    ----------
    style
        Four numbers, about -2 to 2 each: see `synesthete.programs.draws.STYLE_AXES`.

    Raises
    ------
    ConfigError
        If the style is none, or so extreme that the guards refuse all that it gives.
    """
    read = read_style(style)

    def write(attempt: int) -> Program:
        plain = written(seed, read, attempt, stops=0.0)
        return written(seed, read, attempt, stops=missing_stops(plain))

    return until_fit(write, f"style {list(read)} with seed {seed}")


def written(seed: int, style: Style, attempt: int, *, stops: float) -> Program:
    """Give what the grammar writes in one draw, exposed by so many stops; no guard has seen it."""
    root = write_program(Draws(seed, style, attempt), stops=stops)
    return Program.from_json({"version": VERSION, "root": root})


def sample_style(seed: int) -> Style:
    """Draw a style from a standard normal distribution."""
    return read_style(generator_for(seed, "program.style").normal(size=len(STYLE_AXES)).round(3).tolist())


def until_fit(write: Callable[[int], Program], what: str) -> Sampled:
    """Draw until the guards pass a program.

    Parameters
    ----------
    write
        Gives the program of an attempt, 0 and upward.
    what
        Names what is drawn from, for the error.

    Raises
    ------
    ConfigError
        If they refuse every one of many.
    """
    refused: Counter[Fault] = Counter()
    for attempt in range(_MOST_ATTEMPTS):
        program = write(attempt)
        fault = find_flaw(program) or find_fault(program)
        if fault is None:
            return Sampled(program, dict(refused))
        refused[fault] += 1
    (fault, count), *_ = refused.most_common(1)
    raise ConfigError(
        f"{what} gave no fit program in {_MOST_ATTEMPTS} draws, {count} of them {fault}; take another"
    )

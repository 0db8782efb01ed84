"""The catalogue: what it gives is what the guards let pass."""

import pytest

from synesthete.errors import ConfigError
from synesthete.programs.catalogue import catalogue_size, catalogued_program
from synesthete.programs.sample import sample_program, sample_style


@pytest.mark.parametrize("part", [0.0, 0.37, 1.0])
def test_a_catalogued_program_is_the_one_that_is_sampled(part: float) -> None:
    number = round(part * (catalogue_size() - 1))
    sampled = sample_program(number, sample_style(number))
    assert catalogued_program(number).to_json() == sampled.program.to_json()


def test_programs_that_the_guards_refused_first_are_met_too() -> None:
    refused = next(n for n in range(catalogue_size()) if sample_program(n, sample_style(n)).refused)
    sampled = sample_program(refused, sample_style(refused))
    assert catalogued_program(refused).to_json() == sampled.program.to_json()


def test_numbers_beyond_the_catalogue_are_refused_in_one_sentence() -> None:
    for number in (-1, catalogue_size()):
        with pytest.raises(ConfigError, match=rf"no program {number}; take 0 to {catalogue_size() - 1}"):
            catalogued_program(number)

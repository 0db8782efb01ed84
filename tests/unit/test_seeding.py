import numpy as np

from synesthete.seeding import MAX_SEED, generator_for, seed_sequence


def draw(*key: object) -> list[float]:
    return generator_for(*key).standard_normal(8).tolist()  # type: ignore[arg-type]


def test_the_same_key_draws_the_same_numbers() -> None:
    assert draw(7, "wander.drift", 3) == draw(7, "wander.drift", 3)


def test_seed_name_and_index_each_change_everything() -> None:
    keys = [(7, "a", 0), (8, "a", 0), (7, "b", 0), (7, "a", 1), (7, "a ", 0), (0, "", 0), (MAX_SEED, "a", 0)]
    numbers = [value for key in keys for value in draw(*key)]
    assert len(set(numbers)) == len(numbers)


def test_draws_are_the_same_on_every_machine_and_in_every_version() -> None:
    # NumPy's PCG64, seeded with 7, the first 8 bytes of sha256("wander") and 0.
    assert seed_sequence(7, "wander").generate_state(2).tolist() == [3338390927, 211630147]
    drawn = generator_for(7, "wander").integers(0, 2**31, 3).tolist()
    assert drawn == [1343407410, 1000213320, 2048237822]


def test_no_global_generator_is_touched_or_read() -> None:
    np.random.seed(1)  # noqa: NPY002 - the global generator is what the test is on
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    first = draw(7, "x")
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002
    np.random.seed(2)  # noqa: NPY002
    assert draw(7, "x") == first

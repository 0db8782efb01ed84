import numpy as np
import pytest

from synesthete.evaluation.chance import compare


def test_a_score_above_all_of_its_null_has_the_smallest_p_there_is() -> None:
    result = compare(1.0, [0.0, 0.1, 0.2, 0.3])
    assert (result.p, result.count) == (0.2, 4)
    assert result.effect == pytest.approx(0.85)
    assert result.z == pytest.approx(0.85 / np.std([0.0, 0.1, 0.2, 0.3]))


def test_ties_count_as_chance() -> None:
    assert compare(0.0, [0.0, 0.0, 0.0]).p == 1.0
    assert compare(0.0, [0.0, 0.0, 0.0]).z is None


@pytest.mark.parametrize(("value", "nulls"), [(1.0, []), (float("nan"), [0.0]), (1.0, [float("nan")])])
def test_what_is_no_number_is_not_compared(value: float, nulls: list[float]) -> None:
    with pytest.raises(ValueError, match="finite scores only"):
        compare(value, nulls)


def test_json_is_rounded_and_knows_what_is_undetermined() -> None:
    assert compare(0.123456789, [0.0, 0.0]).to_json() == {
        "value": 0.12346,
        "null": 0.0,
        "effect": 0.12346,
        "p": 0.33333,
        "z": None,
        "count": 2,
    }

"""Fields of nested values by path: mappings and items of lists."""

import pytest

from synesthete.config.base import set_path


@pytest.mark.parametrize(
    ("values", "path", "expected"),
    [
        ({"style": (0.0, 0.0)}, ["style", "1"], {"style": [0.0, 5]}),
        ({"ramp": [[0, 1, 2], [3, 4, 5]]}, ["ramp", "1"], {"ramp": [[0, 1, 2], 5]}),
        ({"a": [{"b": 1}, {"b": 2}]}, ["a", "0", "b"], {"a": [{"b": 5}, {"b": 2}]}),
        ({"a": {"b": 1}}, ["a", "c"], {"a": {"b": 1, "c": 5}}),
        ({"zoom": 1.0}, ["zoom", "body"], {"zoom": {"base": 1.0, "body": 5}}),
    ],
)
def test_a_field_is_replaced_in_a_copy(values: dict, path: list[str], expected: dict) -> None:
    before = repr(values)

    assert set_path(values, path, 5) == expected
    assert repr(values) == before

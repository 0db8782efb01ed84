import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from synesthete.config.base import MAX_YAML_BYTES, merge, parse_assignment, read_yaml, set_path
from synesthete.errors import ConfigError


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str | bytes], Path]:
    def write(content: str | bytes) -> Path:
        path = tmp_path / "look.yaml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def test_a_mapping_is_read(write: Callable[..., Path]) -> None:
    assert read_yaml(write("summary: é\nstyle: [1, 2.5]\ncppn: {net: {layers: 3}}\n")) == {
        "summary": "é",
        "style": [1, 2.5],
        "cppn": {"net": {"layers": 3}},
    }


def test_a_key_given_twice_is_refused(write: Callable[..., Path]) -> None:
    with pytest.raises(ConfigError, match=r"line 3: 'control' is given twice; correct the file"):
        read_yaml(write("summary: x\ncontrol: {}\ncontrol: {a: 1}\n"))


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "\n".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)
REFUSED: dict[str, tuple[str | bytes, str]] = {
    "billion laughs": (BOMB, r"line 2: aliases \(\*name\) are not allowed"),
    "an alias to itself": ("a: &a\n  b: *a\n", "line 2: aliases"),
    "deep flow": ("a: " + "[" * 100_000, "nested over 30 levels deep; simplify it"),
    "deep closed flow": ("a: " + "[" * 31 + "]" * 31, "nested over 30 levels deep"),
    "deep block": ("\n".join(" " * i + "a:" for i in range(500)), "nested over 30 levels deep"),
    "too long": (b"#" * (MAX_YAML_BYTES + 1), "has 500001 bytes; a configuration file has at most 500000"),
    "many values": ("a: [" + "1," * 200_000 + "1]", "holds too much, over 12500 values; simplify it"),
    "a long text": ("a: " + "x" * 400_000, "has a text of over 10000 characters; shorten it"),
    "a long sexagesimal number": ("a: 1" + ":1" * 200_000, "has a text of over 10000 characters"),
    "objects": (
        "a: !!python/object/apply:os.system [touch pwned]",
        "line 1: could not determine a constr",
    ),
    "names": ("a: !!python/name:os.system", "line 1: could not determine a constructor"),
    "own tags": ("a: !include other.yaml", "line 1: could not determine a constructor"),
    "no YAML": ("a: [1, 2", "line 1: expected ',' or ']'"),
    "tabs": ("a:\n\tb: 1", "line 2: found character"),
    "control characters": ("a: \x01", "look.yaml: .*correct the file"),
    "not UTF-8": (b"a: \xff\xfe\xfa", "is not UTF-8 text; save it as UTF-8"),
    "a long integer": ("a: " + "9" * 5000, "Exceeds the limit .*correct the file"),
    "an impossible date": ("a: 2001-99-99", "month must be in 1..12.*correct the file"),
    "two documents": ("a: 1\n---\nb: 2\n", "line 2: but found another document"),
    "empty": ("", "must hold a mapping of field names to values"),
    "a list": ("- a\n- b\n", "must hold a mapping"),
    "a word": ("hello", "must hold a mapping"),
    "numbered fields": ("1: a\n", "must hold a mapping"),
    "unhashable keys": ("? [a, b]\n: c\n", "line 1: found unhashable key"),
    "a recursive merge": ("<<: 1\n", "line 1: expected a mapping"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_anything_else_is_refused_at_once(write: Callable[..., Path], case: str) -> None:
    content, says = REFUSED[case]
    path, began = write(content), time.monotonic()
    with pytest.raises(ConfigError, match=says) as caught:
        read_yaml(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert message.isprintable()
    assert len(message) < len(str(path)) + 150
    assert time.monotonic() - began < 10  # some of these would take years


def test_files_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"cannot read .*no\.yaml \(No such file or directory\); check the name"
    ):
        read_yaml(tmp_path / "no.yaml")
    with pytest.raises(ConfigError, match=r"cannot read .*\(Is a directory\)"):
        read_yaml(tmp_path)


@pytest.mark.parametrize(
    ("text", "path", "value"),
    [
        ("seed=7", ["seed"], 7),
        ("cppn.net.gain=1.2", ["cppn", "net", "gain"], 1.2),
        ("cppn.net.activations=[sine, tanh]", ["cppn", "net", "activations"], ["sine", "tanh"]),
        (
            "cppn.surface.exposure={base: 1, energy: 2}",
            ["cppn", "surface", "exposure"],
            {"base": 1, "energy": 2},
        ),
        ("summary=a=b", ["summary"], "a=b"),
        (" cppn . net . mix = layer", ["cppn", "net", "mix"], "layer"),
        ("summary=", ["summary"], None),
    ],
)
def test_assignments(text: str, path: list[str], value: Any) -> None:
    assert parse_assignment(text) == (path, value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("seed", "is not of the form key=value, such as --set seed=7"),
        ("=7", "is not of the form key=value"),
        ("a..b=7", "is not of the form key=value"),
        ("a.b.c.d.e.f.g.h.i=7", "is not of the form key=value"),
        ("", "is not of the form key=value"),
        ("seed=[1, 2", "the value is not YAML; quote it"),
        ("seed=!!python/name:os.system", "the value is not YAML"),
        ("seed=" + "9" * 5000, "the value is not YAML"),
        ("seed=*a", "the value is not YAML"),
        ("x=" + "[" * 1500, "the value is not YAML"),
    ],
)
def test_assignments_that_are_none(text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=f"^--set .*{says}") as caught:
        parse_assignment(text)
    assert len(str(caught.value)) < 160


def test_set_path_changes_one_field_of_a_copy() -> None:
    values = {"a": {"b": 1, "c": 2}, "d": 3}
    assert set_path(values, ["a", "b"], 9) == {"a": {"b": 9, "c": 2}, "d": 3}
    assert set_path(values, ["e", "f"], 9) == {**values, "e": {"f": 9}}
    assert set_path(values, ["d", "x"], 9) == {**values, "d": {"base": 3, "x": 9}}
    assert values == {"a": {"b": 1, "c": 2}, "d": 3}


def test_merge_lays_mappings_over_one_another() -> None:
    low = {"a": {"x": 1, "y": [1, 2]}, "b": 1}
    assert merge(low, {"a": {"y": [3]}, "c": 2}) == {"a": {"x": 1, "y": [3]}, "b": 1, "c": 2}
    assert merge(low, {"a": 5}) == {"a": 5, "b": 1}
    assert low == {"a": {"x": 1, "y": [1, 2]}, "b": 1}

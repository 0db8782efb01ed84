"""The base of every configuration model, safe YAML, and errors that name field, value and limit."""

import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from synesthete.errors import ConfigError

__all__ = [
    "Frozen",
    "Location",
    "build",
    "merge",
    "parse_assignment",
    "read_text",
    "read_yaml",
    "set_path",
]

MAX_YAML_BYTES = 500_000
MAX_YAML_DEPTH = 30
MAX_YAML_EVENTS = 25_000  # PyYAML takes 0.1 ms for each
MAX_YAML_TEXT = 10_000  # it reads a number such as 1:1:1:… in quadratic time


class Frozen(BaseModel):
    """An immutable model that refuses unknown fields and non-finite numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True)


Location = tuple[int | str, ...]
"""Where a field is: ``("tracks", 0, "seed")``."""

Model = TypeVar("Model", bound=BaseModel)


def build(
    model: type[Model],
    values: Mapping[str, Any],
    *,
    where: str,
    at: Callable[[Location], str] = lambda location: "",
) -> Model:
    """Build a model, or say in one sentence which field is wrong, what it was and what is allowed.

    Parameters
    ----------
    where
        What the values belong to, for the message: ``"preset my-look.yaml"``, ``"options"``.
    at
        Says where a field was given, such as ``"render.yaml, line 7"``.

    Raises
    ------
    ConfigError
        If anything is wrong; the first three faults are named.
    """
    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        places = [at(detail["loc"]) for detail in error.errors()]
        faults = [
            f"{place}: {_fault(dict(detail))}" if place else _fault(dict(detail))
            for place, detail in zip(places, error.errors(), strict=True)
        ]
        more = f" (and {len(faults) - 3} more)" if len(faults) > 3 else ""
        head = "" if places[0] else f"{where}: "
        raise ConfigError(f"{head}{'; '.join(faults[:3])}{more}") from None


def read_text(path: Path) -> str:
    """Read a configuration file: UTF-8, at most 500 kB.

    Raises
    ------
    ConfigError
        If it can't be read, or is none.
    """
    try:
        status = path.stat()
        size = status.st_size
        special = not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode))
        data = b"" if special or size > MAX_YAML_BYTES else path.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot read {path} ({error.strerror or error}); check the name") from None
    if special:
        raise ConfigError(f"{path} is no regular file; name a file")  # a pipe would keep us waiting
    if size > MAX_YAML_BYTES:
        raise ConfigError(f"{path} has {size} bytes; a configuration file has at most {MAX_YAML_BYTES}")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not UTF-8 text; save it as UTF-8") from None


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML mapping safely: plain data only, no aliases, at most 500 kB, 25,000 parts and 30 levels.

    Raises
    ------
    ConfigError
        If the file can't be read or is not such a mapping.
    """
    text = read_text(path)
    try:
        _refuse_aliases(text, path)
        value = yaml.load(text, _OnceLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if isinstance(mark, yaml.Mark) else ""
        problem = getattr(error, "problem", None) or "not YAML"
        raise ConfigError(f"{path}{line}: {problem}; correct the file") from None
    except (RecursionError, ValueError) as error:
        raise ConfigError(f"{path}: {str(error)[:80]}; correct the file") from None
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise ConfigError(f"{path} must hold a mapping of field names to values")
    return value


def _refuse_aliases(text: str, path: Path) -> None:
    depth = 0
    for count, event in enumerate(yaml.parse(text, Loader=yaml.SafeLoader)):
        if count > MAX_YAML_EVENTS:
            raise ConfigError(f"{path} holds too much, over {MAX_YAML_EVENTS // 2} values; simplify it")
        if isinstance(event, yaml.AliasEvent):
            mark: Any = event.start_mark
            raise ConfigError(f"{path}, line {mark.line + 1}: aliases (*name) are not allowed")
        if isinstance(event, yaml.ScalarEvent) and len(event.value) > MAX_YAML_TEXT:
            raise ConfigError(f"{path} has a text of over {MAX_YAML_TEXT} characters; shorten it")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_YAML_DEPTH:
            raise ConfigError(f"{path} is nested over {MAX_YAML_DEPTH} levels deep; simplify it")


class _OnceLoader(yaml.SafeLoader):
    """PyYAML's safe loader, which refuses a key given twice instead of keeping the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"{key.value!r} is given twice", problem_mark=key.start_mark
                )
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


def parse_assignment(text: str) -> tuple[list[str], Any]:
    """Read ``a.b=value`` as a path and a YAML value.

    Examples
    --------
    >>> parse_assignment("cppn.net.gain=1.2")
    (['cppn', 'net', 'gain'], 1.2)
    """
    key, sign, value = text.partition("=")
    path = [part.strip() for part in key.split(".")]
    if not sign or not all(path) or len(path) > 8:
        raise ConfigError(f"--set {text[:60]!r} is not of the form key=value, such as --set seed=7")
    try:
        return path, yaml.safe_load(value)
    except (yaml.YAMLError, ValueError, RecursionError):
        raise ConfigError(f"--set {text[:60]!r}: the value is not YAML; quote it") from None


def set_path(values: Mapping[str, Any], path: list[str], value: Any) -> dict[str, Any]:
    """Give a copy of nested mappings with one field replaced or added; ``["style", "0"]`` is an item."""
    result = dict(values)
    if len(path) == 1:
        result[path[0]] = value
        return result
    inner = result.get(path[0], {})
    if isinstance(inner, list | tuple) and path[1].isdecimal() and int(path[1]) < len(inner):
        items = dict(enumerate(inner))
        items[int(path[1])] = value if len(path) == 2 else set_path(items[int(path[1])], path[2:], value)
        result[path[0]] = list(items.values())
        return result
    if not isinstance(inner, Mapping):
        inner = {"base": inner}  # a modulated parameter that was given as a plain number
    result[path[0]] = set_path(inner, path[1:], value)
    return result


def merge(low: Mapping[str, Any], high: Mapping[str, Any]) -> dict[str, Any]:
    """Lay one nested mapping over another; lists and plain values are replaced, mappings merged."""
    result = dict(low)
    for key, value in high.items():
        below = result.get(key)
        both = isinstance(below, Mapping) and isinstance(value, Mapping)
        result[key] = merge(below, value) if both else value  # type: ignore[arg-type]
    return result


def _fault(detail: dict[str, Any]) -> str:
    field = ".".join(str(part) for part in detail["loc"]) or "value"
    shown = repr(detail.get("input"))
    shown = shown if len(shown) <= 60 else shown[:57] + "..."
    if detail["type"] == "extra_forbidden":
        return f"{field} is no known field; remove it or correct its name"
    if detail["type"] == "missing":
        return f"{field} is missing"
    message = str(detail["msg"]).removeprefix("Value error, ").removeprefix("Input ")
    if detail["type"] == "value_error" and isinstance(detail.get("input"), dict):
        # A rule over several fields: the whole mapping says nothing.
        return message if not detail["loc"] else f"{field}: {message}"
    if message.startswith(shown):  # it names the value itself
        return f"{field}: {message}"
    return f"{field} = {shown}: {message}"

"""Checks a request against botocore's service model, with the texts that AWS uses."""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape

from local_aws.errors import serialization_error, validation_error

_JAVA_CLASSES = {
    r"\uD800\uDC00-\uDBFF\uDFFF": r"\U00010000-\U0010FFFF",
    r"\p{Print}": r"\x20-\x7E",
    r"\p{ASCII}": r"[\x00-\x7F]",
    r"\p{L}": r"\w",
    r"\p{Z}": r"\s",
    r"\p{N}": r"\d",
    r"\p{P}": r"!-/:-@\[-`{-~",
}


_UNUSABLE = re.compile("[\x00\ud800-\udfff]")


def validated(shape: StructureShape | None, request: dict[str, Any]) -> dict[str, Any]:
    """The request with unknown members dropped and moments as epoch seconds; no shape means no members.

    Raises:
        AwsError: SerializationException for a value of the wrong type, ValidationException for a broken constraint.
    """
    if shape is None:
        return {}
    parsed: dict[str, Any] = _parse(shape, request, "")
    if (refusal := refusal_of(shape, parsed)) is not None:
        raise validation_error(refusal)
    return parsed


def refusal_of(shape: StructureShape, parsed: dict[str, Any]) -> str | None:
    """What AWS says about the constraints that a request breaks; None when it breaks none."""
    problems = list(_problems(shape, parsed, ""))
    if not problems:
        return None
    plural = "error" if len(problems) == 1 else "errors"
    return f"{len(problems)} validation {plural} detected: {'; '.join(problems)}"


def _parse(shape: Shape, value: Any, path: str) -> Any:
    if isinstance(shape, StructureShape):
        if getattr(shape, "is_document_type", False):
            return value
        known = _of_type(value, dict, "a structure", path)
        return {
            name: _parse(member, known[name], _member(path, name))
            for name, member in shape.members.items()
            if known.get(name) is not None
        }
    if isinstance(shape, ListShape):
        items = enumerate(_of_type(value, list, "a list", path), start=1)
        return [_parse(shape.member, item, f"{path}.{index}.member") for index, item in items]
    if isinstance(shape, MapShape):
        entries = _of_type(value, dict, "a map", path)
        return {
            _parse(shape.key, key, f"{path}.key"): _parse(shape.value, item, f"{path}.{key}")
            for key, item in entries.items()
        }
    return _SCALARS[shape.type_name](value, path)


def _of_type(value: Any, kind: type | tuple[type, ...], expected: str, path: str) -> Any:
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise serialization_error(f"{path or 'request'}: expected {expected}, found {type(value).__name__}")
    return value


def _moment(value: Any, path: str) -> float:
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError as error:
            raise serialization_error(f"{path}: expected a timestamp, found {value!r}") from error
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return _finite(_of_type(value, (int, float), "a timestamp", path), path)


def _blob(value: Any, path: str) -> bytes:
    try:
        return (
            value if isinstance(value, bytes) else base64.b64decode(_of_type(value, str, "a blob", path), validate=True)
        )
    except binascii.Error as error:
        raise serialization_error(f"{path}: expected base64: {error}") from error


def _string(value: Any, path: str) -> str:
    text = str(_of_type(value, str, "a string", path))
    if _UNUSABLE.search(text):
        raise serialization_error(f"{path}: holds a null character or half a surrogate pair")
    return text


def _integer(value: Any, path: str) -> int:
    return int(_of_type(value, int, "an integer", path))


def _number(value: Any, path: str) -> float:
    return _finite(_of_type(value, (int, float), "a number", path), path)


def _finite(value: int | float, path: str) -> float:
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise serialization_error(f"{path}: expected a number, found one that is too large")
    return number


def _boolean(value: Any, path: str) -> bool:
    return bool(_of_type(value, bool, "a boolean", path))


_SCALARS = {
    "string": _string,
    "character": _string,
    "integer": _integer,
    "long": _integer,
    "float": _number,
    "double": _number,
    "boolean": _boolean,
    "timestamp": _moment,
    "blob": _blob,
}


def _problems(shape: Shape, value: Any, path: str) -> Iterator[str]:
    if isinstance(shape, StructureShape):
        if getattr(shape, "is_document_type", False):
            return
        for name in shape.required_members:
            if name not in value:
                yield _problem("null", _member(path, name), "Member must not be null")
        for name, item in value.items():
            yield from _problems(shape.members[name], item, _member(path, name))
        return
    limits = shape.metadata
    if isinstance(shape, ListShape | MapShape | StringShape) or shape.type_name == "blob":
        yield from _length_problems(value, limits, path)
    if isinstance(shape, ListShape):
        for index, item in enumerate(value, start=1):
            yield from _problems(shape.member, item, f"{path}.{index}.member")
    elif isinstance(shape, MapShape):
        for key, item in value.items():
            yield from _problems(shape.key, key, f"{path}.key")
            yield from _problems(shape.value, item, f"{path}.{key}")
    elif isinstance(shape, StringShape):
        if shape.enum and value not in shape.enum:
            yield _problem(value, path, f"Member must satisfy enum value set: [{', '.join(shape.enum)}]")
        pattern = limits.get("pattern")
        if pattern and not compiled(pattern).fullmatch(value):
            yield _problem(value, path, f"Member must satisfy regular expression pattern: {pattern}")
    elif shape.type_name in ("integer", "long", "float", "double"):
        if "min" in limits and value < limits["min"]:
            yield _problem(value, path, f"Member must have value greater than or equal to {limits['min']}")
        if "max" in limits and value > limits["max"]:
            yield _problem(value, path, f"Member must have value less than or equal to {limits['max']}")


def _length_problems(value: Any, limits: dict[str, Any], path: str) -> Iterator[str]:
    if "min" in limits and len(value) < limits["min"]:
        yield _problem(value, path, f"Member must have length greater than or equal to {limits['min']}")
    if "max" in limits and len(value) > limits["max"]:
        yield _problem(value, path, f"Member must have length less than or equal to {limits['max']}")


def _problem(value: Any, path: str, constraint: str) -> str:
    return f"Value '{value}' at '{path}' failed to satisfy constraint: {constraint}".replace("'null'", "null", 1)


def _member(path: str, name: str) -> str:
    name = name[:1].lower() + name[1:]
    return f"{path}.{name}" if path else name


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """A service model's pattern, which is Java's, as one of Python's."""
    for java, python in _JAVA_CLASSES.items():
        pattern = pattern.replace(java, python)
    return re.compile(pattern.replace(r"\z", r"\Z"))

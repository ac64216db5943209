"""What pydantic found wrong with a configuration, in the words of the YAML: a line for each key, with what is allowed.

A field's `description` says what is allowed; it stands for whatever pattern, bound or union the field is checked by.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

Location = tuple[int | str, ...]


def explain(error: ValidationError, root: type[BaseModel]) -> Iterator[str]:
    """One line for each wrong key: `endpoint.instance_type: expected …, such as ml.m5.large (found 'm5')`."""
    explained = set()
    for problem in error.errors():
        key, field = _locate(problem["loc"], root)
        name = ".".join(map(str, key))
        if key in explained:
            continue
        explained.add(key)
        expected = field.description if field else None
        if problem["type"] == "extra_forbidden":
            yield f"{name}: unknown key{_suggestion(key, root)}"
        elif problem["type"] == "missing":
            yield f"{name}: is missing" + (f"; expected {expected}" if expected else "")
        elif problem["type"] == "value_error":
            yield from problem["msg"].removeprefix("Value error, ").splitlines()
        else:
            found = _shown(problem["input"])
            yield (
                f"{name}: expected {expected} (found {found})"
                if expected
                else f"{name}: {problem['msg']} (found {found})"
            )


def _locate(location: Location, root: type[BaseModel]) -> tuple[Location, FieldInfo | None]:
    """The YAML key of one of pydantic's locations, without the names of a union's alternatives, and the field there."""
    section: type[BaseModel] | None = root
    field: FieldInfo | None = None
    key: list[int | str] = []
    for part in location:
        if section is not None and part in section.model_fields:
            field = section.model_fields[str(part)]
            section = _section(field.annotation)
            key.append(part)
            if field.description:
                break
        elif isinstance(part, int) or (section is not None and part == location[-1]):
            key.append(part)
    return tuple(key), field


def _section(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((section for part in get_args(annotation) if (section := _section(part))), None)


def _suggestion(key: Location, root: type[BaseModel]) -> str:
    _, field = _locate(key[:-1], root)
    section = _section(field.annotation) if field else root
    allowed = list(section.model_fields) if section else []
    near = difflib.get_close_matches(str(key[-1]), allowed, n=1)
    return (f"; did you mean '{near[0]}'?" if near else "") + f"; allowed here: {', '.join(allowed)}"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:59] + "…"

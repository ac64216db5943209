"""JMESPath, with a short way for paths of keys, positions and `[*]`, which most are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError

from model_monitor.errors import AnalysisError

Finder = Callable[[Any], Any]
"""What a path finds in a document, or None."""


@lru_cache(maxsize=64)
def finder(path: str) -> Finder:
    """A path, ready for searching.

    Raises:
        AnalysisError: when it is not JMESPath.
    """
    try:
        compiled = jmespath.compile(path)
    except JMESPathError as error:
        raise AnalysisError(f"'{path}' is not JMESPath: {error}") from error
    search: Finder = compiled.search
    return _direct(compiled.parsed) or search


def _direct(node: Mapping[str, Any]) -> Finder | None:
    """A node of JMESPath's syntax tree as plain functions; None for what needs its interpreter."""
    kind = node["type"]
    if kind == "identity":
        return lambda value: value
    if kind == "field":
        key = node["value"]
        return lambda value: value.get(key) if isinstance(value, dict) else None
    if kind == "index":
        return _at(node["value"])
    if kind not in ("subexpression", "index_expression", "projection"):
        return None
    steps = [_direct(child) for child in node["children"]]
    if len(steps) != 2 or steps[0] is None or steps[1] is None:
        return None
    return _each(steps[0], steps[1]) if kind == "projection" else _after(steps[0], steps[1])


def _after(first: Finder, then: Finder) -> Finder:
    return lambda value: then(first(value))


def _at(position: int) -> Finder:
    def find(value: Any) -> Any:
        return value[position] if isinstance(value, list) and -len(value) <= position < len(value) else None

    return find


def _each(where: Finder, then: Finder) -> Finder:
    def find(value: Any) -> Any:
        values = where(value)
        if not isinstance(values, list):
            return None
        return [found for found in map(then, values) if found is not None]

    return find

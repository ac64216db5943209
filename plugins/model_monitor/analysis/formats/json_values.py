"""JSON documents, and the values that JMESPath finds in them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jmespath.exceptions import JMESPathError

from model_monitor.analysis.formats.json_paths import finder
from model_monitor.errors import AnalysisError


class NothingThere(AnalysisError):
    """A path or a position points to nothing; the configuration is more likely wrong than the data."""


def read_document(path: Path) -> Any:
    """A file that is one JSON document.

    Raises:
        AnalysisError: when it is not.
    """
    try:
        return json.loads(_text(path))
    except (ValueError, RecursionError) as error:
        raise AnalysisError(f"{path}: not one JSON document: {error}") from error


def read_lines(path: Path) -> list[tuple[int, Any]]:
    """The documents of a JSON Lines file, each with its line's number; blank lines are passed over.

    Raises:
        AnalysisError: naming the line that is not JSON.
    """
    found = []
    for number, line in enumerate(_text(path).split("\n"), 1):
        if line.strip():
            found.append((number, _loaded(line, f"{path}, line {number}")))
    return found


def documents(text: str, place: str) -> list[Any]:
    """The documents of text that is either one of JSON or JSON Lines.

    Raises:
        AnalysisError: naming `place`.
    """
    try:
        return [json.loads(text)]
    except (ValueError, RecursionError):
        pass
    try:
        return [json.loads(line) for line in text.split("\n") if line.strip()]
    except (ValueError, RecursionError) as error:
        raise AnalysisError(f"{place}: data is not JSON: {error}") from error


def search(path: str, document: Any, place: str) -> Any:
    """What `path` finds in a document.

    Raises:
        AnalysisError: for a path that is not JMESPath, or finds nothing; naming `place`.
    """
    try:
        found = finder(path)(document)
    except JMESPathError as error:
        raise AnalysisError(f"{place}: '{path}': {error}") from error
    if found is None:
        raise NothingThere(f"{place}: nothing at '{path}'{_keys_of(document)}")
    return found


def rows_at(path: str, document: Any, place: str) -> list[list[Any]]:
    """The rows of features at `path`, which is a list of values, or a list of such lists.

    Raises:
        AnalysisError: for anything else, naming `place`.
    """
    rows = rows_of_values(search(path, document, place))
    if not rows:
        raise AnalysisError(f"{place}: '{path}' should be a list of values, or of such lists")
    return rows


def rows_of_values(found: Any) -> list[list[Any]]:
    """The one row that a list of values is, or the rows of a list of such lists; none for anything else."""
    rows = found if isinstance(found, list) and found and isinstance(found[0], list) else [found]
    return rows if all(map(_is_row, rows)) else []


def values_at(path: str, document: Any, place: str) -> list[Any]:
    """The values at `path`: one, or a list of them; lists in lists are flattened.

    Raises:
        AnalysisError: for nothing there, or objects; naming `place`.
    """
    values = flat(search(path, document, place))
    if any(isinstance(value, dict) for value in values):
        raise AnalysisError(f"{place}: '{path}' finds objects; it should find numbers or labels")
    return values


def flat(values: Any) -> list[Any]:
    """A value, or the values of lists in lists, in one list."""
    found: list[Any] = []
    waiting = [values]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting += reversed(value)
        else:
            found.append(value)
    return found


def _is_row(row: Any) -> bool:
    return isinstance(row, list) and bool(row) and not any(isinstance(cell, list | dict) for cell in row)


def _keys_of(document: Any) -> str:
    keys: Sequence[Any] = list(document)[:8] if isinstance(document, dict) else ()
    return f"; its keys are {', '.join(map(str, keys))}" if keys else ""


def _loaded(line: str, place: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise AnalysisError(f"{place}: not JSON: {error}") from error


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise AnalysisError(f"{path}: not UTF-8: {error}") from error

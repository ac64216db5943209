"""Rows of numbers as XGBoost's image takes them: CSV without a header, and libsvm."""

from __future__ import annotations

from http import HTTPStatus

import numpy as np

from local_aws.containers.model_server import Refused

LARGEST = float(np.finfo(np.float32).max)
_CANNOT = "Unable to evaluate payload provided:"


def parse_csv(body: bytes, features: int | None) -> np.ndarray:
    """Rows (n, features) of a CSV; an empty value is a missing one. Without `features`, as wide as the first row.

    Raises:
        Refused: naming the first row, and the column, that is wrong.
    """
    lines = _lines(body)
    features = len(lines[0].split(",")) if features is None else features
    rows = np.empty((len(lines), features))
    for number, line in enumerate(lines):
        values = line.split(",")
        if len(values) != features:
            raise _bad(
                f"Feature size of csv inference data {len(values)} is not consistent with feature size of trained "
                f"model {features} (row {number + 1})."
            )
        try:
            rows[number] = [value.strip() or "nan" for value in values]
        except ValueError:
            raise _not_a_number(values, number) from None
    return _within_range(rows)


def parse_libsvm(body: bytes, features: int | None) -> np.ndarray:
    """Rows (n, features) of `<label> <index>:<value> …`, indices from 0 as XGBoost reads them; others are missing.

    Without `features`, as wide as the largest index asks for.

    XGBoost takes a first `<index>:<value>` for a label with its weight, so a row without a label loses a value; here it
    is refused.

    Raises:
        Refused: naming the first row that is wrong.
    """
    lines = [text for line in _lines(body) if (text := line.split("#")[0].strip())]
    if not lines:
        raise _bad("it is empty.")
    cells = [_cells(line, number) for number, line in enumerate(lines)]
    needed = [max(row, default=-1) + 1 for row in cells]
    features = max(needed) if features is None else features
    rows = np.full((len(lines), features), np.nan)
    for number, row in enumerate(cells):
        if needed[number] > features:
            raise _bad(
                f"Feature size of libsvm inference data {needed[number]} is larger than feature size of trained "
                f"model {features} (row {number + 1})."
            )
        rows[number, list(row)] = list(row.values())
    return _within_range(rows)


def _lines(body: bytes) -> list[str]:
    try:
        lines = body.decode("utf-8").strip("\r\n").splitlines()
    except UnicodeDecodeError as error:
        raise _bad(f"not UTF-8: {error}") from error
    if not lines:
        raise _bad("it is empty.")
    return lines


def _cells(line: str, number: int) -> dict[int, float]:
    label, *cells = line.split()
    if ":" in label:
        raise _bad(f"row {number + 1} starts with {label!r} where its label stands.")
    return dict(_cell(cell, number) for cell in cells if not cell.startswith("qid:"))


def _cell(cell: str, number: int) -> tuple[int, float]:
    index, _, value = cell.partition(":")
    try:
        place = int(index)
        if place < 0:
            raise ValueError(f"index {place}")
        return place, float(value)
    except ValueError as error:
        raise _bad(f"row {number + 1}: {cell!r} is no <index>:<value>: {error}.") from error


def _within_range(rows: np.ndarray) -> np.ndarray:
    too_large = np.argwhere(np.abs(rows) > LARGEST)
    if len(too_large):
        row, column = too_large[0] + 1
        raise _bad(f"row {row}, column {column}: the number is too large.")
    return rows


def _not_a_number(values: list[str], number: int) -> Refused:
    for column, value in enumerate(values):
        try:
            float(value.strip() or "nan")
        except ValueError as error:
            return _bad(f"row {number + 1}, column {column + 1}: {error}.")
    return _bad(f"row {number + 1} is not numeric.")


def _bad(reason: str) -> Refused:
    return Refused(HTTPStatus.BAD_REQUEST, f"{_CANNOT} {reason}")

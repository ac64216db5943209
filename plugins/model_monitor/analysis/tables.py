"""CSV text to typed columns, with every complaint naming file, line and column."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from model_monitor.errors import AnalysisError

WRONG_WIDTH = "Headers in config do not match with the number of columns in the dataset."
NOT_A_NUMBER = "Could not convert string to float."
STRAY_SHARE = 0.01
_MISSING = ["", "nan", "NaN"]


@dataclass(frozen=True)
class Rows:
    """CSV rows without a header, and where each of them comes from ("file, line 3")."""

    text: bytes
    widths: np.ndarray
    origin: Callable[[int], str]

    def __len__(self) -> int:
        return len(self.widths)


def read_rows(path: Path) -> tuple[Rows, list[str]]:
    """A CSV file's rows and the cells of its first one.

    Raises:
        AnalysisError: when the file is empty or not UTF-8.
    """
    text = path.read_bytes().removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    try:
        text.decode("utf-8")
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        raise AnalysisError(f"{path}, line {line}: not UTF-8") from error
    rows = rows_of(text, str(path))
    if not len(rows):
        raise AnalysisError(f"{path}: no rows")
    first = next(row for row in csv.reader(io.StringIO(text[:1_000_000].decode("utf-8", "ignore"))) if row)
    return rows, first


def rows_of(text: bytes, source: str) -> Rows:
    """The rows of CSV text, blank lines left out."""
    widths, lines = _measured_with_quotes(text) if b'"' in text else _measured(text)
    return Rows(text, widths, lambda row: f"{source}, line {lines[row]}")


def without_first(rows: Rows) -> Rows:
    """The rows but the first one, which holds the headers; a header with line breaks inside quotes is not expected."""
    body = rows.text.lstrip(b"\n")
    _, _, text = body.partition(b"\n")
    return Rows(text, rows.widths[1:], lambda row: rows.origin(row + 1))


def joined(parts: list[Rows]) -> Rows:
    """The rows of several files, one after the other."""
    if len(parts) == 1:
        return parts[0]
    starts = np.cumsum([0, *(len(part) for part in parts)])

    def origin(row: int) -> str:
        part = int(np.searchsorted(starts, row, side="right")) - 1
        return parts[part].origin(row - int(starts[part]))

    text = b"\n".join(part.text for part in parts)
    return Rows(text, np.concatenate([part.widths for part in parts]), origin)


def parse(rows: Rows, names: list[str], kind: str = "columns") -> pd.DataFrame:
    """Typed columns of the given names: whole numbers, numbers, Booleans, else text; an empty cell is a missing value.

    Raises:
        AnalysisError: when a row has another number of cells; `kind` says what was counted.
    """
    wrong = np.flatnonzero(rows.widths != len(names))
    if len(wrong):
        row = int(wrong[0])
        raise AnalysisError(
            f"{WRONG_WIDTH} {rows.origin(row)}: {rows.widths[row]} {kind} where {len(names)} are expected "
            f"({_shortened(names)}); {len(wrong)} of {len(rows)} rows differ"
        )
    try:
        frame = pd.read_csv(
            io.BytesIO(rows.text),
            header=None,
            names=names,
            index_col=False,
            keep_default_na=False,
            na_values=_MISSING,
            low_memory=False,
        )
    except pd.errors.ParserError as error:
        raise AnalysisError(f"{rows.origin(len(rows) - 1)}: a quote is left open: {error}") from error
    if len(frame) != len(rows):
        raise AnalysisError(f"{rows.origin(0)}: {len(rows)} rows read as {len(frame)}; is a quote left open?")
    for name in names:
        if frame[name].dtype == object and pd.api.types.infer_dtype(frame[name]) == "integer":
            frame[name] = frame[name].map(_as_float)
    return frame


def _as_float(huge: int | float) -> float:
    """A whole number beyond 64 bits."""
    try:
        return float(huge)
    except OverflowError:
        return math.inf if huge > 0 else -math.inf


def refuse_stray_text(frame: pd.DataFrame, rows: Rows) -> None:
    """Complain of a column that is numbers but for single cells: one of them, or at most 1 % of the rows.

    Raises:
        AnalysisError: naming the first such cell.
    """
    for name in frame.columns:
        column = frame[name]
        if pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_bool_dtype(column.dtype):
            continue
        numeric = pd.to_numeric(column, errors="coerce").notna()
        numbers, stray = int(numeric.sum()), np.flatnonzero((column.notna() & ~numeric).to_numpy())
        if 0 < len(stray) <= max(1, STRAY_SHARE * len(column)) and len(stray) < numbers:
            row = int(stray[0])
            raise AnalysisError(
                f"{NOT_A_NUMBER} {rows.origin(row)}, column '{name}': found {column.iloc[row]!r}; "
                f"{numbers} of {len(column)} rows hold numbers there"
            )


def refuse_missing(column: pd.Series[Any], rows: Rows) -> None:
    """Complain of an empty cell.

    Raises:
        AnalysisError: naming the first one.
    """
    missing = np.flatnonzero(column.isna().to_numpy())
    if len(missing):
        raise AnalysisError(
            f"{rows.origin(int(missing[0]))}, column '{column.name}': no value; {len(missing)} of {len(column)} rows "
            "have none, and bias metrics need a label in each"
        )


def _measured(text: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Cells and line number of every line that is not blank; there are no quotes."""
    data = np.frombuffer(text, dtype=np.uint8)
    ends = np.flatnonzero(data == ord("\n"))
    if len(data) and data[-1] != ord("\n"):
        ends = np.append(ends, len(data))
    commas = np.searchsorted(np.flatnonzero(data == ord(",")), ends)
    cells = np.diff(commas, prepend=0) + 1
    filled = np.diff(ends, prepend=-1) > 1
    return cells[filled], np.flatnonzero(filled) + 1


def _measured_with_quotes(text: bytes) -> tuple[np.ndarray, np.ndarray]:
    reader = csv.reader(io.StringIO(text.decode("utf-8"), newline=""))
    widths, lines, start = [], [], 1
    for row in reader:
        if row:
            widths.append(len(row))
            lines.append(start)
        start = reader.line_num + 1
    return np.array(widths, dtype=np.int64), np.array(lines, dtype=np.int64)


def _shortened(names: list[str]) -> str:
    return ", ".join(names if len(names) <= 6 else [*names[:3], "…", *names[-2:]])

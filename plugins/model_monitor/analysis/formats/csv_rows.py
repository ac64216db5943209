"""CSV text: how many cells each line holds, and the cells as typed columns."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from model_monitor.analysis.formats.rows import Rows, joined_origin, parse
from model_monitor.errors import AnalysisError

_MISSING = ["", "nan", "NaN"]
_LINE_END = "\r\n"  # A cell with one of its characters is quoted.


@dataclass(frozen=True)
class CsvRows(Rows):
    """Rows of CSV text, their types to be told from all cells of a column."""

    text: bytes

    def columns(self, names: list[str]) -> pd.DataFrame:
        try:
            frame = pd.read_csv(
                io.BytesIO(self.text),
                header=None,
                names=names,
                index_col=False,
                keep_default_na=False,
                na_values=_MISSING,
                low_memory=False,
            )
        except pd.errors.ParserError as error:
            raise AnalysisError(f"{self.origin(len(self) - 1)}: a quote is left open: {error}") from error
        if len(frame) != len(self):
            raise AnalysisError(f"{self.origin(0)}: {len(self)} rows read as {len(frame)}; is a quote left open?")
        return frame


def csv_line(row: Sequence[Any]) -> str:
    """One row of CSV without the line's end; None is an empty cell."""
    file = io.StringIO()
    csv.writer(file, lineterminator=_LINE_END).writerow(["" if value is None else value for value in row])
    return file.getvalue().removesuffix(_LINE_END)


def lines_of(text: str) -> list[str]:
    """The rows of CSV, each as its text, with line breaks inside quotes; blank lines are left out."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if '"' not in text:
        return [line for line in lines if line]
    rows: list[str] = []
    is_open = False
    for line in lines:
        if is_open:
            rows[-1] += f"\n{line}"
        elif line:
            rows.append(line)
        is_open ^= line.count('"') % 2 == 1
    return rows


def cells_of(text: str, place: str) -> list[list[str]]:
    """The cells of each line of CSV that is not blank.

    Raises:
        AnalysisError: naming `place`, for a cell that is longer than cells may be.
    """
    try:
        return [row for row in csv.reader(io.StringIO(text.replace("\r\n", "\n").replace("\r", "\n"))) if row]
    except csv.Error as error:
        raise AnalysisError(f"{place}: no CSV: {error}") from error


def read_csv_file(path: Path) -> tuple[CsvRows, list[str]]:
    """A CSV file's rows and the cells of its first one.

    Raises:
        AnalysisError: when the file is empty or not UTF-8.
    """
    text = path.read_bytes().removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    try:
        text.decode("utf-8")
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        packed = "; it is gzip: unpack it" if text.startswith(b"\x1f\x8b") else ""
        raise AnalysisError(f"{path}, line {line}: not UTF-8{packed}") from error
    rows = rows_of(text, str(path))
    if not len(rows):
        raise AnalysisError(f"{path}: no rows")
    try:
        first = next(row for row in csv.reader(io.StringIO(text[:1_000_000].decode("utf-8", "ignore"))) if row)
    except csv.Error as error:
        raise AnalysisError(f"{path}: no CSV: {error}") from error
    return rows, first


def rows_of(text: bytes, source: str) -> CsvRows:
    """The rows of CSV text, blank lines left out.

    Raises:
        AnalysisError: naming `source`, for a cell that is longer than cells may be.
    """
    try:
        widths, lines = _measured_with_quotes(text) if b'"' in text else _measured(text)
    except csv.Error as error:
        raise AnalysisError(f"{source}: no CSV: {error}") from error
    return CsvRows(widths, lambda row: f"{source}, line {lines[row]}", text)


def csv_table(content: bytes, headers: Sequence[str] | None, place: str) -> pd.DataFrame:
    """A small CSV file as typed columns: with a header row, which may repeat `headers`, or without one and `headers`.

    Raises:
        AnalysisError: naming `place`, when it is not UTF-8 or its rows are not of one width.
    """
    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n").lstrip("\n")
    except UnicodeDecodeError as error:
        raise AnalysisError(f"{place}: not UTF-8") from error
    first = next(iter(cells_of(text, place)), [])
    if headers is None or sorted(first) == sorted(headers):
        headers, body = first, _after_first_row(text.encode())
    else:
        body = text.encode()
    rows = rows_of(body, place)
    if not len(rows):
        raise AnalysisError(f"{place}: no rows")
    return parse(rows, list(headers))


def without_first(rows: CsvRows) -> CsvRows:
    """The rows but the first one, which holds the headers."""
    text = _after_first_row(rows.text.lstrip(b"\n"))
    return CsvRows(rows.widths[1:], lambda row: rows.origin(row + 1), text)


def _after_first_row(text: bytes) -> bytes:
    end = text.find(b"\n")
    while end >= 0 and text.count(b'"', 0, end) % 2:
        end = text.find(b"\n", end + 1)
    return text[end + 1 :] if end >= 0 else b""


def joined(parts: list[CsvRows]) -> CsvRows:
    """The rows of several files, one after the other."""
    if len(parts) == 1:
        return parts[0]
    origin = joined_origin([len(part) for part in parts], [part.origin for part in parts])
    widths = np.concatenate([part.widths for part in parts])
    return CsvRows(widths, origin, b"\n".join(part.text for part in parts))


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

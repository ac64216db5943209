"""Capture records and merged records (JSON lines) to rows, scores and labels.

A record holds one request, which may hold several rows; labels and outputs then come in the same order. Source of the
record's shape: developer guide, "Capture Data" and "Ingest Ground Truth Labels and Merge Them With Predictions".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from model_monitor.analysis.formats.answers import are_labels, chosen_labels, is_number
from model_monitor.analysis.formats.csv_rows import CsvRows, csv_line, rows_of
from model_monitor.analysis.formats.rows import NOT_A_NUMBER, Rows, ValueRows
from model_monitor.analysis.payloads import InputRow, Where, answer, check_encodings, input_rows, truths
from model_monitor.errors import AnalysisError

SHADOW = "ShadowExperiment"

_SPECIAL = re.compile(r'[\s"\[\]]')


@dataclass(frozen=True)
class Merged:
    """Rows given to the model; its scores (n,) or (n, k), or labels that it predicted, or both; observed labels."""

    rows: Rows
    scores: np.ndarray | None
    predicted: Rows | None
    labels: Rows


@dataclass
class Collected:
    """One entry per row of input, as records are read."""

    places: list[tuple[Path, int]] = field(default_factory=list)
    inputs: list[InputRow] = field(default_factory=list)
    scores: list[list[str]] = field(default_factory=list)
    predicted: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)

    def add(self, record: dict[str, Any], where: Where, path: Path, number: int) -> None:
        """Add a merged record's rows.

        Raises:
            AnalysisError: naming file and line, when it is not what it should be.
        """
        plain = _plain(record) if where.inference is None and where.probability is None else None
        if plain is not None:
            data, output, label = plain
            self.inputs.append(data)
            self.scores.append(output.split(","))
            self.labels.append(label)
            self.places.append((path, number))
        else:
            _add(self, record, where, path, number)

    def merged(self, where: Where) -> Merged:
        """What was added, put together."""
        predicted = self.predicted
        if where.inference is not None and where.probability is None and are_labels(self.scores):
            predicted = [csv_line(label) for label in self.scores]
        scores = None if predicted and not self.predicted else _as_array(self)
        return Merged(
            self.input_rows(), scores, self.csv_rows(predicted) if predicted else None, self.csv_rows(self.labels)
        )

    def input_rows(self) -> Rows:
        """Rows of JSON keep their values' types, unless rows of CSV stand among them."""
        values = [row for row in self.inputs if isinstance(row, list)]
        if len(values) == len(self.inputs):
            return ValueRows.of(values, self.origin)
        return self.csv_rows([row if isinstance(row, str) else csv_line(row) for row in self.inputs])

    def csv_rows(self, lines: list[str]) -> CsvRows:
        """Lines of CSV as rows."""
        rows = rows_of("\n".join(lines).encode(), "captures")
        if len(rows) != len(lines):
            odd = next((row for row, line in enumerate(lines) if line.count('"') % 2), 0)
            raise AnalysisError(f"{self.origin(odd)}: a quote left open")
        return CsvRows(rows.widths, self.origin, rows.text)

    def origin(self, row: int) -> str:
        """Where a row comes from."""
        path, number = self.places[row]
        return f"{path}, line {number}"


def inputs_in_parts(paths: Sequence[Path], where: Where, size: int | None = None) -> Iterator[Rows]:
    """The rows given to the model, from the capture records of JSON-lines files: all, or about `size` at a time.

    The rows of one request stay together. Where there are no records, there are no parts.

    Raises:
        AnalysisError: for a record that is not what it should be, naming file and line.
    """
    found = Collected()
    for path, number, record in _records(paths):
        place = f"{path}, line {number}"
        rows = input_rows(_captured(record, "endpointInput", place), where, place)
        found.inputs += rows
        found.places += [(path, number)] * len(rows)
        if size is not None and len(found.inputs) >= size:
            yield found.input_rows()
            found = Collected()
    if found.inputs:
        yield found.input_rows()


def collect_merged(paths: Sequence[Path], where: Where) -> Merged:
    """Inputs, outputs and observed labels, from the merged records of JSON-lines files.

    What stands at the InferenceAttribute alone are scores if they are fractions; text and whole numbers are labels.

    Raises:
        AnalysisError: for no records, or one that is not what it should be, naming file and line.
    """
    found = Collected()
    for path, number, record in _records(paths):
        found.add(record, where, path, number)
    if not found.inputs:
        raise no_records(paths)
    return found.merged(where)


def no_records(paths: Sequence[Path]) -> AnalysisError:
    """What is wrong with files that hold no record."""
    return AnalysisError(f"No records in {', '.join(map(str, paths)) or 'no files'}")


def _plain(record: dict[str, Any]) -> tuple[str, str, str] | None:
    """Input, output and label of the usual record, which is one row in CSV throughout; None for any other."""
    capture = record["captureData"]
    try:
        parts = (capture["endpointInput"], capture["endpointOutput"], record["groundTruthData"])
        data, output, label = [part["data"] if part["encoding"] == "CSV" else "" for part in parts]
        if not data or not output or not label or "\n" in data or "\r" in data:
            return None
        if "," in label or _SPECIAL.search(label) or _SPECIAL.search(output):
            return None
    except (KeyError, TypeError):
        return None
    return data, output, label


def _add(found: Collected, record: dict[str, Any], where: Where, path: Path, number: int) -> None:
    place = f"{path}, line {number}"
    given, answered = (_captured(record, name, place) for name in ("endpointInput", "endpointOutput"))
    check_encodings(given, answered, place)
    rows = input_rows(given, where, place)
    output = answer(answered, where, len(rows), place)
    truth = _part(record, "groundTruthData", f"{place}: groundTruthData is missing")
    found.labels += truths(truth, where, len(rows), place)
    found.scores += output.scores
    found.predicted += chosen_labels(output, place) if output.labels else []
    found.inputs += rows
    found.places += [(path, number)] * len(rows)


def _records(paths: Sequence[Path]) -> Iterator[tuple[Path, int, dict[str, Any]]]:
    for path in paths:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if not line.strip():
                    continue
                try:
                    record = json.loads(line)
                except (ValueError, RecursionError) as error:
                    raise AnalysisError(f"{path}, line {number}: not JSON: {error}") from error
                if not isinstance(record, dict) or not isinstance(record.get("captureData"), dict):
                    raise AnalysisError(f"{path}, line {number}: not a capture record: captureData is missing")
                if not is_shadow(record):
                    yield path, number, record


def is_shadow(record: dict[str, Any]) -> bool:
    """Whether a record is of a shadow test, which monitors pass over."""
    metadata = record.get("eventMetadata")
    return isinstance(metadata, dict) and metadata.get("invocationSource") == SHADOW


def _captured(record: dict[str, Any], name: str, place: str) -> dict[str, Any]:
    return _part(record["captureData"], name, f"{place}: captureData.{name} is missing; capture Input and Output")


def _part(whole: dict[str, Any], name: str, complaint: str) -> dict[str, Any]:
    part = whole.get(name)
    if not isinstance(part, dict) or not isinstance(part.get("data"), str):
        raise AnalysisError(complaint)
    return part


def _as_array(found: Collected) -> np.ndarray:
    width = len(found.scores[0])
    for row, values in enumerate(found.scores):
        if len(values) != width:
            raise AnalysisError(f"{found.origin(row)}: {len(values)} scores where {width} are expected")
    try:
        table = np.array(found.scores, dtype=float)
    except ValueError:
        table = np.empty(0)
    if not table.size or not np.isfinite(table).all():
        row, value = next(
            (row, value) for row, values in enumerate(found.scores) for value in values if not is_number(value)
        )
        raise AnalysisError(
            f"{NOT_A_NUMBER} {found.origin(row)}, output: found {value!r}; if that is the predicted label, say so with "
            "InferenceAttribute, and with ProbabilityAttribute where the score is, if there is one"
        )
    return table[:, 0] if width == 1 else table

"""Capture records and merged records (JSON lines) to rows of CSV, scores and labels.

A record holds one request, which may hold several rows; labels and outputs then come in the same order. Source of the
record's shape: developer guide, "Capture Data" and "Ingest Ground Truth Labels and Merge Them With Predictions".
"""

from __future__ import annotations

import base64
import binascii
import csv
import io
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jmespath
import numpy as np
from jmespath.exceptions import JMESPathError

from model_monitor.analysis.tables import Rows, rows_of
from model_monitor.errors import AnalysisError

SHADOW = "ShadowExperiment"


@dataclass(frozen=True)
class Captured:
    """Rows given to the model; its scores (n,) or (n, k); predicted labels and observed labels, one cell per row."""

    rows: Rows
    scores: np.ndarray | None
    predicted: Rows | None
    labels: Rows | None


@dataclass(frozen=True)
class _Where:
    features: str | None
    inference: str | None
    probability: str | None
    ground_truth: str | None


@dataclass
class _Collected:
    """One entry per row of input, as records are read."""

    places: list[tuple[Path, int]] = field(default_factory=list)
    inputs: list[str] = field(default_factory=list)
    scores: list[list[str]] = field(default_factory=list)
    predicted: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)

    def rows(self, lines: list[str]) -> Rows:
        rows = rows_of("\n".join(lines).encode(), "captures")
        if len(rows) != len(lines):
            raise AnalysisError(f"{self.origin(0)}: a cell with a line break, or a quote left open")
        return Rows(rows.text, rows.widths, self.origin)

    def origin(self, row: int) -> str:
        path, number = self.places[row]
        return f"{path}, line {number}"


def collect(
    paths: Sequence[Path],
    *,
    features: str | None,
    inference: str | None,
    probability: str | None,
    ground_truth: str | None,
    with_ground_truth: bool,
) -> Captured:
    """Collect the records of JSON-lines files. Outputs are left out unless every record holds one.

    Raises:
        AnalysisError: for no records, or one that is not what it should be, naming file and line.
    """
    where = _Where(features, inference, probability, ground_truth)
    found = _Collected()
    for path, number, record in _records(paths):
        plain = _plain(record, with_ground_truth) if inference is None and probability is None else None
        if plain is not None:
            found.places.append((path, number))
            found.inputs.append(plain[0])
            found.scores.append(plain[1])
            found.labels += plain[2]
        else:
            _add(found, record, where, path, number, with_ground_truth)
    if not found.inputs:
        raise AnalysisError(f"No records in {', '.join(map(str, paths)) or 'no files'}")
    complete = len(found.scores) == len(found.inputs)
    return Captured(
        found.rows(found.inputs),
        _as_array(found) if complete else None,
        found.rows(found.predicted) if complete and found.predicted else None,
        found.rows(found.labels) if with_ground_truth else None,
    )


def _plain(record: dict[str, Any], with_ground_truth: bool) -> tuple[str, list[str], list[str]] | None:
    """Input, scores and label of the usual record, which is one row in CSV throughout; None for any other."""
    capture = record["captureData"]
    try:
        parts = [capture["endpointInput"], capture["endpointOutput"]]
        if with_ground_truth:
            parts.append(record["groundTruthData"])
        data, output, *truth = [part["data"] if part["encoding"] == "CSV" else "" for part in parts]
        if not data or not output or "\n" in data or "\r" in data or _SPECIAL.search(output):
            return None
        if with_ground_truth and (not truth[0] or "," in truth[0] or _SPECIAL.search(truth[0])):
            return None
    except (KeyError, TypeError):
        return None
    return data, output.split(","), truth


_SPECIAL = re.compile(r'[\s"\[\]]')


def _add(
    found: _Collected, record: dict[str, Any], where: _Where, path: Path, number: int, with_ground_truth: bool
) -> None:
    place = f"{path}, line {number}"
    lines = _input_rows(record, where, place)
    output = _part(record, "endpointOutput", place, required=with_ground_truth)
    if output is not None:
        scores, named = _output_rows(output, where, len(lines), place)
        found.scores += scores
        found.predicted += named
    if with_ground_truth:
        found.labels += _labels(record, where, len(lines), place)
    found.inputs += lines
    found.places += [(path, number)] * len(lines)


def _records(paths: Sequence[Path]) -> Iterator[tuple[Path, int, dict[str, Any]]]:
    for path in paths:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if not line.strip():
                    continue
                try:
                    record = json.loads(line)
                except ValueError as error:
                    raise AnalysisError(f"{path}, line {number}: not JSON: {error}") from error
                if not isinstance(record, dict) or not isinstance(record.get("captureData"), dict):
                    raise AnalysisError(f"{path}, line {number}: not a capture record: captureData is missing")
                if (record.get("eventMetadata") or {}).get("invocationSource") != SHADOW:
                    yield path, number, record


def _part(record: dict[str, Any], name: str, place: str, required: bool = True) -> dict[str, Any] | None:
    part = record["captureData"].get(name)
    if part is None and not required:
        return None
    if not isinstance(part, dict) or not isinstance(part.get("data"), str):
        raise AnalysisError(f"{place}: captureData.{name} is missing; capture Input and Output")
    return part


def _text(part: dict[str, Any], place: str) -> str:
    """The part's data as text; what was captured as BASE64 only for want of a listed content type is decoded."""
    data = str(part["data"])
    if part.get("encoding") != "BASE64":
        return data
    kind = str(part.get("observedContentType", ""))
    try:
        return base64.b64decode(data, validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise AnalysisError(f"{place}: {kind or 'data'} in BASE64 is not text: {error}") from error


def _is_json(part: dict[str, Any]) -> bool:
    encoding = part.get("encoding")
    return encoding == "JSON" or (encoding == "BASE64" and "json" in str(part.get("observedContentType", "")).lower())


def _input_rows(record: dict[str, Any], where: _Where, place: str) -> list[str]:
    part = _part(record, "endpointInput", place)
    assert part is not None
    text = _text(part, place)
    if not _is_json(part):
        lines = [line for line in text.splitlines() if line]
    else:
        if where.features is None:
            raise AnalysisError(f"{place}: JSON input; say where the features are with 'features' or FeaturesAttribute")
        lines = [
            _csv(row)
            for document in _documents(text, place)
            for row in _as_rows(_search(where.features, document, place), where.features, place)
        ]
    if not lines:
        raise AnalysisError(f"{place}: the request holds no rows")
    return lines


def _output_rows(part: dict[str, Any], where: _Where, count: int, place: str) -> tuple[list[list[str]], list[str]]:
    """The scores of each row, and the predicted label of each row where an attribute says so."""
    text = _text(part, place)
    if _is_json(part):
        documents = _documents(text, place)
        path = where.probability or where.inference
        if path is None:
            raise AnalysisError(
                f"{place}: JSON output; say where the scores are with InferenceAttribute or ProbabilityAttribute"
            )
        scores = _shared_out(_flat([_search(path, one, place) for one in documents]), count, place)
        if where.probability is None or where.inference is None:
            return scores, []
        named = _flat([_search(where.inference, one, place) for one in documents])
        return scores, [_csv(row) for row in _shared_out(named, count, place, each=1)]
    if where.inference is None and where.probability is None:
        return _shared_out(_cells(text), count, place), []
    rows = [row for row in csv.reader(io.StringIO(text)) if row]
    if len(rows) == 1 and count > 1 and len(rows[0]) % count == 0:
        rows = _shared_out(rows[0], count, place)
    if len(rows) != count:
        raise AnalysisError(f"{place}: {len(rows)} lines of output for {count} rows of input")
    probability = where.probability if where.probability is not None else where.inference
    scores = [_cells(_cell(row, probability, place)) for row in rows]
    if where.probability is None or where.inference is None:
        return scores, []
    return scores, [_csv([_cell(row, where.inference, place)]) for row in rows]


def _labels(record: dict[str, Any], where: _Where, count: int, place: str) -> list[str]:
    part = record.get("groundTruthData")
    if not isinstance(part, dict) or not isinstance(part.get("data"), str):
        raise AnalysisError(f"{place}: groundTruthData is missing")
    text = _text(part, place)
    if not _is_json(part):
        found: list[Any] = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
    elif where.ground_truth is None:
        raise AnalysisError(f"{place}: ground truth in JSON; say where the label is with 'label'")
    else:
        found = _flat([_search(where.ground_truth, one, place) for one in _documents(text, place)])
    if len(found) != count:
        raise AnalysisError(f"{place}: {len(found)} labels for {count} rows of input")
    return [_csv([label]) for label in found]


def _as_array(found: _Collected) -> np.ndarray:
    width = len(found.scores[0])
    for row, values in enumerate(found.scores):
        if len(values) != width:
            raise AnalysisError(f"{found.origin(row)}: {len(values)} scores where {width} are expected")
    try:
        table = np.array(found.scores, dtype=float)
    except ValueError:
        table = np.array(
            [[_number(value, found.origin(row)) for value in values] for row, values in enumerate(found.scores)]
        )
    return table[:, 0] if width == 1 else table


def _number(value: str, place: str) -> float:
    try:
        return float(value)
    except ValueError as error:
        raise AnalysisError(
            f"Could not convert string to float. {place}, output: found {value!r}; if that is the predicted label, say "
            "where the score is with ProbabilityAttribute"
        ) from error


def _cells(text: str) -> list[str]:
    """The values of an output, brackets around a record's values left out."""
    cells = ",".join(text.replace("[", "").replace("]", "").splitlines()).split(",")
    return [cell.strip() for cell in cells if cell.strip()]


def _cell(row: list[str], position: str | None, place: str) -> str:
    try:
        return row[int(str(position))]
    except (ValueError, IndexError) as error:
        raise AnalysisError(f"{place}: output of {len(row)} columns has none at position '{position}'") from error


def _shared_out(values: list[Any], count: int, place: str, each: int | None = None) -> list[list[str]]:
    width, rest = divmod(len(values), count)
    if rest or not width or width != (each or width):
        raise AnalysisError(f"{place}: {len(values)} values of output for {count} rows of input")
    return [[str(value) for value in values[start : start + width]] for start in range(0, len(values), width)]


def _documents(text: str, place: str) -> list[Any]:
    """One JSON document, or JSON lines."""
    try:
        return [json.loads(text)]
    except ValueError:
        pass
    try:
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    except ValueError as error:
        raise AnalysisError(f"{place}: data is not JSON: {error}") from error


def _search(path: str, document: Any, place: str) -> Any:
    try:
        found = jmespath.search(path, document)
    except JMESPathError as error:
        raise AnalysisError(f"'{path}' is not JMESPath: {error}") from error
    if found is None:
        raise AnalysisError(f"{place}: nothing at '{path}'")
    return found


def _as_rows(found: Any, path: str, place: str) -> list[list[Any]]:
    if not isinstance(found, list) or not found:
        raise AnalysisError(f"{place}: '{path}' should be a list of values, or of such lists")
    return found if isinstance(found[0], list) else [found]


def _flat(values: Any) -> list[Any]:
    return [one for value in values for one in _flat(value)] if isinstance(values, list) else [values]


def _csv(row: list[Any]) -> str:
    file = io.StringIO()
    csv.writer(file, lineterminator="").writerow(["" if value is None else value for value in row])
    return file.getvalue()

"""A captured request, answer or ground truth to rows of CSV, scores and labels: CSV by position, JSON by JMESPath."""

from __future__ import annotations

import base64
import binascii
import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError

from model_monitor.errors import AnalysisError

Part = Mapping[str, Any]


@dataclass(frozen=True)
class Where:
    """Where features, predicted label, score and observed label stand, as far as the configuration says."""

    features: str | None = None
    inference: str | None = None
    probability: str | None = None
    ground_truth: str | None = None


def input_rows(part: Part, where: Where, place: str) -> list[str]:
    """The request's rows, each as one line of CSV.

    Raises:
        AnalysisError: naming `place`, for data that is not what its encoding says, or no rows.
    """
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


def output_rows(part: Part, where: Where, count: int, place: str) -> tuple[list[list[str]], list[str]]:
    """The scores of each of `count` rows; and their predicted labels, if an attribute tells them from the scores.

    Raises:
        AnalysisError: naming `place`, when the answer does not hold as many values for each row.
    """
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


def truths(part: Part, where: Where, count: int, place: str) -> list[str]:
    """The observed label of each of `count` rows, as one cell of CSV.

    Raises:
        AnalysisError: naming `place`, when there is another number of labels.
    """
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


def _text(part: Part, place: str) -> str:
    """The part's data as text; what was captured as BASE64 only for want of a listed content type is decoded."""
    data = str(part["data"])
    if part.get("encoding") != "BASE64":
        return data
    kind = str(part.get("observedContentType", ""))
    try:
        return base64.b64decode(data, validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise AnalysisError(f"{place}: {kind or 'data'} in BASE64 is not text: {error}") from error


def _is_json(part: Part) -> bool:
    encoding = part.get("encoding")
    return encoding == "JSON" or (encoding == "BASE64" and "json" in str(part.get("observedContentType", "")).lower())


def _cells(text: str) -> list[str]:
    """The values of an output, brackets around a record's values left out."""
    cells = ",".join(text.replace("[", "").replace("]", "").splitlines()).split(",")
    return [cell.strip() for cell in cells if cell.strip()]


def _cell(row: list[str], position: str | None, place: str) -> str:
    if position is None or not position.isdecimal() or int(position) >= len(row):
        raise AnalysisError(f"{place}: output of {len(row)} columns has none at position '{position}'")
    return row[int(position)]


def _shared_out(values: list[Any], count: int, place: str, each: int | None = None) -> list[list[str]]:
    width, rest = divmod(len(values), count)
    if rest or not width or width != (each or width):
        raise AnalysisError(f"{place}: {len(values)} values of output for {count} rows of input")
    return [[str(value) for value in values[start : start + width]] for start in range(0, len(values), width)]


def _documents(text: str, place: str) -> list[Any]:
    """One JSON document, or JSON lines."""
    try:
        return [json.loads(text)]
    except (ValueError, RecursionError):
        pass
    try:
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    except (ValueError, RecursionError) as error:
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
    rows = found if isinstance(found[0], list) else [found]
    if not all(isinstance(row, list) and not any(isinstance(cell, list | dict) for cell in row) for row in rows):
        raise AnalysisError(f"{place}: '{path}' should be a list of values, or of such lists")
    return rows


def _flat(values: Any) -> list[Any]:
    return [one for value in values for one in _flat(value)] if isinstance(values, list) else [values]


def _csv(row: list[Any]) -> str:
    file = io.StringIO()
    csv.writer(file, lineterminator="").writerow(["" if value is None else value for value in row])
    return file.getvalue()

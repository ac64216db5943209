"""A captured request, answer or ground truth to rows, scores and labels: CSV by position, JSON by JMESPath."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from model_monitor.analysis.formats.answers import Answer, csv_answer, json_answer
from model_monitor.analysis.formats.csv_rows import cells_of, csv_line, lines_of
from model_monitor.analysis.formats.json_values import documents, rows_at, values_at
from model_monitor.errors import AnalysisError

Part = Mapping[str, Any]
InputRow = str | list[Any]
"""A line of CSV, or the values of a row of JSON."""


@dataclass(frozen=True)
class Where:
    """Where features, predicted label, score and observed label stand, as far as the configuration says."""

    features: str | None = None
    inference: str | None = None
    probability: str | None = None
    ground_truth: str | None = None


def check_encodings(given: Part, answered: Part, place: str) -> None:
    """Monitors take a request and its answer in one format only.

    Raises:
        AnalysisError: with the service's text, naming `place`.
    """
    encodings = [_encoding(part) for part in (given, answered)]
    if len(set(encodings)) > 1:
        raise AnalysisError(
            f"Encoding mismatch: Encoding is {encodings[0]} for endpointInput, but Encoding is {encodings[1]} for "
            "endpointOutput. We currently only support the same type of input and output encoding at the moment. "
            f"{place}: let the endpoint answer in the format that it is asked in, by the request's Accept header."
        )


def input_rows(part: Part, where: Where, place: str) -> list[InputRow]:
    """The request's rows.

    Raises:
        AnalysisError: naming `place`, for data that is not what its encoding says, or no rows.
    """
    text = _text(part, place)
    rows: list[InputRow] = []
    if not _is_json(part):
        rows += lines_of(text)
    elif where.features is None:
        raise AnalysisError(f"{place}: JSON input; say where the features are with 'features' or FeaturesAttribute")
    else:
        for document in documents(text, place):
            rows += rows_at(where.features, document, place)
    if not rows:
        raise AnalysisError(f"{place}: the request holds no rows")
    return rows


def answer(part: Part, where: Where, count: int, place: str) -> Answer:
    """The scores of each of `count` rows; and their predicted labels, if an attribute tells them from the scores.

    Raises:
        AnalysisError: naming `place`, when the answer does not hold as many values for each row.
    """
    read = json_answer if _is_json(part) else csv_answer
    return read(_text(part, place), where.inference, where.probability, count, place)


def truths(part: Part, where: Where, count: int, place: str) -> list[str]:
    """The observed label of each of `count` rows, as one cell of CSV.

    Raises:
        AnalysisError: naming `place`, when there is another number of labels.
    """
    text = _text(part, place)
    if not _is_json(part):
        found: list[Any] = [cell for row in cells_of(text, place) for cell in row]
    elif where.ground_truth is None:
        raise AnalysisError(f"{place}: ground truth in JSON; say where the label is with 'label'")
    else:
        found = [label for one in documents(text, place) for label in values_at(where.ground_truth, one, place)]
    if len(found) != count:
        raise AnalysisError(f"{place}: {len(found)} labels for {count} rows of input")
    return [csv_line([label]) for label in found]


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


def _encoding(part: Part) -> str:
    return "JSON" if _is_json(part) else "CSV"


def _is_json(part: Part) -> bool:
    encoding = part.get("encoding")
    return encoding == "JSON" or (encoding == "BASE64" and "json" in str(part.get("observedContentType", "")).lower())

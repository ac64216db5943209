"""What a model answered: scores and predicted labels, in CSV by position, in JSON by JMESPath.

Source: developer guide, "Endpoint response for tabular data".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from model_monitor.analysis.formats.csv_rows import cells_of, csv_line
from model_monitor.analysis.formats.json_values import NothingThere, documents, flat, values_at
from model_monitor.errors import AnalysisError

_WHOLE = re.compile(r"[+-]?\d+")


@dataclass(frozen=True)
class Answer:
    """Texts of what was answered to each record: its scores, and its labels if they were told from the scores.

    A record has one label, the predicted one, or as many labels as it has scores.
    """

    scores: list[list[str]]
    labels: list[list[str]]


def csv_answer(text: str, label: str | int | None, probability: str | int | None, count: int, place: str) -> Answer:
    """What stands at the positions `label` and `probability`; if both are None, all values are scores.

    One position alone holds scores, which may turn out to be labels: see `are_labels`.

    Raises:
        AnalysisError: naming `place`, when the answer does not hold as many values for each of `count` records.
    """
    if label is None and probability is None:
        return Answer(_shared_out(_cells(text), count, place), [])
    rows = cells_of(text, place)
    if len(rows) == 1 and count > 1 and len(rows[0]) % count == 0:
        rows = _shared_out(rows[0], count, place)
    if len(rows) != count:
        raise AnalysisError(f"{place}: {len(rows)} lines of output for {count} rows of input")
    position = probability if probability is not None else label
    scores = [_values(_cell(row, position, place)) for row in rows]
    if probability is None or label is None:
        return Answer(scores, [])
    return Answer(scores, [_values(_cell(row, label, place)) for row in rows])


def json_answer(text: str, label: str | int | None, probability: str | int | None, count: int, place: str) -> Answer:
    """What the paths `label` and `probability` find, as `csv_answer`; without a path, the document itself is scores.

    Raises:
        AnalysisError: naming `place`, when there are not as many values for each of `count` records.
    """
    found = documents(text, place)
    path = probability if probability is not None else label
    scores = [value for one in found for value in _all_at(path, one, place)]
    shares = _shared_out([value for score in scores for value in _values(score)], count, place)
    if probability is None or label is None:
        return Answer(shares, [])
    labels = [value for one in found for value in _all_at(label, one, place)]
    return Answer(shares, _shared_out(labels, count, place))


def are_labels(scores: Sequence[Sequence[str]]) -> bool:
    """Whether values of records that have one each are labels: whole numbers throughout, or not a number among them."""
    if any(len(values) != 1 for values in scores):
        return False
    return all(_WHOLE.fullmatch(value) for (value,) in scores) or not any(is_number(value) for (value,) in scores)


def chosen_labels(answer: Answer, place: str) -> list[str]:
    """The label of each record as one cell of CSV: the one there is, or the one whose score is the highest.

    Raises:
        AnalysisError: naming `place`, when a record has neither one label nor one for each score.
    """
    chosen = []
    for labels, scores in zip(answer.labels, answer.scores, strict=True):
        if len(labels) == 1:
            chosen.append(csv_line(labels))
        elif len(labels) == len(scores) > 0:
            chosen.append(csv_line([labels[_highest(scores, place)]]))
        else:
            raise AnalysisError(f"{place}: {len(labels)} labels for {len(scores)} scores of a record")
    return chosen


def _highest(scores: list[str], place: str) -> int:
    odd = next((score for score in scores if not is_number(score)), None)
    if odd is not None:
        raise AnalysisError(f"{place}: found {odd!r} where a class's score is expected")
    return int(np.argmax(np.array(scores, dtype=float)))


def is_number(value: str) -> bool:
    """Whether a text is a finite number."""
    try:
        return bool(np.isfinite(float(value)))
    except ValueError:
        return False


def _all_at(path: str | int | None, document: Any, place: str) -> list[Any]:
    if path is not None:
        return values_at(str(path), document, place)
    values = flat(document)
    if any(isinstance(value, dict) for value in values):
        raise NothingThere(
            f"{place}: JSON output is no list of numbers; say where scores or labels are: predictor.probability or "
            "predictor.label of a model that is asked, InferenceAttribute or ProbabilityAttribute of captures"
        )
    return values


def _values(value: Any) -> list[str]:
    """The values of one cell, which may be a list as text, such as "[0.3, 0.7]"; a word may hold commas."""
    text = str(value).strip()
    if text.startswith("[") and text.endswith("]"):
        return _cells(text)
    parts = _cells(text) if "," in text else []
    return parts if parts and all(map(is_number, parts)) else [text]


def _cells(text: str) -> list[str]:
    """The values of an output, brackets around a record's values and quotes around words left out."""
    cells = ",".join(text.replace("[", "").replace("]", "").splitlines()).split(",")
    return [cell.strip().strip("'\"") for cell in cells if cell.strip()]


def _cell(row: list[str], position: str | int | None, place: str) -> str:
    if position is None or not str(position).isdecimal() or int(position) >= len(row):
        raise NothingThere(f"{place}: output of {len(row)} columns has none at position '{position}'")
    return row[int(position)]


def _shared_out(values: list[Any], count: int, place: str) -> list[list[str]]:
    width, rest = divmod(len(values), count)
    if rest or not width:
        raise AnalysisError(f"{place}: {len(values)} values of output for {count} rows of input")
    return [[str(value) for value in values[start : start + width]] for start in range(0, len(values), width)]

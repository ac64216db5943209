"""Asking the model: rows to request bodies, answers to scores."""

from __future__ import annotations

import csv
import logging
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from model_monitor.analysis.config import PredictorConfig
from model_monitor.errors import AnalysisError, ModelError

log = logging.getLogger(__name__)

MAX_PAYLOAD_BYTES = 6 * 1024 * 1024
"""The largest body that InvokeEndpoint takes."""

Invoke = Callable[[bytes, str, str], bytes]
"""`(body, content type, accept type) -> answer`. Raises `ModelError` when the model refuses the request."""

_CSV = "text/csv"
_GROUP = re.compile(r"\[([^\[\]]*)\]")


class Predictor:
    """A model behind `invoke`, called with arrays.

    Rows go out in the largest batches that fit the payload limit. When the model refuses a batch, its halves are tried,
    down to single records, so that the first record that the model cannot take is named.
    """

    def __init__(self, invoke: Invoke, config: PredictorConfig, max_payload_bytes: int = MAX_PAYLOAD_BYTES) -> None:
        for name, value in (("content_type", config.content_type), ("accept_type", config.accept_type)):
            if value is not None and not value.startswith(_CSV):
                raise AnalysisError(
                    f"Analysis configuration schema validation error. predictor.{name} is {value!r}; "
                    f"models are asked and answer in {_CSV!r} here."
                )
        self._invoke = invoke
        self._column = _column_index(config.label if config.probability is None else config.probability)
        self._max_payload_bytes = max_payload_bytes

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """Scores of `rows` (n, features): (n,), or (n, k) where the model gives k scores per record.

        Raises:
            ModelError: naming the first record that the model refuses or answers with something other than numbers.
        """
        lines = _csv_lines(rows)
        scores = [self._batch(lines[start:stop], start) for start, stop in self._batches(lines)]
        widths = {score.shape[1] for score in scores}
        if len(widths) != 1:
            raise ModelError(f"The model answers {sorted(widths)} values per record; every record needs as many.")
        return _squeeze(np.concatenate(scores))

    def _batches(self, lines: list[bytes]) -> Iterator[tuple[int, int]]:
        ends = np.cumsum([len(line) + 1 for line in lines])
        start = 0
        while start < len(lines):
            sent = ends[start - 1] if start else 0
            stop = max(start + 1, int(np.searchsorted(ends, sent + self._max_payload_bytes, side="right")))
            if start == 0 and stop < len(lines):
                log.info("Prediction batch size is reduced to %d to fit max payload size limit.", stop)
            yield start, stop
            start = stop

    def _batch(self, lines: list[bytes], first_row: int, announce: bool = True) -> np.ndarray:
        try:
            return self._ask(lines)
        except ModelError as error:
            if len(lines) == 1:
                raise ModelError(f"Model error on row {first_row + 1}: {error} The row: {_shown(lines[0])}") from error
            if announce:
                log.warning("Fallback to per-record prediction because of model error.")
        middle = len(lines) // 2
        return np.concatenate(
            [
                self._batch(lines[:middle], first_row, announce=False),
                self._batch(lines[middle:], first_row + middle, announce=False),
            ]
        )

    def _ask(self, lines: list[bytes]) -> np.ndarray:
        answer = self._invoke(b"\n".join(lines), _CSV, _CSV)
        try:
            text = answer.decode("utf-8")
        except UnicodeDecodeError as error:
            raise ModelError(f"The model's answer is not UTF-8: {_shown(answer)}") from error
        scores = parse_csv_scores(text, len(lines))
        if self._column is None:
            return scores
        if self._column >= scores.shape[1]:
            raise AnalysisError(
                f"The model gives {scores.shape[1]} values per record; there is no column {self._column}, which "
                "predictor.label or predictor.probability asks for."
            )
        return scores[:, self._column : self._column + 1]


def parse_csv_scores(answer: str, records: int) -> np.ndarray:
    """Scores (records, k) of a CSV answer.

    One line per record, or all records in one line, as SageMaker's XGBoost answers; a record's several scores stand
    side by side, with or without brackets.

    Raises:
        ModelError: when the answer does not hold the same count of numbers for each record.
    """
    text = answer.strip()
    lines = text.splitlines()
    groups = _GROUP.findall(text)
    if len(groups) == records:
        table = [group.split(",") for group in groups]
    elif len(lines) == records:
        table = [line.split(",") for line in lines]
    elif len(lines) == 1 and text.count(",") + 1 == records:
        table = [[value] for value in text.split(",")]
    else:
        raise ModelError(f"The model answered {_count(lines)} to {records} records: {_shown(text.encode())}")
    try:
        scores = np.array(table, dtype=float)
    except ValueError as error:
        raise ModelError(f"The model's answer is not numbers: {_shown(text.encode())}") from error
    if not np.isfinite(scores).all():
        raise ModelError(f"The model's answer holds values that are not finite: {_shown(text.encode())}")
    return scores


def predicted_labels(
    scores: np.ndarray, threshold: float | None, label_headers: Sequence[Any] | None = None
) -> np.ndarray:
    """1 where a score lies above the threshold (strictly; 0.5 unless given), else 0.

    With several scores per record: the label header, or the position, of the highest.

    Raises:
        AnalysisError: when there are label headers, but not one for each of several scores.
    """
    if scores.ndim == 1:
        return np.asarray(scores > (0.5 if threshold is None else threshold)).astype(np.int64)
    check_label_headers(label_headers, scores.shape[1])
    highest: np.ndarray = scores.argmax(axis=1)
    return highest if label_headers is None else np.asarray(label_headers)[highest]


def check_label_headers(label_headers: Sequence[Any] | None, outputs: int) -> None:
    """Complain of label headers that are not one for each of several outputs; one output stands for two labels.

    Raises:
        AnalysisError: naming both counts.
    """
    if label_headers is not None and outputs > 1 and len(label_headers) != outputs:
        raise AnalysisError(
            f"predictor.label_headers names {len(label_headers)} labels; the model gives {outputs} scores per record."
        )


def _csv_lines(rows: np.ndarray) -> list[bytes]:
    if rows.dtype.kind in "fiu":
        return [",".join(row).encode() for row in _number_texts(rows)]
    written = _Lines()
    csv.writer(written, lineterminator="").writerows(np.where(pd.isna(rows), "", rows).tolist())
    return [line.encode() for line in written]


def _number_texts(rows: np.ndarray) -> list[list[str]]:
    """Each number's text (NaN's is empty), made once for all its occurrences, of which synthetic rows have many."""
    codes, different = pd.factorize(rows.ravel())
    texts = np.array([*map(repr, different.tolist()), ""], dtype=object)
    found: list[list[str]] = texts[codes.reshape(rows.shape)].tolist()
    return found


class _Lines(list[str]):
    """A file to `csv.writer`, a list of lines to us; values may hold line breaks."""

    def write(self, line: str) -> None:
        self.append(line)


def _column_index(column: Any) -> int | None:
    if column is None or isinstance(column, int):
        return column
    try:
        return int(column)
    except ValueError as error:
        raise AnalysisError(
            f"Analysis configuration schema validation error. predictor.label or predictor.probability is {column!r}; "
            f"answers in {_CSV!r} have columns by position, such as 0."
        ) from error


def _squeeze(scores: np.ndarray) -> np.ndarray:
    return scores[:, 0] if scores.shape[1] == 1 else scores


def _count(lines: list[str]) -> str:
    return f"{len(lines)} lines" if len(lines) != 1 else f"one line of {lines[0].count(',') + 1} values"


def _shown(line: bytes, limit: int = 200) -> str:
    text = line.decode("utf-8", errors="replace")
    return text if len(text) <= limit else f"{text[:limit]}…"

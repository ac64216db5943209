"""Asking the model: rows to request bodies, answers to scores."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd

from model_monitor.analysis.config import PredictorConfig
from model_monitor.analysis.formats.answers import Answer, are_labels, chosen_labels, csv_answer, json_answer
from model_monitor.analysis.formats.csv_rows import csv_line
from model_monitor.analysis.formats.json_values import NothingThere
from model_monitor.analysis.formats.media import CSV, media_of
from model_monitor.analysis.formats.requests import request_format
from model_monitor.analysis.formats.rows import are_whole
from model_monitor.analysis.predicted import Predictions
from model_monitor.errors import AnalysisError, ModelError

log = logging.getLogger(__name__)

MAX_PAYLOAD_BYTES = 6 * 1024 * 1024
"""The largest body that InvokeEndpoint takes."""

Invoke = Callable[[bytes, str, str], bytes]
"""`(body, content type, accept type) -> answer`. Raises `ModelError` when the model refuses the request."""

_GROUP = re.compile(r"\[([^\[\]]*)\]")
_PLACE = "The model's answer"


class Predictor:
    """A model behind `invoke`, called with arrays.

    Rows go out in the largest batches that fit the payload limit. When the model refuses a batch, its halves are tried,
    down to single records, so that the first record that the model cannot take is named.
    """

    def __init__(
        self,
        invoke: Invoke,
        config: PredictorConfig,
        max_payload_bytes: int = MAX_PAYLOAD_BYTES,
        features: pd.DataFrame | None = None,
        concurrency: int = 1,
    ) -> None:
        """`features` tells the templates of requests the columns' names, and which hold whole numbers.

        With `concurrency` above 1, so many threads send batches, and call `invoke`, at once.
        """
        self._invoke = invoke
        self._label, self._probability = config.label, config.probability
        self._headers = None if config.label_headers is None else [str(header) for header in config.label_headers]
        self._order: list[str] | None = None
        content_type = media_of(config.content_type or CSV, "predictor.content_type")
        self._accept = media_of(config.accept_type or content_type, "predictor.accept_type")
        self._max_payload_bytes = max_payload_bytes
        self._concurrency = concurrency
        self._request = request_format(
            content_type,
            config.content_template,
            config.record_template,
            names=() if features is None else [str(name) for name in features.columns],
            whole=() if features is None else [are_whole(features[name]) for name in features.columns],
        )
        if self._accept == CSV:
            _check_positions(config)

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """Scores of `rows` (n, features): (n,), or (n, k) where the model gives k scores per record.

        Raises:
            ModelError: naming the first record that the model refuses or answers with something other than numbers.
        """
        return _squeezed(_as_numbers(self._answers(rows).values))

    @property
    def classes(self) -> list[str] | None:
        """What the columns of several scores are called: label headers, or what the model has called them so far."""
        return self._headers or self._order

    def predict(self, rows: np.ndarray) -> Predictions:
        """Scores or labels of `rows` (n, features): labels where the configuration tells them from the scores.

        What stands at `label` alone are labels if they are text or whole numbers, and scores if they are fractions.

        Raises:
            ModelError: as a call.
        """
        answered = self._answers(rows)
        if answered.labels:
            return Predictions(None, chosen_labels(Answer(answered.values.tolist(), answered.labels), _PLACE))
        if self._label is not None and self._probability is None and are_labels(answered.values.tolist()):
            return Predictions(None, [csv_line(row) for row in answered.values.tolist()])
        return Predictions(_squeezed(_as_numbers(answered.values)), None)

    def _answers(self, rows: np.ndarray) -> _Answered:
        records = self._request.record(rows)
        batches = self._batches(records)
        if self._concurrency == 1:
            parts = [self._batch(records[start:stop], start) for start, stop in batches]
        else:
            parts = self._at_once(records, batches)
        return self._in_one_order(_joined(parts))

    def _at_once(self, records: list[bytes], batches: Iterator[tuple[int, int]]) -> list[_Answered]:
        """Each batch's answers, in order. When one fails, those not begun are not sent, and the first failure tells."""
        pool = ThreadPoolExecutor(self._concurrency)
        try:
            sent = [pool.submit(self._batch, records[start:stop], start) for start, stop in batches]
            wait(sent, return_when=FIRST_EXCEPTION)
        finally:
            pool.shutdown(cancel_futures=True)
        return [future.result() for future in sent]

    def _in_one_order(self, answered: _Answered) -> _Answered:
        """The scores of each record in the order of the classes, where the model names its classes with each answer."""
        width = answered.values.shape[1]
        if width == 1 or any(len(labels) != width for labels in answered.labels) or not answered.labels:
            return answered
        first = answered.labels[0]
        if self._order is None:
            self._order = self._headers if self._headers and sorted(self._headers) == sorted(first) else first
        if all(labels == self._order for labels in answered.labels):
            return answered
        try:
            places = np.array([[labels.index(name) for name in self._order] for labels in answered.labels])
        except ValueError as error:
            raise ModelError(f"{_PLACE} names other classes for some records than {', '.join(self._order)}") from error
        return _Answered(np.take_along_axis(answered.values, places, axis=1), [self._order] * len(places))

    def _batches(self, records: list[bytes]) -> Iterator[tuple[int, int]]:
        ends = np.cumsum([len(record) + 1 for record in records])
        room = self._max_payload_bytes - self._request.envelope
        start = 0
        while start < len(records):
            sent = ends[start - 1] if start else 0
            stop = max(start + 1, int(np.searchsorted(ends, sent + room, side="right")))
            if self._request.most_records is not None:
                stop = min(stop, start + self._request.most_records)
            elif start == 0 and stop < len(records):
                log.info("Prediction batch size is reduced to %d to fit max payload size limit.", stop)
            yield start, stop
            start = stop

    def _batch(self, records: list[bytes], first_row: int, announce: bool = True) -> _Answered:
        try:
            return self._ask(records)
        except ModelError as error:
            if len(records) == 1:
                raise ModelError(
                    f"Model error on row {first_row + 1}: {error} The row: {_shown(records[0])}"
                ) from error
            if announce:
                log.warning("Fallback to per-record prediction because of model error.")
        middle = len(records) // 2
        return _joined(
            [
                self._batch(records[:middle], first_row, announce=False),
                self._batch(records[middle:], first_row + middle, announce=False),
            ]
        )

    def _ask(self, records: list[bytes]) -> _Answered:
        answer = self._invoke(self._request.body(records), self._request.content_type, self._accept)
        try:
            text = answer.decode("utf-8")
        except UnicodeDecodeError as error:
            raise ModelError(f"The model's answer is not UTF-8: {_shown(answer)}") from error
        if self._accept == CSV and self._label is None and self._probability is None:
            return _Answered(parse_csv_scores(text, len(records)), [])
        read = csv_answer if self._accept == CSV else json_answer
        try:
            found = read(text, self._label, self._probability, len(records), _PLACE)
        except NothingThere as error:
            raise AnalysisError(f"{error}. It was: {_shown(answer)}") from error
        except AnalysisError as error:
            raise ModelError(f"{error}: {_shown(answer)}") from error
        if len({len(scores) for scores in found.scores}) != 1:
            raise ModelError(f"{_PLACE} holds another number of scores for each record: {_shown(answer)}")
        values = np.array(found.scores, dtype=object)
        return _Answered(values if self._probability is None else _as_numbers(values), found.labels)


class PredictorOf(Protocol):
    """A model, to be asked as the configuration says, for rows like those of `features`."""

    def __call__(self, config: PredictorConfig, *, features: pd.DataFrame) -> Predictor: ...


def no_model() -> AnalysisError:
    """The error for a configuration without a model to ask."""
    return AnalysisError("The analysis must ask a model: add a predictor with a model_name to its configuration.")


@dataclass(frozen=True)
class _Answered:
    """Values (n, k), numbers or texts, and the labels of each of n records, if they were told from the values."""

    values: np.ndarray
    labels: list[list[str]]


def _joined(parts: Sequence[_Answered]) -> _Answered:
    widths = {part.values.shape[1] for part in parts}
    if len(widths) != 1:
        raise ModelError(f"The model answers {sorted(widths)} values per record; every record needs as many.")
    return _Answered(
        np.concatenate([part.values for part in parts]), [labels for part in parts for labels in part.labels]
    )


def _as_numbers(values: np.ndarray) -> np.ndarray:
    try:
        scores = values.astype(float)
    except ValueError as error:
        raise ModelError(
            f"{_PLACE} is not numbers: {error}. If labels stand there, say with predictor.probability where scores are."
        ) from error
    if not np.isfinite(scores).all():
        raise ModelError(f"{_PLACE} holds values that are not finite.")
    return scores


def _squeezed(scores: np.ndarray) -> np.ndarray:
    return scores[:, 0] if scores.shape[1] == 1 else scores


def parse_csv_scores(answer: str, records: int) -> np.ndarray:
    """Scores (records, k) of a CSV answer.

    One line per record, or all records in one line, as SageMaker's XGBoost answers; a record's several scores stand
    side by side, with or without brackets.

    Raises:
        ModelError: when the answer does not hold the same count of numbers for each record.
    """
    text = answer.replace('"', "").strip()
    lines = [line for line in text.splitlines() if line.strip()]
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


def _check_positions(config: PredictorConfig) -> None:
    for column in (config.label, config.probability):
        if column is not None and not str(column).isdecimal():
            raise AnalysisError(
                f"Analysis configuration schema validation error. predictor.label or predictor.probability is "
                f"{column!r}; answers in {CSV!r} have columns by position, such as 0."
            )


def _count(lines: list[str]) -> str:
    return f"{len(lines)} lines" if len(lines) != 1 else f"one line of {lines[0].count(',') + 1} values"


def _shown(line: bytes, limit: int = 200) -> str:
    text = line.decode("utf-8", errors="replace")
    return text if len(text) <= limit else f"{text[:limit]}…"

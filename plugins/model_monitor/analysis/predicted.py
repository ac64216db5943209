"""Predictions and the labels that they are, from what a model answered or an endpoint's captures hold."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from model_monitor.analysis.formats.csv_rows import rows_of
from model_monitor.analysis.grouping import Kind, kind_of
from model_monitor.errors import AnalysisError

log = logging.getLogger(__name__)

NAME = "predicted label"


@dataclass(frozen=True)
class Predictions:
    """What a model says of n rows: scores (n,) or (n, k), or predicted labels (n,) as cells of CSV, or both."""

    scores: np.ndarray | None
    labels: list[str] | None


def labels_of(
    predictions: Predictions,
    observed: pd.Series[Any] | None,
    positives: Sequence[Any] | None,
    threshold: float | None,
    label_headers: Sequence[Any] | None,
    weights: np.ndarray | None = None,
) -> pd.Series[Any]:
    """Labels as they are; scores as labels; those of a model that predicts a quantity as they are.

    `observed` labels and the `positives` among them tell whether labels are a quantity, such as a price. `weights` (n,)
    tell how many records each row stands for.
    """
    if predictions.labels is not None:
        rows = rows_of("\n".join(predictions.labels).encode(), "predicted labels")
        return rows.columns([NAME])[NAME]
    scores = predictions.scores
    assert scores is not None
    if scores.ndim == 1 and threshold is None and observed is not None and _is_quantity(observed, positives, weights):
        log.info("Label '%s' is a quantity: predictions are compared with its threshold.", observed.name)
        return pd.Series(scores, name=NAME)
    if scores.ndim == 1:
        cut = 0.5 if threshold is None else threshold
        log.info("We assume a prediction above %.3f indicates 1 and below or equal indicates 0.", cut)
        log.info("Predictions lie between %.6g and %.6g.", scores.min(), scores.max())
        if label_headers is not None and len(label_headers) == 1:
            return _named(scores > cut, label_headers[0], observed)
    return pd.Series(predicted_labels(scores, threshold, label_headers), name=NAME)


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


def _named(positive: np.ndarray, header: Any, observed: pd.Series[Any] | None) -> pd.Series[Any]:
    """The one label header where the score lies above the threshold, elsewhere the other of two observed labels."""
    different = [] if observed is None else observed.unique().tolist()
    above = next((label for label in different if str(label) == str(header)), header)
    others = [label for label in different if label != above]
    below = others[0] if len(others) == 1 else f"not {header}"
    return pd.Series([above if one else below for one in positive], name=NAME)


def _is_quantity(label: pd.Series[Any], positives: Sequence[Any] | None, weights: np.ndarray | None) -> bool:
    """Whether labels have a threshold; those of a small window that are just 0 and 1 are taken for ones that do."""
    continuous = kind_of(label, None if positives is None else tuple(positives), weights) is Kind.CONTINUOUS
    return continuous and not label.isin([0, 1]).all()

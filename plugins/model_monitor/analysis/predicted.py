"""Predicted labels, from what a model answered or an endpoint's captures hold."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from model_monitor.analysis.formats.csv_rows import rows_of
from model_monitor.analysis.grouping import Kind, kind_of
from model_monitor.analysis.predictor import Predictions, predicted_labels

log = logging.getLogger(__name__)

NAME = "predicted label"


def labels_of(
    predictions: Predictions,
    observed: pd.Series[Any] | None,
    positives: Sequence[Any] | None,
    threshold: float | None,
    label_headers: Sequence[Any] | None,
) -> pd.Series[Any]:
    """Labels as they are; scores as labels; those of a model that predicts a quantity as they are.

    `observed` labels and the `positives` among them tell whether labels are a quantity, such as a price.
    """
    if predictions.labels is not None:
        rows = rows_of("\n".join(predictions.labels).encode(), "predicted labels")
        return rows.columns([NAME])[NAME]
    scores = predictions.scores
    assert scores is not None
    if scores.ndim == 1 and threshold is None and observed is not None and _is_quantity(observed, positives):
        log.info("Label '%s' is a quantity: predictions are compared with its threshold.", observed.name)
        return pd.Series(scores, name=NAME)
    if scores.ndim == 1:
        cut = 0.5 if threshold is None else threshold
        log.info("We assume a prediction above %.3f indicates 1 and below or equal indicates 0.", cut)
        log.info("Predictions lie between %.6g and %.6g.", scores.min(), scores.max())
        if label_headers is not None and len(label_headers) == 1:
            return _named(scores > cut, label_headers[0], observed)
    return pd.Series(predicted_labels(scores, threshold, label_headers), name=NAME)


def _named(positive: np.ndarray, header: Any, observed: pd.Series[Any] | None) -> pd.Series[Any]:
    """The one label header where the score lies above the threshold, elsewhere the other of two observed labels."""
    different = [] if observed is None else observed.unique().tolist()
    above = next((label for label in different if str(label) == str(header)), header)
    others = [label for label in different if label != above]
    below = others[0] if len(others) == 1 else f"not {header}"
    return pd.Series([above if one else below for one in positive], name=NAME)


def _is_quantity(label: pd.Series[Any], positives: Sequence[Any] | None) -> bool:
    """Whether labels have a threshold; those of a small window that are just 0 and 1 are taken for ones that do."""
    continuous = kind_of(label, None if positives is None else tuple(positives)) is Kind.CONTINUOUS
    return continuous and not label.isin([0, 1]).all()

"""The two bias sections of `analysis.json`."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from model_monitor.analysis import bias_metrics
from model_monitor.analysis.bias_counts import Counts, count
from model_monitor.analysis.config import AnalysisConfig, FacetConfig
from model_monitor.analysis.config_checks import NO_FACET
from model_monitor.analysis.config_schema import NameOrIndex, Scalar
from model_monitor.analysis.dataset import Dataset
from model_monitor.analysis.flip_test import FlipCounts, flip_counts
from model_monitor.analysis.formats.rows import records_of
from model_monitor.analysis.grouping import UNIQUE_FRACTION, Group, Kind, above, equal_to, kind_of
from model_monitor.errors import AnalysisError

log = logging.getLogger("model_monitor.analysis")

OTHER_TYPE = "Predicted Label Column series datatype is not the same as Label Column series"
NONE_POSITIVE = (
    "No Label values are present in the predicted Label Column,"
    "Positive Predicted Index Series contains all False values"
)


COUNTED = (
    "The flip test needs every record, and this window's were counted together, as there are many; "
    "windows.flip_test_records says up to how many are kept apart"
)


@dataclass(frozen=True)
class Comparison:
    """One facet's two groups, and all that the metrics take; `flips` raises an AnalysisError where there are none."""

    facet: str
    shown: str
    counts: Counts
    flips: Callable[[], FlipCounts]


@dataclass(frozen=True)
class Compared:
    """The groups of each facet, and which labels are positive."""

    label: str
    positive: str
    facets: dict[str, list[Comparison]]

    def sections(self, config: AnalysisConfig) -> dict[str, Any]:
        """The sections "post_training_bias_metrics" and "pre_training_bias_metrics", as far as asked for.

        Values are floats, possibly infinite; a metric that cannot be computed has the value None and an "error".
        """
        methods_of = {
            "post_training_bias_metrics": config.post_training_methods,
            "pre_training_bias_metrics": config.pre_training_methods,
        }
        return {
            section: {
                "label": self.label,
                "facets": {name: [_entry(one, methods) for one in facet] for name, facet in self.facets.items()},
                "label_value_or_threshold": self.positive,
            }
            for section, methods in methods_of.items()
            if methods is not None
        }


def bias_report(dataset: Dataset, config: AnalysisConfig, predicted: pd.Series[Any] | None) -> dict[str, Any]:
    """The bias sections of `analysis.json`: those of `compare_groups`, with its errors."""
    return compare_groups(dataset, config, predicted).sections(config)


def compare_groups(dataset: Dataset, config: AnalysisConfig, predicted: pd.Series[Any] | None) -> Compared:
    """The groups of each facet, counted.

    `predicted` holds predicted labels, one per row, of the label's type; None stands for those that came with the data.

    Raises:
        AnalysisError: when facet, label or predictions do not allow any metric.
    """
    if dataset.label is None:
        raise AnalysisError("Bias metrics need a label: name the dataset's label column in 'label'")
    predicted = dataset.predicted if predicted is None else predicted
    if config.post_training_methods is not None and predicted is None:
        raise AnalysisError("predicted_label_column has to be provided for Post training metrics")
    values = config.label_values_or_threshold
    if not values:
        raise AnalysisError("Positive label values or thresholds are empty for Label column")
    label = dataset.label.reset_index(drop=True)
    kind = kind_of(label, values, dataset.weights)
    positive = _group(label, kind, values)
    predicted_positive = None
    if config.post_training_methods is not None and predicted is not None:
        predicted = predicted.reset_index(drop=True)
        predicted_positive = _predicted_positive(predicted, label, kind, values, dataset.weights)
    subgroup = _subgroups(dataset, config.group_variable)
    compared: dict[str, list[Comparison]] = {}
    for facet in config.facets:
        name = str(column_of(dataset, facet.name_or_index).name)
        comparisons = _comparisons(dataset, facet, positive.members, predicted_positive, subgroup)
        compared[name] = [*compared.get(name, []), *comparisons]
    return Compared(str(label.name), positive.shown, compared)


def _group(column: pd.Series[Any], kind: Kind, values: tuple[Scalar, ...] | None) -> Group:
    return above(column, values) if kind is Kind.CONTINUOUS else equal_to(column, values)


def _predicted_positive(
    predicted: pd.Series[Any],
    label: pd.Series[Any],
    kind: Kind,
    values: tuple[Scalar, ...],
    weights: np.ndarray | None,
) -> np.ndarray:
    if len(predicted) != len(label):
        raise AnalysisError(f"There are {len(predicted)} predictions for {len(label)} labels")
    predicted_kind = kind_of(predicted, values, weights)
    if predicted_kind is not kind:
        hint = "; leave probability_threshold out if the model predicts a quantity" if kind is Kind.CONTINUOUS else ""
        raise AnalysisError(
            f"{OTHER_TYPE}: {_described(predicted, predicted_kind, 'predictions', weights)}, "
            f"{_described(label, kind, 'labels', weights)}"
            f"{hint}"
        )
    if kind is Kind.CONTINUOUS:
        try:
            comparable = pd.to_numeric(predicted).astype(pd.to_numeric(label).dtype)
        except ValueError as error:
            raise AnalysisError(f"{OTHER_TYPE}: {error}") from error
        members = above(comparable, values, among=pd.concat([pd.to_numeric(label), comparable])).members
    else:
        members = equal_to(predicted, values).members
    if not members.any():
        raise AnalysisError(
            f"{NONE_POSITIVE}: {_described(predicted, predicted_kind, 'predictions', weights)}{_hint(label, kind)}"
        )
    return members


def _described(column: pd.Series[Any], kind: Kind, what: str, weights: np.ndarray | None) -> str:
    different = column.unique()
    shown = ", ".join(map(str, different[:5])) + (", …" if len(different) > 5 else "")
    records = records_of(np.ones(len(column), dtype=bool), weights)
    return f"{records} {what} of type {column.dtype} are taken as {kind.value}, with values {shown}"


def _hint(label: pd.Series[Any], kind: Kind) -> str:
    different = label.nunique()
    if kind is Kind.CATEGORICAL or not pd.api.types.is_integer_dtype(label.dtype) or different > 2:
        return ""
    return f"; {different} different labels count as categories from {int(different / UNIQUE_FRACTION) + 1} rows on"


def _subgroups(dataset: Dataset, group_variable: NameOrIndex | None) -> np.ndarray | None:
    if group_variable is None:
        return None
    codes, _ = pd.factorize(column_of(dataset, group_variable), sort=False)
    return np.asarray(codes)


def column_of(dataset: Dataset, name_or_index: NameOrIndex) -> pd.Series[Any]:
    """The column that a facet or the group variable is.

    Raises:
        AnalysisError: with Clarify's text, when there is none.
    """
    column = dataset.column(name_or_index)
    if column is None:
        raise AnalysisError(
            f"{NO_FACET} No column '{name_or_index}' among those that can be a facet or a group variable: "
            f"{', '.join(dataset.table.columns)}"
        )
    return column


def _comparisons(
    dataset: Dataset,
    facet: FacetConfig,
    positive: np.ndarray,
    predicted: np.ndarray | None,
    subgroup: np.ndarray | None,
) -> list[Comparison]:
    column = column_of(dataset, facet.name_or_index)
    kind = kind_of(column, facet.value_or_threshold, dataset.weights)
    if kind is Kind.CATEGORICAL and facet.value_or_threshold is None:
        groups = [equal_to(column, (value,)) for value in column.dropna().unique().tolist()]
    else:
        groups = [_group(column, kind, facet.value_or_threshold)]
    log.info("Facet %s is %s; groups: %s", column.name, kind.value, " ".join(group.shown for group in groups))
    missing = records_of(column.isna().to_numpy(), dataset.weights)
    if missing:
        log.warning("Facet %s: %d rows have no value and count as the other group", column.name, missing)
    return [
        Comparison(
            str(column.name),
            group.shown,
            count(group.members, positive, predicted, subgroup, dataset.weights),
            _flips(dataset, str(column.name), group.members, predicted),
        )
        for group in groups
    ]


def _flips(dataset: Dataset, facet: str, members: np.ndarray, predicted: np.ndarray | None) -> Callable[[], FlipCounts]:
    @cache
    def run() -> FlipCounts:
        if predicted is None:
            raise AnalysisError("The flip test needs predictions")
        if dataset.weights is not None:
            raise AnalysisError(COUNTED)
        return flip_counts(dataset.table.drop(columns=[facet]), members, predicted)

    return run


def _entry(compared: Comparison, methods: tuple[str, ...]) -> dict[str, Any]:
    return {
        "value_or_threshold": compared.shown,
        "metrics": [_metric(compared, name) for name in sorted(methods)],
    }


def _metric(compared: Comparison, name: str) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": name, "description": bias_metrics.DESCRIPTIONS[name], "value": None}
    functions = {**bias_metrics.POST_TRAINING, **bias_metrics.PRE_TRAINING}
    try:
        entry["value"] = compared.flips().value if name == "FT" else functions[name](compared.counts)
    except AnalysisError as error:
        log.warning("%s of group %s: %s", name, compared.shown, error)
        entry["error"] = str(error)
    return entry

"""A data set from an endpoint's captures, or from captures merged with ground truth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from model_monitor.analysis.captured import Merged, collect_merged, inputs_in_parts, no_records
from model_monitor.analysis.columns import Columns, columns_of_captures
from model_monitor.analysis.config import AnalysisConfig
from model_monitor.analysis.dataset import Dataset
from model_monitor.analysis.formats.rows import Rows, ValueRows, parse, refuse_missing, refuse_stray_text
from model_monitor.analysis.payloads import Where
from model_monitor.errors import AnalysisError

TELLING_ROWS = 1000

Attributes = Mapping[str, str | None]
"""`features_attribute`, `inference_attribute`, … as the platform passes a monitor's EndpointInput."""


def read_captures(paths: Sequence[Path], config: AnalysisConfig, attributes: Attributes | None = None) -> Dataset:
    """Read the inputs in an endpoint's capture files (JSON lines); outputs are not looked at.

    Raises:
        AnalysisError: for no records, else naming file and line.
    """
    dataset = next(captures_in_parts(paths, config, attributes or {}), None)
    if dataset is None:
        raise no_records(paths)
    return dataset


def captures_in_parts(
    paths: Sequence[Path], config: AnalysisConfig, attributes: Attributes, size: int | None = None, alone: bool = True
) -> Iterator[Dataset]:
    """As `read_captures`, but about `size` rows at a time, each part with types of its own; none without records.

    Stray text is complained of where there is enough to tell it from a column's usual texts: in a thousand rows, or in
    all that there are. `alone` says that the data set has no records elsewhere.

    Raises:
        AnalysisError: naming file and line.
    """
    where = Where(features=attributes.get("features_attribute") or config.features)
    parts = inputs_in_parts(paths, where, size)
    rows = next(parts, None)
    is_first = True
    while rows is not None:
        following = next(parts, None)
        columns = _columns(rows, config, has_label=False)
        frame = parse(rows, list(columns.inputs), kind="values")
        if len(rows) >= TELLING_ROWS or (alone and is_first and following is None):
            refuse_stray_text(frame, rows)
        yield _dataset(frame, columns, attributes)
        rows, is_first = following, False


def read_merged(paths: Sequence[Path], config: AnalysisConfig, attributes: Attributes | None = None) -> Dataset:
    """Read captures merged with ground truth (JSON lines).

    The attributes say where features, predicted label, score and observed label stand: JMESPath in JSON, positions in
    CSV.

    Raises:
        AnalysisError: naming file and line.
    """
    attributes = attributes or {}
    merged = collect_merged(paths, where_merged(config, attributes))
    columns = _columns(merged.rows, config, has_label=True)
    return merged_dataset(merged, _inputs(merged.rows, columns), columns, attributes)


def where_merged(config: AnalysisConfig, attributes: Attributes) -> Where:
    """Where things stand in merged records."""
    return Where(
        features=attributes.get("features_attribute") or config.features,
        inference=attributes.get("inference_attribute"),
        probability=attributes.get("probability_attribute"),
        ground_truth=attributes.get("ground_truth_attribute")
        or (config.label if isinstance(config.label, str) else None),
    )


def merged_dataset(
    merged: Merged,
    frame: pd.DataFrame,
    columns: Columns,
    attributes: Attributes,
    weights: np.ndarray | None = None,
) -> Dataset:
    """A data set of merged records whose inputs are `frame`, or of rows that stand for several, as `weights` tell.

    Raises:
        AnalysisError: naming file and line, for a label that is missing or stray text.
    """
    label = parse(merged.labels, [str(columns.label)], kind="labels")[str(columns.label)]
    refuse_stray_text(label.to_frame(), merged.labels, weights)
    refuse_missing(label, merged.labels, weights)
    predicted = None
    if merged.predicted is not None:
        predicted = parse(merged.predicted, ["predicted label"], kind="predicted labels")["predicted label"]
    return _dataset(frame, columns, attributes, label, merged.scores, predicted)


def _columns(rows: Rows, config: AnalysisConfig, has_label: bool) -> Columns:
    usual = int(np.median(rows.widths))
    return columns_of_captures(config, usual, has_label=has_label, is_json=isinstance(rows, ValueRows))


def _inputs(rows: Rows, columns: Columns) -> pd.DataFrame:
    frame = parse(rows, list(columns.inputs), kind="values")
    refuse_stray_text(frame, rows)
    return frame


def _dataset(
    frame: pd.DataFrame,
    columns: Columns,
    attributes: Attributes,
    label: pd.Series[Any] | None = None,
    scores: np.ndarray | None = None,
    predicted: pd.Series[Any] | None = None,
) -> Dataset:
    kept = kept_inputs(attributes, columns)
    return Dataset(features=frame[kept], label=label, scores=scores, predicted=predicted, columns=columns.names)


def kept_inputs(attributes: Attributes, columns: Columns) -> list[str]:
    """The inputs but for those that ExcludeFeaturesAttribute lists, by name or by position, with commas in between.

    Raises:
        AnalysisError: when it lists one that is not there, or all.
    """
    listed, names = attributes.get("exclude_features_attribute"), columns.inputs
    found = set()
    for one in (part.strip() for part in (listed or "").split(",")):
        if one in names:
            found.add(one)
        elif one.isdecimal() and int(one) < len(names):
            found.add(names[int(one)])
        elif one:
            raise AnalysisError(f"ExcludeFeaturesAttribute: no feature '{one}'; features are {', '.join(names)}")
    if len(found) == len(names):
        raise AnalysisError(f"ExcludeFeaturesAttribute: {listed} leaves no feature")
    return [name for name in names if name not in found]

"""Data sets to analyse: a CSV table, an endpoint's captures, or captures merged with ground truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from model_monitor.analysis.captured import collect_inputs, collect_merged
from model_monitor.analysis.columns import Columns, columns_of_captures, columns_of_table
from model_monitor.analysis.config import AnalysisConfig
from model_monitor.analysis.config_schema import NameOrIndex
from model_monitor.analysis.payloads import Where
from model_monitor.analysis.tables import (
    WRONG_WIDTH,
    Rows,
    joined,
    parse,
    read_rows,
    refuse_missing,
    refuse_stray_text,
    without_first,
)
from model_monitor.errors import AnalysisError


@dataclass(frozen=True)
class Dataset:
    """Records to analyse; row i of each part belongs to record i.

    Attributes:
        features: the model's inputs (n, f), in the model's order.
        label: observed labels (n,), if there are any; its name is the label column's.
        scores: captured outputs of the model, (n,) or (n, k).
        predicted: predicted labels (n,) that came with the data.
        excluded: columns (n, e) that the model is not given but bias metrics may use.
        columns: all names in their original order, which column indices count; () is label, then features.
    """

    features: pd.DataFrame
    label: pd.Series[Any] | None = None
    scores: np.ndarray | None = None
    predicted: pd.Series[Any] | None = None
    excluded: pd.DataFrame | None = None
    columns: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.features)

    @property
    def names(self) -> tuple[str, ...]:
        """All columns in the order that indices count."""
        if self.columns:
            return self.columns
        return (*([str(self.label.name)] if self.label is not None else []), *self.table.columns)

    @property
    def table(self) -> pd.DataFrame:
        """Features, then excluded columns: all that facets can be."""
        return self.features if self.excluded is None else pd.concat([self.features, self.excluded], axis=1)

    def column(self, name_or_index: NameOrIndex) -> pd.Series[Any] | None:
        """The column of that name or index; None when there is none among features and excluded columns."""
        names = self.names
        if isinstance(name_or_index, int):
            name = names[name_or_index] if 0 <= name_or_index < len(names) else None
        else:
            name = name_or_index
        for part in (self.features, self.excluded):
            if part is not None and name in part.columns:
                return part[name]
        return None


def read_csv(paths: Sequence[Path], config: AnalysisConfig) -> Dataset:
    """Read a table from CSV files (RFC 4180, UTF-8), with or without a header row.

    Raises:
        AnalysisError: naming file, line and column; Clarify's text first where it has one.
    """
    if config.dataset_type != "text/csv":
        raise AnalysisError(f"dataset_type '{config.dataset_type}' cannot be read here; 'text/csv' can")
    if not paths:
        raise AnalysisError("The dataset has no files")
    names = config.headers
    parts = []
    for path in paths:
        rows, first = read_rows(path)
        if _is_header(first, names, config):
            _check_order(first, names, path)
            names = names or tuple(first)
            rows = without_first(rows)
        names = names or tuple(f"column_{i}" for i in range(len(first)))
        parts.append(rows)
    assert names is not None
    rows = joined(parts)
    if not len(rows):
        raise AnalysisError(f"{', '.join(map(str, paths))}: a header row and no data")
    columns = columns_of_table(config, names)
    frame = parse(rows, list(names))
    refuse_stray_text(frame[[*columns.inputs, *([columns.label] if columns.label else [])]], rows)
    if columns.label is not None and (config.pre_training_methods or config.post_training_methods):
        refuse_missing(frame[columns.label], rows)
    return _dataset(frame, columns, frame[columns.label] if columns.label else None)


def read_captures(paths: Sequence[Path], config: AnalysisConfig, *, features_attribute: str | None = None) -> Dataset:
    """Read the inputs in an endpoint's capture files (JSON lines); outputs are not looked at.

    `features_attribute` says where the features stand in JSON (JMESPath).

    Raises:
        AnalysisError: naming file and line.
    """
    rows = collect_inputs(paths, Where(features=features_attribute or config.features))
    columns = columns_of_captures(config, _usual_width(rows), has_label=False)
    return _dataset(_inputs(rows, columns), columns)


def read_merged(
    paths: Sequence[Path],
    config: AnalysisConfig,
    *,
    features_attribute: str | None = None,
    inference_attribute: str | None = None,
    probability_attribute: str | None = None,
    ground_truth_attribute: str | None = None,
) -> Dataset:
    """Read captures merged with ground truth (JSON lines).

    The attributes say where features, predicted label, score and observed label stand: JMESPath in JSON, positions in
    CSV.

    Raises:
        AnalysisError: naming file and line.
    """
    where = Where(
        features=features_attribute or config.features,
        inference=inference_attribute,
        probability=probability_attribute,
        ground_truth=ground_truth_attribute or (config.label if isinstance(config.label, str) else None),
    )
    merged = collect_merged(paths, where)
    columns = columns_of_captures(config, _usual_width(merged.rows), has_label=True)
    frame = _inputs(merged.rows, columns)
    label = parse(merged.labels, [str(columns.label)], kind="labels")[str(columns.label)]
    refuse_stray_text(label.to_frame(), merged.labels)
    refuse_missing(label, merged.labels)
    predicted = None
    if merged.predicted is not None:
        predicted = parse(merged.predicted, ["predicted label"], kind="predicted labels")["predicted label"]
    return _dataset(frame, columns, label, merged.scores, predicted)


def _usual_width(rows: Rows) -> int:
    return int(np.median(rows.widths))


def _inputs(rows: Rows, columns: Columns) -> pd.DataFrame:
    frame = parse(rows, list(columns.inputs), kind="values")
    refuse_stray_text(frame, rows)
    return frame


def _dataset(
    frame: pd.DataFrame,
    columns: Columns,
    label: pd.Series[Any] | None = None,
    scores: np.ndarray | None = None,
    predicted: pd.Series[Any] | None = None,
) -> Dataset:
    return Dataset(
        features=frame[list(columns.inputs)],
        label=label,
        scores=scores,
        predicted=frame[columns.predicted_label] if columns.predicted_label else predicted,
        excluded=frame[list(columns.excluded)] if columns.excluded else None,
        columns=columns.names,
    )


def _is_header(first: list[str], headers: tuple[str, ...] | None, config: AnalysisConfig) -> bool:
    if headers is not None and sorted(first) == sorted(headers):
        return True
    if headers is None and isinstance(config.label, str):
        return True
    if any(_is_number(cell) for cell in first):
        return False
    return (
        _names_a_column(config, first) if headers is None else 2 * sum(cell in headers for cell in first) > len(first)
    )


def _names_a_column(config: AnalysisConfig, first: list[str]) -> bool:
    named = [facet.name_or_index for facet in config.facets]
    named += [config.group_variable or "", config.predicted_label or "", *config.excluded_columns]
    return any(name in first for name in named if isinstance(name, str))


def _check_order(first: list[str], headers: tuple[str, ...] | None, path: Path) -> None:
    if headers is None or tuple(first) == headers:
        return
    if len(first) != len(headers):
        raise AnalysisError(
            f"{WRONG_WIDTH} {path}, line 1: {len(first)} columns where {len(headers)} headers are configured"
        )
    place = next(i for i, (found, configured) in enumerate(zip(first, headers, strict=True)) if found != configured)
    raise AnalysisError(
        f"{WRONG_WIDTH} {path}, line 1: column {place} is '{first[place]}' in the file and '{headers[place]}' in the "
        "headers; give the headers in the file's order"
    )


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True

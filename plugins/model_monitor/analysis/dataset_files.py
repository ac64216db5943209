"""A data set from its files: CSV, JSON Lines, JSON or Parquet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from model_monitor.analysis.columns import columns_of_table
from model_monitor.analysis.config import AnalysisConfig
from model_monitor.analysis.dataset import Dataset
from model_monitor.analysis.formats.csv_rows import CsvRows, joined, read_csv_file, without_first
from model_monitor.analysis.formats.json_values import read_document, read_lines, rows_at, values_at
from model_monitor.analysis.formats.media import CSV, JSON, JSON_LINES, PARQUET
from model_monitor.analysis.formats.parquet_rows import read_parquet_files
from model_monitor.analysis.formats.rows import (
    WRONG_WIDTH,
    Rows,
    ValueRows,
    parse,
    refuse_missing,
    refuse_stray_text,
)
from model_monitor.errors import AnalysisError

NO_FEATURES = "Data must contain features."

Table = tuple[Rows, tuple[str, ...], AnalysisConfig]
"""Rows, their columns' names, and the configuration with its label among those names."""


def read_dataset(paths: Sequence[Path], config: AnalysisConfig) -> Dataset:
    """Read a data set of the configured type.

    CSV (RFC 4180, UTF-8) with or without a header row; JSON Lines and JSON, where `features`, `label` and
    `predicted_label` are JMESPath; Parquet. Of several files, rows follow in the order of `paths`.

    Raises:
        AnalysisError: naming file, line and column; Clarify's text first where it has one.
    """
    read = _READERS.get(config.dataset_type)
    if read is None:
        raise AnalysisError(f"dataset_type '{config.dataset_type}' cannot be read here; {', '.join(_READERS)} can")
    if not paths:
        raise AnalysisError("The dataset has no files")
    rows, names, config = read(paths, config)
    columns = columns_of_table(config, names)
    frame = parse(rows, list(names))
    if not columns.inputs:
        raise AnalysisError(f"{NO_FEATURES} {paths[0]} has the columns {', '.join(names)}, none of which is one")
    refuse_stray_text(frame[[*columns.inputs, *([columns.label] if columns.label else [])]], rows)
    if columns.label is not None and (config.pre_training_methods or config.post_training_methods):
        refuse_missing(frame[columns.label], rows)
    return Dataset(
        features=frame[list(columns.inputs)],
        label=frame[columns.label] if columns.label else None,
        predicted=frame[columns.predicted_label] if columns.predicted_label else None,
        excluded=frame[list(columns.excluded)] if columns.excluded else None,
        identifiers=frame[columns.identifier] if columns.identifier else None,
        columns=columns.names,
    )


def _csv_table(paths: Sequence[Path], config: AnalysisConfig) -> Table:
    names = config.headers
    parts: list[CsvRows] = []
    for path in paths:
        rows, first = read_csv_file(path)
        if _is_header(first, names, config):
            _check_order(first, names, f"{path}, line 1")
            names = names or tuple(first)
            rows = without_first(rows)
        names = names or _numbered(len(first))
        parts.append(rows)
    assert names is not None
    rows = joined(parts)
    if not len(rows):
        raise AnalysisError(f"{', '.join(map(str, paths))}: a header row and no data")
    return rows, names, config


def _parquet_table(paths: Sequence[Path], config: AnalysisConfig) -> Table:
    rows, found = read_parquet_files(paths)
    if not len(rows):
        raise AnalysisError(f"{', '.join(map(str, paths))}: no rows")
    if config.headers is not None and (len(config.headers) != len(found) or sorted(found) == sorted(config.headers)):
        _check_order(found, config.headers, str(paths[0]))
    return rows, config.headers or tuple(found), config


def _json_lines_table(paths: Sequence[Path], config: AnalysisConfig) -> Table:
    records = [(f"{path}, line {number}", one) for path in paths for number, one in read_lines(path)]
    return _json_table(records, config, paths)


def _json_document_table(paths: Sequence[Path], config: AnalysisConfig) -> Table:
    return _json_table([(str(path), read_document(path)) for path in paths], config, paths)


def _json_table(records: Sequence[tuple[str, object]], config: AnalysisConfig, paths: Sequence[Path]) -> Table:
    """Rows of features, then the label, then the predicted label: the order that headers have for JSON."""
    if config.features is None:
        raise AnalysisError(
            f"{NO_FEATURES} Say with 'features' (JMESPath) where they are in a record of {paths[0]}; "
            "for an object with one key per feature: [Age, Income]"
        )
    labels = [str(path) for path in (config.label, config.predicted_label) if path is not None]
    values: list[list[object]] = []
    places: list[str] = []
    for place, record in records:
        rows = rows_at(config.features, record, place)
        others = [_one_each(path, record, len(rows), place) for path in labels]
        values += [[*row, *rest] for row, *rest in zip(rows, *others, strict=True)]
        places += [place] if len(rows) == 1 else [f"{place}, record {number}" for number in range(1, len(rows) + 1)]
    if not values:
        raise AnalysisError(f"{', '.join(map(str, paths))}: no records")
    names = config.headers or _numbered(len(values[0]))
    if len(names) != len(values[0]):
        expected = " and ".join(["features", *(name for name in ("label", "predicted_label") if getattr(config, name))])
        raise AnalysisError(
            f"{WRONG_WIDTH} {places[0]}: {len(values[0])} values where {len(names)} headers are configured; "
            f"headers name {expected}, in that order"
        )
    roles = {"label": config.label, "predicted_label": config.predicted_label}
    given = [role for role, path in roles.items() if path is not None]
    positions = {role: len(names) - len(given) + place for place, role in enumerate(given)}
    return ValueRows.of(values, places.__getitem__), names, replace(config, **positions)  # type: ignore[arg-type]


def _one_each(path: str, record: object, count: int, place: str) -> list[object]:
    found = values_at(path, record, place)
    if len(found) != count:
        raise AnalysisError(f"{place}: '{path}' finds {len(found)} labels for {count} rows of features")
    return found


def _numbered(count: int) -> tuple[str, ...]:
    return tuple(f"column_{i}" for i in range(count))


_READERS: dict[str, Callable[[Sequence[Path], AnalysisConfig], Table]] = {
    CSV: _csv_table,
    JSON_LINES: _json_lines_table,
    JSON: _json_document_table,
    PARQUET: _parquet_table,
}


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


def _check_order(found: Sequence[str], headers: tuple[str, ...] | None, place: str) -> None:
    if headers is None or tuple(found) == headers:
        return
    if len(found) != len(headers):
        raise AnalysisError(f"{WRONG_WIDTH} {place}: {len(found)} columns where {len(headers)} headers are configured")
    column = next(i for i, (one, other) in enumerate(zip(found, headers, strict=True)) if one != other)
    raise AnalysisError(
        f"{WRONG_WIDTH} {place}: column {column} is '{found[column]}' in the file and '{headers[column]}' in the "
        "headers; give the headers in the file's order"
    )


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True

"""The bias of a window: merged and counted by an engine, then measured."""

from __future__ import annotations

import json
import logging
import math
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from model_monitor.analysis.bias import Compared, Comparison, column_of, compare_groups
from model_monitor.analysis.captured import Collected, collect_merged
from model_monitor.analysis.columns import Columns, columns_of_captures
from model_monitor.analysis.config import AnalysisConfig
from model_monitor.analysis.container import files_below
from model_monitor.analysis.dataset import Dataset
from model_monitor.analysis.dataset_captures import (
    Attributes,
    kept_inputs,
    merged_dataset,
    read_merged,
    where_merged,
)
from model_monitor.analysis.formats.csv_rows import csv_line
from model_monitor.analysis.formats.rows import parse, refuse_stray_text
from model_monitor.analysis.merge import BadRecords, MergeSummary, refuse_bad_records, write_merged
from model_monitor.analysis.payloads import Where
from model_monitor.analysis.predicted import Predictions, labels_of
from model_monitor.analysis.relational.engines import Engine, Failures
from model_monitor.analysis.relational.row_keys import ABOVE, BELOW, BROKEN, RowKeys
from model_monitor.errors import AnalysisError, InputError

log = logging.getLogger(__name__)

_COARSE = (list(ABOVE), list(BELOW))


@dataclass(frozen=True)
class BiasWindow:
    """What a window came to: what was merged, the rows analysed, the groups; nothing but the merge where none matched.

    `sections` are the bias sections of `analysis.json`.
    """

    summary: MergeSummary
    records: int = 0
    sections: dict[str, Any] = field(default_factory=dict)
    facets: dict[str, list[Comparison]] = field(default_factory=dict)


def bias_window(
    dataset: Path,
    ground_truth: Path,
    merged: Path,
    config: AnalysisConfig,
    attributes: Attributes,
    threshold: float | None,
    engine: Engine,
    flip_test_records: int,
) -> BiasWindow:
    """Merge the captures below `dataset` with the labels below `ground_truth`, and measure their bias.

    Merged records go to files below `merged`, as those of `merge.merge`. Up to `flip_test_records` of them are analysed
    record by record, as a monitoring job does; more are counted by the engine, which leaves the flip test out.

    Args:
        attributes: where things stand in captures.
        threshold: ProbabilityThresholdAttribute; the configuration's threshold if None.

    Raises:
        InputError: naming file and line; AnalysisError for what does not allow any metric.
    """
    captured, labelled = files_below(dataset, "*.jsonl"), files_below(ground_truth, "*.jsonl")
    failures: Failures = (*engine.failures, BadRecords)
    try:
        engine.load(captured, labelled)
        summary = write_merged(engine.pairs(), engine.truths(), dataset, merged)
    except failures as error:
        if (remedy := engine.too_little_memory(error)) is not None:
            raise InputError(f"{remedy}: {error}") from error
        refuse_bad_records(captured, labelled)
        raise InputError(f"Captures and ground truth cannot be merged: {error}") from error
    if not summary.matched_captures:
        return BiasWindow(summary)
    cut = config.probability_threshold if threshold is None else threshold
    if summary.matched_captures <= flip_test_records:
        rows = read_merged(files_below(merged), config, attributes)
    else:
        rows = _counted_rows(files_below(merged), config, attributes, cut, engine)
    compared = _compared(rows, config, cut)
    return BiasWindow(summary, len(rows), compared.sections(config), compared.facets)


def _compared(rows: Dataset, config: AnalysisConfig, cut: float | None) -> Compared:
    predicted = rows.predicted
    if predicted is None:
        if rows.scores is None:
            raise AnalysisError("The captured records have no model output; switch on data capture of both directions.")
        headers = config.predictor.label_headers if config.predictor else None
        scores = Predictions(rows.scores, None)
        predicted = labels_of(scores, rows.label, config.label_values_or_threshold, cut, headers, rows.weights)
    return compare_groups(rows, config, predicted)


def _counted_rows(
    files: list[Path], config: AnalysisConfig, attributes: Attributes, cut: float | None, engine: Engine
) -> Dataset:
    """One row for each key, with how many records it stands for."""
    where = where_merged(config, attributes)
    columns = _columns(config, where)
    wanted, thresholds = _wanted(config, columns, kept_inputs(attributes, columns))
    # Without a place for the predicted label, or with one for the score beside it, a single value is a score.
    is_score = where.inference is None or where.probability is not None
    places = tuple(columns.inputs.index(name) for name in wanted)
    keys = RowKeys(where, len(columns.inputs), places, thresholds, cut if is_score else None)
    counts = engine.counts(keys).sort_values("first", ignore_index=True)
    broken = counts["key"].str.startswith(BROKEN)
    if broken.any():
        collect_merged(files, where)  # Says which record it is, and what is wrong in full.
        raise AnalysisError(str(counts["key"][broken].iloc[0]).removeprefix(BROKEN))
    log.info("%d records of %d kinds", counts["records"].sum(), len(counts))
    return _dataset(counts, columns, wanted, where, attributes, keys.cut)


def _columns(config: AnalysisConfig, where: Where) -> Columns:
    if config.headers is None:
        raise AnalysisError("Records are counted by their columns' names: give 'headers'.")
    is_json = where.features is not None
    return columns_of_captures(config, len(config.headers) - 1, has_label=True, is_json=is_json)


def _wanted(config: AnalysisConfig, columns: Columns, inputs: list[str]) -> tuple[list[str], tuple[float | None, ...]]:
    """The inputs that facets and groups are made of, each with its one threshold if that is all it is asked about."""
    names = Dataset(pd.DataFrame(columns=inputs), columns=columns.names)
    asked: dict[str, list[float | None]] = {}
    for column, values in [
        *((facet.name_or_index, facet.value_or_threshold) for facet in config.facets),
        *([(config.group_variable, None)] if config.group_variable is not None else []),
    ]:
        one = values[0] if values and len(values) == 1 else None
        threshold = float(one) if isinstance(one, int | float) and math.isfinite(one) else None
        asked.setdefault(str(column_of(names, column).name), []).append(threshold)
    return list(asked), tuple(limits[0] if len(limits) == 1 else None for limits in asked.values())


def _dataset(
    counts: pd.DataFrame,
    columns: Columns,
    wanted: list[str],
    where: Where,
    attributes: Attributes,
    cut: float | None,
) -> Dataset:
    found = Collected()
    for row, text in enumerate(counts["key"]):
        is_csv, cells, label, score, predicted = json.loads(text)
        cells = [
            _fine(counts[f"text_{place}"][row], bool(is_csv)) if cell in _COARSE else cell
            for place, cell in enumerate(cells)
        ]
        found.inputs.append(csv_line(cells) if is_csv else cells)
        found.labels.append(label)
        found.scores.append(_on_its_side(score, cut) if isinstance(score, bool) else score)
        if predicted is not None:
            found.predicted.append(predicted)
        found.places.append((Path("the window's records"), row + 1))
    merged = found.merged(where)
    kept = replace(columns, inputs=tuple(wanted))
    frame = parse(merged.rows, wanted, kind="values")
    weights = counts["records"].to_numpy(dtype=np.int64)
    refuse_stray_text(frame, merged.rows, weights)
    rows = merged_dataset(merged, frame, kept, {**attributes, "exclude_features_attribute": None}, weights)
    return replace(rows, weights=weights)


def _fine(text: str, is_csv: bool) -> str | float:
    """The greatest number of those that a coarse cell stands for."""
    return text if is_csv else float(text)


def _on_its_side(above: bool, cut: float | None) -> list[str]:
    assert cut is not None
    return [repr(math.nextafter(cut, math.inf) if above else cut)]

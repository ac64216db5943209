"""The rows that Kernel SHAP compares records with."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath
from typing import Any

import pandas as pd

from model_monitor.analysis.clusters import cluster_centres
from model_monitor.analysis.config import ShapConfig
from model_monitor.analysis.formats.csv_rows import cells_of, csv_table
from model_monitor.analysis.formats.json_paths import finder
from model_monitor.analysis.formats.json_values import NothingThere, documents, rows_at, rows_of_values
from model_monitor.analysis.formats.media import CSV, JSON, JSON_LINES, PARQUET
from model_monitor.analysis.formats.parquet_rows import read_parquet
from model_monitor.errors import AnalysisError

log = logging.getLogger(__name__)

_SUFFIXES = {".csv": CSV, ".jsonl": JSON_LINES, ".json": JSON, ".parquet": PARQUET}


def baseline_rows(
    shap: ShapConfig,
    features: pd.DataFrame,
    features_path: str | None,
    dataset_type: str,
    read: Callable[[str], bytes],
) -> pd.DataFrame:
    """The baseline as rows of the model's inputs, with the columns of `features`.

    Rows are taken as they are; JSON records are searched with `features_path`; an address is read in the data set's
    format, or in that of its suffix; without any, the clusters of `features` are the baseline.

    Raises:
        AnalysisError: when there is none, or it has not one value per feature.
    """
    names = list(features.columns)
    if shap.baseline is None:
        centres = cluster_centres(features, shap.num_clusters, shap.seed)
        log.info("The baseline is %d clusters of %d records", len(centres), len(features))
        return centres
    if isinstance(shap.baseline, str):
        content = read(shap.baseline)
        suffix = PurePosixPath(shap.baseline).suffix.lower()
        frame = _of_file(content, _SUFFIXES.get(suffix, dataset_type), features_path, names, shap.baseline)
    else:
        frame = pd.DataFrame(_values(shap.baseline, features_path)).infer_objects()
    if frame.shape[1] != len(names):
        raise AnalysisError(
            f"SHAP baseline rows have {frame.shape[1]} values, and records have {len(names)} features. Give one value "
            "for each of the model's inputs, and none for the label."
        )
    same_names = sorted(map(str, frame.columns)) == sorted(names)
    baseline = frame[names] if same_names else frame.set_axis(names, axis=1)
    _refuse_text(baseline, features)
    return baseline


def _rows_in(record: Any, features_path: str, place: str) -> list[list[Any]]:
    """The rows of a document, or of one record where the path expects a list of them."""
    try:
        return rows_at(features_path, record, place)
    except NothingThere:
        if (found := finder(features_path)([record])) is None or not (rows := rows_of_values(found)):
            raise
        return rows


def _refuse_text(baseline: pd.DataFrame, features: pd.DataFrame) -> None:
    """Complain of text where records have numbers: mostly a header row with other names than the features'."""
    for name in features.columns:
        given = baseline[name]
        if pd.api.types.is_numeric_dtype(features[name].dtype) and not pd.api.types.is_numeric_dtype(given.dtype):
            present = given.dropna()
            if len(present):
                raise AnalysisError(
                    f"SHAP baseline, feature '{name}': found {present.iloc[0]!r} where records have numbers. A header "
                    f"row must name all features: {', '.join(map(str, features.columns))}"
                )


def _of_file(content: bytes, media: str, features_path: str | None, names: list[str], place: str) -> pd.DataFrame:
    if media == PARQUET:
        return read_parquet(io.BytesIO(content), f"SHAP baseline {place}")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise AnalysisError(f"SHAP baseline {place}: not UTF-8") from error
    if media != CSV:
        return pd.DataFrame(_values(documents(text, f"SHAP baseline {place}"), features_path)).infer_objects()
    first = next(iter(cells_of(text, f"SHAP baseline {place}")), [])
    numbered = [f"column_{i}" for i in range(len(first))]
    return csv_table(content, first if sorted(first) == sorted(names) else numbered, f"SHAP baseline {place}")


def _values(rows: Sequence[Any], features_path: str | None) -> list[list[Any]]:
    found: list[list[Any]] = []
    for number, row in enumerate(rows, 1):
        if isinstance(row, list | tuple) and (table := rows_of_values(list(row))):
            found += table
        elif features_path is None:
            raise AnalysisError(
                f"SHAP baseline: {json.dumps(row)[:80]} is JSON; say where its features are with 'features'"
            )
        else:
            found += _rows_in(row, features_path, f"SHAP baseline, record {number}")
    if len({len(row) for row in found}) != 1:
        raise AnalysisError("SHAP baseline: expected one or more rows of equal length")
    return found

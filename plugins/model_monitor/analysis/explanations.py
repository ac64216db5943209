"""Shapley values of records, put together: `analysis.json`'s section and the file with local values."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from model_monitor.analysis.kernel_shap import Attributions
from model_monitor.analysis.predicted import check_label_headers

_TERMS: dict[str, Callable[[np.ndarray], np.ndarray]] = {"mean_abs": np.abs, "mean_sq": np.square}


class Totals:
    """Local values put together to global ones, some records after the other.

    Means need no more memory than one record's values. The median needs all records: they lie in a file of `scratch`
    meanwhile, and in memory one feature after the other.
    """

    def __init__(self, agg_method: str, shape: tuple[int, int], records: int, scratch: Path | None = None) -> None:
        """`shape` is that of one record's values, (features, outputs)."""
        self._term = _TERMS.get(agg_method)
        self._records = records
        self._seen = 0
        self._overall = np.zeros(shape)
        if self._term is None:
            self._columns = tempfile.TemporaryFile(dir=scratch)  # noqa: SIM115 - open until the median is there

    def add(self, values: np.ndarray) -> None:
        """Add local Shapley values (n, features, outputs)."""
        if self._term is not None:
            self._overall += self._term(values).sum(axis=0)
        else:
            for number, column in enumerate(values.reshape(len(values), -1).T):
                self._columns.seek((number * self._records + self._seen) * values.itemsize)
                self._columns.write(column.tobytes())
        self._seen += len(values)

    def overall(self) -> np.ndarray:
        """Global values (features, outputs) of all records: mean of magnitudes, mean of squares, or median."""
        if self._term is not None:
            return self._overall / self._records
        with self._columns as columns:
            columns.seek(0)
            medians = [np.median(np.fromfile(columns, count=self._records)) for _ in range(self._overall.size)]
        return np.reshape(medians, self._overall.shape)


def explanations(
    attributions: Attributions, features: Sequence[str], agg_method: str, label_headers: Sequence[Any] | None
) -> dict[str, Any]:
    """The "explanations" section of attributions in one piece."""
    values = attributions.values
    totals = Totals(agg_method, values.shape[1:], len(values))
    totals.add(values)
    names = labels(attributions, label_headers)
    return section(totals.overall(), attributions.expected_value, features, names)


def section(
    overall: np.ndarray, expected_value: np.ndarray, features: Sequence[str], names: Sequence[str]
) -> dict[str, Any]:
    """The "explanations" section: for each label its global values (features, outputs) and the expected value."""
    return {
        "kernel_shap": {
            label: {
                "global_shap_values": {name: float(overall[i, k]) for i, name in enumerate(features)},
                "expected_value": float(expected_value[k]),
            }
            for k, label in enumerate(names)
        }
    }


def labels(attributions: Attributions, label_headers: Sequence[Any] | None) -> list[str]:
    """`label_headers` where there is one for each output, else `label0`, `label1`, …

    Raises:
        AnalysisError: when there are label headers, but not one for each of several outputs.
    """
    outputs = len(attributions.expected_value)
    check_label_headers(label_headers, outputs)
    if label_headers is not None and len(label_headers) == outputs:
        return [str(header) for header in label_headers]
    return [f"label{k}" for k in range(outputs)]


def write_local_values(
    folder: Path, parts: Iterable[np.ndarray], features: Sequence[str], names: Sequence[str]
) -> None:
    """Write local values, parts of (n, features, outputs), to `out.csv`.

    One row per record and one column `<feature>_<label>` per value.
    """
    folder.mkdir(parents=True, exist_ok=True)
    columns = [f"{feature}_{label}" for label in names for feature in features]
    with (folder / "out.csv").open("w", encoding="utf-8", newline="") as file:
        pd.DataFrame(columns=columns).to_csv(file, index=False)
        for values in parts:
            flat = values.swapaxes(1, 2).reshape(len(values), -1)
            pd.DataFrame(flat).to_csv(file, header=False, index=False)

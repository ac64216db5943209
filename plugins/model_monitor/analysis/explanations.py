"""Shapley values of records, put together: `analysis.json`'s section and the file with local values."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from model_monitor.analysis.kernel_shap import Attributions
from model_monitor.analysis.predicted import check_label_headers

_TERMS: dict[str, Callable[[np.ndarray], np.ndarray]] = {"mean_abs": np.abs, "mean_sq": np.square}


class Totals:
    """Local values put together to global ones, some records after the other.

    Means need no more memory than one record's values. The median needs all of them, which lie in a file meanwhile.
    """

    def __init__(self, agg_method: str, features: int, outputs: int, records: int) -> None:
        self._term = _TERMS.get(agg_method)
        self._records = records
        self._seen = 0
        if self._term is not None:
            self._sums = np.zeros((features, outputs))
        else:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the median
            self._all: np.memmap[Any, Any] = np.memmap(self._file, dtype=float, shape=(features, outputs, records))

    def add(self, values: np.ndarray) -> None:
        """Add local Shapley values (n, features, outputs)."""
        if self._term is not None:
            self._sums += self._term(values).sum(axis=0)
        else:
            self._all[:, :, self._seen : self._seen + len(values)] = np.moveaxis(values, 0, 2)
        self._seen += len(values)

    def overall(self) -> np.ndarray:
        """Global values (features, outputs): mean of magnitudes, mean of squares, or median."""
        if self._term is not None:
            return self._sums / self._records
        overall = np.array([np.median(feature, axis=1) for feature in self._all])
        self._file.close()
        return overall


def explanations(
    attributions: Attributions, features: Sequence[str], agg_method: str, label_headers: Sequence[Any] | None
) -> dict[str, Any]:
    """The "explanations" section of attributions in one piece."""
    values = attributions.values
    totals = Totals(agg_method, len(features), values.shape[2], len(values))
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


def write_local_values(folder: Path, values: np.ndarray, features: Sequence[str], names: Sequence[str]) -> None:
    """Write local values (n, features, outputs) to `out.csv`, or add them to it.

    One row per record and one column `<feature>_<label>` per value.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "out.csv"
    columns = [f"{feature}_{label}" for label in names for feature in features]
    flat = values.swapaxes(1, 2).reshape(len(values), -1)
    pd.DataFrame(flat, columns=columns).to_csv(file, mode="a", header=not file.exists(), index=False)

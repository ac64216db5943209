"""Shapley values of records, put together: `analysis.json`'s section and the file with local values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from model_monitor.analysis.kernel_shap import Attributions
from model_monitor.analysis.predicted import check_label_headers

_AGGREGATES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "mean_abs": lambda values: np.asarray(np.abs(values).mean(axis=0)),
    "median": lambda values: np.asarray(np.median(values, axis=0)),
    "mean_sq": lambda values: np.asarray(np.square(values).mean(axis=0)),
}


def explanations(
    attributions: Attributions, features: Sequence[str], agg_method: str, label_headers: Sequence[Any] | None
) -> dict[str, Any]:
    """The "explanations" section: for each label its global values by feature and the expected value.

    Global values aggregate local ones over records: mean of magnitudes, median, or mean of squares.
    """
    overall = _AGGREGATES[agg_method](attributions.values)
    return {
        "kernel_shap": {
            label: {
                "global_shap_values": {name: float(overall[i, k]) for i, name in enumerate(features)},
                "expected_value": float(attributions.expected_value[k]),
            }
            for k, label in enumerate(labels(attributions, label_headers))
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


def write_local_values(folder: Path, attributions: Attributions, features: Sequence[str], names: Sequence[str]) -> None:
    """Write `out.csv`: one row per record and one column `<feature>_<label>` per value."""
    folder.mkdir(parents=True, exist_ok=True)
    columns = [f"{feature}_{label}" for label in names for feature in features]
    flat = attributions.values.swapaxes(1, 2).reshape(len(attributions.values), -1)
    pd.DataFrame(flat, columns=columns).to_csv(folder / "out.csv", index=False)

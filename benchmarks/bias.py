"""Bias metrics: our time and `smclarify`'s on the same data, one after the other on the same machine.

PYTHONPATH=plugins .venv/bin/python benchmarks/bias.py [rows]
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from model_monitor.analysis.bias import bias_report
from model_monitor.analysis.config import AnalysisConfig, FacetConfig
from model_monitor.analysis.config_schema import POST_TRAINING_METRICS, PRE_TRAINING_METRICS
from model_monitor.analysis.dataset import Dataset

PROJECT = Path(__file__).resolve().parents[1]
ORACLE = PROJECT / "tests" / "analysis" / "smclarify_oracle.py"
COUNT_METRICS = tuple(name for name in POST_TRAINING_METRICS if name != "FT")


def data(rows: int, features: int) -> tuple[pd.DataFrame, pd.Series[Any]]:
    """A table with label, facet, group variable and features, and predictions."""
    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.normal(size=(rows, features)), columns=[f"x{i}" for i in range(features)])
    frame["label"] = random.integers(0, 2, rows)
    frame["facet"] = random.integers(0, 2, rows)
    frame["group"] = random.integers(0, 6, rows)
    return frame, pd.Series(random.integers(0, 2, rows))


def ours(rows: int, features: int, post: tuple[str, ...], pre: tuple[str, ...] | None) -> float:
    """Seconds that our report of these metrics takes."""
    frame, predicted = data(rows, features)
    config = AnalysisConfig(
        label_values_or_threshold=(1,),
        facets=(FacetConfig("facet", (1,)),),
        group_variable="group",
        pre_training_methods=pre,
        post_training_methods=post,
    )
    dataset = Dataset(features=frame.drop(columns=["label"]), label=frame["label"])
    started = time.perf_counter()
    bias_report(dataset, config, predicted)
    return time.perf_counter() - started


def smclarify(rows: int, features: int, post: tuple[str, ...]) -> float:
    """Seconds that smclarify's reports of both stages take; it times itself, without start-up and reading."""
    frame, predicted = data(rows, features)
    case = {
        "columns": {name: {"values": column.tolist(), "type": str(column.dtype)} for name, column in frame.items()},
        "predicted": {"values": predicted.tolist(), "type": "int64"},
        "facet_values": [1],
        "label_values": [1],
        "group_variable": True,
        "metrics": list(post),
    }
    python = os.environ.get("MODEL_MONITOR_ORACLE") or PROJECT / ".venv-oracle" / "bin" / "python"
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump([case], file)
        file.flush()
        done = subprocess.run([python, "-W", "ignore", ORACLE, file.name], capture_output=True, text=True, check=True)
    return float(json.loads(done.stdout)[0]["seconds"])


def main(rows: int = 50_000) -> None:
    """Print the table."""
    logging.disable(logging.CRITICAL)
    print(f"{'bias metrics':<44}{'ours':>10}{'smclarify':>12}{'ratio':>9}")
    for title, size, features, post, pre in (
        (f"20 count metrics, {rows:,} rows", rows, 3, COUNT_METRICS, PRE_TRAINING_METRICS),
        (f"flip test, {rows // 10:,} rows, 69 features", rows // 10, 69, ("FT",), None),
    ):
        mine, theirs = min(ours(size, features, post, pre) for _ in range(3)), smclarify(size, features, post)
        print(f"{title:<44}{mine:>9.3f}s{theirs:>11.2f}s{theirs / mine:>8.0f}x")
    mine = min(ours(1_000_000, 3, COUNT_METRICS, PRE_TRAINING_METRICS) for _ in range(3))
    print(f"{'20 count metrics, 1,000,000 rows':<44}{mine:>9.3f}s{'':>12}{'':>9}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))

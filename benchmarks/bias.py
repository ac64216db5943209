"""Bias metrics: our time and `smclarify`'s on the same data."""

from __future__ import annotations

import json
import logging
import subprocess
import tempfile
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.timing import ORACLE_PYTHON, PROJECT, RUNS, Comparison, best
from model_monitor.analysis.bias import bias_report
from model_monitor.analysis.config import AnalysisConfig, FacetConfig
from model_monitor.analysis.config_schema import POST_TRAINING_METRICS, PRE_TRAINING_METRICS
from model_monitor.analysis.dataset import Dataset

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
    return best(lambda: bias_report(dataset, config, predicted))


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
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump([case] * RUNS, file)
        file.flush()
        command = [ORACLE_PYTHON, "-W", "ignore", str(ORACLE), file.name]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    return min(float(run["seconds"]) for run in json.loads(done.stdout))


def comparisons() -> Iterator[Comparison]:
    """The metrics that are functions of counts, and the one that is not."""
    logging.disable(logging.CRITICAL)
    for what, rows, features, post, pre in (
        ("20 count metrics, 50,000 rows", 50_000, 3, COUNT_METRICS, PRE_TRAINING_METRICS),
        ("20 count metrics, 500,000 rows", 500_000, 3, COUNT_METRICS, PRE_TRAINING_METRICS),
        ("flip test, 5,000 rows x 69 features", 5_000, 69, ("FT",), None),
    ):
        yield Comparison(what, ours(rows, features, post, pre), "smclarify", smclarify(rows, features, post))

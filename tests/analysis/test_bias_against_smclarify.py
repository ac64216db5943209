"""Clarify's own metrics, as far as they are open source, on random data sets."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from model_monitor.analysis.bias import bias_report
from model_monitor.analysis.config import AnalysisConfig, FacetConfig
from model_monitor.analysis.config_schema import POST_TRAINING_METRICS, PRE_TRAINING_METRICS
from model_monitor.analysis.dataset import Dataset
from model_monitor.analysis.serialise import dumps
from model_monitor.errors import AnalysisError

ORACLE = Path(__file__).with_name("smclarify_oracle.py")
SEEDS = range(200)


def random_case(seed: int) -> dict[str, Any]:
    """A data set of 12 to 1,200 rows; facet, label and group variable of every kind that Clarify tells apart.

    Every fourth set holds each row three times, as repeated traffic does.
    """
    random = np.random.default_rng(seed)
    n = int(random.integers(12, 400))
    facet, facet_values = _facet(random, n)
    label, predicted, label_values = _labels(random, n)
    columns = {"label": label, "facet": facet, "group": _column(random.integers(0, 4, n))}
    for i in range(int(random.integers(1, 20))):
        columns[f"x{i}"] = _column(random.normal(scale=10.0 ** random.integers(-2, 3), size=n))
    columns["flag"] = _column(random.integers(0, 2, n))
    if seed % 4 == 0:
        for column in [*columns.values(), predicted]:
            column["values"] = column["values"] * 3
    return {
        "columns": columns,
        "predicted": predicted,
        "facet_values": facet_values,
        "label_values": label_values,
        "group_variable": bool(random.integers(0, 2)),
    }


def _facet(random: np.random.Generator, n: int) -> tuple[dict[str, Any], list[Any] | None]:
    sexes, letters = np.array(["female", "male", "other"]), np.array(["a", "b", "c", "d"])
    kinds: list[Any] = [
        lambda: (_column(random.integers(1, 243, n)), [int(random.integers(20, 200))]),
        lambda: (_column(random.integers(1, 243, n)), [float(random.integers(20, 200))]),
        lambda: (_column(random.integers(1, 243, n)), [str(random.integers(20, 200))]),
        lambda: (_column(random.normal(40, 12, n)), [40]),
        lambda: (_column(random.normal(40, 12, n)), [1000]),
        lambda: (_column(random.integers(0, 2, n)), [0]),
        lambda: (_column(random.integers(0, 2, n)), ["0"]),
        lambda: (_column(random.integers(0, 2, n).astype(float)), [0]),
        lambda: (_column(random.integers(0, 2, n).astype(float)), [1]),
        lambda: (_column(sexes[random.integers(0, 3, n)]), ["female"]),
        lambda: (_column(sexes[random.integers(0, 3, n)]), None),
        lambda: (_column(letters[random.integers(0, 4, n)]), ["a", "c"]),
        lambda: (_column(random.integers(0, 5, n)), [1, 3]),
        lambda: (_column(letters[random.integers(0, 4, n)]), ["nobody"]),
        lambda: (_column((np.arange(n) > n - 6).astype(int)), [0]),
    ]
    return kinds[int(random.integers(len(kinds)))]()  # type: ignore[no-any-return]


def _labels(random: np.random.Generator, n: int) -> tuple[dict[str, Any], dict[str, Any], list[Any]]:
    words = np.array(["no", "yes", "maybe"])
    rate = random.uniform(0.05, 0.95, 2)
    binary = [(random.random(n) < share).astype(int) for share in rate]
    binary[1][0] = 1
    three = [random.integers(0, 3, n) for _ in range(2)]
    amounts = [random.normal(100, 30, n) for _ in range(2)]
    kinds: list[Any] = [
        lambda: (_column(binary[0]), _column(binary[1]), [1]),
        lambda: (_column(binary[0]), _column(binary[1]), ["1"]),
        lambda: (_column(words[binary[0]]), _column(words[binary[1]]), ["yes"]),
        lambda: (_column(words[three[0]]), _column(words[three[1]]), ["yes", "maybe"]),
        lambda: (_column(three[0]), _column(three[1]), [1, 2]),
        lambda: (_column(amounts[0]), _column(amounts[1]), [110]),
        lambda: (_column(amounts[0].astype(int)), _column(amounts[1]), [110]),
        lambda: (_column(binary[0].astype(float)), _column(binary[1].astype(float)), [0.5]),
        lambda: (_column(binary[0].astype(float)), _column(binary[1]), [1]),
        lambda: (_column(binary[0]), _column(np.zeros(n, dtype=int)), [1]),
    ]
    return kinds[int(random.integers(len(kinds)))]()  # type: ignore[no-any-return]


def _column(values: np.ndarray) -> dict[str, Any]:
    kind = {"i": "int64", "f": "float64"}.get(values.dtype.kind, "object")
    return {"values": values.tolist(), "type": kind}


def ours(case: dict[str, Any]) -> dict[str, Any]:
    """Our report of one case, in the oracle's shape."""
    frame = pd.DataFrame({name: _series(column) for name, column in case["columns"].items()})
    config = AnalysisConfig(
        label="label",
        label_values_or_threshold=tuple(case["label_values"]),
        facets=(FacetConfig("facet", tuple(case["facet_values"]) if case["facet_values"] else None),),
        group_variable="group" if case["group_variable"] else None,
        pre_training_methods=PRE_TRAINING_METRICS,
        post_training_methods=POST_TRAINING_METRICS,
    )
    dataset = Dataset(features=frame.drop(columns=["label"]), label=frame["label"])
    try:
        report = json.loads(dumps(bias_report(dataset, config, _series(case["predicted"]))))
    except AnalysisError as error:
        return {"error": str(error)}
    post, pre = report["post_training_bias_metrics"], report["pre_training_bias_metrics"]
    return {"post": post["facets"]["facet"], "pre": pre["facets"]["facet"], "label": post["label_value_or_threshold"]}


def _series(column: dict[str, Any]) -> pd.Series:
    return pd.Series(column["values"], dtype=None if column["type"] == "object" else column["type"])


@pytest.fixture(scope="module")
def theirs(oracle_python: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What smclarify says to every case, from one process."""
    file = tmp_path_factory.mktemp("oracle") / "cases.json"
    file.write_text(json.dumps([random_case(seed) for seed in SEEDS]))
    done = subprocess.run([oracle_python, "-W", "ignore", ORACLE, file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def test_the_cases_cover_results_infinities_and_errors(theirs: list[dict[str, Any]]) -> None:
    metrics = [m for one in theirs if "post" in one for facet in one["post"] for m in facet["metrics"]]
    assert sum("error" in one for one in theirs) >= 5
    assert sum("Infinity" in str(metric["value"]) for metric in metrics) >= 5
    assert sum("error" in metric for metric in metrics) >= 20
    assert sum(metric["value"] is not None for metric in metrics) >= 1000


@pytest.mark.parametrize("seed", SEEDS)
def test_equal_to_smclarify(seed: int, theirs: list[dict[str, Any]]) -> None:
    case = random_case(seed)
    expected, found = theirs[seed], ours(case)
    if "error" in expected:
        assert found.get("error", "").startswith(expected["error"])
        return
    assert "error" not in found
    assert found["label"] == expected["label"]
    for stage in ("post", "pre"):
        assert [facet["value_or_threshold"] for facet in found[stage]] == [
            facet["value_or_threshold"] for facet in expected[stage]
        ]
        for facet, other in zip(found[stage], expected[stage]):
            assert [metric["name"] for metric in facet["metrics"]] == [metric["name"] for metric in other["metrics"]]
            for metric, reference in zip(facet["metrics"], other["metrics"]):
                assert metric["description"] == reference["description"]
                assert metric.get("error") == reference.get("error"), metric["name"]
                assert _equal(metric["value"], reference["value"]), (metric, reference)


def _equal(value: float | str | None, reference: float | str | None) -> bool:
    if isinstance(value, float) and isinstance(reference, float | int):
        return abs(value - reference) <= 1e-12 * max(1.0, abs(reference))
    return value == reference

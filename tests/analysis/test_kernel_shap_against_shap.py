"""Kernel SHAP against the `shap` package, which runs in the oracles' environment.

The two sample differently by design; they must agree where all coalitions fit.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model_monitor.analysis.kernel_shap import explain

MODEL = """
import numpy as np

def model(rows, weights):
    rows = np.asarray(rows, dtype=float)
    score = rows @ np.asarray(weights) + rows[:, 0] * rows[:, 1] - np.abs(rows[:, -1])
    return 1 / (1 + np.exp(-score))
"""

ORACLE = (
    MODEL
    + """
import json, sys
import shap

cases = json.load(sys.stdin)
answers = []
for case in cases:
    explainer = shap.KernelExplainer(
        lambda rows: model(rows, case["weights"]), np.array(case["baseline"]), link=case["link"]
    )
    values = explainer.shap_values(np.array(case["records"]), nsamples=10**5, l1_reg=False, silent=True)
    answers.append({"values": np.asarray(values).tolist(), "expected_value": float(explainer.expected_value)})
json.dump(answers, sys.stdout)
"""
)


def cases() -> list[dict[str, Any]]:
    made = []
    for features, baseline_rows, link in [(2, 1, "identity"), (5, 1, "identity"), (8, 4, "identity"), (6, 1, "logit")]:
        rng = np.random.default_rng(features)
        made.append(
            {
                "link": link,
                "weights": rng.normal(size=features).tolist(),
                "baseline": rng.normal(size=(baseline_rows, features)).tolist(),
                "records": rng.normal(size=(6, features)).tolist(),
            }
        )
    return made


@pytest.fixture(scope="module")
def answers(oracle_python: Path) -> list[dict[str, Any]]:
    done = subprocess.run(
        [str(oracle_python), "-c", ORACLE], input=json.dumps(cases()), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("number", range(4))
def test_values_and_expected_value_equal_those_of_shap(number: int, answers: list[dict[str, Any]]) -> None:
    case, expected = cases()[number], answers[number]
    scope: dict[str, Any] = {}
    exec(MODEL, scope)  # noqa: S102 - the very text that the oracle runs

    found = explain(
        lambda rows: scope["model"](rows, case["weights"]),
        np.array(case["records"]),
        np.array(case["baseline"]),
        use_logit=case["link"] == "logit",
    )

    np.testing.assert_allclose(found.values[:, :, 0], expected["values"], atol=1e-9)
    if case["link"] == "identity":
        np.testing.assert_allclose(found.expected_value[0], expected["expected_value"], atol=1e-12)

"""Kernel SHAP: our time against `shap.KernelExplainer`'s, same records, baseline, samples and model."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator

import numpy as np

from benchmarks.timing import ORACLE_PYTHON, RUNS, Comparison, best
from model_monitor.analysis.kernel_shap import explain

FEATURES, SEED = 69, 7

MODEL = """
import numpy as np
weights = np.random.default_rng(7).normal(size=69)

def model(rows):
    return 1 / (1 + np.exp(-(rows @ weights)))
"""

PEER = (
    MODEL
    + """
import json, sys, time
import shap
case = json.load(sys.stdin)
rng = np.random.default_rng(7)
records, baseline = rng.normal(size=(case["records"], 69)), rng.normal(size=(1, 69))
explainer = shap.KernelExplainer(model, baseline)
times = []
for _ in range(case["runs"]):
    started = time.perf_counter()
    explainer.shap_values(records, nsamples=case["samples"], l1_reg=False, silent=True)
    times.append(time.perf_counter() - started)
print(min(times))
"""
)


def ours(records: int, samples: int) -> float:
    """Seconds that we take."""
    scope: dict[str, object] = {}
    exec(MODEL, scope)  # noqa: S102 - the very text that the peer runs
    rng = np.random.default_rng(SEED)
    rows, baseline = rng.normal(size=(records, FEATURES)), rng.normal(size=(1, FEATURES))
    return best(lambda: explain(scope["model"], rows, baseline, num_samples=samples, seed=SEED))  # type: ignore[arg-type]


def peers(records: int, samples: int) -> float:
    """Seconds that `shap` takes in its own process, its start left out."""
    case = json.dumps({"records": records, "samples": samples, "runs": RUNS})
    done = subprocess.run([ORACLE_PYTHON, "-c", PEER], input=case, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def comparisons() -> Iterator[Comparison]:
    """Few samples, as in the example; some; and the default number for 69 features."""
    for records, samples in [(100, 100), (50, 400), (10, 2186)]:
        what = f"Kernel SHAP, {records} records x {FEATURES} features, {samples} samples"
        yield Comparison(what, ours(records, samples), "shap.KernelExplainer", peers(records, samples))

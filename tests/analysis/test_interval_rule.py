"""The rule that asks for certainty, beside Clarify's."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from model_monitor.analysis.drift import attribution_violations, bias_violations
from model_monitor.analysis.interval_rule import (
    Intervals,
    attribution_verdict,
    bias_verdict,
    interval_attribution_violations,
    interval_bias_violations,
    judge,
    uncertainty_document,
)
from model_monitor.analysis.persistence import JudgedWindow
from model_monitor.analysis.serialise import dumps
from model_monitor.analysis.uncertainty import Interval


def bias(**groups: dict[str, Any]) -> dict[str, Any]:
    """An analysis of the facet Plan, with the metrics of each group."""
    entries = [
        {
            "value_or_threshold": group,
            "metrics": [{"name": k, "description": k, "value": v} for k, v in metrics.items()],
        }
        for group, metrics in groups.items()
    ]
    facets = {"facets": {"Plan": entries}, "label": "Churn", "label_value_or_threshold": "1"}
    return {"version": "1.0", "post_training_bias_metrics": facets}


def intervals(*groups: dict[str, Interval], ndcg: dict[str, Interval] | None = None) -> Intervals:
    return Intervals(0.95, 1000, 7, {("Plan", position): group for position, group in enumerate(groups)}, ndcg or {})


@pytest.mark.parametrize(
    ("value", "baseline", "interval", "verdict"),
    [
        (0.3, 0.2, Interval(0.21, 0.4), "violation"),
        (-0.3, 0.2, Interval(-0.4, -0.21), "violation"),
        (0.3, -0.2, Interval(0.21, 0.4), "violation"),
        (0.3, 0.2, Interval(0.2, 0.4), "not certain"),
        (0.3, 0.2, Interval(-0.1, 0.7), "not certain"),
        (0.3, 0.2, None, "not certain"),
        (0.2, 0.2, Interval(0.1, 0.3), "ok"),
        (0.1, 0.2, Interval(0.21, 0.3), "ok"),
        (math.inf, 2.9, Interval(math.inf, math.inf), "violation"),
        (math.inf, 2.9, Interval(1.0, math.inf), "not certain"),
        (-math.inf, math.inf, Interval(-math.inf, 0.0), "ok"),
        (None, 0.2, None, None),
        (0.3, None, Interval(0.2, 0.4), None),
    ],
)
def test_a_bias_metric_violates_with_its_whole_interval_and_its_value(
    value: float | None, baseline: float | None, interval: Interval | None, verdict: str | None
) -> None:
    assert bias_verdict(value, baseline, interval) == verdict


@pytest.mark.parametrize(
    ("score", "interval", "verdict"),
    [
        (0.8, Interval(0.7, 0.89), "violation"),
        (0.8, Interval(0.7, 0.9), "not certain"),
        (0.8, None, "not certain"),
        (0.9, Interval(0.7, 0.89), "ok"),
        (None, None, None),
    ],
)
def test_an_order_violates_with_its_whole_interval_and_its_score(
    score: float | None, interval: Interval | None, verdict: str | None
) -> None:
    assert attribution_verdict(score, interval) == verdict


def test_a_violation_tells_interval_confidence_and_allowed_range() -> None:
    now, baseline = bias(gold={"DAR": -0.3, "RD": 0.5}), bias(gold={"DAR": 0.1, "RD": 0.2})
    found = interval_bias_violations(now, baseline, intervals({"DAR": Interval(-0.4, -0.2), "RD": Interval(0.1, 0.9)}))

    assert found == [
        {
            "facet": "Plan",
            "facet_value": "gold",
            "metric_name": "DAR",
            "constraint_check_type": "bias_drift_check",
            "description": "Metric value -0.3 doesn't meet the baseline constraint requirement 0.1; its 95 % interval "
            "[-0.4, -0.2] lies outside the allowed range [-0.1, 0.1]",
        }
    ]
    assert {**found[0], "description": ""} in [{**one, "description": ""} for one in bias_violations(now, baseline)]


def test_a_drifted_order_tells_the_same() -> None:
    scores = {"yes": 0.7, "no": 0.8}
    found = interval_attribution_violations(
        scores, intervals(ndcg={"yes": Interval(0.6, 0.85), "no": Interval(0.7, 0.95)})
    )

    assert [violation["description"] for violation in found] == [
        "Feature attribution drift 0.7 exceeds threshold 0.9; its 95 % interval [0.6, 0.85] lies outside the allowed "
        "range [0.9, 1.0]"
    ]
    assert {**found[0], "description": ""} == {**attribution_violations(scores)[0], "description": ""}


def test_groups_have_intervals_of_their_own() -> None:
    """The baseline lists its groups in another order."""
    now = bias(gold={"DAR": 0.3}, free={"DAR": 0.3})
    baseline = bias(free={"DAR": 0.1}, gold={"DAR": 0.1})
    own = intervals({"DAR": Interval(-0.1, 0.5)}, {"DAR": Interval(0.2, 0.4)})
    assert [violation["facet_value"] for violation in interval_bias_violations(now, baseline, own)] == ["free"]


def judged(earlier: list[int | None], violating: int) -> Any:
    now = bias(gold={"AD": 0.1, "DAR": 0.3, "RD": 0.3, "TE": "Infinity"})
    baseline = bias(gold={"AD": 0.2, "DAR": 0.1, "RD": 0.1, "TE": 2.5})
    known = intervals(
        {"AD": Interval(0.0, 0.2), "DAR": Interval(0.2, 0.4), "RD": Interval(0.0, 0.6)},
        ndcg={"yes": Interval(0.7, 0.95)},
    )
    windows = [JudgedWindow(f"2026-11-22T0{hour}:00:00Z", found) for hour, found in enumerate(earlier)]
    scores = {"yes": 0.8}
    found = judge(now, baseline, scores, known, scheduled="2026-11-22T09:00:00Z", earlier=windows, violating=violating)
    return found, uncertainty_document(now, baseline, scores, found)


def test_what_the_interval_does_not_confirm_is_listed_apart() -> None:
    found, _ = judged([], 1)

    assert [violation["metric_name"] for violation in found.violations] == ["DAR"]
    assert [violation["description"] for violation in found.unconfirmed] == [
        "Metric value 0.3 doesn't meet the baseline constraint requirement 0.1; not certain, as its 95 % interval "
        "[0.0, 0.6] meets the allowed range [-0.1, 0.1]",
        "Metric value Infinity doesn't meet the baseline constraint requirement 2.5; not certain, as it has no "
        "interval",
        "Feature attribution drift 0.8 exceeds threshold 0.9; not certain, as its 95 % interval [0.7, 0.95] meets the "
        "allowed range [0.9, 1.0]",
    ]


def test_the_windows_own_violations_count_and_the_verdict_waits_for_enough() -> None:
    waiting, _ = judged([0, None], 2)
    assert waiting.violations
    assert not waiting.persistence.red
    assert judged([1, None], 2)[0].persistence.red


def test_the_document_holds_all_that_led_to_the_verdict() -> None:
    found, document = judged([0, None], 2)
    document = json.loads(dumps(document))

    assert [document[key] for key in ("rule", "confidence", "resamples", "seed")] == ["interval", 0.95, 1000, 7]
    assert document["bias"][1] == {
        "facet": "Plan",
        "facet_value": "gold",
        "metric_name": "DAR",
        "value": 0.3,
        "low": 0.2,
        "high": 0.4,
        "allowed": [-0.1, 0.1],
        "verdict": "violation",
    }
    assert [metric["verdict"] for metric in document["bias"]] == ["ok", "violation", "not certain", "not certain"]
    assert (document["bias"][3]["value"], document["bias"][3]["low"]) == ("Infinity", None)
    assert document["ndcg"] == [
        {"label": "yes", "value": 0.8, "low": 0.7, "high": 0.95, "allowed": [0.9, 1.0], "verdict": "not certain"}
    ]
    assert document["violations"] == found.violations
    assert document["unconfirmed"] == found.unconfirmed
    assert document["persistence"] == found.persistence.as_dict()
    assert document["persistence"]["windows"][-1] == {"scheduled": "2026-11-22T09:00:00Z", "violations": 1}

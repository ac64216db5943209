"""What a window comes to, and the files that say so."""

from __future__ import annotations

import json
from typing import Any

import pytest

from model_monitor.analysis.interval_rule import Intervals
from model_monitor.analysis.judging import Subject, compare, compare_by_intervals, exit_message, result_files
from model_monitor.analysis.persistence import JudgedWindow
from model_monitor.analysis.report import Comparison
from model_monitor.analysis.uncertainty import Interval
from model_monitor.errors import AnalysisError


def bias(value: float, metric: str = "DAR") -> dict[str, Any]:
    entry = {"value_or_threshold": "gold", "metrics": [{"name": metric, "description": metric, "value": value}]}
    return {
        "version": "1.0",
        "post_training_bias_metrics": {"label": "C", "facets": {"Plan": [entry]}, "label_value_or_threshold": "1"},
    }


def by_intervals(interval: Interval, *earlier: int | None, violating: int = 1) -> Comparison:
    return compare_by_intervals(
        bias(0.3),
        bias(0.1),
        Intervals(0.95, 1000, 1, {("Plan", 0): {"DAR": interval}}),
        scheduled="2026-11-22T09:00:00Z",
        earlier=[JudgedWindow(f"2026-11-22T0{hour}:00:00Z", found) for hour, found in enumerate(earlier)],
        violating=violating,
    )


def written(comparison: Comparison) -> dict[str, str]:
    return result_files(bias(0.3), comparison, Subject(12), None)


CERTAIN, UNCERTAIN = Interval(0.2, 0.4), Interval(0.0, 0.6)


def test_clarifys_rule_writes_no_intervals() -> None:
    files = written(compare(bias(0.3), bias(0.1)))
    assert set(files) == {"analysis.json", "constraint_violations.json", "report.html"}


def test_a_certain_violation_turns_the_verdict_red() -> None:
    comparison = by_intervals(CERTAIN)
    files = written(comparison)

    assert set(files) == {"analysis.json", "constraint_violations.json", "uncertainty.json", "report.html"}
    (violation,) = json.loads(files["constraint_violations.json"])["violations"]
    assert violation == json.loads(files["uncertainty.json"])["violations"][0]
    assert exit_message(comparison) == "CompletedWithViolations: Job completed successfully with 1 violations."


@pytest.mark.parametrize(
    ("comparison", "own"),
    [(by_intervals(UNCERTAIN), 0), (by_intervals(CERTAIN, 0, None, violating=2), 1)],
    ids=["not certain", "not often enough"],
)
def test_what_does_not_turn_the_verdict_red_is_told_in_the_intervals_only(comparison: Comparison, own: int) -> None:
    files = written(comparison)

    assert set(files) == {"analysis.json", "uncertainty.json", "report.html"}
    document = json.loads(files["uncertainty.json"])
    assert (len(document["violations"]), document["persistence"]["red"]) == (own, False)
    assert exit_message(comparison) == "Completed: Job completed successfully with no violations."


def test_enough_windows_turn_the_verdict_red() -> None:
    assert len(by_intervals(CERTAIN, 1, None, violating=2).violations) == 1


def test_the_analysis_is_the_same_by_either_rule() -> None:
    assert written(by_intervals(CERTAIN))["analysis.json"] == written(compare(bias(0.3), bias(0.1)))["analysis.json"]


def test_a_baseline_with_nothing_to_compare_is_refused_by_the_interval_rule_too() -> None:
    with pytest.raises(AnalysisError, match="hold none of the metrics of facet Plan"):
        compare_by_intervals(
            bias(0.3), bias(0.1, "DI"), Intervals(0.95, 1000, 1), scheduled="", earlier=[], violating=1
        )

"""Which violations of different windows are the same."""

from __future__ import annotations

from typing import Any

from model_monitor.alerts.outcome import Outcome
from model_monitor.results import violation_rows


def violations(facet: str, groups: list[str], violating: str) -> tuple[str, ...]:
    """The keys of a window that has these groups, in this order, and one that violates."""
    entries = [
        {"value_or_threshold": group, "metrics": [{"name": "DPPL", "description": "", "value": 0.5}]}
        for group in groups
    ]
    analysis: dict[str, Any] = {"post_training_bias_metrics": {"facets": {facet: entries}}}
    found = [{"facet": facet, "facet_value": violating, "metric_name": "DPPL", "description": "worse"}]
    verdict = {
        "scheduled": "2026-11-22T10:00:00Z",
        "status": "CompletedWithViolations",
        "violations": violation_rows(found, analysis, None),
    }
    return Outcome.of(verdict).violations


def test_a_category_is_known_by_its_value_wherever_it_stands() -> None:
    california = violations("State", ["CA", "NY", "TX"], "CA")
    assert violations("State", ["TX", "NY", "CA"], "CA") == california
    assert violations("State", ["NY", "CA", "TX"], "NY") != california


def test_an_interval_is_known_by_its_place_wherever_it_ends() -> None:
    first = violations("Age", ["(0, 40]", "(40, 92]"], "(40, 92]")
    assert violations("Age", ["(0, 40]", "(40, 99]"], "(40, 99]") == first
    assert violations("Age", ["(0, 40]", "(40, 99]"], "(0, 40]") != first


def test_a_group_that_the_analysis_does_not_have_is_known_by_its_text() -> None:
    assert violations("Age", ["(0, 40]"], "(40, 92]") == ("Age['(40, 92]'] DPPL",)

"""What a human reads before a model is replaced."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from model_monitor import requests
from model_monitor.config import MonitoredEndpoint
from model_monitor.retraining.occasion import Judged
from model_monitor.retraining.question import MOST_VIOLATIONS, question
from model_monitor.windows import moment
from tests.monitored import monitored_endpoint

BIAS = {"metric": "DPPL", "description": "…", "facet": "Age", "facet_value": "(0, 2.5]", "value": 0.4, "baseline": 0.1}
DRIFT = {"metric": "shap", "description": "Feature attribution drift 0.8 exceeds threshold 0.9", "label": "label0"}
REPORT = "s3://bucket/monitors/reports/small/small-bias/2026/11/22/10"


@pytest.fixture
def endpoint(tmp_path: Path) -> MonitoredEndpoint:
    retraining = {"function": "demo.retrain.retrain", "approval_timeout": "PT6H", "pause_after_rejection": "P2D"}
    return monitored_endpoint(tmp_path, "bucket", name="small", retraining=retraining)


def judged(*violations: dict[str, Any], report: str = REPORT) -> Judged:
    hours = (moment("2026-11-22T09:00:00Z"), moment("2026-11-22T10:00:00Z"))
    return Judged("bias", *hours, report, violations)


def candidate(**changes: Any) -> dict[str, Any]:
    return {
        "archive": "0123456789ab",
        "replaces": "ba9876543210",
        "figures": [],
        "remark": "",
        "files": 3,
        "since": "2026-11-15T10:00:00Z",
        "until": "2026-11-22T10:00:00Z",
        **changes,
    }


def test_it_says_why_with_values_against_the_baseline_in_plain_words(endpoint: MonitoredEndpoint) -> None:
    text = question(endpoint, [judged(BIAS, DRIFT)], candidate())
    assert "[Bias](model-monitor/endpoints/small/bias/executions/2026/11/22/10)" in text
    assert "2026-11-22T09:00:00Z – 2026-11-22T10:00:00Z:" in text
    assert (
        r"- **Age \(0\, 2\.5\]**: Difference in Positive Proportions in Predicted Labels \(DPPL\) is 0\.4000, at the "
        r"baseline 0\.1000. How much higher the rate of predicted acceptances is for the other group\."
    ) in text
    assert r"- label0: Feature attribution drift 0\.8 exceeds threshold 0\.9" in text


def test_figures_stand_side_by_side_and_say_which_is_better(endpoint: MonitoredEndpoint) -> None:
    figures = [
        {"name": "AUC", "old": 0.9, "new": 0.95, "better": "higher"},
        {"name": "Log loss", "old": 0.2, "new": 0.3, "better": "lower"},
        {"name": "Accuracy", "old": 0.5, "new": 0.50001, "better": "higher"},
        {"name": "Rows", "old": 10.0, "new": 20.0, "better": None},
        {"name": "Recall", "old": None, "new": 0.5, "better": "higher"},
    ]
    lines = question(endpoint, [], candidate(figures=figures)).splitlines()
    assert r"| AUC | 0\.9000 | 0\.9500 | better |" in lines
    assert r"| Log loss | 0\.2000 | 0\.3000 | **worse** |" in lines
    assert r"| Accuracy | 0\.5000 | 0\.5000 | same |" in lines
    assert r"| Rows | 10\.0000 | 20\.0000 |  |" in lines
    assert r"| Recall | \- | 0\.5000 |  |" in lines


def test_it_says_what_either_answer_does(endpoint: MonitoredEndpoint) -> None:
    text = question(endpoint, [], candidate())
    assert "Somebody started this run by hand." in text
    assert "no figures to compare by" in text
    for archive in ("0123456789ab", "ba9876543210"):
        assert f"`{requests.model_name(endpoint, archive)}`" in text
    assert "begin within P2D" in text
    assert "**No answer** within PT6H: as Reject." in text
    assert "(model-monitor/endpoints/small)" in text


@pytest.mark.parametrize("hostile", ["<script>alert(1)</script>", "](javascript:alert(1))", "a | b\n| --- |", "`code`"])
def test_nothing_from_data_is_markup(endpoint: MonitoredEndpoint, hostile: str) -> None:
    row = {"metric": hostile, "facet": hostile, "facet_value": hostile, "value": hostile, "baseline": hostile}
    figures = [{"name": hostile, "old": 0.1, "new": 0.2, "better": "higher"}]
    drift = {"metric": "shap", "description": hostile, "label": hostile}
    text = question(endpoint, [judged(row, drift)], candidate(figures=figures, remark=hostile))
    assert hostile not in text


def test_of_many_violations_the_first_are_listed(endpoint: MonitoredEndpoint) -> None:
    text = question(endpoint, [judged(*[BIAS] * (MOST_VIOLATIONS + 4))], candidate())
    assert text.count("**Age") == MOST_VIOLATIONS
    assert "- and 4 more" in text


def test_a_report_that_the_dashboard_does_not_know_is_not_linked(endpoint: MonitoredEndpoint) -> None:
    text = question(endpoint, [judged(BIAS, report="s3://elsewhere/report")], candidate())
    assert "Bias, 2026-11-22T09:00:00Z" in text
    assert "executions" not in text

"""The message that a candidate waits for an answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from model_monitor.alerts import forms
from model_monitor.config import MonitoredEndpoint
from model_monitor.retraining.notice import compared, notice
from model_monitor.retraining.occasion import Judged
from model_monitor.windows import moment
from tests.monitored import monitored_endpoint

CANDIDATE = {"figures": [{"name": "AUC", "old": 0.8, "new": 0.9, "better": "higher"}]}
PAGE = "/dags/small.retrain/runs/1/tasks/approve/required_actions"


@pytest.fixture
def endpoint(tmp_path: Path) -> MonitoredEndpoint:
    retraining = {"function": "demo.retrain.retrain", "approval_timeout": "PT6H"}
    return monitored_endpoint(tmp_path, "bucket", name="small", retraining=retraining)


@pytest.mark.parametrize(
    ("old", "new", "better", "word"),
    [
        (0.8, 0.9, "higher", "better"),
        (0.8, 0.9, "lower", "worse"),
        (0.8, 0.80001, "higher", "same"),
        (None, 0.9, "higher", ""),
        (0.8, 0.9, None, ""),
    ],
)
def test_figures_are_compared(old: float | None, new: float, better: str | None, word: str) -> None:
    assert compared({"old": old, "new": new, "better": better}) == word


def test_it_says_why_and_where_to_answer(endpoint: MonitoredEndpoint) -> None:
    row: dict[str, Any] = {"metric": "DPPL"}
    judged = Judged("bias", moment("2026-11-22T09:00:00Z"), moment("2026-11-22T10:00:00Z"), "", (row, row))
    letter = notice(endpoint, [judged], CANDIDATE, "https://airflow.example/team/", PAGE)
    text = forms.plain(letter)
    assert forms.subject(letter) == "small: replace the model?"
    assert "because of 2 violations of the bias monitor. It is not in service." in text
    assert "Without an answer within PT6H, the old model stays." in text
    assert "AUC: 0.8000 now, 0.9000 then\n  The candidate is better." in text
    assert f"Answer: https://airflow.example/team{PAGE}" in text


def test_a_run_by_hand_without_an_address(endpoint: MonitoredEndpoint) -> None:
    text = forms.plain(notice(endpoint, [], CANDIDATE, "", PAGE))
    assert "because of a run by hand" in text
    assert "://" not in text

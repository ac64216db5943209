"""Which violations are a reason to retrain."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from model_monitor import names
from model_monitor.config import MonitoredEndpoint
from model_monitor.retraining.occasion import Judged, Occasion, Settled, occasion
from tests.monitored import monitored_endpoint

VIOLATION = {"metric": "DPPL", "facet": "Age", "facet_value": "(0, 2]", "value": 0.4, "baseline": 0.1}


@pytest.fixture
def endpoint(tmp_path: Path) -> MonitoredEndpoint:
    return monitored_endpoint(tmp_path, "bucket", name="small")


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, 22, hour, minute, tzinfo=UTC)


def event(kind: str = "bias", hour: int = 10, violations: Any = (VIOLATION,), **changes: Any) -> dict[str, Any]:
    """What the event of a window due at an hour carries."""
    schedule = "small-bias" if kind == "bias" else "small-explain"
    return {
        "endpoint": "small",
        "kind": kind,
        "scheduled": f"2026-11-22T{hour:02}:00:00Z",
        "report": f"s3://bucket/monitors/reports/small/{schedule}/2026/11/22/{hour:02}",
        "violations": list(violations),
        **changes,
    }


def test_violations_are_a_reason(endpoint: MonitoredEndpoint) -> None:
    found = occasion(endpoint, [event()], Settled())
    (judged,) = found.verdicts
    assert (judged.kind, judged.start, judged.end, judged.violations) == ("bias", at(9), at(10), (VIOLATION,))
    assert judged.folder(endpoint) == "2026/11/22/10"
    assert found.why_not is None


def test_verdicts_survive_xcom(endpoint: MonitoredEndpoint) -> None:
    (judged,) = occasion(endpoint, [event()], Settled()).verdicts
    assert Judged.from_dict(judged.as_dict()) == judged


def test_of_each_monitor_the_newest_window_counts(endpoint: MonitoredEndpoint) -> None:
    events = [event(hour=12), event(hour=11), event("explainability", hour=9), event("explainability", hour=10)]
    found = occasion(endpoint, events, Settled())
    assert [(judged.kind, judged.end) for judged in found.verdicts] == [("bias", at(12)), ("explainability", at(10))]


def test_what_has_passed_is_no_reason(endpoint: MonitoredEndpoint) -> None:
    found = occasion(endpoint, [event(hour=11), event(hour=12, violations=())], Settled())
    assert not found.verdicts
    assert "No violations any more: bias of 2026-11-22T11:00:00Z – 2026-11-22T12:00:00Z" in str(found.why_not)


@pytest.mark.parametrize(
    ("since", "settled"), [(at(8), False), (at(9), False), (at(9, 30), True), (at(10), True), (at(12), True)]
)
def test_a_window_that_began_before_the_model_came_into_service_is_settled(
    endpoint: MonitoredEndpoint, since: datetime, settled: bool
) -> None:
    found = occasion(endpoint, [event(hour=10)], Settled(serving_since=since))
    assert (found.why_not is not None) == settled
    if settled:
        assert f"it serves since 2026-11-22T{since:%H:%M}:00Z" in str(found.why_not)


def test_one_monitor_s_window_can_be_settled_and_the_other_s_not(endpoint: MonitoredEndpoint) -> None:
    events = [event("bias", hour=9), event("explainability", hour=12)]
    found = occasion(endpoint, events, Settled(serving_since=at(10)))
    assert [judged.kind for judged in found.verdicts] == ["explainability"]


@pytest.mark.parametrize(("hour", "settled"), [(10, True), (12, True), (13, False)])
def test_after_a_rejection_nobody_is_asked_for_a_while(endpoint: MonitoredEndpoint, hour: int, settled: bool) -> None:
    rejected = Settled(rejected_at=at(10), pause=timedelta(hours=2))
    found = occasion(endpoint, [event(hour=hour)], rejected)
    assert (found.why_not is not None) == settled
    if settled:
        assert "rejected at 2026-11-22T10:00:00Z" in str(found.why_not)
        assert "begin before 2026-11-22T12:00:00Z" in str(found.why_not)


@pytest.mark.parametrize(
    "extra",
    [
        {},
        {"from_rest_api": True},
        event(endpoint="another"),
        event(kind="quality"),
        event(scheduled="soon"),
        event() | {"violations": 2},
        event() | {"violations": ["DPPL"]},
    ],
)
def test_an_event_without_a_verdict_on_the_endpoint_is_no_reason(
    endpoint: MonitoredEndpoint, extra: dict[str, Any]
) -> None:
    found = occasion(endpoint, [extra], Settled())
    assert found == Occasion(why_not="No event of this run holds a verdict on small.")


def test_a_report_elsewhere_has_no_page_in_the_dashboard(endpoint: MonitoredEndpoint) -> None:
    (judged,) = occasion(endpoint, [event(report="s3://elsewhere/reports")], Settled()).verdicts
    assert judged.folder(endpoint) is None
    assert names.report_folders(endpoint, "bias").startswith("s3://bucket/")

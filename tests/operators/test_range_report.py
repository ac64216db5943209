"""Reports on ranges, written to S3 and made of what lies there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from model_monitor import names, range_reports
from model_monitor.config import MonitoredEndpoint
from model_monitor.dashboard import addresses
from model_monitor.errors import InputError
from model_monitor.hooks.s3 import StorageHook
from model_monitor.operators.range_report import RangeOperator, ReportRangeOperator
from model_monitor.range_reports import render_range
from tests.analysis.report_page import Page
from tests.history.stored import HOSTILE, Place, bias, explained, hooks_of, violations
from tests.monitored import Run, context, run_task
from tests.running_aws import Running

SIX = datetime(2026, 11, 20, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def place(endpoint: MonitoredEndpoint) -> Place:
    """An endpoint with a baseline, and bias windows due from 06:00 to 11:00: of 08:00 is none, two violate."""
    place = Place.of(endpoint, hooks_of(endpoint))
    place.baseline("bias", bias({"(0.0, 2.0]": {"DAR": 0.1, "RD": 0.5}}))
    for hour in (6, 7, 9):
        place.report("bias", f"2026/11/20/{hour:02}", analysis=bias({"(0.0, 2.1]": {"DAR": 0.05, "RD": 0.1}}))
    for hour, value in ((10, 0.3), (11, -0.4)):
        place.report(
            "bias",
            f"2026/11/20/{hour:02}",
            analysis=bias({"(0.0, 2.2]": {"DAR": value, "RD": 0.1}}),
            constraint_violations=violations(("Age", "(0.0, 2.2]", "DAR")),
        )
    return place


def moments_of(endpoint: MonitoredEndpoint, run: Run | None = None, **form: Any) -> Any:
    return run_task(RangeOperator(task_id="range", endpoint=endpoint, **form), context(run=run))


def report_on(
    endpoint: MonitoredEndpoint, moments: Any, kind: Any = "bias"
) -> tuple[dict[str, Any], ReportRangeOperator]:
    task = ReportRangeOperator(task_id=kind, endpoint=endpoint, kind=kind, moments=moments)
    return run_task(task), task


def test_a_run_by_hand_means_the_last_seven_days_of_the_service_s_clock(
    endpoint: MonitoredEndpoint, aws: Running
) -> None:
    now = aws.now()
    end = now.replace(minute=0, second=0, microsecond=0) + HOUR
    expected = {"start": f"{end - timedelta(days=7):%Y-%m-%dT%H:%M:%SZ}", "end": f"{end:%Y-%m-%dT%H:%M:%SZ}"}
    assert moments_of(endpoint, Run("manual", SIX, SIX + HOUR)) == expected
    assert moments_of(endpoint, Run("manual")) == expected


def test_a_scheduled_run_means_its_data_interval(endpoint: MonitoredEndpoint) -> None:
    run = Run("scheduled", SIX, SIX + timedelta(days=7))
    assert moments_of(endpoint, run) == {"start": "2026-11-20T06:00:00Z", "end": "2026-11-27T06:00:00Z"}


def test_the_form_goes_before(endpoint: MonitoredEndpoint) -> None:
    form = {"start": "2026-11-20T07:00:00+01:00", "end": "2026-11-21T06:00:00Z"}
    assert moments_of(endpoint, **form) == {"start": "2026-11-20T06:00:00Z", "end": "2026-11-21T06:00:00Z"}
    with pytest.raises(InputError, match="one moment of the two"):
        moments_of(endpoint, start="2026-11-20T07:00:00Z")


RANGE = {"start": "2026-11-20T06:00:00Z", "end": "2026-11-20T12:00:00Z"}


def test_the_report_lies_under_its_range_and_the_task_tells_what_became_of_the_windows(place: Place) -> None:
    endpoint = place.endpoint

    told, task = report_on(endpoint, RANGE)

    address = f"{names.s3(endpoint)}/range_reports/{endpoint.name}/bias/20261120T060000Z--20261120T120000Z/report.html"
    assert told == {"report": address, "judged": 5, "violating": 2, "failed": 0, "running": 0, "missing": 1}
    page = Page((place.storage.read(address) or b"").decode())
    words = " ".join(page.words.split())
    assert "2 of 5 judged windows violate" in words
    assert "The last 2 violate without a break, since 20 Nov 10:00." in words
    (finding,) = next(rows[1:] for rows in page.tables if rows[0][0] == "Finding")
    assert finding[1:] == ["2 of 5", "–", "20 Nov 10:00", "20 Nov 11:00", "2 in a row", "−0.4000", "0.1000"]
    outcomes = next(rows[1:] for rows in page.tables if rows[0][0] == "Due (UTC)")
    assert [(row[0], row[2]) for row in outcomes] == [
        ("20 Nov 06:00 – 20 Nov 07:00", "ok"),
        ("20 Nov 08:00", "missing"),
        ("20 Nov 09:00", "ok"),
        ("20 Nov 10:00 – 20 Nov 11:00", "violations"),
    ]
    links = {link.name: link.get_link(task, ti_key=None) for link in task.operator_extra_links}
    page_of_range = addresses.range_report(endpoint.name, "bias", RANGE["start"], RANGE["end"])
    assert links == {
        "Dashboard": addresses.endpoint(endpoint.name).removeprefix("/"),
        "Report": page_of_range.removeprefix("/"),
        "S3 console": "",
    }


def test_the_same_range_again_writes_the_same_and_what_came_since_shows(place: Place) -> None:
    first, _ = report_on(place.endpoint, RANGE)
    before = place.storage.read(first["report"])
    assert report_on(place.endpoint, RANGE)[0] == first
    assert place.storage.read(first["report"]) == before

    place.report("bias", "2026/11/20/08", analysis=bias({"(0.0, 2.1]": {"DAR": 0.05, "RD": 0.1}}))

    again, _ = report_on(place.endpoint, RANGE)
    assert (again["report"], again["judged"], again["missing"]) == (first["report"], 6, 0)
    assert place.storage.read(first["report"]) != before


def test_no_monitor_takes_it_for_a_window_s_report(place: Place) -> None:
    report_on(place.endpoint, RANGE)
    found = Place.of(place.endpoint, hooks_of(place.endpoint)).history.executions("bias", SIX - timedelta(days=9))
    assert len(found) == 5
    assert not StorageHook(region_name=place.endpoint.region).list(f"{names.reports(place.endpoint)}/range")


def test_the_dashboard_s_report_is_the_same(place: Place) -> None:
    told, _ = report_on(place.endpoint, RANGE)
    rendered = render_range(place.history, "bias", SIX, SIX + 6 * HOUR)
    assert rendered.encode() == place.storage.read(told["report"])


def test_attributions_have_a_report_of_their_own(place: Place) -> None:
    place.baseline("explainability", explained({"a": 1.0, "b": 0.5, "c": 0.1}))
    place.report("explainability", "2026/11/20/06", analysis=explained({"a": 0.9, "b": 0.5, "c": 0.1}))

    told, _ = report_on(place.endpoint, RANGE, "explainability")

    assert (told["judged"], told["violating"], told["missing"]) == (1, 0, 5)
    words = Page((place.storage.read(told["report"]) or b"").decode()).words
    assert "NDCG of label0" in words
    assert "Model input" in words


def test_hostile_names_from_s3_are_text(place: Place) -> None:
    place.baseline("bias", bias({HOSTILE: {"DAR": 0.1}}, facet=HOSTILE))
    place.report(
        "bias",
        "2026/11/20/06",
        analysis=bias({HOSTILE: {"DAR": 0.5}}, facet=HOSTILE),
        constraint_violations=violations((HOSTILE, HOSTILE, "DAR")),
    )
    place.later(3600)
    page = Page(render_range(place.history, "bias", SIX, SIX + HOUR))
    assert "script" not in page.tags
    assert "<script>alert('1')</script>" in page.words


def test_hours_before_a_monitor_was_there_are_not_missing(place: Place) -> None:
    told, _ = report_on(place.endpoint, {**RANGE, "start": "2026-11-19T06:00:00Z"})
    assert told["missing"] == 1


def test_where_the_window_before_the_range_is_there_its_first_hours_are_missing(place: Place) -> None:
    told, _ = report_on(place.endpoint, {**RANGE, "start": "2026-11-20T08:00:00Z"})
    assert (told["judged"], told["missing"]) == (3, 1)


def test_windows_that_are_not_due_yet_are_not_missing(place: Place, aws: Running) -> None:
    now = aws.now()
    about = range_reports.range_of(place.history, "bias", SIX, now + timedelta(days=1))
    assert all(moment < now - HOUR for moment in about.missing)
    assert about.missing


def test_ranges_that_are_none_or_too_long_are_refused(place: Place) -> None:
    with pytest.raises(InputError, match=r"end 2026-11-20T06:00:00Z does not come after its start"):
        render_range(place.history, "bias", SIX, SIX)
    with pytest.raises(InputError, match=r"more than 10,000 windows from 2020-.*: ask for a shorter range"):
        render_range(place.history, "bias", datetime(2020, 1, 1, tzinfo=UTC), SIX)
    with pytest.raises(InputError, match="'None' is no range"):
        report_on(place.endpoint, None)

"""One alert for every schedule, judged by its latest executions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.monitoring import alerts
from tests.local_aws.embedded import Embedded, embedded, stub_every_image
from tests.local_aws.monitoring.monitors import (
    DELAY,
    captured,
    define,
    executions,
    prepare,
    to_the_next_firing,
)

CLEAN, VIOLATING, FAILING = "clean", "violating", "failing"


@pytest.fixture(autouse=True)
def stubs(monkeypatch: pytest.MonkeyPatch) -> None:
    stub_every_image(monkeypatch)


@pytest.fixture
def aws(tmp_path: Path) -> Iterator[Embedded]:
    with embedded(tmp_path / "aws", DELAY) as running:
        prepare_monitoring(running)
        yield running


def prepare_monitoring(aws: Embedded) -> None:
    """A schedule `drift`, and three definitions that it can be given."""
    prepare(aws)
    define(aws, CLEAN)
    define(aws, VIOLATING, behaviour="complete:CompletedWithViolations: 1 of 2")
    define(aws, FAILING, behaviour="fail:1")
    aws.sagemaker.create_monitoring_schedule(MonitoringScheduleName="drift", MonitoringScheduleConfig=config(CLEAN))


def config(definition: str) -> dict[str, Any]:
    return {
        "MonitoringJobDefinitionName": definition,
        "MonitoringType": "ModelExplainability",
        "ScheduleConfig": {"ScheduleExpression": "cron(0 * ? * * *)"},
    }


def execute(aws: Embedded, definition: str) -> str:
    """Let the schedule fire once with a definition; returns how that ended."""
    aws.sagemaker.update_monitoring_schedule(
        MonitoringScheduleName="drift", MonitoringScheduleConfig=config(definition)
    )
    captured(aws, aws.server.aws.clock.now() - DELAY)
    to_the_next_firing(aws)
    return str(executions(aws, "drift")[0]["MonitoringExecutionStatus"])


def alert(aws: Embedded) -> dict[str, Any]:
    (found,) = aws.sagemaker.list_monitoring_alerts(MonitoringScheduleName="drift")["MonitoringAlertSummaries"]
    return dict(found)


def history(aws: Embedded, **request: Any) -> list[str]:
    found = aws.sagemaker.list_monitoring_alert_history(**request)["MonitoringAlertHistory"]
    return [entry["AlertStatus"] for entry in found]


def tune(aws: Embedded, datapoints: int, period: int) -> None:
    aws.sagemaker.update_monitoring_alert(
        MonitoringScheduleName="drift",
        MonitoringAlertName=alerts.DEFAULT_NAME,
        DatapointsToAlert=datapoints,
        EvaluationPeriod=period,
    )


def test_a_schedule_comes_with_an_alert_that_one_violation_raises(aws: Embedded) -> None:
    found = alert(aws)
    assert found["AlertStatus"] == "OK"
    assert (found["DatapointsToAlert"], found["EvaluationPeriod"]) == (1, 1)
    assert found["Actions"] == {"ModelDashboardIndicator": {"Enabled": True}}
    assert execute(aws, VIOLATING) == "CompletedWithViolations"
    assert alert(aws)["AlertStatus"] == "InAlert"
    assert alert(aws)["LastModifiedTime"] > alert(aws)["CreationTime"]
    assert execute(aws, CLEAN) == "Completed"
    assert alert(aws)["AlertStatus"] == "OK"
    assert history(aws) == ["OK", "InAlert"]


def test_two_of_three_executions_raise_it_and_it_ends_when_they_are_no_longer_the_latest(aws: Embedded) -> None:
    tune(aws, 2, 3)
    story = [
        (execute(aws, definition), alert(aws)["AlertStatus"])
        for definition in (VIOLATING, CLEAN, VIOLATING, CLEAN, CLEAN)
    ]
    assert [status for _, status in story] == ["OK", "OK", "InAlert", "OK", "OK"]
    assert history(aws, MonitoringScheduleName="drift", SortOrder="Ascending") == ["InAlert", "OK"]


def test_it_is_raised_before_the_evaluation_period_is_full(aws: Embedded) -> None:
    tune(aws, 2, 5)
    execute(aws, VIOLATING)
    execute(aws, VIOLATING)
    assert alert(aws)["AlertStatus"] == "InAlert"


def test_an_execution_that_failed_says_nothing_about_the_model(aws: Embedded) -> None:
    execute(aws, VIOLATING)
    assert execute(aws, FAILING) == "Failed"
    assert alert(aws)["AlertStatus"] == "InAlert"


def test_new_criteria_hold_from_the_next_execution(aws: Embedded) -> None:
    execute(aws, VIOLATING)
    tune(aws, 2, 2)
    assert alert(aws)["AlertStatus"] == "InAlert"
    execute(aws, CLEAN)
    assert alert(aws)["AlertStatus"] == "OK"


def test_an_alert_survives_a_restart(tmp_path: Path) -> None:
    with embedded(tmp_path / "aws", DELAY) as aws:
        prepare_monitoring(aws)
        tune(aws, 1, 3)
        execute(aws, VIOLATING)
        before = alert(aws)
    with embedded(tmp_path / "aws", DELAY) as aws:
        assert alert(aws) == before
        assert history(aws, MonitoringScheduleName="drift") == ["InAlert"]


def test_an_execution_that_an_earlier_process_did_not_come_to_judge_is_judged_at_the_start(tmp_path: Path) -> None:
    with embedded(tmp_path / "aws", DELAY) as aws:
        prepare_monitoring(aws)
        execute(aws, VIOLATING)
        store = aws.server.aws.store
        key = f"{aws.sagemaker.meta.region_name}/drift"
        store.update(alerts.KIND, key, lambda alert: alert | {"AlertStatus": "OK", "JudgedBy": None})
    with embedded(tmp_path / "aws", DELAY) as aws:
        assert alert(aws)["AlertStatus"] == "InAlert"


def test_an_alert_goes_with_its_schedule_and_a_new_one_knows_nothing_of_it(aws: Embedded) -> None:
    execute(aws, VIOLATING)
    aws.sagemaker.delete_monitoring_schedule(MonitoringScheduleName="drift")
    with pytest.raises(ClientError, match="Could not find monitoring schedule") as refused:
        aws.sagemaker.list_monitoring_alerts(MonitoringScheduleName="drift")
    assert refused.value.response["Error"]["Code"] == "ResourceNotFound"
    assert history(aws) == []
    aws.sagemaker.create_monitoring_schedule(MonitoringScheduleName="drift", MonitoringScheduleConfig=config(CLEAN))
    assert alert(aws)["AlertStatus"] == "OK"
    tune(aws, 1, 2)
    execute(aws, CLEAN)
    assert alert(aws)["AlertStatus"] == "OK"


def test_history_is_filtered_sorted_and_paged(aws: Embedded) -> None:
    for definition in (VIOLATING, CLEAN, VIOLATING):
        execute(aws, definition)
    entries = aws.sagemaker.list_monitoring_alert_history(SortOrder="Ascending")["MonitoringAlertHistory"]
    times = [entry["CreationTime"] for entry in entries]
    assert times == sorted(times)
    assert history(aws, SortBy="Status", SortOrder="Ascending") == ["InAlert", "InAlert", "OK"]
    assert history(aws, StatusEquals="OK") == ["OK"]
    assert history(aws, CreationTimeAfter=times[1]) == ["InAlert", "OK"]
    assert history(aws, CreationTimeBefore=times[1] - timedelta(seconds=1)) == ["InAlert"]
    assert history(aws, MonitoringScheduleName="drift", MonitoringAlertName=alerts.DEFAULT_NAME, MaxResults=1) == [
        "InAlert"
    ]
    first = aws.sagemaker.list_monitoring_alert_history(MaxResults=2)
    second = aws.sagemaker.list_monitoring_alert_history(MaxResults=2, NextToken=first["NextToken"])
    assert (len(first["MonitoringAlertHistory"]), len(second["MonitoringAlertHistory"])) == (2, 1)
    assert "NextToken" not in second


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"MonitoringScheduleName": "other"}, "ResourceNotFound"),
        ({"MonitoringAlertName": "other"}, "ResourceNotFound"),
        ({"DatapointsToAlert": 4}, "ValidationException"),
        ({"EvaluationPeriod": 101}, "ValidationException"),
    ],
)
def test_criteria_that_make_no_sense_are_refused(aws: Embedded, changes: dict[str, Any], code: str) -> None:
    request = {
        "MonitoringScheduleName": "drift",
        "MonitoringAlertName": alerts.DEFAULT_NAME,
        "DatapointsToAlert": 2,
        "EvaluationPeriod": 3,
    }
    with pytest.raises(ClientError) as refused:
        aws.sagemaker.update_monitoring_alert(**request | changes)
    assert refused.value.response["Error"]["Code"] == code
    assert alert(aws)["EvaluationPeriod"] == 1


def test_history_of_what_is_not_there_is_refused(aws: Embedded) -> None:
    for request in (
        {"MonitoringScheduleName": "other"},
        {"MonitoringScheduleName": "drift", "MonitoringAlertName": "x"},
    ):
        with pytest.raises(ClientError) as refused:
            aws.sagemaker.list_monitoring_alert_history(**request)
        assert refused.value.response["Error"]["Code"] == "ResourceNotFound"


def test_old_history_is_dropped(aws: Embedded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alerts, "LONGEST_HISTORY", 2)
    for definition in (VIOLATING, CLEAN, VIOLATING):
        execute(aws, definition)
    assert history(aws) == ["InAlert", "OK"]

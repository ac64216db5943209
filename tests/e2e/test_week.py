"""A week of hourly schedules on a stepped clock, told hour by hour: clean for four days, drifted from the fifth on."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.e2e.week import ALARM, BIAS, DRIFT_BEGINS, ENDPOINT, EVENTS, EXPLAIN, HOUR, HOURS, Week
from tests.running_aws import start_local_aws

START = datetime(2026, 11, 16, tzinfo=UTC)
SCHEDULED = [START + number * HOUR for number in range(1, HOURS + 1)]
FILES = {BIAS: {"analysis.json", "report.html"}, EXPLAIN: {"analysis.json", "report.html"}}
CLEAN, DRIFTED = "Completed", "CompletedWithViolations"
STORY = [CLEAN] * DRIFT_BEGINS + [DRIFTED] * (HOURS - DRIFT_BEGINS)


@dataclass
class Lived:
    """A week that is over, and the alarm's state at the end of each of its hours."""

    week: Week
    seconds: float = 0.0
    alarm: list[str] = field(default_factory=list)

    def client(self, service: str) -> Any:
        return self.week.aws.client(service)

    def pages(self, service: str, operation: str, **request: Any) -> Iterator[dict[str, Any]]:
        yield from self.client(service).get_paginator(operation).paginate(**request)

    def executions(self, schedule: str) -> list[dict[str, Any]]:
        """Oldest first."""
        pages = self.pages(
            "sagemaker",
            "list_monitoring_executions",
            MonitoringScheduleName=schedule,
            SortBy="ScheduledTime",
            SortOrder="Ascending",
        )
        return [execution for page in pages for execution in page["MonitoringExecutionSummaries"]]

    def objects(self, prefix: str) -> list[dict[str, Any]]:
        pages = self.pages("s3", "list_objects_v2", Bucket=self.week.place.bucket, Prefix=prefix)
        return [found for page in pages for found in page.get("Contents", [])]

    def json(self, key: str) -> Any:
        return json.loads(self.week.s3.get_object(Bucket=self.week.place.bucket, Key=key)["Body"].read())

    def events(self, detail_type: str) -> list[dict[str, Any]]:
        pages = self.pages("logs", "filter_log_events", logGroupName=EVENTS)
        events = [json.loads(entry["message"]) for page in pages for entry in page["events"]]
        return [event for event in events if event["detail-type"] == detail_type]


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    began = time.monotonic()
    aws = start_local_aws(tmp_path_factory.mktemp("aws"), "--clock", "stepped", "--start", START.isoformat())
    try:
        lived = Lived(Week(aws))
        lived.week.monitor()
        lived.week.alarm()
        lived.week.listen()
        cloudwatch = lived.client("cloudwatch")
        for _ in lived.week.live():
            (alarm,) = cloudwatch.describe_alarms(AlarmNames=[ALARM])["MetricAlarms"]
            lived.alarm.append(alarm["StateValue"])
        lived.seconds = time.monotonic() - began
        yield lived
    finally:
        aws.stop()


def test_the_week_is_over(lived: Lived, record_property: pytest.RecordProperty) -> None:
    record_property("seconds", lived.seconds)
    assert lived.week.aws.now() == START + HOURS * HOUR


@pytest.mark.parametrize("schedule", [BIAS, EXPLAIN])
def test_each_monitor_turns_on_the_fifth_day(lived: Lived, schedule: str) -> None:
    executions = lived.executions(schedule)
    assert [execution["ScheduledTime"] for execution in executions] == SCHEDULED
    assert [execution["CreationTime"] for execution in executions] == SCHEDULED
    assert [execution["LastModifiedTime"] for execution in executions] == SCHEDULED
    assert [execution["MonitoringExecutionStatus"] for execution in executions] == STORY


@pytest.mark.parametrize("schedule", [BIAS, EXPLAIN])
def test_every_hour_has_its_report(lived: Lived, schedule: str) -> None:
    prefix = f"reports/{ENDPOINT}/{schedule}/"
    reports: dict[str, set[str]] = defaultdict(set)
    for found in lived.objects(prefix):
        hour, name = found["Key"].removeprefix(prefix)[:13], found["Key"].removeprefix(prefix)[14:]
        assert found["LastModified"] == datetime.strptime(hour, "%Y/%m/%d/%H").replace(tzinfo=UTC), found["Key"]
        reports[hour].add(name)
    assert list(reports) == [f"{hour:%Y/%m/%d/%H}" for hour in SCHEDULED]
    assert all(FILES[schedule] <= names for names in reports.values())
    violated = ["constraint_violations.json" in names for names in reports.values()]
    assert violated == [status == DRIFTED for status in STORY]


def test_the_violations_say_what_went_wrong(lived: Lived) -> None:
    last = f"{SCHEDULED[-1]:%Y/%m/%d/%H}"
    bias, explain = (
        lived.json(f"reports/{ENDPOINT}/{schedule}/{last}/constraint_violations.json")["violations"]
        for schedule in (BIAS, EXPLAIN)
    )
    assert "DPPL" in {violation["metric_name"] for violation in bias}
    (attribution,) = explain
    assert attribution["constraint_check_type"] == "feature_attribution_drift_check"
    values = lived.json(f"reports/{ENDPOINT}/{EXPLAIN}/{last}/analysis.json")["explanations"]["kernel_shap"]["label0"]
    assert values["global_shap_values"]["a"] == pytest.approx(0), "what is not filled in decides nothing"


def test_metrics_stand_at_the_hours_that_they_measure(lived: Lived) -> None:
    cloudwatch = lived.client("cloudwatch")
    (alarm,) = cloudwatch.describe_alarms(AlarmNames=[ALARM])["MetricAlarms"]
    points = cloudwatch.get_metric_statistics(
        Namespace=alarm["Namespace"],
        MetricName=alarm["MetricName"],
        Dimensions=alarm["Dimensions"],
        StartTime=START,
        EndTime=START + HOURS * HOUR,
        Period=3600,
        Statistics=["Average"],
    )["Datapoints"]
    points.sort(key=lambda point: point["Timestamp"])
    assert [point["Timestamp"] for point in points] == [START + number * HOUR for number in range(HOURS)]
    values = [point["Average"] for point in points]
    assert len(set(values[:DRIFT_BEGINS])) == 1
    assert abs(values[0]) < 0.2
    assert values[DRIFT_BEGINS:] == [1.0] * (HOURS - DRIFT_BEGINS), "the model decides by the group alone"


def test_the_alarm_sounds_with_the_first_drifted_hour(lived: Lived) -> None:
    assert lived.alarm == ["ALARM" if status == DRIFTED else "OK" for status in STORY]
    history = lived.client("cloudwatch").describe_alarm_history(AlarmName=ALARM, HistoryItemType="StateUpdate")
    assert [item["Timestamp"] for item in history["AlarmHistoryItems"]] == [SCHEDULED[DRIFT_BEGINS], SCHEDULED[0]]


@pytest.mark.parametrize("schedule", [BIAS, EXPLAIN])
def test_the_monitoring_alert_is_raised_with_it(lived: Lived, schedule: str) -> None:
    sagemaker = lived.client("sagemaker")
    (alert,) = sagemaker.list_monitoring_alerts(MonitoringScheduleName=schedule)["MonitoringAlertSummaries"]
    assert alert["AlertStatus"] == "InAlert"
    (change,) = sagemaker.list_monitoring_alert_history(MonitoringScheduleName=schedule)["MonitoringAlertHistory"]
    assert (change["AlertStatus"], change["CreationTime"]) == ("InAlert", SCHEDULED[DRIFT_BEGINS])


def test_events_tell_of_every_execution_and_of_the_alarm(lived: Lived) -> None:
    ended: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for event in lived.events("SageMaker Monitoring Schedule State Change"):
        execution = event["detail"].get("LastMonitoringExecutionSummary", {})
        if execution.get("MonitoringExecutionStatus") in (CLEAN, DRIFTED):
            ended[execution["MonitoringScheduleName"]].append((event["time"], execution["MonitoringExecutionStatus"]))
    expected = [(f"{hour:%Y-%m-%dT%H:%M:%SZ}", status) for hour, status in zip(SCHEDULED, STORY, strict=True)]
    assert dict(ended) == {BIAS: expected, EXPLAIN: expected}
    states = [event["detail"]["state"]["value"] for event in lived.events("CloudWatch Alarm State Change")]
    assert states == ["OK", "ALARM"]


def test_every_job_has_its_log(lived: Lived) -> None:
    group = "/aws/sagemaker/ProcessingJobs"
    pages = lived.pages("logs", "describe_log_streams", logGroupName=group)
    created: dict[str, list[datetime]] = defaultdict(list)
    for page in pages:
        for stream in page["logStreams"]:
            kind = stream["logStreamName"].split("-2026")[0]
            created[kind].append(datetime.fromtimestamp(stream["creationTime"] / 1000, UTC))
    for kind in ("groundtruth-merge", "model-bias-monitoring", "model-explainability-monitoring"):
        assert sorted(created[kind]) == SCHEDULED


def test_the_programs_log_by_the_servers_time(lived: Lived) -> None:
    last = SCHEDULED[-1]
    stream = f"model-bias-monitoring-{last:%Y%m%d%H%M}"
    pages = lived.pages("logs", "filter_log_events", logGroupName="/aws/sagemaker/ProcessingJobs")
    events = [event for page in pages for event in page["events"]]
    lines = [event["message"] for event in events if event["logStreamName"].startswith(stream)]
    stamps = {line[:13] for line in lines if line[4:5] == "-"}
    assert stamps == {f"{last:%Y-%m-%d %H}"}


def test_captures_lie_in_their_hours(lived: Lived) -> None:
    captured = {found["Key"].rsplit("/", 1)[0][-13:] for found in lived.objects(f"datacapture/{ENDPOINT}/")}
    assert captured == {f"{START + number * HOUR:%Y/%m/%d/%H}" for number in range(HOURS)}

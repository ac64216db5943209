"""CloudWatch alarms change state by what is published, on the server's clock."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.clock import Clock
from tests.local_aws.embedded import Embedded, embedded
from tests.local_aws.subscriber import subscriber, topic_for
from tests.polling import until
from tests.running_aws import REGION, start_local_aws

DIMENSIONS = [{"Name": "Endpoint", "Value": "churn"}, {"Name": "MonitoringSchedule", "Value": "drift"}]
LOG_GROUP = "/aws/events/alarms"
TEN = datetime(2026, 11, 23, 10, tzinfo=UTC)


@pytest.fixture
def aws(tmp_path: Path) -> Iterator[Embedded]:
    """A server whose clock stands at a full hour."""
    with embedded(tmp_path / "aws", clock=Clock(stepped=True, start=TEN)) as running:
        yield running


def put_alarm(aws: Embedded, name: str = "drift", **changes: Any) -> None:
    request = {
        "AlarmName": name,
        "Namespace": "monitor",
        "MetricName": "DPL",
        "Dimensions": DIMENSIONS,
        "Statistic": "Average",
        "Period": 3600,
        "EvaluationPeriods": 1,
        "Threshold": 0.1,
        "ComparisonOperator": "GreaterThanThreshold",
    } | changes
    aws.client("cloudwatch").put_metric_alarm(**{key: value for key, value in request.items() if value is not None})


def publish(aws: Embedded, value: float, ago: timedelta = timedelta(hours=1), **changes: Any) -> None:
    """Publish as a monitoring job does: at the end of its hour, with the hour's start as timestamp."""
    moment = aws.server.aws.clock.now() - ago
    datum = {"MetricName": "DPL", "Dimensions": DIMENSIONS, "Timestamp": moment, "Value": value} | changes
    aws.client("cloudwatch").put_metric_data(Namespace="monitor", MetricData=[datum])


def alarm(aws: Embedded, name: str = "drift") -> dict[str, Any]:
    (found,) = aws.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return dict(found)


def state(aws: Embedded, name: str = "drift") -> str:
    return str(alarm(aws, name)["StateValue"])


def history(aws: Embedded, **request: Any) -> list[dict[str, Any]]:
    found = aws.client("cloudwatch").describe_alarm_history(AlarmName="drift", **request)["AlarmHistoryItems"]
    return [dict(item) for item in found]


def advance(aws: Embedded, **by: float) -> None:
    aws.server.aws.clock.advance(timedelta(**by).total_seconds())


def test_a_new_alarm_knows_nothing(aws: Embedded) -> None:
    put_alarm(aws)
    assert state(aws) == "INSUFFICIENT_DATA"
    assert alarm(aws)["StateReason"] == "Unchecked: Initial alarm creation"
    advance(aws, hours=5)
    assert state(aws) == "INSUFFICIENT_DATA"


def test_an_hourly_metric_raises_and_ends_an_alarm_hour_by_hour(aws: Embedded) -> None:
    put_alarm(aws)
    story = []
    for value in (0.05, 0.2, 0.3, 0.0):
        publish(aws, value)
        story.append((state(aws), alarm(aws)["StateUpdatedTimestamp"]))
        advance(aws, hours=1)
    assert [value for value, _ in story] == ["OK", "ALARM", "ALARM", "OK"]
    assert story[2][1] == story[1][1], "a state that stays is not changed again"
    assert "[0.0 (" in alarm(aws)["StateReason"]
    assert json.loads(alarm(aws)["StateReasonData"])["recentDatapoints"] == [0.0]


def test_the_reports_delay_of_twenty_minutes_makes_no_gap(aws: Embedded) -> None:
    put_alarm(aws)
    advance(aws, minutes=20)
    seen = set()
    for _ in range(4):
        publish(aws, 0.5, ago=timedelta(hours=1, minutes=20))
        for _ in range(6):
            seen.add(state(aws))
            advance(aws, minutes=10)
    assert seen == {"ALARM"}


def test_when_data_ends_the_alarm_does_not_know_any_more(aws: Embedded) -> None:
    put_alarm(aws)
    publish(aws, 0.5)
    advance(aws, hours=1)
    assert state(aws) == "ALARM"
    advance(aws, hours=4)
    assert state(aws) == "INSUFFICIENT_DATA"
    assert alarm(aws)["StateReason"] == "Insufficient Data: 1 datapoint was unknown."


@pytest.mark.parametrize(
    ("treatment", "expected"), [("breaching", "ALARM"), ("notBreaching", "OK"), ("ignore", "INSUFFICIENT_DATA")]
)
def test_missing_data_is_treated_as_told(aws: Embedded, treatment: str, expected: str) -> None:
    put_alarm(aws, TreatMissingData=treatment)
    assert state(aws) == "INSUFFICIENT_DATA"
    advance(aws, minutes=1)
    assert state(aws) == expected


def test_two_of_three_hours(aws: Embedded) -> None:
    put_alarm(aws, EvaluationPeriods=3, DatapointsToAlarm=2)
    story = []
    for value in (0.5, 0.0, 0.5, 0.0, 0.0):
        publish(aws, value)
        story.append(state(aws))
        advance(aws, hours=1)
    assert story == ["INSUFFICIENT_DATA", "OK", "ALARM", "OK", "OK"]


def test_data_of_this_minute_counts_when_the_minute_is_over(aws: Embedded) -> None:
    put_alarm(aws, Period=60, Statistic="Sum", Threshold=5)
    for _ in range(3):
        publish(aws, 2, ago=timedelta(0))
        advance(aws, seconds=10)
    assert state(aws) == "INSUFFICIENT_DATA"
    advance(aws, seconds=30)
    assert state(aws) == "ALARM"


@pytest.mark.parametrize(
    "other",
    [
        {"MetricName": "DI"},
        {"Dimensions": DIMENSIONS[:1]},
        {"Dimensions": [*DIMENSIONS, {"Name": "Facet", "Value": "age"}]},
        {"Dimensions": [DIMENSIONS[0], {"Name": "MonitoringSchedule", "Value": "other"}]},
        {"Unit": "Count"},
    ],
)
def test_other_data_does_not_count(aws: Embedded, other: dict[str, Any]) -> None:
    put_alarm(aws, Unit="Percent")
    publish(aws, 0.5, **({"Unit": "Percent"} | other))
    advance(aws, hours=1)
    assert state(aws) == "INSUFFICIENT_DATA"


def test_the_order_of_dimensions_does_not_matter_and_data_without_a_unit_fits_an_alarm_without(aws: Embedded) -> None:
    put_alarm(aws)
    publish(aws, 0.5, Dimensions=DIMENSIONS[::-1], Unit="Percent")
    assert state(aws) == "ALARM"


def test_an_alarm_sees_data_from_before_it_was_made(aws: Embedded) -> None:
    publish(aws, 0.5)
    put_alarm(aws)
    advance(aws, minutes=1)
    assert state(aws) == "ALARM"


def test_new_settings_keep_the_state_until_they_are_judged(aws: Embedded) -> None:
    put_alarm(aws)
    publish(aws, 0.5)
    put_alarm(aws, Threshold=0.9)
    assert state(aws) == "ALARM"
    advance(aws, minutes=1)
    assert state(aws) == "OK"
    updates = [item["HistorySummary"] for item in history(aws, HistoryItemType="ConfigurationUpdate")]
    assert updates == ['Alarm "drift" updated', 'Alarm "drift" created']


def test_a_state_set_by_hand_lasts_until_the_alarm_is_judged(aws: Embedded) -> None:
    put_alarm(aws)
    publish(aws, 0.0)
    advance(aws, minutes=5)
    aws.client("cloudwatch").set_alarm_state(AlarmName="drift", StateValue="ALARM", StateReason="a drill")
    assert (state(aws), alarm(aws)["StateReason"]) == ("ALARM", "a drill")
    advance(aws, minutes=1)
    assert state(aws) == "OK"
    summaries = [item["HistorySummary"] for item in history(aws, HistoryItemType="StateUpdate")]
    assert summaries == [
        "Alarm updated from ALARM to OK",
        "Alarm updated from OK to ALARM",
        "Alarm updated from INSUFFICIENT_DATA to OK",
    ]


def test_history_tells_both_states_and_is_paged(aws: Embedded) -> None:
    put_alarm(aws)
    publish(aws, 0.5)
    advance(aws, hours=1)
    publish(aws, 0.0)
    first = aws.client("cloudwatch").describe_alarm_history(AlarmName="drift", MaxRecords=2)
    second = aws.client("cloudwatch").describe_alarm_history(
        AlarmName="drift", MaxRecords=2, NextToken=first["NextToken"]
    )
    items = [*first["AlarmHistoryItems"], *second["AlarmHistoryItems"]]
    assert [item["HistoryItemType"] for item in items] == ["StateUpdate", "StateUpdate", "ConfigurationUpdate"]
    data = json.loads(items[0]["HistoryData"])
    assert (data["oldState"]["stateValue"], data["newState"]["stateValue"]) == ("ALARM", "OK")
    assert data["newState"]["stateReasonData"]["threshold"] == 0.1
    assert history(aws, ScanBy="TimestampAscending")[0]["HistoryItemType"] == "ConfigurationUpdate"
    assert len(history(aws, StartDate=items[0]["Timestamp"])) == 1
    assert len(history(aws, EndDate=items[1]["Timestamp"])) == 2
    with pytest.raises(ClientError) as refused:
        history(aws, NextToken="rubbish")
    assert refused.value.response["Error"]["Code"] == "InvalidNextToken"


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"Period": 45}, "multiple of 60"),
        ({"DatapointsToAlarm": 2}, "DatapointsToAlarm"),
        ({"ComparisonOperator": "GreaterThanUpperThreshold"}, "ComparisonOperator"),
        ({"Statistic": None}, "Statistic"),
        ({"Statistic": "Median"}, "statistic"),
        ({"TreatMissingData": "panic"}, "TreatMissingData"),
        ({"Threshold": None}, "Threshold"),
        ({"Period": 3600, "EvaluationPeriods": 169}, "must not be more than 604800 seconds"),
        ({"Period": 300, "EvaluationPeriods": 289}, "must not be more than 86400 seconds"),
        ({"AlarmName": "x" * 256}, "at 'alarmName' failed to satisfy constraint: Member must have length less than"),
        ({"Dimensions": [{"Name": f"d{n}", "Value": "v"} for n in range(31)]}, "at 'dimensions' failed to satisfy"),
        ({"AlarmActions": ["arn:aws:sns:us-west-2:123456789012:t"] * 6}, "at 'alarmActions' failed to satisfy"),
        ({"Statistic": None, "ExtendedStatistic": "p101"}, "percentile"),
        ({"Statistic": None, "ExtendedStatistic": "tm90"}, "percentile"),
        (
            {
                **dict.fromkeys(("Namespace", "MetricName", "Dimensions", "Statistic", "Period")),
                "Metrics": [{"Id": "e1", "Expression": "SUM(METRICS())"}],
            },
            "not supported by local_aws",
        ),
    ],
)
def test_an_alarm_that_cannot_be_judged_is_refused(aws: Embedded, changes: dict[str, Any], text: str) -> None:
    with pytest.raises(ClientError, match=text) as refused:
        put_alarm(aws, **changes)
    assert refused.value.response["Error"]["Code"] in ("ValidationError", "ValidationException")
    assert aws.client("cloudwatch").describe_alarms()["MetricAlarms"] == []


def test_deleted_alarms_are_silent_and_a_new_one_of_the_name_starts_anew(aws: Embedded) -> None:
    put_alarm(aws)
    publish(aws, 0.5)
    aws.client("cloudwatch").delete_alarms(AlarmNames=["drift"])
    publish(aws, 0.6)
    put_alarm(aws)
    assert state(aws) == "INSUFFICIENT_DATA"


def test_moto_throwing_data_away_confuses_nobody(aws: Embedded) -> None:
    from moto.cloudwatch.models import cloudwatch_backends

    put_alarm(aws)
    publish(aws, 0.0)
    publish(aws, 0.0)
    data = cloudwatch_backends["123456789012"][REGION].metric_data
    del data[:1]
    publish(aws, 5.0)
    assert json.loads(alarm(aws)["StateReasonData"])["recentDatapoints"] == [2.5]


def test_topics_that_are_actions_notify_their_subscribers(aws: Embedded) -> None:
    with subscriber() as (address, received):
        topic = topic_for(aws, address)
        put_alarm(aws, AlarmActions=[topic], OKActions=[topic], AlarmDescription="churn drifts")
        publish(aws, 0.5)
        advance(aws, hours=1)
        publish(aws, 0.0)
        assert aws.server.aws.settle(10) == []
    messages = [json.loads(notification["Message"]) for notification in received]
    assert [message["NewStateValue"] for message in messages] == ["ALARM", "OK"]
    assert received[0]["Subject"] == 'ALARM: "drift" in US West (Oregon)'
    assert messages[0]["OldStateValue"] == "INSUFFICIENT_DATA"
    assert messages[0]["AlarmDescription"] == "churn drifts"
    assert messages[0]["Trigger"]["Dimensions"] == [
        {"name": dimension["Name"], "value": dimension["Value"]} for dimension in DIMENSIONS
    ]
    actions = [item["HistorySummary"] for item in history(aws, HistoryItemType="Action")]
    assert actions == [f"Successfully executed action {topic}"] * 2


def test_disabled_actions_are_not_done(aws: Embedded) -> None:
    with subscriber() as (address, received):
        put_alarm(aws, AlarmActions=[topic_for(aws, address)])
        aws.client("cloudwatch").disable_alarm_actions(AlarmNames=["drift"])
        publish(aws, 0.5)
        assert state(aws) == "ALARM"
        assert aws.server.aws.settle(10) == []
    assert received == []


def test_an_action_that_cannot_be_done_is_told_in_the_history(aws: Embedded) -> None:
    missing = f"arn:aws:sns:{REGION}:123456789012:nowhere"
    machine = f"arn:aws:automate:{REGION}:ec2:stop"
    put_alarm(aws, AlarmActions=[missing, machine])
    publish(aws, 0.5)
    assert aws.server.aws.settle(10) == []
    failures = history(aws, HistoryItemType="Action", ScanBy="TimestampAscending")
    assert [item["HistorySummary"] for item in failures] == [
        f"Failed to execute action {missing}",
        f"Failed to execute action {machine}",
    ]
    assert "SNS topics only" in failures[1]["HistoryData"]


def test_a_change_of_state_is_an_event(aws: Embedded) -> None:
    aws.client("logs").create_log_group(logGroupName=LOG_GROUP)
    events = aws.client("events")
    events.put_rule(Name="alarms", EventPattern=json.dumps({"source": ["aws.cloudwatch"]}))
    events.put_targets(
        Rule="alarms", Targets=[{"Id": "log", "Arn": f"arn:aws:logs:{REGION}:123456789012:log-group:{LOG_GROUP}"}]
    )
    put_alarm(aws)
    publish(aws, 0.5)
    assert aws.server.aws.settle(10) == []
    (found,) = aws.client("logs").filter_log_events(logGroupName=LOG_GROUP)["events"]
    event = json.loads(found["message"])
    assert event["detail-type"] == "CloudWatch Alarm State Change"
    assert event["resources"] == [alarm(aws)["AlarmArn"]]
    assert event["time"] == f"{aws.server.aws.clock.now():%Y-%m-%dT%H:%M:%SZ}"
    assert event["detail"]["alarmName"] == "drift"
    assert event["detail"]["previousState"]["value"] == "INSUFFICIENT_DATA"
    assert event["detail"]["state"]["value"] == "ALARM"
    assert event["detail"]["state"]["reason"] == alarm(aws)["StateReason"]
    (metric,) = event["detail"]["configuration"]["metrics"]
    assert metric["metricStat"]["metric"]["dimensions"] == {"Endpoint": "churn", "MonitoringSchedule": "drift"}


def test_state_and_history_survive_a_restart_and_nobody_is_notified_again(tmp_path: Path) -> None:
    with subscriber() as (address, received):
        with embedded(tmp_path / "aws", clock=Clock(stepped=True, start=TEN)) as aws:
            put_alarm(aws, AlarmActions=[topic_for(aws, address)])
            publish(aws, 0.5)
            assert aws.server.aws.settle(10) == []
            before = alarm(aws), history(aws)
            advance(aws, minutes=30)
        with embedded(tmp_path / "aws", clock=Clock(stepped=True)) as aws:
            assert (alarm(aws), history(aws)) == before
            advance(aws, minutes=30)
            assert state(aws) == "ALARM", "the data is there too"
            publish(aws, 0.0)
            assert state(aws) == "OK"
            assert aws.server.aws.settle(10) == []
    assert len(received) == 1


def test_time_that_passed_without_a_server_is_seen_at_the_start(tmp_path: Path) -> None:
    with embedded(tmp_path / "aws", clock=Clock(start=TEN, source=lambda: TEN)) as aws:
        put_alarm(aws)
        publish(aws, 0.5)
        assert state(aws) == "ALARM"
    now = [TEN + timedelta(hours=9)]
    with embedded(tmp_path / "aws", clock=Clock(source=lambda: now[0])) as aws:
        assert state(aws) == "ALARM"
        now[0] += timedelta(minutes=1)
        aws.server.aws.clock.call_at(now[0], lambda: None)  # the clock looks at the time at once
        until(lambda: state(aws), lambda value: value == "INSUFFICIENT_DATA")


def test_what_an_alarm_said_survives_a_kill(tmp_path: Path) -> None:
    server = start_local_aws(tmp_path, "--clock", "stepped")
    cloudwatch = server.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="drift",
        Namespace="monitor",
        MetricName="DPL",
        Statistic="Average",
        Period=3600,
        EvaluationPeriods=1,
        Threshold=0.1,
        ComparisonOperator="GreaterThanThreshold",
    )
    datum = {"MetricName": "DPL", "Value": 0.5, "Timestamp": server.now() - timedelta(hours=1)}
    cloudwatch.put_metric_data(Namespace="monitor", MetricData=[datum])
    before = cloudwatch.describe_alarms()["MetricAlarms"], cloudwatch.describe_alarm_history()["AlarmHistoryItems"]
    server.process.kill()
    server.stop()
    again = start_local_aws(tmp_path, "--clock", "stepped")
    cloudwatch = again.client("cloudwatch")
    after = cloudwatch.describe_alarms()["MetricAlarms"], cloudwatch.describe_alarm_history()["AlarmHistoryItems"]
    again.stop()
    assert before[0][0]["StateValue"] == "ALARM"
    assert after == before


def test_many_who_publish_while_alarms_come_and_go(aws: Embedded) -> None:
    """Nothing is lost, counted twice or refused."""
    cloudwatch = aws.client("cloudwatch")
    moment = TEN - timedelta(minutes=30)
    failures: list[Exception] = []

    def keep_on(action: Callable[[], object], times: int) -> None:
        try:
            for _ in range(times):
                action()
        except Exception as error:
            failures.append(error)

    def publish_one() -> None:
        datum = {"MetricName": "DPL", "Dimensions": DIMENSIONS, "Timestamp": moment, "Value": 1}
        cloudwatch.put_metric_data(Namespace="monitor", MetricData=[datum])

    def come_and_go() -> None:
        put_alarm(aws, "fleeting")
        cloudwatch.delete_alarms(AlarmNames=["fleeting"])

    put_alarm(aws, "steady", Statistic="Sum", Threshold=1e9)
    work = [(publish_one, 20)] * 4 + [(come_and_go, 10), (lambda: put_alarm(aws, Statistic="Sum", Threshold=1e9), 10)]
    threads = [threading.Thread(target=keep_on, args=arguments) for arguments in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    put_alarm(aws, Statistic="Sum", Threshold=79.5)
    put_alarm(aws, "steady", Statistic="Sum", Threshold=79.5)
    put_alarm(aws, "exact", Statistic="Sum", Threshold=80.5)
    advance(aws, minutes=1)
    assert [state(aws, name) for name in ("drift", "steady", "exact")] == ["ALARM", "ALARM", "OK"]

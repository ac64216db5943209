"""From an execution that finds violations to somebody who is told of it."""

from __future__ import annotations

import json

from tests.local_aws.embedded import Embedded
from tests.local_aws.monitoring.monitors import (
    DELAY,
    captured,
    executions,
    monitor,
    now,
    to_the_next_firing,
)
from tests.local_aws.subscriber import subscriber, topic_for


def test_an_executions_metric_raises_an_alarm_that_notifies_a_subscriber(aws: Embedded) -> None:
    monitor(
        aws,
        "drift",
        behaviour="metrics:CompletedWithViolations: 1 of 2",
        environment={"publish_cloudwatch_metrics": "Enabled"},
    )
    with subscriber() as (address, received):
        topic = topic_for(aws, address)
        aws.client("cloudwatch").put_metric_alarm(
            AlarmName="drift",
            Namespace="stub",
            MetricName="stub",
            Statistic="Average",
            Period=3600,
            EvaluationPeriods=1,
            Threshold=0.4,
            ComparisonOperator="GreaterThanThreshold",
            AlarmActions=[topic],
            OKActions=[topic],
            InsufficientDataActions=[topic],
        )
        captured(aws, now(aws))
        hour = to_the_next_firing(aws)
        assert executions(aws, "drift")[0]["MonitoringExecutionStatus"] == "CompletedWithViolations"
        assert aws.server.aws.settle(20) == []
        (alarm,) = aws.client("cloudwatch").describe_alarms(AlarmNames=["drift"])["MetricAlarms"]
        assert alarm["StateValue"] == "ALARM"
        assert hour <= alarm["StateUpdatedTimestamp"] <= hour + DELAY
        (notification,) = received
        told = json.loads(notification["Message"])
        assert (told["AlarmName"], told["NewStateValue"]) == ("drift", "ALARM")
        assert notification["TopicArn"] == topic

        # Nothing is captured any more: executions fail, no metric comes, and the alarm loses its ground.
        for _ in range(4):
            to_the_next_firing(aws)
        assert aws.server.aws.settle(20) == []
    assert [json.loads(item["Message"])["NewStateValue"] for item in received] == ["ALARM", "INSUFFICIENT_DATA"]
    (alert,) = aws.sagemaker.list_monitoring_alerts(MonitoringScheduleName="drift")["MonitoringAlertSummaries"]
    assert alert["AlertStatus"] == "InAlert", "what failed took nothing back"

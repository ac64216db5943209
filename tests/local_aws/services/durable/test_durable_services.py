"""What the services that moto answers for still know after a restart."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.clock import Clock
from local_aws.database_files import UnusableStore
from local_aws.server import Server
from local_aws.services.durable import bounds
from local_aws.services.durable.durable_services import DurableServices
from tests.local_aws.embedded import Embedded, embedded
from tests.running_aws import REGION

NOW = datetime(2026, 11, 22, 10, 27, tzinfo=UTC)


def document(**statement: Any) -> str:
    """A policy."""
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow"} | statement]})


TRUST = document(Principal={"Service": "sagemaker.amazonaws.com"}, Action="sts:AssumeRole")
POLICY = document(Action="s3:GetObject", Resource="arn:aws:s3:::bucket/*")
METADATA = "ResponseMetadata"


def stripped(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name != METADATA}


def make_iam(aws: Embedded) -> None:
    iam = aws.client("iam")
    iam.create_role(RoleName="worker", AssumeRolePolicyDocument=TRUST, Tags=[{"Key": "a", "Value": "b"}])
    policy = iam.create_policy(PolicyName="read", PolicyDocument=POLICY)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="worker", PolicyArn=policy)
    iam.create_user(UserName="ann")
    iam.create_access_key(UserName="ann")
    iam.create_access_key(UserName="ann")


def seen_iam(aws: Embedded) -> Any:
    iam = aws.client("iam")
    return [
        stripped(iam.get_role(RoleName="worker")),
        stripped(iam.list_attached_role_policies(RoleName="worker")),
        stripped(iam.get_user(UserName="ann")),
        stripped(iam.list_access_keys(UserName="ann")),
        stripped(iam.list_policies(Scope="Local")),
    ]


def make_sns(aws: Embedded) -> None:
    sns = aws.client("sns")
    topic = sns.create_topic(Name="news", Attributes={"DisplayName": "News"})["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="ann@example.com")
    sns.publish(TopicArn=topic, Message="told once")


def seen_sns(aws: Embedded) -> Any:
    sns = aws.client("sns")
    topic = sns.list_topics()["Topics"][0]["TopicArn"]
    return [stripped(sns.get_topic_attributes(TopicArn=topic)), stripped(sns.list_subscriptions())]


def make_events(aws: Embedded) -> None:
    events = aws.client("events")
    events.put_rule(Name="endpoints", EventPattern='{"source": ["aws.sagemaker"]}', Description="first")
    events.put_rule(Name="endpoints", EventPattern='{"source": ["aws.sagemaker"]}', Description="second")
    events.put_targets(Rule="endpoints", Targets=[{"Id": "t", "Arn": "arn:aws:sns:us-west-2:123456789012:news"}])
    events.create_event_bus(Name="other")


def seen_events(aws: Embedded) -> Any:
    events = aws.client("events")
    return [
        stripped(events.list_rules()),
        stripped(events.list_targets_by_rule(Rule="endpoints")),
        stripped(events.list_event_buses()),
    ]


def make_logs(aws: Embedded) -> None:
    logs = aws.client("logs")
    now = int(aws.server.aws.clock.timestamp() * 1000)
    logs.create_log_group(logGroupName="group", tags={"a": "b"})
    logs.put_retention_policy(logGroupName="group", retentionInDays=7)
    logs.create_log_stream(logGroupName="group", logStreamName="stream")
    logs.create_log_stream(logGroupName="group", logStreamName="empty")
    for number in range(3):
        events = [{"timestamp": now + number, "message": f"line {number} é"}]
        logs.put_log_events(logGroupName="group", logStreamName="stream", logEvents=events)


def seen_logs(aws: Embedded) -> Any:
    logs = aws.client("logs")
    return [
        stripped(logs.describe_log_groups()),
        stripped(logs.describe_log_streams(logGroupName="group")),
        logs.filter_log_events(logGroupName="group")["events"],
    ]


def make_metrics(aws: Embedded) -> None:
    cloudwatch = aws.client("cloudwatch")
    value = {"MetricName": "drift", "Value": 0.25, "Dimensions": [{"Name": "Endpoint", "Value": "churn"}]}
    moment = aws.server.aws.clock.now() - timedelta(minutes=5)
    summary = {"Minimum": 1.0, "Maximum": 3.0, "Sum": 6.0, "SampleCount": 3.0}
    cloudwatch.put_metric_data(Namespace="n", MetricData=[value, {"MetricName": "many", "Values": [1.0, 2.0]}])
    cloudwatch.put_metric_data(
        Namespace="n", MetricData=[{"MetricName": "whole", "StatisticValues": summary, "Timestamp": moment}]
    )
    cloudwatch.put_metric_alarm(
        AlarmName="drifted",
        Namespace="n",
        MetricName="drift",
        Threshold=0.1,
        ComparisonOperator="GreaterThanThreshold",
        EvaluationPeriods=1,
        Period=300,
        Statistic="Average",
    )
    cloudwatch.set_alarm_state(AlarmName="drifted", StateValue="ALARM", StateReason="by hand")


def seen_metrics(aws: Embedded) -> Any:
    cloudwatch = aws.client("cloudwatch")
    now = aws.server.aws.clock.now()
    statistics = [
        sorted(
            cloudwatch.get_metric_statistics(
                Namespace="n",
                MetricName=name,
                StartTime=now - timedelta(hours=1),
                EndTime=now + timedelta(hours=1),
                Period=60,
                Statistics=["Sum", "SampleCount", "Maximum"],
                Dimensions=dimensions,
            )["Datapoints"],
            key=lambda point: point["Timestamp"],
        )
        for name, dimensions in (("drift", [{"Name": "Endpoint", "Value": "churn"}]), ("many", []), ("whole", []))
    ]
    assert all(statistics)
    return [statistics, cloudwatch.describe_alarms()["MetricAlarms"]]


@pytest.mark.parametrize(
    ("make", "seen"),
    [
        (make_iam, seen_iam),
        (make_sns, seen_sns),
        (make_events, seen_events),
        (make_logs, seen_logs),
        (make_metrics, seen_metrics),
    ],
    ids=["iam", "sns", "events", "logs", "metrics"],
)
def test_a_restart_changes_nothing(
    tmp_path: Path, make: Callable[[Embedded], None], seen: Callable[[Embedded], Any]
) -> None:
    with embedded(tmp_path, clock=Clock(stepped=True, start=NOW)) as first:
        make(first)
        before = seen(first)
    with embedded(tmp_path, clock=Clock(stepped=True)) as second:
        assert seen(second) == before


def test_what_is_deleted_stays_away_and_leaves_nothing_in_the_journal(tmp_path: Path) -> None:
    with embedded(tmp_path) as aws:
        iam, sns, events = aws.client("iam"), aws.client("sns"), aws.client("events")
        logs, cloudwatch = aws.client("logs"), aws.client("cloudwatch")
        iam.create_role(RoleName="gone", AssumeRolePolicyDocument=TRUST)
        iam.put_role_policy(RoleName="gone", PolicyName="inline", PolicyDocument=POLICY)
        iam.delete_role_policy(RoleName="gone", PolicyName="inline")
        iam.delete_role(RoleName="gone")
        topic = sns.create_topic(Name="gone")["TopicArn"]
        sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="ann@example.com")
        sns.delete_topic(TopicArn=topic)
        events.put_rule(Name="gone", EventPattern='{"source": ["x"]}')
        events.put_targets(Rule="gone", Targets=[{"Id": "t", "Arn": topic}])
        events.remove_targets(Rule="gone", Ids=["t"])
        events.delete_rule(Name="gone")
        logs.create_log_group(logGroupName="gone")
        logs.create_log_stream(logGroupName="gone", logStreamName="gone")
        logs.delete_log_group(logGroupName="gone")
        cloudwatch.put_metric_alarm(
            AlarmName="gone",
            Namespace="n",
            MetricName="m",
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
            EvaluationPeriods=1,
            Period=60,
            Statistic="Sum",
        )
        cloudwatch.delete_alarms(AlarmNames=["gone"])
        assert list(aws.server._services._journal.entries()) == []
    with embedded(tmp_path) as again:
        assert again.client("iam").list_roles()["Roles"] == []
        assert again.client("sns").list_topics()["Topics"] == []
        assert again.client("events").list_rules()["Rules"] == []
        assert again.client("logs").describe_log_groups()["logGroups"] == []
        assert again.client("cloudwatch").describe_alarms()["MetricAlarms"] == []


def test_the_same_said_again_is_kept_once_and_new_keys_are_kept_each(tmp_path: Path) -> None:
    with embedded(tmp_path) as aws:
        events, iam = aws.client("events"), aws.client("iam")
        for _ in range(5):
            events.put_rule(Name="rule", EventPattern='{"source": ["x"]}')
        iam.create_user(UserName="ann")
        for _ in range(2):
            iam.create_access_key(UserName="ann")
        actions = [entry.action.rpartition("/")[2] for entry in aws.server._services._journal.entries()]
    assert actions == ["PutRule", "CreateUser", "CreateAccessKey", "CreateAccessKey"]


def test_what_was_refused_is_not_kept(tmp_path: Path) -> None:
    with embedded(tmp_path) as aws:
        with pytest.raises(ClientError, match="NoSuchEntity"):
            aws.client("iam").delete_role(RoleName="nobody")
        assert list(aws.server._services._journal.entries()) == []


def test_log_events_older_than_fifteen_days_are_thrown_out_and_their_streams_too(tmp_path: Path) -> None:
    with embedded(tmp_path, clock=Clock(stepped=True, start=NOW)) as aws:
        make_logs(aws)
        aws.client("logs").delete_retention_policy(logGroupName="group")
        aws.server.aws.clock.advance(16 * 86400)
        logs = aws.client("logs")
        logs.create_log_stream(logGroupName="group", logStreamName="new")
        event = {"timestamp": int(aws.server.aws.clock.timestamp() * 1000), "message": "new"}
        logs.put_log_events(logGroupName="group", logStreamName="new", logEvents=[event])
        for _ in range(2):
            streams = logs.describe_log_streams(logGroupName="group")["logStreams"]
            assert [stream["logStreamName"] for stream in streams] == ["new"]
            assert [event["message"] for event in logs.filter_log_events(logGroupName="group")["events"]] == ["new"]
    with embedded(tmp_path) as again:
        assert len(again.client("logs").filter_log_events(logGroupName="group")["events"]) == 1


def test_of_too_many_log_events_the_oldest_are_thrown_out(tmp_path: Path) -> None:
    with embedded(tmp_path) as aws:
        aws.server._services._parts[0]._most_bytes = 1000
        logs = aws.client("logs")
        logs.create_log_group(logGroupName="g")
        for stream in ("a", "b"):
            logs.create_log_stream(logGroupName="g", logStreamName=stream)
        now = int(aws.server.aws.clock.timestamp() * 1000)
        for number in range(40):
            event = {"timestamp": now + number, "message": f"{number:024d}"}
            logs.put_log_events(logGroupName="g", logStreamName="ab"[number % 2], logEvents=[event])
        seen = [int(event["message"]) for event in logs.filter_log_events(logGroupName="g")["events"]]
        assert sorted(seen) == list(range(40 - len(seen), 40))
        assert 15 <= len(seen) <= 20
    with embedded(tmp_path) as again:
        found = again.client("logs").filter_log_events(logGroupName="g")["events"]
        assert [int(event["message"]) for event in found] == seen


def test_of_too_many_metric_values_the_oldest_are_thrown_out(tmp_path: Path) -> None:
    with embedded(tmp_path) as aws:
        aws.server._services._parts[1]._most_values = 100
        for number in range(30):
            values = [{"MetricName": f"m{number}", "Value": value} for value in range(10)]
            aws.client("cloudwatch").put_metric_data(Namespace="n", MetricData=values)
        names = {metric["MetricName"] for metric in aws.client("cloudwatch").list_metrics()["Metrics"]}
        assert "m29" in names
        assert "m19" not in names
    with embedded(tmp_path) as again:
        assert {metric["MetricName"] for metric in again.client("cloudwatch").list_metrics()["Metrics"]} == names


def test_what_nobody_asks_for_any_more_is_cut(tmp_path: Path) -> None:
    from moto.sns.models import sns_backends

    with embedded(tmp_path) as aws:
        sns, logs = aws.client("sns"), aws.client("logs")
        topic = sns.create_topic(Name="busy")["TopicArn"]
        for number in range(bounds.MOST_NOTIFICATIONS + 20):
            sns.publish(TopicArn=topic, Message=str(number))
        kept = sns_backends[aws.server.aws.account_id][REGION].topics[topic].sent_notifications
        assert len(kept) == bounds.MOST_NOTIFICATIONS
        logs.create_log_group(logGroupName="g")
        query = {"logGroupName": "g", "startTime": 0, "endTime": 1, "queryString": "fields @message"}
        first, *_, last = [logs.start_query(**query)["queryId"] for _ in range(bounds.MOST_QUERIES + 1)]
        assert logs.get_query_results(queryId=last)["status"] == "Complete"
        with pytest.raises(ClientError):
            logs.get_query_results(queryId=first)


def test_a_damaged_file_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "services.sqlite").write_bytes(b"scribble" * 1000)
    with pytest.raises(UnusableStore, match=r"services.sqlite is damaged or no file of local_aws.*Delete the folder"):
        Server("127.0.0.1", 0, tmp_path, Clock(stepped=True))
    (tmp_path / "services.sqlite").unlink()
    with embedded(tmp_path):
        pass


def test_a_cut_off_end_of_the_file_costs_no_more_than_that(tmp_path: Path) -> None:
    """As a power cut leaves it: the last transaction is half there."""
    with embedded(tmp_path) as aws:
        iam = aws.client("iam")
        log = tmp_path / "services.sqlite-wal"
        for number in range(5):
            iam.create_role(RoleName=f"role-{number}", AssumeRolePolicyDocument=TRUST)
        copies = {path.name: path.read_bytes() for path in (log, tmp_path / "services.sqlite")}
    for name, content in copies.items():
        (tmp_path / name).write_bytes(content[:-100] if name.endswith("wal") else content)
    with embedded(tmp_path) as again:
        roles = [role["RoleName"] for role in again.client("iam").list_roles()["Roles"]]
    assert sorted(roles) == [f"role-{number}" for number in range(4)]


class Untouched:
    """A body that nobody may read."""

    def read(self, size: int = -1) -> bytes:
        raise AssertionError("the body of another service's request was read")


@pytest.mark.parametrize(
    "head",
    [
        {"HTTP_AUTHORIZATION": "AWS4-HMAC-SHA256 Credential=K/20261122/us-west-2/s3/aws4_request, SignedHeaders=host"},
        {"HTTP_AUTHORIZATION": "AWS KEY:signature"},
        {"QUERY_STRING": "X-Amz-Credential=K%2F20261122%2Fus-west-2%2Fs3%2Faws4_request"},
    ],
    ids=["signed", "version 2", "presigned"],
)
def test_bodies_of_objects_pass_unread(tmp_path: Path, head: dict[str, str]) -> None:
    passed = []
    services = DurableServices(
        lambda environ, start: passed.append(environ) or [b""], tmp_path / "f", Clock(stepped=True), "123456789012"
    )
    services(head | {"REQUEST_METHOD": "PUT", "CONTENT_LENGTH": "10", "wsgi.input": Untouched()}, lambda *args: None)
    services.close()
    assert len(passed) == 1


def test_a_topic_that_is_made_and_subscribed_to_again_and_again_is_kept_once(tmp_path: Path) -> None:
    def seen(aws: Embedded) -> list[str]:
        return [item["SubscriptionArn"] for item in aws.client("sns").list_subscriptions()["Subscriptions"]]

    with embedded(tmp_path) as first:
        sns = first.client("sns")
        for _ in range(3):
            topic = sns.create_topic(Name="news")["TopicArn"]
            arn = sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="a@b.cd", ReturnSubscriptionArn=True)
        assert len(list(first.server._services._journal.entries())) == 2
        sns.unsubscribe(SubscriptionArn=arn["SubscriptionArn"])
        sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="a@b.cd")
        before = seen(first)
        assert len(before) == 1
    with embedded(tmp_path) as second:
        assert seen(second) == before

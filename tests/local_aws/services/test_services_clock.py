"""Whatever moment a service of moto's gives is one of the server's clock."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from local_aws.clock import Clock
from tests.local_aws.embedded import BUCKET, Embedded, embedded
from tests.running_aws import REGION

NOW = datetime(2031, 3, 4, 5, 6, 7, tzinfo=UTC)
TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    with embedded(tmp_path_factory.mktemp("aws"), clock=Clock(stepped=True, start=NOW)) as running:
        running.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        yield running


def milliseconds(value: int) -> datetime:
    return datetime.fromtimestamp(value / 1000, UTC)


def s3(aws: Embedded) -> list[datetime]:
    client = aws.client("s3")
    put = client.put_object(Bucket=BUCKET, Key="a", Body=b"1")
    copied = client.copy_object(Bucket=BUCKET, Key="b", CopySource=f"{BUCKET}/a")
    client.create_multipart_upload(Bucket=BUCKET, Key="parts")
    return [
        parsedate_to_datetime(put["ResponseMetadata"]["HTTPHeaders"]["date"]),
        client.head_object(Bucket=BUCKET, Key="a")["LastModified"],
        copied["CopyObjectResult"]["LastModified"],
        *(item["LastModified"] for item in client.list_objects_v2(Bucket=BUCKET)["Contents"]),
        *(item["LastModified"] for item in client.list_object_versions(Bucket=BUCKET)["Versions"]),
        *(item["CreationDate"] for item in client.list_buckets()["Buckets"]),
    ]


def iam(aws: Embedded) -> list[datetime]:
    client = aws.client("iam")
    role = client.create_role(RoleName="role", AssumeRolePolicyDocument=TRUST)["Role"]
    user = client.create_user(UserName="user")["User"]
    key = client.create_access_key(UserName="user")["AccessKey"]
    return [role["CreateDate"], user["CreateDate"], key["CreateDate"]]


def sts(aws: Embedded) -> list[datetime]:
    credentials = aws.client("sts").get_session_token(DurationSeconds=3600)["Credentials"]
    return [credentials["Expiration"] - timedelta(hours=1)]


def cloudwatch(aws: Embedded) -> list[datetime]:
    client = aws.client("cloudwatch")
    client.put_metric_data(Namespace="n", MetricData=[{"MetricName": "m", "Value": 1}])
    hour = timedelta(hours=1)
    (point,) = client.get_metric_statistics(
        Namespace="n",
        MetricName="m",
        StartTime=NOW - hour,
        EndTime=NOW + hour,
        Period=1,
        Statistics=["Sum"],
    )["Datapoints"]
    client.put_metric_alarm(
        AlarmName="a",
        Namespace="n",
        MetricName="m",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=5,
        ComparisonOperator="GreaterThanThreshold",
    )
    (alarm,) = client.describe_alarms()["MetricAlarms"]
    client.put_dashboard(DashboardName="d", DashboardBody="{}")
    (dashboard,) = client.list_dashboards()["DashboardEntries"]
    return [
        point["Timestamp"],
        alarm["StateUpdatedTimestamp"],
        alarm["AlarmConfigurationUpdatedTimestamp"],
        dashboard["LastModified"],
    ]


def logs(aws: Embedded) -> list[datetime]:
    client = aws.client("logs")
    client.create_log_group(logGroupName="g")
    client.create_log_stream(logGroupName="g", logStreamName="s")
    event = {"timestamp": int(NOW.timestamp() * 1000), "message": "text"}
    answer = client.put_log_events(logGroupName="g", logStreamName="s", logEvents=[event])
    assert "rejectedLogEventsInfo" not in answer
    (group,) = client.describe_log_groups(logGroupNamePrefix="g")["logGroups"]
    (stream,) = client.describe_log_streams(logGroupName="g")["logStreams"]
    (found,) = client.get_log_events(logGroupName="g", logStreamName="s")["events"]
    return [milliseconds(moment) for moment in (group["creationTime"], stream["creationTime"], found["ingestionTime"])]


def events(aws: Embedded) -> list[datetime]:
    client = aws.client("events")
    bus = client.describe_event_bus()["Arn"]
    return [client.create_archive(ArchiveName="archive", EventSourceArn=bus)["CreationTime"]]


@pytest.mark.parametrize("service", [s3, iam, sts, cloudwatch, logs, events], ids=lambda service: service.__name__)
def test_its_moments_are_the_servers(aws: Embedded, service: Callable[[Embedded], list[datetime]]) -> None:
    aware = [moment if moment.tzinfo else moment.replace(tzinfo=UTC) for moment in service(aws)]
    assert [moment for moment in aware if abs(moment - NOW) > timedelta(seconds=1)] == []


def test_a_sent_events_time_is_the_servers(aws: Embedded) -> None:
    aws.client("logs").create_log_group(logGroupName="/aws/events/g")
    client: Any = aws.client("events")
    client.put_rule(Name="r", EventPattern=json.dumps({"source": ["mine"]}))
    arn = f"arn:aws:logs:{REGION}:123456789012:log-group:/aws/events/g"
    client.put_targets(Rule="r", Targets=[{"Id": "t", "Arn": arn}])
    client.put_events(Entries=[{"Source": "mine", "DetailType": "test", "Detail": "{}"}])
    assert aws.server.aws.settle(10) == []
    (event,) = aws.client("logs").filter_log_events(logGroupName="/aws/events/g")["events"]
    assert milliseconds(event["timestamp"]) == NOW
    time = json.loads(event["message"])["time"]
    assert time in (NOW.timestamp(), f"{NOW:%Y-%m-%dT%H:%M:%SZ}")

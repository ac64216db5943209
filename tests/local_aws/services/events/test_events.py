"""State changes reach the targets of EventBridge's rules."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import moto.sns.models
import pytest
import requests

from local_aws.services.events import event_bus, topics
from tests.local_aws.embedded import BUCKET, Embedded, embedded, job_request, stub_every_image
from tests.local_aws.monitoring.monitors import DELAY, captured, monitor, prepare, to_the_next_firing
from tests.local_aws.subscriber import subscriber, topic_for
from tests.running_aws import REGION, ROLE, XGBOOST_IMAGE

LOG_GROUP = "/aws/events/sagemaker"
LOG_ARN = f"arn:aws:logs:{REGION}:123456789012:log-group:{LOG_GROUP}"


@pytest.fixture
def aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Embedded]:
    """A server with an endpoint `churn` and a rule that logs everything of SageMaker."""
    stub_every_image(monkeypatch)
    with embedded(tmp_path / "aws", DELAY) as running:
        prepare(running)
        assert running.server.aws.settle(10) == []
        running.client("logs").create_log_group(logGroupName=LOG_GROUP)
        put_rule(running, {"source": ["aws.sagemaker"]}, LOG_ARN)
        yield running


def put_rule(aws: Embedded, pattern: dict[str, Any], target: str, name: str = "rule", **transformed: Any) -> None:
    events = aws.client("events")
    events.put_rule(Name=name, EventPattern=json.dumps(pattern))
    answer = events.put_targets(Rule=name, Targets=[{"Id": "target", "Arn": target, **transformed}])
    assert answer["FailedEntryCount"] == 0


def logged(aws: Embedded, detail_type: str) -> list[dict[str, Any]]:
    """The events of a type, oldest first, when all are delivered."""
    assert aws.server.aws.settle(20) == []
    found = aws.client("logs").filter_log_events(logGroupName=LOG_GROUP)["events"]
    events = [json.loads(entry["message"]) for entry in found]
    return [event for event in events if event["detail-type"] == detail_type]


def milliseconds(aws: Embedded) -> int:
    return round(aws.server.aws.clock.timestamp() * 1000)


def test_a_job_tells_of_its_begin_and_its_end(aws: Embedded) -> None:
    aws.sagemaker.create_processing_job(**job_request("merge", "fail:3"), Tags=[{"Key": "team", "Value": "risk"}])
    events = logged(aws, "SageMaker Processing Job State Change")
    assert [event["detail"]["ProcessingJobStatus"] for event in events] == ["InProgress", "Failed"]
    begin, end = events
    arn = f"arn:aws:sagemaker:{REGION}:123456789012:processing-job/merge"
    assert (end["source"], end["account"], end["region"]) == ("aws.sagemaker", "123456789012", REGION)
    assert end["resources"] == [arn]
    assert end["time"] == f"{aws.server.aws.clock.now():%Y-%m-%dT%H:%M:%SZ}"
    detail = end["detail"]
    assert detail["ProcessingJobArn"] == arn
    assert detail["CreationTime"] == detail["ProcessingEndTime"] == milliseconds(aws)
    assert detail["FailureReason"]
    assert detail["Tags"] == {"team": "risk"}
    assert "Region" not in detail, "what only this server knows stays here"
    assert "FailureReason" not in begin["detail"]


def test_models_and_configurations_tell_of_their_creation_and_deletion(aws: Embedded) -> None:
    aws.put("model.tar.gz", "")
    container = {"Image": XGBOOST_IMAGE, "ModelDataUrl": f"s3://{BUCKET}/model.tar.gz"}
    aws.sagemaker.create_model(ModelName="m", PrimaryContainer=container, ExecutionRoleArn=ROLE)
    variant = {"VariantName": "All", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    aws.sagemaker.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant])
    aws.sagemaker.delete_endpoint_config(EndpointConfigName="c")
    aws.sagemaker.delete_model(ModelName="m")
    models = logged(aws, "SageMaker Model State Change")
    assert [event["detail"]["ModelName"] for event in models] == ["m", "m"]
    assert models[0]["detail"]["PrimaryContainer"]["Image"] == XGBOOST_IMAGE
    configs = logged(aws, "SageMaker Endpoint Config State Change")
    assert [event["detail"]["EndpointConfigName"] for event in configs] == ["c", "c"]
    assert configs[0]["detail"]["ProductionVariants"][0]["ModelName"] == "m"


def test_an_endpoint_that_cannot_be_served_tells_so_in_capitals(aws: Embedded) -> None:
    aws.put("model.tar.gz", "no archive")
    container = {"Image": XGBOOST_IMAGE, "ModelDataUrl": f"s3://{BUCKET}/model.tar.gz"}
    aws.sagemaker.create_model(ModelName="m", PrimaryContainer=container, ExecutionRoleArn=ROLE)
    variant = {"VariantName": "All", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    aws.sagemaker.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant])
    aws.sagemaker.create_endpoint(EndpointName="e", EndpointConfigName="c")
    assert aws.server.aws.settle(20) == []
    aws.sagemaker.delete_endpoint(EndpointName="e")
    events = logged(aws, "SageMaker Endpoint State Change")
    assert [event["detail"]["EndpointStatus"] for event in events] == ["CREATING", "FAILED", "DELETING"]
    assert events[1]["detail"]["FailureReason"]
    assert events[1]["detail"]["EndpointConfigName"] == "c"


def test_an_endpoint_tells_when_it_is_in_service(aws: Embedded, model_archive: bytes) -> None:
    aws.client("s3").put_object(Bucket=BUCKET, Key="model.tar.gz", Body=model_archive)
    container = {"Image": XGBOOST_IMAGE, "ModelDataUrl": f"s3://{BUCKET}/model.tar.gz"}
    aws.sagemaker.create_model(ModelName="m", PrimaryContainer=container, ExecutionRoleArn=ROLE)
    variant = {"VariantName": "All", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    aws.sagemaker.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant])
    aws.sagemaker.create_endpoint(EndpointName="e", EndpointConfigName="c", Tags=[{"Key": "team", "Value": "risk"}])
    assert aws.server.aws.settle(30) == []
    events = logged(aws, "SageMaker Endpoint State Change")
    assert [event["detail"]["EndpointStatus"] for event in events] == ["CREATING", "IN_SERVICE"]
    detail = events[-1]["detail"]
    (served,) = detail["ProductionVariants"]
    assert (served["VariantName"], served["DesiredWeight"], served["DesiredInstanceCount"]) == ("All", 1.0, 1)
    assert detail["LastModifiedTime"] == milliseconds(aws)
    assert detail["Tags"] == {"team": "risk"}


def test_an_execution_is_told_with_its_schedule(aws: Embedded) -> None:
    monitor(aws, "drift", behaviour="complete:CompletedWithViolations: 1 of 2")
    captured(aws, aws.server.aws.clock.now())
    to_the_next_firing(aws)
    events = logged(aws, "SageMaker Monitoring Schedule State Change")
    story = [
        (
            event["detail"]["MonitoringScheduleStatus"],
            event["detail"].get("LastMonitoringExecutionSummary", {}).get("MonitoringExecutionStatus"),
        )
        for event in events
    ]
    assert story == [
        ("Pending", None),
        ("Scheduled", None),
        ("Scheduled", "Pending"),
        ("Scheduled", "InProgress"),
        ("Scheduled", "CompletedWithViolations"),
    ]
    assert events[-1]["resources"] == [f"arn:aws:sagemaker:{REGION}:123456789012:monitoring-schedule/drift"]


def test_patterns_choose_and_topics_are_targets(aws: Embedded) -> None:
    with subscriber() as (address, received):
        pattern = {
            "detail-type": ["SageMaker Processing Job State Change"],
            "detail": {"ProcessingJobStatus": ["Failed", "Stopped"], "ProcessingJobName": [{"prefix": "bad"}]},
        }
        put_rule(aws, pattern, topic_for(aws, address), "failures")
        for name, behaviour in (("good", "complete"), ("worse", "fail:1"), ("bad", "fail:1")):
            aws.run_job(name, behaviour)
        assert aws.server.aws.settle(20) == []
    (notification,) = received
    event = json.loads(notification["Message"])
    assert event["detail"]["ProcessingJobName"] == "bad"
    assert event["time"] == f"{aws.server.aws.clock.now():%Y-%m-%dT%H:%M:%SZ}"


def test_a_subscriber_that_never_answers_is_given_up(aws: Embedded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topics, "SUBSCRIBER_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        topic = topic_for(aws, f"http://127.0.0.1:{silent.getsockname()[1]}/")
        with pytest.raises(requests.exceptions.ReadTimeout):
            topics.publish(aws.server.aws, topic, "drift")


def test_after_the_server_moto_asks_subscribers_as_before(tmp_path: Path) -> None:
    before = moto.sns.models.requests
    with embedded(tmp_path / "aws"):
        assert moto.sns.models.requests is not before
    assert moto.sns.models.requests is before


def test_a_transformer_makes_the_notification(aws: Embedded) -> None:
    with subscriber() as (address, received):
        transformer = {
            "InputPathsMap": {"job": "$.detail.ProcessingJobName"},
            "InputTemplate": '"Job <job> has failed."',
        }
        pattern = {"detail": {"ProcessingJobStatus": ["Failed"]}}
        put_rule(aws, pattern, topic_for(aws, address), "failures", InputTransformer=transformer)
        aws.run_job("bad", "fail:1")
        assert aws.server.aws.settle(20) == []
    assert [notification["Message"] for notification in received] == ["Job bad has failed."]


def test_disabled_rules_and_rules_of_a_schedule_get_nothing(aws: Embedded) -> None:
    events = aws.client("events")
    events.disable_rule(Name="rule")
    events.put_rule(Name="hourly", ScheduleExpression="rate(1 hour)")
    events.put_targets(Rule="hourly", Targets=[{"Id": "target", "Arn": LOG_ARN}])
    aws.run_job("job")
    assert logged(aws, "SageMaker Processing Job State Change") == []


def test_a_target_that_is_gone_keeps_no_other_from_its_event(aws: Embedded) -> None:
    missing = f"arn:aws:logs:{REGION}:123456789012:log-group:/nowhere"
    aws.client("events").put_targets(
        Rule="rule", Targets=[{"Id": "a", "Arn": missing}, {"Id": "b", "Arn": f"arn:aws:lambda:{REGION}:1:function:f"}]
    )
    aws.client("events").put_targets(Rule="rule", Targets=[{"Id": "z", "Arn": LOG_ARN}])
    aws.run_job("job")
    assert len(logged(aws, "SageMaker Processing Job State Change")) == 4


def test_jobs_that_a_restart_ended_are_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stub_every_image(monkeypatch)
    folder = tmp_path / "aws"
    with embedded(folder) as aws:
        job = {"Region": REGION, "ProcessingJobName": "left", "ProcessingJobStatus": "InProgress"}
        aws.server.aws.store.put("processing-job", f"{REGION}/left", job | {"ProcessingJobArn": "arn:left"})
    heard: list[tuple[str, list[str]]] = []
    from local_aws.services.events.event_bus import EventBus

    monkeypatch.setattr(
        EventBus, "emit", lambda self, region, source, kind, resources, detail: heard.append((kind, resources))
    )
    with embedded(folder):
        assert heard == [("SageMaker Processing Job State Change", ["arn:left"])]


def test_archives_keep_events(aws: Embedded) -> None:
    events = aws.client("events")
    bus = f"arn:aws:events:{REGION}:123456789012:event-bus/default"
    events.create_archive(ArchiveName="all", EventSourceArn=bus)
    aws.run_job("job")
    assert aws.server.aws.settle(20) == []
    assert events.describe_archive(ArchiveName="all")["EventCount"] == 2


def test_rules_and_topics_go_on_after_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stub_every_image(monkeypatch)
    with subscriber() as (address, received):
        with embedded(tmp_path / "aws") as aws:
            prepare(aws)
            pattern = {"detail": {"ProcessingJobStatus": ["Completed"]}}
            put_rule(aws, pattern, topic_for(aws, address))
            aws.run_job("before")
        with embedded(tmp_path / "aws") as aws:
            aws.run_job("after")
            assert aws.server.aws.settle(20) == []
    names = [json.loads(notification["Message"])["detail"]["ProcessingJobName"] for notification in received]
    assert names == ["before", "after"]


def test_archives_forget_what_is_old(aws: Embedded, monkeypatch: pytest.MonkeyPatch) -> None:
    from moto.events.models import events_backends

    monkeypatch.setattr(event_bus, "MOST_ARCHIVED", 3)
    events = aws.client("events")
    events.create_archive(ArchiveName="all", EventSourceArn=f"arn:aws:events:{REGION}:123456789012:event-bus/default")
    for number in range(5):
        events.put_events(Entries=[{"Source": "me", "DetailType": "tick", "Detail": json.dumps({"n": number})}])
    kept = events_backends["123456789012"][REGION].archives["all"].events
    assert [event["detail"]["n"] for event in kept] == [2, 3, 4]

"""What a server has acknowledged, thing by thing, and whether it is all still so after the server was killed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.e2e.place import CLARIFY_IMAGE, CLUSTER
from tests.running_aws import REGION, ROLE, XGBOOST_IMAGE

LOG_GROUP = "kills"
ALARM = {
    "Namespace": "kills",
    "MetricName": "m",
    "ComparisonOperator": "GreaterThanThreshold",
    "EvaluationPeriods": 1,
    "Period": 60,
    "Statistic": "Sum",
}
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Principal": {"Service": "x.amazonaws.com"}, "Action": "sts:AssumeRole"},
    }
)


class Kind:
    """Things of which a server keeps many: how one is put and deleted, and which there are, with what they hold."""

    name: str
    service: str

    def __init__(self, client: Any, bucket: str, endpoint: str, model: str) -> None:
        self.client = client
        self.bucket = bucket
        self.endpoint = endpoint
        self.model = model

    def put(self, name: str, value: str) -> str:
        """Make a thing; what `seen` is to show of it."""
        raise NotImplementedError

    def delete(self, name: str) -> None:
        """Delete a thing."""
        raise NotImplementedError

    def seen(self) -> dict[str, str]:
        """All things of this kind."""
        raise NotImplementedError

    def pages(self, operation: str, key: str, **request: Any) -> Iterator[Any]:
        for page in self.client.get_paginator(operation).paginate(**request):
            yield from page.get(key, [])


class Objects(Kind):
    name, service = "object", "s3"

    def put(self, name: str, value: str) -> str:
        self.client.put_object(Bucket=self.bucket, Key=f"kept/{name}", Body=value.encode())
        return hashlib.md5(value.encode()).hexdigest()

    def delete(self, name: str) -> None:
        self.client.delete_object(Bucket=self.bucket, Key=f"kept/{name}")

    def seen(self) -> dict[str, str]:
        found = self.pages("list_objects_v2", "Contents", Bucket=self.bucket, Prefix="kept/")
        return {item["Key"].removeprefix("kept/"): item["ETag"].strip('"') for item in found}


class Models(Kind):
    name, service = "spare-model", "sagemaker"

    def put(self, name: str, value: str) -> str:
        container = {"Image": XGBOOST_IMAGE, "ModelDataUrl": f"s3://{self.bucket}/model.tar.gz"}
        answer = self.client.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=ROLE)
        return str(answer["ModelArn"])

    def delete(self, name: str) -> None:
        self.client.delete_model(ModelName=name)

    def seen(self) -> dict[str, str]:
        found = self.pages("list_models", "Models")
        return {item["ModelName"]: item["ModelArn"] for item in found if item["ModelName"].startswith(self.name)}


class EndpointConfigs(Kind):
    name, service = "config", "sagemaker"

    def put(self, name: str, value: str) -> str:
        variant = {"VariantName": "A", "ModelName": self.model, "InstanceType": "ml.m5.large"}
        answer = self.client.create_endpoint_config(
            EndpointConfigName=name, ProductionVariants=[variant | {"InitialInstanceCount": 1}]
        )
        return str(answer["EndpointConfigArn"])

    def delete(self, name: str) -> None:
        self.client.delete_endpoint_config(EndpointConfigName=name)

    def seen(self) -> dict[str, str]:
        found = self.pages("list_endpoint_configs", "EndpointConfigs")
        return {
            item["EndpointConfigName"]: item["EndpointConfigArn"]
            for item in found
            if item["EndpointConfigName"].startswith(f"{self.name}-")
        }


class ModelTags(Kind):
    name, service = "tag", "sagemaker"

    @property
    def arn(self) -> str:
        return f"arn:aws:sagemaker:{REGION}:123456789012:endpoint/{self.endpoint}"

    def put(self, name: str, value: str) -> str:
        self.client.add_tags(ResourceArn=self.arn, Tags=[{"Key": name, "Value": value}])
        return value

    def delete(self, name: str) -> None:
        self.client.delete_tags(ResourceArn=self.arn, TagKeys=[name])

    def seen(self) -> dict[str, str]:
        return {tag["Key"]: tag["Value"] for tag in self.pages("list_tags", "Tags", ResourceArn=self.arn)}


class JobDefinitions(Kind):
    name, service = "definition", "sagemaker"

    def put(self, name: str, value: str) -> str:
        place = {"S3Uri": f"s3://{self.bucket}/reports", "LocalPath": "/opt/ml/processing/output"}
        answer = self.client.create_model_explainability_job_definition(
            JobDefinitionName=name,
            ModelExplainabilityAppSpecification={
                "ImageUri": CLARIFY_IMAGE,
                "ConfigUri": f"s3://{self.bucket}/analysis_config.json",
            },
            ModelExplainabilityJobInput={
                "EndpointInput": {"EndpointName": self.endpoint, "LocalPath": "/opt/ml/processing/input/endpoint"}
            },
            ModelExplainabilityJobOutputConfig={"MonitoringOutputs": [{"S3Output": place}]},
            JobResources={"ClusterConfig": CLUSTER},
            RoleArn=ROLE,
        )
        return str(answer["JobDefinitionArn"])

    def delete(self, name: str) -> None:
        self.client.delete_model_explainability_job_definition(JobDefinitionName=name)

    def seen(self) -> dict[str, str]:
        found = self.pages("list_model_explainability_job_definitions", "JobDefinitionSummaries")
        return {
            item["MonitoringJobDefinitionName"]: item["MonitoringJobDefinitionArn"]
            for item in found
            if item["MonitoringJobDefinitionName"].startswith(f"{self.name}-")
        }


class Schedules(Kind):
    name, service = "schedule", "sagemaker"

    def put(self, name: str, value: str) -> str:
        answer = self.client.create_monitoring_schedule(
            MonitoringScheduleName=name,
            MonitoringScheduleConfig={
                "MonitoringJobDefinitionName": "shared",
                "MonitoringType": "ModelExplainability",
                "ScheduleConfig": {"ScheduleExpression": "cron(0 * ? * * *)"},
            },
        )
        return str(answer["MonitoringScheduleArn"])

    def delete(self, name: str) -> None:
        self.client.delete_monitoring_schedule(MonitoringScheduleName=name)

    def seen(self) -> dict[str, str]:
        found = list(
            self.pages("list_monitoring_schedules", "MonitoringScheduleSummaries", NameContains=f"{self.name}-")
        )
        assert {item["MonitoringScheduleStatus"] for item in found} <= {"Scheduled"}
        return {item["MonitoringScheduleName"]: item["MonitoringScheduleArn"] for item in found}


class Roles(Kind):
    """A role's identifier is random, so that it tells whether it is the same role."""

    name, service = "role", "iam"

    def put(self, name: str, value: str) -> str:
        answer = self.client.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
        return str(answer["Role"]["RoleId"])

    def delete(self, name: str) -> None:
        self.client.delete_role(RoleName=name)

    def seen(self) -> dict[str, str]:
        return {role["RoleName"]: role["RoleId"] for role in self.pages("list_roles", "Roles")}


class Topics(Kind):
    """Each with a subscription, whose ARN is random."""

    name, service = "topic", "sns"

    def put(self, name: str, value: str) -> str:
        topic = self.client.create_topic(Name=name)["TopicArn"]
        answer = self.client.subscribe(TopicArn=topic, Protocol="email", Endpoint="a@b.c", ReturnSubscriptionArn=True)
        return str(answer["SubscriptionArn"])

    def delete(self, name: str) -> None:
        self.client.delete_topic(TopicArn=f"arn:aws:sns:{REGION}:123456789012:{name}")

    def seen(self) -> dict[str, str]:
        topics = {topic["TopicArn"] for topic in self.pages("list_topics", "Topics")}
        subscribed = {
            item["TopicArn"]: item["SubscriptionArn"] for item in self.pages("list_subscriptions", "Subscriptions")
        }
        return {arn.rpartition(":")[2]: subscribed.get(arn, "none") for arn in topics}


class Alarms(Kind):
    name, service = "alarm", "cloudwatch"

    def put(self, name: str, value: str) -> str:
        self.client.put_metric_alarm(AlarmName=name, AlarmDescription=value, Threshold=1, **ALARM)
        return value

    def delete(self, name: str) -> None:
        self.client.delete_alarms(AlarmNames=[name])

    def seen(self) -> dict[str, str]:
        found = self.pages("describe_alarms", "MetricAlarms")
        return {alarm["AlarmName"]: alarm["AlarmDescription"] for alarm in found}


class Rules(Kind):
    name, service = "rule", "events"

    def put(self, name: str, value: str) -> str:
        self.client.put_rule(Name=name, EventPattern='{"source": ["x"]}', Description=value)
        return value

    def delete(self, name: str) -> None:
        self.client.delete_rule(Name=name)

    def seen(self) -> dict[str, str]:
        return {rule["Name"]: rule["Description"] for rule in self.pages("list_rules", "Rules")}


class LogStreams(Kind):
    """Each with a line."""

    name, service = "stream", "logs"

    def put(self, name: str, value: str) -> str:
        self.client.create_log_stream(logGroupName=LOG_GROUP, logStreamName=name)
        event = {"timestamp": 1000 * int(value.split("@")[1]), "message": value}
        self.client.put_log_events(logGroupName=LOG_GROUP, logStreamName=name, logEvents=[event])
        return value

    def delete(self, name: str) -> None:
        self.client.delete_log_stream(logGroupName=LOG_GROUP, logStreamName=name)

    def seen(self) -> dict[str, str]:
        streams = {
            stream["logStreamName"]: ""
            for stream in self.pages("describe_log_streams", "logStreams", logGroupName=LOG_GROUP)
        }
        lines = self.pages("filter_log_events", "events", logGroupName=LOG_GROUP)
        return streams | {line["logStreamName"]: line["message"] for line in lines}


class Metrics(Kind):
    """Nobody can delete them."""

    name, service = "metric", "cloudwatch"

    def put(self, name: str, value: str) -> str:
        self.client.put_metric_data(Namespace="kills", MetricData=[{"MetricName": name, "Value": 1}])
        return name

    def seen(self) -> dict[str, str]:
        found = self.pages("list_metrics", "Metrics", Namespace="kills")
        return {metric["MetricName"]: metric["MetricName"] for metric in found}


KINDS: tuple[type[Kind], ...] = (
    Objects,
    Models,
    EndpointConfigs,
    ModelTags,
    JobDefinitions,
    Schedules,
    Roles,
    Topics,
    Alarms,
    Rules,
    LogStreams,
    Metrics,
)


@dataclass
class Ledger:
    """The acknowledged things of a kind; what was under way at a kill may be or not be."""

    certain: dict[str, str] = field(default_factory=dict)
    under_way: str | None = None
    gone: int = 0

    def change(self, kind: Kind, random: Random, fresh: Callable[[], str], now: float) -> None:
        """Put something new or delete something old, and note it once it is acknowledged."""
        if len(self.certain) > 8 and random.random() < 0.45 and type(kind).delete is not Kind.delete:
            name = random.choice(list(self.certain))
            self.under_way = name
            kind.delete(name)
            del self.certain[name]
            self.gone += 1
        else:
            name = f"{kind.name}-{fresh()}"
            self.under_way = name
            self.certain[name] = kind.put(name, f"{random.getrandbits(64):x}@{int(now)}")
        self.under_way = None

    def check(self, kind: Kind) -> None:
        """Everything acknowledged is there as it was, and nothing else is."""
        seen, doubtful = kind.seen(), self.under_way
        self.under_way = None
        if doubtful is not None:
            if doubtful in seen:
                self.certain.setdefault(doubtful, seen[doubtful])
            else:
                self.certain.pop(doubtful, None)
        assert seen == self.certain, _difference(kind, self.certain, seen)


def _difference(kind: Kind, expected: dict[str, str], seen: dict[str, str]) -> str:
    lost = sorted(set(expected) - set(seen))
    back = sorted(set(seen) - set(expected))
    other = sorted(name for name in set(seen) & set(expected) if seen[name] != expected[name])
    return f"{kind.name}: lost {lost}, back from the dead {back}, changed {other}"

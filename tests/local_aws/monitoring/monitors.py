"""An endpoint without a model, and schedules that monitor it by stub jobs."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from tests.local_aws.embedded import BUCKET, CLARIFY, Embedded
from tests.polling import until
from tests.running_aws import REGION, ROLE

TERMINAL = ("Completed", "CompletedWithViolations", "Failed", "Stopped")
CAPTURES = f"s3://{BUCKET}/capture"
DELAY = timedelta(minutes=3)


def prepare(aws: Embedded) -> None:
    now = aws.server.aws.clock.now()
    aws.server.aws.clock.advance(3600 - now.minute * 60 - now.second - now.microsecond / 1e6 + 600)
    make_endpoint(aws)


def make_endpoint(aws: Embedded) -> None:
    aws.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    deployment = {
        "DataCaptureConfig": {"DestinationS3Uri": CAPTURES},
        "Variants": [{"VariantName": "AllTraffic"}],
    }
    endpoint = {"EndpointName": "churn", "EndpointStatus": "InService", "Deployment": deployment}
    aws.server.aws.store.put(
        "endpoint", f"{REGION}/churn", endpoint | {"EndpointArn": f"arn:aws:sagemaker:{REGION}:1:x"}
    )
    aws.put("config/analysis_config.json", "{}")
    aws.put("baseline/analysis.json", "{}")


def now(aws: Embedded) -> datetime:
    return aws.server.aws.clock.now()


def to_the_next_firing(aws: Embedded) -> datetime:
    """Move to the next hour and the delay; returns the hour."""
    clock = aws.server.aws.clock
    hour = (clock.now() - DELAY).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    clock.advance((hour + DELAY - clock.now()).total_seconds())
    return hour


def captured(aws: Embedded, moment: datetime) -> None:
    aws.put(f"capture/churn/AllTraffic/{moment:%Y/%m/%d/%H}/00-00-000-x.jsonl", "{}\n")


def labelled(aws: Embedded, moment: datetime) -> None:
    aws.put(f"labels/{moment:%Y/%m/%d/%H}/0000.jsonl", "{}\n")


def define(
    aws: Embedded, name: str, kind: str = "ModelExplainability", behaviour: str = "complete", **more: Any
) -> None:
    """A job definition whose analysis behaves as told."""
    job_input: dict[str, Any] = {"EndpointInput": {"EndpointName": "churn", "LocalPath": "/opt/ml/processing/input/e"}}
    if kind == "ModelBias":
        job_input["GroundTruthS3Input"] = {"S3Uri": f"s3://{BUCKET}/labels"}
    environment = {"BEHAVIOUR": behaviour, "publish_cloudwatch_metrics": "Disabled", **more.pop("environment", {})}
    place = {"S3Uri": f"s3://{BUCKET}/reports", "LocalPath": "/opt/ml/processing/output", "S3UploadMode": "Continuous"}
    request: dict[str, Any] = {
        "JobDefinitionName": name,
        f"{kind}AppSpecification": {
            "ImageUri": CLARIFY,
            "ConfigUri": f"s3://{BUCKET}/config/analysis_config.json",
            "Environment": environment,
        },
        f"{kind}JobInput": job_input,
        f"{kind}JobOutputConfig": {"MonitoringOutputs": [{"S3Output": place}]},
        "JobResources": {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.xlarge", "VolumeSizeInGB": 30}},
        "RoleArn": ROLE,
        "StoppingCondition": {"MaxRuntimeInSeconds": 1800},
    } | more
    create = {
        "ModelBias": aws.sagemaker.create_model_bias_job_definition,
        "ModelExplainability": aws.sagemaker.create_model_explainability_job_definition,
    }[kind]
    create(**request)


def schedule(
    aws: Embedded, name: str, kind: str = "ModelExplainability", expression: str = "cron(0 * ? * * *)", **times: str
) -> None:
    aws.sagemaker.create_monitoring_schedule(
        MonitoringScheduleName=name,
        MonitoringScheduleConfig={
            "MonitoringJobDefinitionName": name,
            "MonitoringType": kind,
            "ScheduleConfig": {"ScheduleExpression": expression, **times},
        },
    )


def monitor(
    aws: Embedded, name: str, kind: str = "ModelExplainability", behaviour: str = "complete", **more: Any
) -> None:
    """A definition and an hourly schedule of one name."""
    define(aws, name, kind, behaviour, **more)
    schedule(aws, name, kind)


def executions(aws: Embedded, name: str, **request: Any) -> list[dict[str, Any]]:
    """A schedule's executions, newest first, when all are over."""
    found: list[dict[str, Any]] = until(
        lambda: aws.sagemaker.list_monitoring_executions(MonitoringScheduleName=name, **request)[
            "MonitoringExecutionSummaries"
        ],
        lambda items: all(item["MonitoringExecutionStatus"] in TERMINAL for item in items),
    )
    return found


def job_of(aws: Embedded, execution: dict[str, Any]) -> dict[str, Any]:
    name = execution["ProcessingJobArn"].rsplit("/", 1)[-1]
    job: dict[str, Any] = aws.sagemaker.describe_processing_job(ProcessingJobName=name)
    return job


def status(aws: Embedded, name: str) -> str:
    return str(aws.sagemaker.describe_monitoring_schedule(MonitoringScheduleName=name)["MonitoringScheduleStatus"])

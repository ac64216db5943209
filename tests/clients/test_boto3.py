"""The life of a monitored endpoint with plain boto3: every operation there is, each answer held against the model.

The clients are watched (tests/strict_responses.py): a response that is not as modelled fails where it is received.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws import operations
from tests.e2e.place import BIAS, CLARIFY_IMAGE, CLUSTER, csv_predictor, table
from tests.polling import until
from tests.running_aws import (
    REGION,
    ROLE,
    XGBOOST_IMAGE,
    Running,
    capture_config,
    make_bucket,
    start_local_aws,
    wait_for_endpoint,
)

NAME = "life"
ACCOUNT = f"arn:aws:sagemaker:{REGION}:123456789012"
CRON = {"ScheduleExpression": "cron(0 * ? * * *)"}


@dataclass
class Life:
    """What the chapters share."""

    aws: Running
    bucket: str
    sagemaker: Any
    archive: bytes
    answered: set[str] = field(default_factory=set)

    def put(self, key: str, body: str | bytes) -> str:
        self.aws.client("s3").put_object(Bucket=self.bucket, Key=key, Body=body)
        return f"s3://{self.bucket}/{key}"

    def executions(self) -> list[dict[str, Any]]:
        """The executions of the bias schedule, once they are over."""
        return until(
            lambda: self.sagemaker.list_monitoring_executions(MonitoringScheduleName=NAME)[
                "MonitoringExecutionSummaries"
            ],
            lambda found: all(item["MonitoringExecutionStatus"] not in ("Pending", "InProgress") for item in found),
        )


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory, model_archive: bytes) -> Iterator[Life]:
    aws = start_local_aws(tmp_path_factory.mktemp("aws"), "--clock", "stepped")
    sagemaker = aws.client("sagemaker")
    life = Life(aws, make_bucket(aws), sagemaker, model_archive)

    def note(http_response: Any, model: Any, **_: Any) -> None:
        if http_response.status_code == 200:
            life.answered.add(model.name)

    sagemaker.meta.events.register("after-call.sagemaker.*", note)
    yield life
    aws.stop()


def refused(call: Callable[..., Any], **request: Any) -> tuple[str, str]:
    """Code and message of the error that a call ends in."""
    with pytest.raises(ClientError) as error:
        call(**request)
    said = error.value.response["Error"]
    return said["Code"], said["Message"]


def job_input(name: str, uri: str, folder: str) -> dict[str, Any]:
    place = {
        "S3Uri": uri,
        "LocalPath": f"/opt/ml/processing/input/{folder}",
        "S3DataType": "S3Prefix",
        "S3InputMode": "File",
    }
    return {"InputName": name, "S3Input": place}


def output(uri: str, mode: str) -> dict[str, Any]:
    return {"S3Output": {"S3Uri": uri, "LocalPath": "/opt/ml/processing/output", "S3UploadMode": mode}}


def analysis(**methods: Any) -> dict[str, Any]:
    return BIAS | {"methods": methods, "predictor": csv_predictor(NAME)}


def test_1_models_and_their_tags(life: Life) -> None:
    sagemaker = life.sagemaker
    container = {"Image": XGBOOST_IMAGE, "ModelDataUrl": life.put("model.tar.gz", life.archive)}
    request = {"ModelName": NAME, "PrimaryContainer": container, "ExecutionRoleArn": ROLE}
    arn = sagemaker.create_model(**request, Tags=[{"Key": "team", "Value": "risk"}])["ModelArn"]
    assert arn == f"{ACCOUNT}:model/{NAME}"
    assert refused(sagemaker.create_model, **request)[0] == "ValidationException"
    described = sagemaker.describe_model(ModelName=NAME)
    assert {name: described["PrimaryContainer"][name] for name in container} == container
    assert sagemaker.list_models(NameContains="LIFE")["Models"] == [
        {"ModelName": NAME, "ModelArn": arn, "CreationTime": described["CreationTime"]}
    ]
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "stage", "Value": "test"}])
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=["team"])
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "stage", "Value": "test"}]
    assert refused(sagemaker.describe_model, ModelName="nobody") == (
        "ValidationException",
        f'Could not find model "{ACCOUNT}:model/nobody".',
    )


def test_2_endpoint_configurations(life: Life) -> None:
    sagemaker = life.sagemaker
    variant = {"VariantName": "a", "ModelName": NAME, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    one = {"ProductionVariants": [variant], "DataCaptureConfig": capture_config(life.bucket)}
    two = one | {"ProductionVariants": [variant, variant | {"VariantName": "b", "InitialVariantWeight": 3.0}]}
    for name, request in (("life-1", one), ("life-2", two)):
        sagemaker.create_endpoint_config(EndpointConfigName=name, **request)
    described = sagemaker.describe_endpoint_config(EndpointConfigName="life-2")
    assert [found["VariantName"] for found in described["ProductionVariants"]] == ["a", "b"]
    assert refused(sagemaker.create_endpoint_config, EndpointConfigName="life-1", **one)[0] == "ValidationException"
    pages = sagemaker.get_paginator("list_endpoint_configs").paginate(
        SortBy="Name", SortOrder="Ascending", PaginationConfig={"PageSize": 1}
    )
    assert [found["EndpointConfigName"] for page in pages for found in page["EndpointConfigs"]] == ["life-1", "life-2"]


def test_3_endpoints_are_created_updated_and_re_weighted(life: Life) -> None:
    sagemaker, runtime = life.sagemaker, life.aws.client("sagemaker-runtime")
    arn = sagemaker.create_endpoint(EndpointName=NAME, EndpointConfigName="life-1")["EndpointArn"]
    assert refused(sagemaker.create_endpoint, EndpointName=NAME, EndpointConfigName="life-1") == (
        "ValidationException",
        f'Cannot create already existing endpoint "{arn}".',
    )
    wait_for_endpoint(life.aws, NAME)
    assert sagemaker.describe_endpoint(EndpointName=NAME)["EndpointStatus"] == "InService"
    sagemaker.update_endpoint(EndpointName=NAME, EndpointConfigName="life-2")
    updated = wait_for_endpoint(life.aws, NAME)
    assert updated["EndpointConfigName"] == "life-2"
    assert {variant["VariantName"]: variant["CurrentWeight"] for variant in updated["ProductionVariants"]} == {
        "a": 1.0,
        "b": 3.0,
    }
    sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=NAME, DesiredWeightsAndCapacities=[{"VariantName": "a", "DesiredWeight": 0.0}]
    )
    wait_for_endpoint(life.aws, NAME)
    answers = [
        runtime.invoke_endpoint(EndpointName=NAME, Body="1,2,3,4", ContentType="text/csv", InferenceId=str(number))
        for number in range(4)
    ]
    assert {answer["InvokedProductionVariant"] for answer in answers} == {"b"}
    (found,) = sagemaker.list_endpoints(StatusEquals="InService")["Endpoints"]
    assert found["EndpointArn"] == arn
    sagemaker.update_endpoint(EndpointName=NAME, EndpointConfigName="life-1")
    wait_for_endpoint(life.aws, NAME)
    assert refused(runtime.invoke_endpoint, EndpointName=NAME, Body="1,2", ContentType="text/csv")[0] == "ModelError"
    assert refused(runtime.invoke_endpoint, EndpointName="nobody", Body="1,2")[0] == "ValidationError"


def test_4_processing_jobs_run_and_are_stopped(life: Life) -> None:
    sagemaker = life.sagemaker

    def create(name: str, rows: list[str], config: dict[str, Any]) -> None:
        uri = life.put(f"{name}/analysis_config.json", json.dumps(config))
        sagemaker.create_processing_job(
            ProcessingJobName=name,
            ProcessingResources={"ClusterConfig": CLUSTER},
            AppSpecification={"ImageUri": CLARIFY_IMAGE},
            RoleArn=ROLE,
            ProcessingInputs=[
                job_input("dataset", life.put(f"{name}/data.csv", "\n".join(rows) + "\n"), "data"),
                job_input("analysis_config", uri, "config"),
            ],
            ProcessingOutputConfig={
                "Outputs": [
                    {"OutputName": "analysis_result", **output(f"s3://{life.bucket}/{name}/output", "EndOfJob")}
                ]
            },
            StoppingCondition={"MaxRuntimeInSeconds": 600},
        )

    def ended(name: str) -> dict[str, Any]:
        return until(
            lambda: sagemaker.describe_processing_job(ProcessingJobName=name),
            lambda job: job["ProcessingJobStatus"] not in ("InProgress", "Stopping"),
        )

    bias = analysis(post_training_bias={"methods": "all"})
    create("life-baseline", table(60), bias)
    assert ended("life-baseline")["ProcessingJobStatus"] == "Completed"
    assert refused(create, name="life-baseline", rows=["1"], config=bias)[0] == "ResourceInUse"
    shap = analysis(shap={"baseline": [[0, 0, 0, 0]], "num_samples": 100, "agg_method": "mean_abs"})
    create("life-stopped", table(20_000), shap)
    sagemaker.stop_processing_job(ProcessingJobName="life-stopped")
    assert ended("life-stopped")["ProcessingJobStatus"] == "Stopped"
    create("life-failed", ["no,data"], bias)
    assert ended("life-failed")["FailureReason"].startswith("ClientError: ")
    listed = sagemaker.list_processing_jobs(SortBy="Name", SortOrder="Ascending", NameContains=NAME)
    assert [job["ProcessingJobStatus"] for job in listed["ProcessingJobSummaries"]] == [
        "Completed",
        "Failed",
        "Stopped",
    ]
    assert refused(sagemaker.stop_processing_job, ProcessingJobName="nobody")[0] == "ValidationException"
    sagemaker.delete_processing_job(ProcessingJobName="life-failed")
    assert refused(sagemaker.describe_processing_job, ProcessingJobName="life-failed")[0] == "ValidationException"


def test_5_job_definitions_and_schedules(life: Life) -> None:
    sagemaker = life.sagemaker
    endpoint = {
        "EndpointName": NAME,
        "LocalPath": "/opt/ml/processing/input/endpoint",
        "StartTimeOffset": "-PT1H",
        "EndTimeOffset": "-PT0H",
    }
    common: dict[str, Any] = {
        "JobDefinitionName": NAME,
        "JobResources": {"ClusterConfig": CLUSTER},
        "RoleArn": ROLE,
        "StoppingCondition": {"MaxRuntimeInSeconds": 1800},
    }
    outputs = {"MonitoringOutputs": [output(f"s3://{life.bucket}/reports", "Continuous")]}
    bias = {
        "ModelBiasBaselineConfig": {
            "ConstraintsResource": {"S3Uri": f"s3://{life.bucket}/life-baseline/output/analysis.json"}
        },
        "ModelBiasAppSpecification": {
            "ImageUri": CLARIFY_IMAGE,
            "ConfigUri": f"s3://{life.bucket}/life-baseline/analysis_config.json",
        },
        "ModelBiasJobInput": {
            "EndpointInput": endpoint,
            "GroundTruthS3Input": {"S3Uri": f"s3://{life.bucket}/labels"},
        },
        "ModelBiasJobOutputConfig": outputs,
    }
    explainability = {
        "ModelExplainabilityAppSpecification": {
            "ImageUri": CLARIFY_IMAGE,
            "ConfigUri": f"s3://{life.bucket}/life-stopped/analysis_config.json",
        },
        "ModelExplainabilityJobInput": {"EndpointInput": endpoint},
        "ModelExplainabilityJobOutputConfig": outputs,
    }
    sagemaker.create_model_bias_job_definition(**common, **bias)
    sagemaker.create_model_explainability_job_definition(**common, **explainability)
    assert refused(sagemaker.create_model_bias_job_definition, **common, **bias)[0] == "ResourceInUse"
    assert (
        sagemaker.describe_model_bias_job_definition(JobDefinitionName=NAME)["ModelBiasJobInput"]
        == (bias["ModelBiasJobInput"])
    )
    assert (
        sagemaker.describe_model_explainability_job_definition(JobDefinitionName=NAME)["JobDefinitionArn"]
        == f"{ACCOUNT}:model-explainability-job-definition/{NAME}"
    )
    for listing in (
        sagemaker.list_model_bias_job_definitions(EndpointName=NAME),
        sagemaker.list_model_explainability_job_definitions(EndpointName=NAME),
    ):
        assert [found["MonitoringJobDefinitionName"] for found in listing["JobDefinitionSummaries"]] == [NAME]
    schedule = {
        "MonitoringJobDefinitionName": NAME,
        "MonitoringType": "ModelBias",
        "ScheduleConfig": CRON,
    }
    arn = sagemaker.create_monitoring_schedule(MonitoringScheduleName=NAME, MonitoringScheduleConfig=schedule)
    assert arn["MonitoringScheduleArn"] == f"{ACCOUNT}:monitoring-schedule/{NAME}"
    code, _ = refused(
        sagemaker.create_monitoring_schedule, MonitoringScheduleName=NAME, MonitoringScheduleConfig=schedule
    )
    assert code == "ResourceInUse"
    daily = schedule | {"ScheduleConfig": {"ScheduleExpression": "cron(0 12 ? * * *)"}}
    for config in (daily, schedule):
        sagemaker.update_monitoring_schedule(MonitoringScheduleName=NAME, MonitoringScheduleConfig=config)
        described = until(
            lambda: sagemaker.describe_monitoring_schedule(MonitoringScheduleName=NAME),
            lambda found: found["MonitoringScheduleStatus"] == "Scheduled",
        )
        assert described["MonitoringScheduleConfig"]["ScheduleConfig"] == config["ScheduleConfig"]


def test_6_executions_and_alerts(life: Life) -> None:
    sagemaker, runtime = life.sagemaker, life.aws.client("sagemaker-runtime")
    labels = []
    for number, row in enumerate(table(60)):
        label, _, features = row.partition(",")
        runtime.invoke_endpoint(
            EndpointName=NAME, Body=features, ContentType="text/csv", InferenceId=f"labelled-{number}"
        )
        labels.append(
            {
                "groundTruthData": {"data": str(1 - int(label)), "encoding": "CSV"},
                "eventMetadata": {"eventId": f"labelled-{number}"},
                "eventVersion": "0",
            }
        )
    life.put(f"labels/{life.aws.now():%Y/%m/%d/%H}/0000.jsonl", "\n".join(map(json.dumps, labels)))
    life.aws.advance(3600, settle=True)
    (execution,) = life.executions()
    assert execution["MonitoringExecutionStatus"] == "CompletedWithViolations", execution.get("FailureReason")
    (alert,) = sagemaker.list_monitoring_alerts(MonitoringScheduleName=NAME)["MonitoringAlertSummaries"]
    assert alert["AlertStatus"] == "InAlert"
    (entry,) = sagemaker.list_monitoring_alert_history(MonitoringScheduleName=NAME)["MonitoringAlertHistory"]
    assert entry["AlertStatus"] == "InAlert"
    updated = sagemaker.update_monitoring_alert(
        MonitoringScheduleName=NAME,
        MonitoringAlertName=alert["MonitoringAlertName"],
        DatapointsToAlert=2,
        EvaluationPeriod=3,
    )
    assert updated["MonitoringScheduleArn"] == f"{ACCOUNT}:monitoring-schedule/{NAME}"
    code, _ = refused(
        sagemaker.update_monitoring_alert,
        MonitoringScheduleName=NAME,
        MonitoringAlertName="nobody",
        DatapointsToAlert=1,
        EvaluationPeriod=1,
    )
    assert code == "ResourceNotFound"


def test_7_schedules_stop_and_start_and_are_listed(life: Life) -> None:
    sagemaker = life.sagemaker
    sagemaker.stop_monitoring_schedule(MonitoringScheduleName=NAME)
    until(lambda: scheduled(life), lambda status: status == "Stopped")
    sagemaker.start_monitoring_schedule(MonitoringScheduleName=NAME)
    until(lambda: scheduled(life), lambda status: status == "Scheduled")
    (listed,) = sagemaker.list_monitoring_schedules(EndpointName=NAME)["MonitoringScheduleSummaries"]
    assert listed["MonitoringType"] == "ModelBias"
    assert refused(sagemaker.start_monitoring_schedule, MonitoringScheduleName="nobody")[0] == "ResourceNotFound"


def scheduled(life: Life) -> str:
    described = life.sagemaker.describe_monitoring_schedule(MonitoringScheduleName=NAME)
    return str(described["MonitoringScheduleStatus"])


def test_8_everything_is_deleted_and_then_unknown(life: Life) -> None:
    sagemaker = life.sagemaker
    sagemaker.delete_monitoring_schedule(MonitoringScheduleName=NAME)
    until(
        lambda: sagemaker.list_monitoring_schedules()["MonitoringScheduleSummaries"],
        lambda found: not found,
    )
    sagemaker.delete_model_bias_job_definition(JobDefinitionName=NAME)
    sagemaker.delete_model_explainability_job_definition(JobDefinitionName=NAME)
    sagemaker.delete_endpoint(EndpointName=NAME)
    until(lambda: sagemaker.list_endpoints()["Endpoints"], lambda found: not found)
    for name in ("life-1", "life-2"):
        sagemaker.delete_endpoint_config(EndpointConfigName=name)
    sagemaker.delete_model(ModelName=NAME)
    gone = {
        "describe_monitoring_schedule": ("MonitoringScheduleName", "ResourceNotFound"),
        "delete_monitoring_schedule": ("MonitoringScheduleName", "ResourceNotFound"),
        "describe_model_bias_job_definition": ("JobDefinitionName", "ResourceNotFound"),
        "delete_model_bias_job_definition": ("JobDefinitionName", "ResourceNotFound"),
        "describe_model_explainability_job_definition": ("JobDefinitionName", "ResourceNotFound"),
        "describe_endpoint": ("EndpointName", "ValidationException"),
        "delete_endpoint": ("EndpointName", "ValidationException"),
        "describe_endpoint_config": ("EndpointConfigName", "ValidationException"),
        "delete_endpoint_config": ("EndpointConfigName", "ValidationException"),
        "describe_model": ("ModelName", "ValidationException"),
        "delete_model": ("ModelName", "ValidationException"),
    }
    codes = {name: refused(getattr(sagemaker, name), **{member: NAME})[0] for name, (member, _) in gone.items()}
    assert codes == {name: code for name, (_, code) in gone.items()}
    assert refused(sagemaker.list_tags, ResourceArn=f"{ACCOUNT}:model/{NAME}")[0] == "ValidationException"


def test_9_every_operation_there_is_was_answered(life: Life) -> None:
    assert set(operations.supported_operations()) - life.answered == set()

"""Monitoring schedules and job definitions: what refers to what, and when it may change."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local_aws.control.resources import call, definition, error_of, schedule
from tests.local_aws.embedded import Embedded
from tests.running_aws import REGION

ARN = f"arn:aws:sagemaker:{REGION}:123456789012"


def define(aws: Embedded, name: str, endpoint: str = "churn", **offsets: str) -> None:
    request = definition("ModelExplainability", name, endpoint, **offsets)
    call(aws, "create_model_explainability_job_definition", **request)


def described(aws: Embedded, name: str) -> dict[str, Any]:
    return call(aws, "describe_monitoring_schedule", MonitoringScheduleName=name)


def test_an_update_with_another_definition_takes_its_endpoint_too(shared: Embedded) -> None:
    define(shared, "second", "other")
    call(shared, "create_monitoring_schedule", **schedule("moving"))
    before = described(shared, "moving")
    shared.server.aws.clock.advance(60)
    call(shared, "update_monitoring_schedule", **schedule("moving", "second"))
    after = described(shared, "moving")
    assert (before["EndpointName"], after["EndpointName"]) == ("churn", "other")
    assert after["MonitoringScheduleConfig"]["MonitoringJobDefinitionName"] == "second"
    assert after["CreationTime"] == before["CreationTime"]
    assert (after["LastModifiedTime"] - before["LastModifiedTime"]).total_seconds() == 60
    assert (
        call(shared, "list_monitoring_schedules", MonitoringJobDefinitionName="base", NameContains="moving")[
            "MonitoringScheduleSummaries"
        ]
        == []
    )
    assert error_of(shared, "delete_endpoint", EndpointName="other")[1] == "ValidationException"
    call(shared, "delete_monitoring_schedule", MonitoringScheduleName="moving")


def test_an_update_to_what_is_not_there_changes_nothing(shared: Embedded) -> None:
    define(shared, "homeless", "nowhere")
    call(shared, "create_monitoring_schedule", **schedule("staying"))
    before = described(shared, "staying")
    assert error_of(shared, "update_monitoring_schedule", **schedule("staying", "missing"))[2] == (
        "Could not find ModelExplainability job definition with name: missing"
    )
    assert error_of(shared, "update_monitoring_schedule", **schedule("staying", "homeless"))[2] == (
        f'Could not find endpoint "{ARN}:endpoint/nowhere".'
    )
    assert error_of(shared, "create_monitoring_schedule", **schedule("new", "homeless"))[2] == (
        f'Could not find endpoint "{ARN}:endpoint/nowhere".'
    )
    assert described(shared, "staying") | {"ResponseMetadata": 0} == before | {"ResponseMetadata": 0}
    assert error_of(shared, "update_monitoring_schedule", **schedule("unknown"))[1] == "ResourceNotFound"
    call(shared, "delete_monitoring_schedule", MonitoringScheduleName="staying")


def test_a_stopped_schedule_stays_stopped_when_it_is_updated(shared: Embedded) -> None:
    call(shared, "create_monitoring_schedule", **schedule("resting"))
    call(shared, "stop_monitoring_schedule", MonitoringScheduleName="resting")
    call(shared, "update_monitoring_schedule", **schedule("resting"))
    assert described(shared, "resting")["MonitoringScheduleStatus"] == "Stopped"
    call(shared, "delete_monitoring_schedule", MonitoringScheduleName="resting")


def test_executions_of_a_definition_that_was_deleted_fail_and_say_so(shared: Embedded) -> None:
    define(shared, "short-lived")
    call(shared, "create_monitoring_schedule", **schedule("left-behind", "short-lived"))
    call(shared, "delete_model_explainability_job_definition", JobDefinitionName="short-lived")
    shared.server.aws.clock.advance(3600)
    [execution] = call(shared, "list_monitoring_executions", MonitoringScheduleName="left-behind")[
        "MonitoringExecutionSummaries"
    ]
    assert execution["MonitoringExecutionStatus"] == "Failed"
    assert execution["FailureReason"] == "ClientError: Could not find job definition with name: short-lived"
    call(shared, "delete_monitoring_schedule", MonitoringScheduleName="left-behind")


@pytest.mark.parametrize(
    ("offsets", "refusal"),
    [
        ({"StartTimeOffset": "-PT1H", "EndTimeOffset": "-PT2H"}, "StartTimeOffset -PT1H is after EndTimeOffset -PT2H"),
        ({"StartTimeOffset": "PT1H"}, "StartTimeOffset PT1H is after EndTimeOffset PT0H, which is the default"),
        ({"StartTimeOffset": "-P"}, "Invalid offset '-P'"),
        ({"EndTimeOffset": "1Ptoday"}, "Invalid offset '1Ptoday'"),
        ({"StartTimeOffset": "an hour ago"}, "failed to satisfy constraint"),
        ({"StartTimeOffset": "-PT1H" + "0" * 20}, "length less than or equal to 15"),
    ],
)
def test_a_window_that_is_none_is_refused(shared: Embedded, offsets: dict[str, str], refusal: str) -> None:
    with pytest.raises(ClientError, match=refusal):
        define(shared, "no-window", **offsets)
    assert (
        error_of(shared, "describe_model_explainability_job_definition", JobDefinitionName="no-window")[1]
        == "ResourceNotFound"
    )


def test_a_schedule_s_own_window_is_checked_too(shared: Embedded) -> None:
    request = schedule("odd", DataAnalysisStartTime="-PT1H", DataAnalysisEndTime="-PT3H")
    assert error_of(shared, "create_monitoring_schedule", **request)[2] == (
        "DataAnalysisStartTime -PT1H is after DataAnalysisEndTime -PT3H"
    )


def unsupported_config(**changes: Any) -> dict[str, Any]:
    request = schedule("refused")
    return request | {"MonitoringScheduleConfig": request["MonitoringScheduleConfig"] | changes}


INLINE = {
    "MonitoringInputs": [{"EndpointInput": {"EndpointName": "churn", "LocalPath": "/opt/ml/processing/input/e"}}],
    "MonitoringOutputConfig": {
        "MonitoringOutputs": [{"S3Output": {"S3Uri": "s3://b/k", "LocalPath": "/opt/ml/processing/output"}}]
    },
    "MonitoringResources": {
        "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.xlarge", "VolumeSizeInGB": 30}
    },
    "MonitoringAppSpecification": {"ImageUri": "image"},
    "RoleArn": "arn:aws:iam::123456789012:role/service-role/SageMakerRole",
}
BATCH = {
    "BatchTransformInput": {
        "DataCapturedDestinationS3Uri": "s3://b/k",
        "DatasetFormat": {"Csv": {"Header": True}},
        "LocalPath": "/opt/ml/processing/input/e",
    }
}


def test_what_is_not_supported_is_refused_by_name(shared: Embedded) -> None:
    refused = {
        "MonitoringJobDefinition is not supported by local_aws": unsupported_config(MonitoringJobDefinition=INLINE),
        "MonitoringType DataQuality is not supported by local_aws": unsupported_config(MonitoringType="DataQuality"),
    }
    for message, request in refused.items():
        status, code, said = error_of(shared, "create_monitoring_schedule", **request)
        assert (status, code) == (400, "ValidationException")
        assert message in said
    request = definition("ModelExplainability", "batch") | {"ModelExplainabilityJobInput": BATCH}
    said = error_of(shared, "create_model_explainability_job_definition", **request)[2]
    assert said == "BatchTransformInput is not supported by local_aws; give an EndpointInput."

"""What the strict check of responses objects to; the tests of all clients rely on it."""

from __future__ import annotations

import json
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config

from tests.strict_responses import NotAsModelled, problems, watched

ARN = "arn:aws:sagemaker:us-west-2:123456789012:endpoint/churn"
ENDPOINT = {
    "EndpointName": "churn",
    "EndpointArn": ARN,
    "EndpointConfigName": "churn",
    "EndpointStatus": "InService",
    "CreationTime": 1_700_000_000.5,
    "LastModifiedTime": 1_700_000_000,
    "DataCaptureConfig": {
        "EnableCapture": True,
        "CaptureStatus": "Started",
        "CurrentSamplingPercentage": 100,
        "DestinationS3Uri": "s3://bucket/prefix",
        "KmsKeyId": "",
    },
}


def found(**changes: Any) -> list[str]:
    model = botocore.session.get_session().get_service_model("sagemaker")
    return list(problems(model.operation_model("DescribeEndpoint").output_shape, ENDPOINT | changes))


def test_what_is_as_modelled_is_no_problem() -> None:
    assert found() == []


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"Region": "us-west-2"}, "Region is no member"),
        ({"EndpointStatus": "Ready"}, "none of OutOfService"),
        ({"EndpointArn": "churn"}, "'churn' is 5 characters|does not match"),
        ({"EndpointName": "churn_1"}, "does not match"),
        ({"EndpointName": "c" * 64}, "does not match|64 characters"),
        ({"CreationTime": "2026-11-22T10:00:00Z"}, "is no timestamp"),
        ({"CreationTime": True}, "is no timestamp"),
        ({"FailureReason": None}, "is no string"),
        ({"FailureReason": "x" * 1025}, "1025 characters"),
        ({"ProductionVariants": {}}, "is no list"),
        ({"ProductionVariants": []}, "0 items"),
        ({"ProductionVariants": [{}]}, "the required VariantName is missing"),
        ({"ProductionVariants": [{"VariantName": "a", "CurrentWeight": -1}]}, "-1 as its value"),
        ({"ProductionVariants": [{"VariantName": "a", "CurrentInstanceCount": 1.5}]}, "is no integer"),
        ({"DataCaptureConfig": {"EnableCapture": "true"}}, "is no boolean"),
    ],
)
def test_what_is_not_as_modelled_is_told(changes: dict[str, Any], problem: str) -> None:
    told = "; ".join(found(**changes))
    assert any(word in told for word in problem.split("|")), told


def test_a_missing_member() -> None:
    model = botocore.session.get_session().get_service_model("sagemaker")
    shape = model.operation_model("DescribeEndpoint").output_shape
    rest = {name: value for name, value in ENDPOINT.items() if name != "EndpointStatus"}
    assert list(problems(shape, rest)) == [": the required EndpointStatus is missing"]


class Answered:
    """A client that gets prepared answers."""

    def __init__(self, service: str) -> None:
        keys = {"aws_access_key_id": "k", "aws_secret_access_key": "s"}
        config = Config(retries={"max_attempts": 0})
        self.client: Any = watched(boto3.client(service, region_name="us-west-2", config=config, **keys))

    def answer(self, status: int, body: dict[str, Any], **headers: str) -> None:
        response = AWSResponse("https://aws", status, headers, None)
        response._content = json.dumps(body).encode()
        self.client.meta.events.register_first("before-send.*.*", lambda **_: response)


@pytest.mark.parametrize(
    ("status", "body", "problem"),
    [
        (200, ENDPOINT | {"Extra": 1}, "Extra is no member"),
        (400, {"__type": "ResourceNotFound", "message": "no"}, "is no error of DescribeEndpoint"),
        (400, {"__type": "ValidationException", "message": ""}, "says nothing"),
        (400, {"message": "no"}, "'' is no error"),
    ],
)
def test_a_client_that_is_watched_fails(status: int, body: dict[str, Any], problem: str) -> None:
    answered = Answered("sagemaker")
    answered.answer(status, body)
    with pytest.raises(NotAsModelled, match=problem):
        answered.client.describe_endpoint(EndpointName="churn")


def test_an_error_of_another_status_than_modelled() -> None:
    answered = Answered("sagemaker-runtime")
    answered.answer(500, {"Message": "no"}, **{"x-amzn-ErrorType": "ModelError"})
    with pytest.raises(NotAsModelled, match="modelled is 424"):
        answered.client.invoke_endpoint(EndpointName="churn", Body=b"")


def test_other_services_are_left_alone() -> None:
    answered = Answered("logs")
    answered.answer(200, {"logGroups": [{"unheard": 1}]})
    assert answered.client.describe_log_groups()["logGroups"] == [{}]

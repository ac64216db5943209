from __future__ import annotations

import os
import signal
from typing import Any

import boto3
import numpy as np
import pytest
import xgboost
from botocore.exceptions import ClientError

from tests.polling import until
from tests.processes import alive, programs_of
from tests.running_aws import REGION, Running, create_endpoint, create_model, make_bucket, new_name

ROWS = [[1.5, 0, 0, 0], [-1.5, 0.5, 2, 1], [0.1, 0, 0, 0]]


@pytest.fixture(scope="module")
def endpoint(local_aws: Running, model_archive: bytes) -> str:
    """An endpoint in service."""
    return create_endpoint(local_aws, create_model(local_aws, make_bucket(local_aws), model_archive))


def invoke(aws: Running, endpoint: str, body: bytes | str, content_type: str = "text/csv", **more: Any) -> Any:
    return aws.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=endpoint, Body=body, ContentType=content_type, **more
    )


def refusal(aws: Running, endpoint: str, body: bytes | str, content_type: str = "text/csv", **more: Any) -> Any:
    with pytest.raises(ClientError) as error:
        invoke(aws, endpoint, body, content_type, **more)
    return error.value.response


def test_several_rows_are_answered_on_one_line(local_aws: Running, endpoint: str, booster: xgboost.Booster) -> None:
    answer = invoke(local_aws, endpoint, "\n".join(",".join(map(str, row)) for row in ROWS))
    assert answer["ContentType"] == "text/csv; charset=utf-8"
    assert answer["InvokedProductionVariant"] == "AllTraffic"
    scores = booster.predict(xgboost.DMatrix(np.array(ROWS))).tolist()
    assert answer["Body"].read().decode() == ",".join(map(str, scores))


@pytest.mark.parametrize(
    ("body", "content_type", "status", "original"),
    [
        (
            "1,2,3",
            "text/csv",
            400,
            "Unable to evaluate payload provided: Feature size of csv inference data 3 is not consistent with feature "
            "size of trained model 4 (row 1).",
        ),
        (
            "1,2,3,4\n1,2,x,4",
            "text/csv",
            400,
            "Unable to evaluate payload provided: row 2, column 3: could not convert string to float: 'x'.",
        ),
        (
            "{}",
            "application/json",
            415,
            "Content type application/json is not supported; send text/csv, text/libsvm, text/x-libsvm.",
        ),
    ],
)
def test_what_the_model_refuses_reaches_the_caller(
    local_aws: Running, endpoint: str, body: str, content_type: str, status: int, original: str
) -> None:
    response = refusal(local_aws, endpoint, body, content_type)
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert response["Error"]["Code"] == "ModelError"
    assert response["Error"]["Message"].startswith(
        f'Received client error ({status}) from primary with message "{original}". See https://us-west-2.console'
    )
    assert (response["OriginalStatusCode"], response["OriginalMessage"]) == (status, original)
    assert response["LogStreamArn"].endswith(f"log-group:/aws/sagemaker/Endpoints/{endpoint}")


def test_a_missing_endpoint_or_variant_is_a_validation_error(local_aws: Running, endpoint: str) -> None:
    missing = refusal(local_aws, "missing", "1,2,3,4")["Error"]
    assert missing == {"Code": "ValidationError", "Message": "Endpoint missing of account 123456789012 not found."}
    variant = refusal(local_aws, endpoint, "1,2,3,4", TargetVariant="Other")["Error"]
    assert variant["Code"] == "ValidationError"
    assert "Other" in variant["Message"]
    assert (
        invoke(local_aws, endpoint, "1,2,3,4", TargetVariant="AllTraffic")["InvokedProductionVariant"] == "AllTraffic"
    )


def test_an_inference_id_has_at_most_64_characters(local_aws: Running, endpoint: str) -> None:
    assert invoke(local_aws, endpoint, "1,2,3,4", InferenceId="x" * 64)
    error = refusal(local_aws, endpoint, "1,2,3,4", InferenceId="x" * 65)["Error"]
    assert error["Code"] == "ValidationError"
    assert (
        "'inferenceId' failed to satisfy constraint: Member must have length less than or equal to 64"
        in (error["Message"])
    )


def test_a_payload_has_at_most_6_mib(local_aws: Running, endpoint: str) -> None:
    row = b"1,2,3,4\n"
    fits = row * (6 * 1024**2 // len(row))
    assert invoke(local_aws, endpoint, fits)["Body"].read().count(b",") == len(fits) // len(row) - 1
    response = refusal(local_aws, endpoint, fits + b"1")
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 413
    assert response["Error"]["Message"] == "HTTP content length exceeded 6291456 bytes."


def test_variants_share_the_traffic_by_weight(local_aws: Running, bucket: str, model_archive: bytes) -> None:
    sagemaker = local_aws.client("sagemaker")
    model = create_model(local_aws, bucket, model_archive)
    name = new_name("two")
    sagemaker.create_endpoint_config(
        EndpointConfigName=name,
        ProductionVariants=[
            {
                "VariantName": variant,
                "ModelName": model,
                "InstanceType": "ml.m5.large",
                "InitialInstanceCount": 1,
                "InitialVariantWeight": weight,
            }
            for variant, weight in (("All", 1.0), ("Nothing", 0.0))
        ],
    )
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    assert {invoke(local_aws, name, "1,2,3,4")["InvokedProductionVariant"] for _ in range(20)} == {"All"}
    assert invoke(local_aws, name, "1,2,3,4", TargetVariant="Nothing")["InvokedProductionVariant"] == "Nothing"


def kill_the_server(aws: Running, before: set[int]) -> None:
    """Kill the only model server that was not there before, and wait for its end."""
    [server] = programs_of(aws.process.pid) - before
    os.kill(server, signal.SIGKILL)
    until(lambda: alive(server), lambda still: not still)


def counts(aws: Running, name: str) -> tuple[str, int, int]:
    """An endpoint's status, and how many instances it has and should have."""
    described = aws.client("sagemaker").describe_endpoint(EndpointName=name)
    [variant] = described["ProductionVariants"]
    return described["EndpointStatus"], variant["CurrentInstanceCount"], variant["DesiredInstanceCount"]


def test_a_model_server_that_dies_is_started_again(local_aws: Running, bucket: str, model_archive: bytes) -> None:
    before = programs_of(local_aws.process.pid)
    name = create_endpoint(local_aws, create_model(local_aws, bucket, model_archive))
    retrying = boto3.client(
        "sagemaker-runtime",
        region_name=REGION,
        endpoint_url=local_aws.url,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    for _ in range(2):
        kill_the_server(local_aws, before)
        assert retrying.invoke_endpoint(EndpointName=name, Body="1,2,3,4", ContentType="text/csv")["Body"].read()
        assert counts(local_aws, name) == ("InService", 1, 1)


def test_a_model_server_that_cannot_be_started_again_is_tried_without_end(
    local_aws: Running, bucket: str, model_archive: bytes
) -> None:
    before = programs_of(local_aws.process.pid)
    model = create_model(local_aws, bucket, model_archive)
    name = create_endpoint(local_aws, model)
    s3 = local_aws.client("s3")
    s3.delete_object(Bucket=bucket, Key=f"{model}/model.tar.gz")
    kill_the_server(local_aws, before)
    response = refusal(local_aws, name, "1,2,3,4")
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 503
    assert response["Error"]["Code"] == "ServiceUnavailable"
    assert counts(local_aws, name) == ("InService", 0, 1)
    s3.put_object(Bucket=bucket, Key=f"{model}/model.tar.gz", Body=model_archive)
    until(lambda: counts(local_aws, name), lambda seen: seen == ("InService", 1, 1))
    assert invoke(local_aws, name, "1,2,3,4")["Body"].read()


def test_the_log_of_a_model_server_is_in_cloudwatch_logs(local_aws: Running, endpoint: str) -> None:
    refusal(local_aws, endpoint, "1,2")
    logs = local_aws.client("logs")
    group = f"/aws/sagemaker/Endpoints/{endpoint}"
    reason = "Feature size of csv inference data 2"
    told = until(
        lambda: "\n".join(event["message"] for event in logs.filter_log_events(logGroupName=group)["events"]),
        lambda text: reason in text,
    )
    assert reason in told

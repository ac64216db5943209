from __future__ import annotations

import re
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.local_aws.embedded import embedded
from tests.local_aws.hosting.endpoints import ARN, error_of, variant
from tests.running_aws import (
    REGION,
    ROLE,
    XGBOOST_IMAGE,
    Running,
    capture_config,
    create_endpoint,
    create_model,
    new_name,
    tar_gz,
    wait_for_endpoint,
)


@pytest.fixture
def model(local_aws: Running, bucket: str, model_archive: bytes) -> str:
    return create_model(local_aws, bucket, model_archive)


def test_an_endpoint_from_creation_to_deletion(local_aws: Running, bucket: str, model: str) -> None:
    sagemaker = local_aws.client("sagemaker")
    name = new_name("life")
    sagemaker.create_endpoint_config(
        EndpointConfigName=name, ProductionVariants=[variant(model)], DataCaptureConfig=capture_config(bucket)
    )
    created = sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    assert created["EndpointArn"] == f"{ARN}:endpoint/{name}"
    creating = sagemaker.describe_endpoint(EndpointName=name)
    assert (creating["EndpointStatus"], "ProductionVariants" in creating) == ("Creating", False)
    assert creating["PendingDeploymentSummary"]["ProductionVariants"][0]["VariantName"] == "AllTraffic"
    assert error_of(sagemaker.delete_endpoint, EndpointName=name) == (
        "ValidationException",
        f'Cannot update in-progress endpoint "{ARN}:endpoint/{name}".',
    )

    described = wait_for_endpoint(local_aws, name)
    assert described["EndpointStatus"] == "InService"
    assert described["DataCaptureConfig"] == {
        "EnableCapture": True,
        "CaptureStatus": "Started",
        "CurrentSamplingPercentage": 100,
        "DestinationS3Uri": f"s3://{bucket}/datacapture",
        "KmsKeyId": "",
    }
    [served] = described["ProductionVariants"]
    assert served["DeployedImages"][0]["SpecifiedImage"] == XGBOOST_IMAGE
    assert (served["VariantName"], served["CurrentWeight"], served["CurrentInstanceCount"]) == ("AllTraffic", 1.0, 1)

    sagemaker.delete_endpoint(EndpointName=name)
    sagemaker.get_waiter("endpoint_deleted").wait(EndpointName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    assert error_of(sagemaker.describe_endpoint, EndpointName=name) == (
        "ValidationException",
        f'Could not find endpoint "{ARN}:endpoint/{name}".',
    )
    assert sagemaker.describe_endpoint_config(EndpointConfigName=name)["DataCaptureConfig"] == capture_config(bucket)


@pytest.mark.parametrize(
    ("archive", "reason"),
    [
        (b"not an archive", "Failed to extract model data archive .* valid tar.gz archive"),
        (
            tar_gz({"other.bin": b"x"}),
            "did not pass the ping health check.* no file xgboost-model; it holds: other.bin",
        ),
        (tar_gz({"xgboost-model": b"\x80\x03x"}), "did not pass the ping health check.* is a pickle, and not one"),
        (tar_gz({"xgboost-model": b"junk"}), "did not pass the ping health check.* cannot read xgboost-model"),
    ],
    ids=["no archive", "no model in it", "bad pickle", "no model"],
)
def test_an_archive_that_cannot_be_served_fails_the_endpoint(
    local_aws: Running, bucket: str, archive: bytes, reason: str
) -> None:
    name = create_endpoint(local_aws, create_model(local_aws, bucket, archive), wait="Failed")
    sagemaker = local_aws.client("sagemaker")
    assert re.search(reason, sagemaker.describe_endpoint(EndpointName=name)["FailureReason"], re.S)
    assert error_of(
        local_aws.client("sagemaker-runtime").invoke_endpoint, EndpointName=name, Body=b"1", ContentType="text/csv"
    ) == ("ValidationError", f"Endpoint {name} of account 123456789012 not found.")
    sagemaker.delete_endpoint(EndpointName=name)


def test_an_archive_that_has_gone_since_fails_the_endpoint(local_aws: Running, bucket: str, model: str) -> None:
    local_aws.client("s3").delete_object(Bucket=bucket, Key=f"{model}/model.tar.gz")
    name = create_endpoint(local_aws, model, wait="Failed")
    reason = local_aws.client("sagemaker").describe_endpoint(EndpointName=name)["FailureReason"]
    assert reason.startswith('Failed to download model data for container "container_1" from URL: "s3://')


def test_an_image_without_runner_says_which_have_one(local_aws: Running, bucket: str, model_archive: bytes) -> None:
    model = create_model(local_aws, bucket, model_archive, Image="123456789012.dkr.ecr.eu-west-1.amazonaws.com/mine:1")
    name = create_endpoint(local_aws, model, wait="Failed")
    reason = local_aws.client("sagemaker").describe_endpoint(EndpointName=name)["FailureReason"]
    assert "mine:1" in reason
    assert "sagemaker-xgboost" in reason


def test_a_model_needs_its_archive(local_aws: Running, bucket: str) -> None:
    uri = f"s3://{bucket}/nothing.tar.gz"
    assert error_of(
        local_aws.client("sagemaker").create_model,
        ModelName="m",
        PrimaryContainer={"Image": XGBOOST_IMAGE, "ModelDataUrl": uri},
        ExecutionRoleArn=ROLE,
    ) == ("ValidationException", f"Could not find model data at {uri}.")


def test_what_is_not_there_is_told_with_its_arn(local_aws: Running) -> None:
    sagemaker = local_aws.client("sagemaker")
    missing = {
        "model": (sagemaker.describe_model, sagemaker.delete_model, {"ModelName": "None"}),
        "endpoint-config": (
            sagemaker.describe_endpoint_config,
            sagemaker.delete_endpoint_config,
            {"EndpointConfigName": "None"},
        ),
        "endpoint": (sagemaker.describe_endpoint, sagemaker.delete_endpoint, {"EndpointName": "None"}),
    }
    for kind, (describe, delete, request) in missing.items():
        what = kind.replace("endpoint-config", "endpoint configuration")
        told = ("ValidationException", f'Could not find {what} "{ARN}:{kind}/none".')
        assert error_of(describe, **request) == told
        assert error_of(delete, **request) == told
    assert error_of(sagemaker.create_endpoint, EndpointName="x", EndpointConfigName="None") == (
        "ValidationException",
        f'Could not find endpoint configuration "{ARN}:endpoint-config/none".',
    )
    assert error_of(sagemaker.create_endpoint_config, EndpointConfigName="x", ProductionVariants=[variant("None")]) == (
        "ValidationException",
        f'Could not find model "{ARN}:model/none".',
    )


def test_a_name_is_taken_once_in_a_region(local_aws: Running, bucket: str, model: str) -> None:
    sagemaker = local_aws.client("sagemaker")
    again = {
        "ModelName": model,
        "PrimaryContainer": sagemaker.describe_model(ModelName=model)["PrimaryContainer"],
        "ExecutionRoleArn": ROLE,
    }
    assert error_of(sagemaker.create_model, **again) == (
        "ValidationException",
        f'Cannot create already existing model "{ARN}:model/{model}".',
    )
    elsewhere = local_aws.client("sagemaker", "eu-west-1").create_model(**again)
    assert elsewhere["ModelArn"] == f"arn:aws:sagemaker:eu-west-1:123456789012:model/{model}"


def test_an_update_replaces_what_is_served(local_aws: Running, bucket: str, model: str, model_archive: bytes) -> None:
    sagemaker = local_aws.client("sagemaker")
    name = create_endpoint(local_aws, model)
    other = new_name("other")
    sagemaker.create_endpoint_config(
        EndpointConfigName=other, ProductionVariants=[variant(create_model(local_aws, bucket, model_archive), "Second")]
    )
    before = sagemaker.describe_endpoint(EndpointName=name)
    sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=other)
    assert sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] == "Updating"
    after = wait_for_endpoint(local_aws, name)
    assert (after["EndpointStatus"], after["EndpointConfigName"]) == ("InService", other)
    assert after["LastModifiedTime"] > before["LastModifiedTime"]
    assert "DataCaptureConfig" not in after
    answer = local_aws.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=name, Body="1,0,0,0", ContentType="text/csv"
    )
    assert answer["InvokedProductionVariant"] == "Second"


def test_an_update_that_fails_leaves_the_old_one(local_aws: Running, bucket: str, model: str) -> None:
    sagemaker = local_aws.client("sagemaker")
    name = create_endpoint(local_aws, model)
    broken = new_name("broken")
    broken_model = create_model(local_aws, bucket, b"not an archive")
    sagemaker.create_endpoint_config(EndpointConfigName=broken, ProductionVariants=[variant(broken_model)])
    sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=broken)
    after = wait_for_endpoint(local_aws, name)
    assert (after["EndpointStatus"], after["EndpointConfigName"]) == ("InService", name)
    assert "valid tar.gz archive" in after["FailureReason"]
    local_aws.client("sagemaker-runtime").invoke_endpoint(EndpointName=name, Body="1,0,0,0", ContentType="text/csv")


def test_lists_filter_sort_and_page(local_aws: Running, bucket: str, model_archive: bytes) -> None:
    region = "ap-south-1"
    sagemaker = local_aws.client("sagemaker", region)
    names = [f"list-{index}" for index in range(5)]
    for name in names:
        local_aws.client("s3").put_object(Bucket=bucket, Key="m.tar.gz", Body=model_archive)
        sagemaker.create_model(
            ModelName=name,
            PrimaryContainer={"Image": XGBOOST_IMAGE, "ModelDataUrl": f"s3://{bucket}/m.tar.gz"},
            ExecutionRoleArn=ROLE,
        )

    def listed(**request: object) -> list[str]:
        return [item["ModelName"] for item in sagemaker.list_models(**request)["Models"]]

    assert listed(SortBy="Name", SortOrder="Ascending") == names
    assert listed() == names[::-1]
    assert listed(NameContains="ST-3") == ["list-3"]
    first = sagemaker.list_models(SortBy="Name", SortOrder="Ascending", MaxResults=2)
    assert [item["ModelName"] for item in first["Models"]] == names[:2]
    pages = sagemaker.get_paginator("list_models").paginate(
        SortBy="Name", SortOrder="Ascending", PaginationConfig={"PageSize": 2}
    )
    assert [item["ModelName"] for page in pages for item in page["Models"]] == names
    moment = sagemaker.describe_model(ModelName="list-2")["CreationTime"]
    assert listed(CreationTimeAfter=moment, SortBy="Name", SortOrder="Ascending") == names[2:]
    assert listed(CreationTimeBefore=moment + timedelta(seconds=0.001), SortOrder="Ascending") == names[:3]
    assert listed(NameContains="nothing") == []
    assert error_of(sagemaker.list_models, NextToken="nonsense") == (
        "ValidationException",
        "Invalid NextToken: nonsense",
    )


def test_endpoints_are_listed_by_status(local_aws: Running, bucket: str) -> None:
    sagemaker = local_aws.client("sagemaker")
    failed = create_endpoint(local_aws, create_model(local_aws, bucket, b"x"), wait="Failed")
    assert failed in {item["EndpointName"] for item in sagemaker.list_endpoints(StatusEquals="Failed")["Endpoints"]}
    assert not sagemaker.list_endpoints(StatusEquals="InService", NameContains=failed)["Endpoints"]


def test_tags_stay_with_a_resource(local_aws: Running, model: str) -> None:
    sagemaker = local_aws.client("sagemaker")
    arn = sagemaker.describe_model(ModelName=model)["ModelArn"]
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == []
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "b", "Value": "3"}])
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=["a", "z"])
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "b", "Value": "3"}]
    sagemaker.delete_model(ModelName=model)
    assert error_of(sagemaker.list_tags, ResourceArn=arn)[0] == "ValidationException"


@pytest.mark.parametrize(
    "document",
    [
        None,
        {"EndpointStatus": "Deleting", "Deployment": {"EndpointConfigName": "old"}},
        {"EndpointStatus": "Creating", "Pending": {"EndpointConfigName": "new"}},
    ],
    ids=["gone", "going", "remade"],
)
def test_a_server_that_comes_up_when_its_endpoint_wants_it_no_more_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, document: dict[str, Any] | None
) -> None:
    """One that is resumed takes a while, and the endpoint may be deleted, and made anew, in the meantime."""
    stopped = threading.Event()

    class Late:
        def retire(self, patience: float) -> None:
            stopped.set()

    with embedded(tmp_path) as aws:
        store, hosting = aws.server.aws.store, aws.server.aws.hosting
        monkeypatch.setattr(hosting, "_bring_up", lambda *_: Late())
        if document:
            store.put("endpoint", f"{REGION}/late", document)
        hosting.deploy(REGION, "late", {"EndpointConfigName": "old"})
        assert stopped.wait(30)
        assert hosting.serving(REGION, "late") is None
        assert store.get("endpoint", f"{REGION}/late") == document

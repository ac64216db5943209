"""Endpoints after a restart of the server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws import runners
from local_aws.hosting import revival
from tests.local_aws.embedded import Embedded, echo_every_image, embedded
from tests.local_aws.hosting.echo_endpoints import configure, invoke, make_endpoint, refusal, settled
from tests.running_aws import REGION, ROLE

IMAGE = "123456789012.dkr.ecr.us-west-2.amazonaws.com/stub:1"
UNKNOWN_IMAGE = "123456789012.dkr.ecr.us-west-2.amazonaws.com/unknown:1"
KEY = f"{REGION}/lasting"


@pytest.fixture(autouse=True)
def echoing(monkeypatch: pytest.MonkeyPatch) -> None:
    echo_every_image(monkeypatch)
    monkeypatch.setattr(revival, "FIRST_PAUSE", 0.1)


def prepare(aws: Embedded) -> None:
    """An endpoint `lasting` of one variant, `First`."""
    for name, image in (("echo", IMAGE), ("broken", UNKNOWN_IMAGE)):
        aws.sagemaker.create_model(ModelName=name, PrimaryContainer={"Image": image}, ExecutionRoleArn=ROLE)
    make_endpoint(aws, "lasting", "First")


def interrupted(folder: Path, change: Callable[[Embedded, dict[str, Any]], None]) -> None:
    """A server that ended while `change` was going on."""
    with embedded(folder) as aws:
        prepare(aws)
        document = aws.server.aws.store.get("endpoint", KEY)
        assert document is not None
        change(aws, document)
        aws.server.aws.store.put("endpoint", KEY, document)


def pending(aws: Embedded, document: dict[str, Any], name: str, variant: str, image: str = IMAGE) -> None:
    """Begin an update to a new configuration, and nothing more."""
    configure(aws, name, variant)
    settings = {"VariantName": variant, "ModelName": "echo", "Container": {"Image": image}}
    document["EndpointStatus"] = "Updating"
    document["Pending"] = {"EndpointConfigName": name, "Variants": [settings], "CreationTime": 1.0}


def test_an_endpoint_is_served_again(tmp_path: Path) -> None:
    with embedded(tmp_path) as aws:
        prepare(aws)
        before = aws.sagemaker.describe_endpoint(EndpointName="lasting")
    with embedded(tmp_path) as aws:
        assert invoke(aws, "x", "lasting")["InvokedProductionVariant"] == "First"
        after = aws.sagemaker.describe_endpoint(EndpointName="lasting")
    assert after["LastModifiedTime"] == before["LastModifiedTime"], "nothing was changed"
    assert after["ProductionVariants"] == before["ProductionVariants"]


def test_an_endpoint_that_cannot_be_served_is_out_of_service_until_it_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with embedded(tmp_path) as aws:
        prepare(aws)
    monkeypatch.delitem(runners.MODEL_SERVERS, "stub")
    with embedded(tmp_path) as aws:
        described = aws.sagemaker.describe_endpoint(EndpointName="lasting")
        assert described["EndpointStatus"] == "OutOfService"
        assert "stub:1" in described["FailureReason"]
        assert described["ProductionVariants"][0]["CurrentInstanceCount"] == 0
        status, response = refusal(aws, "x", "lasting")
        assert (status, response["Error"]["Code"]) == (503, "ServiceUnavailable")
        monkeypatch.setitem(runners.MODEL_SERVERS, "stub", "echo_server")
        assert "FailureReason" not in settled(aws, "lasting")
        assert invoke(aws, "x", "lasting")["InvokedProductionVariant"] == "First"


def test_an_endpoint_that_is_out_of_service_can_be_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with embedded(tmp_path) as aws:
        prepare(aws)
    monkeypatch.delitem(runners.MODEL_SERVERS, "stub")
    with embedded(tmp_path) as aws:
        assert aws.sagemaker.describe_endpoint(EndpointName="lasting")["EndpointStatus"] == "OutOfService"
        aws.sagemaker.delete_endpoint(EndpointName="lasting")
        deleted = aws.sagemaker.get_waiter("endpoint_deleted")
        deleted.wait(EndpointName="lasting", WaiterConfig={"Delay": 1, "MaxAttempts": 20})


def test_what_is_about_to_be_served_is_told_when_time_stands_still(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with embedded(tmp_path) as aws:
        prepare(aws)
        monkeypatch.setattr(aws.server.aws.hosting, "deploy", lambda *_: None)
        aws.sagemaker.update_endpoint(EndpointName="lasting", EndpointConfigName="lasting")
        described = aws.sagemaker.describe_endpoint(EndpointName="lasting")
        assert described["EndpointStatus"] == "Updating"
        assert described["PendingDeploymentSummary"]["EndpointConfigName"] == "lasting"


def test_an_update_that_was_interrupted_is_taken_up(tmp_path: Path) -> None:
    interrupted(tmp_path, lambda aws, document: pending(aws, document, "next", "Second"))
    with embedded(tmp_path) as aws:
        assert settled(aws, "lasting")["EndpointConfigName"] == "next"
        assert invoke(aws, "x", "lasting")["InvokedProductionVariant"] == "Second"


def test_an_update_that_was_interrupted_and_fails_is_rolled_back(tmp_path: Path) -> None:
    interrupted(tmp_path, lambda aws, document: pending(aws, document, "next", "Second", UNKNOWN_IMAGE))
    with embedded(tmp_path) as aws:
        described = settled(aws, "lasting")
        assert described["EndpointConfigName"] == "lasting"
        assert "unknown:1" in described["FailureReason"]
        assert invoke(aws, "x", "lasting")["InvokedProductionVariant"] == "First"


def test_a_creation_that_was_interrupted_is_taken_up(tmp_path: Path) -> None:
    def creating(aws: Embedded, document: dict[str, Any]) -> None:
        document["EndpointStatus"] = "Creating"
        document["Pending"] = document.pop("Deployment")

    interrupted(tmp_path, creating)
    with embedded(tmp_path) as aws:
        assert settled(aws, "lasting")["EndpointConfigName"] == "lasting"
        assert invoke(aws, "x", "lasting")["InvokedProductionVariant"] == "First"


def test_an_orderly_stop_in_the_middle_of_a_deployment_fails_nothing(tmp_path: Path) -> None:
    with embedded(tmp_path) as aws:
        prepare(aws)
        configure(aws, "next", "Second")
        aws.sagemaker.create_endpoint(EndpointName="hasty", EndpointConfigName="next")
        aws.sagemaker.update_endpoint(EndpointName="lasting", EndpointConfigName="next")
    with embedded(tmp_path) as aws:
        for name in ("hasty", "lasting"):
            described = settled(aws, name)
            assert (described["EndpointConfigName"], "FailureReason" in described) == ("next", False)
            assert invoke(aws, "x", name)["InvokedProductionVariant"] == "Second"


def test_a_deletion_that_was_interrupted_is_finished(tmp_path: Path) -> None:
    def deleting(aws: Embedded, document: dict[str, Any]) -> None:
        document["EndpointStatus"] = "Deleting"

    interrupted(tmp_path, deleting)
    with embedded(tmp_path) as aws:
        arn = f"arn:aws:sagemaker:{REGION}:123456789012:endpoint/lasting"
        for call, request in (
            (aws.sagemaker.describe_endpoint, {"EndpointName": "lasting"}),
            (aws.sagemaker.list_tags, {"ResourceArn": arn}),
        ):
            with pytest.raises(ClientError, match="Could not find"):
                call(**request)
        aws.sagemaker.create_endpoint(EndpointName="lasting", EndpointConfigName="lasting")
        settled(aws, "lasting")

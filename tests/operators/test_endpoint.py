from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from model_monitor.config import MonitoredEndpoint
from model_monitor.errors import EndpointFailed, ResourceConflict
from model_monitor.operators.endpoint import (
    CreateEndpointConfigOperator,
    CreateModelOperator,
    DeployEndpointOperator,
)
from model_monitor.operators.storage import UploadFilesOperator
from tests.monitored import monitored_endpoint, run_task
from tests.running_aws import Running, make_bucket


def deploy(endpoint: MonitoredEndpoint, **waiting: Any) -> Any:
    for step in (UploadFilesOperator, CreateModelOperator, CreateEndpointConfigOperator):
        run_task(step(task_id="step", endpoint=endpoint))
    return run_task(DeployEndpointOperator(task_id="deploy", endpoint=endpoint, **waiting))


def test_an_endpoint_comes_into_service_with_data_capture(deployed: MonitoredEndpoint, aws: Running) -> None:
    found = aws.client("sagemaker").describe_endpoint(EndpointName=deployed.name)
    assert found["EndpointStatus"] == "InService"
    assert found["DataCaptureConfig"]["DestinationS3Uri"] == f"s3://{deployed.bucket}/monitors/datacapture"


def test_deploying_again_changes_nothing(deployed: MonitoredEndpoint, aws: Running) -> None:
    sagemaker = aws.client("sagemaker")
    before = sagemaker.describe_endpoint(EndpointName=deployed.name)
    assert deploy(deployed)["status"] == "InService"
    after = sagemaker.describe_endpoint(EndpointName=deployed.name)
    assert (after["CreationTime"], after["LastModifiedTime"], after["EndpointConfigName"]) == (
        before["CreationTime"],
        before["LastModifiedTime"],
        before["EndpointConfigName"],
    )


def test_a_changed_configuration_moves_the_endpoint_and_deferring_answers_the_same(
    endpoint: MonitoredEndpoint, aws: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DeployEndpointOperator, "patience", 0.0)
    first = deploy(endpoint, deferrable=True)
    larger = endpoint.model_copy(update={"endpoint": endpoint.endpoint.model_copy(update={"instance_count": 2})})
    second = deploy(larger, deferrable=True)
    assert second["endpoint"] == first["endpoint"]
    assert second["endpoint_config"] != first["endpoint_config"]
    found = aws.client("sagemaker").describe_endpoint(EndpointName=endpoint.name)
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", second["endpoint_config"])


def test_an_archive_that_is_none_ends_as_failed_with_the_reason_and_a_good_one_mends_it(
    aws: Running, files: Path, tmp_path: Path
) -> None:
    for file in ("validation.csv", "test.csv"):
        (tmp_path / file).write_bytes((files / file).read_bytes())
    (tmp_path / "model.tar.gz").write_bytes(b"not an archive")
    endpoint = monitored_endpoint(tmp_path, make_bucket(aws))
    with pytest.raises(EndpointFailed, match=f"Endpoint {endpoint.name}: Failed - .*model.*/aws/sagemaker/Endpoints"):
        deploy(endpoint)
    (tmp_path / "model.tar.gz").write_bytes((files / "model.tar.gz").read_bytes())
    assert deploy(endpoint)["status"] == "InService"


def test_somebody_else_s_endpoint_is_left_alone(deployed: MonitoredEndpoint, aws: Running, files: Path) -> None:
    sagemaker = aws.client("sagemaker")
    config = sagemaker.describe_endpoint(EndpointName=deployed.name)["EndpointConfigName"]
    endpoint = monitored_endpoint(files, deployed.bucket, name="theirs")
    sagemaker.create_endpoint(EndpointName="theirs", EndpointConfigName=config)
    with pytest.raises(ResourceConflict, match="endpoint 'theirs' exists and was not made by this project"):
        deploy(endpoint)

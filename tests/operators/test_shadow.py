from __future__ import annotations

import pytest

from model_monitor import names
from model_monitor.config import MonitoredEndpoint
from model_monitor.errors import EndpointFailed
from model_monitor.operators.shadow import CreateShadowEndpointOperator, DeleteShadowEndpointOperator
from model_monitor.operators.teardown import DeleteShadowEndpointsOperator
from tests.monitored import run_task
from tests.running_aws import Running, create_endpoint

PURPOSE = "a test"


def create(endpoint: MonitoredEndpoint, purpose: str = PURPOSE, **options: bool) -> str:
    name = run_task(CreateShadowEndpointOperator(task_id="create", endpoint=endpoint, purpose=purpose, **options))
    assert isinstance(name, str)
    return name


def delete(endpoint: MonitoredEndpoint, purpose: str = PURPOSE) -> None:
    run_task(DeleteShadowEndpointOperator(task_id="delete", endpoint=endpoint, purpose=purpose))


def shadows(aws: Running, endpoint: MonitoredEndpoint) -> list[str]:
    found = aws.client("sagemaker").list_endpoints(NameContains=names.shadow_prefix(endpoint))["Endpoints"]
    configs = aws.client("sagemaker").list_endpoint_configs(NameContains=names.shadow_prefix(endpoint))
    assert {one["EndpointName"] for one in found} == {
        config["EndpointConfigName"] for config in configs["EndpointConfigs"]
    }
    return sorted(one["EndpointName"] for one in found)


def existing(endpoint: MonitoredEndpoint, name: str) -> MonitoredEndpoint:
    model = endpoint.windows.model.model_copy(update={"endpoint": name})
    return endpoint.model_copy(update={"windows": endpoint.windows.model_copy(update={"model": model})})


def test_it_serves_the_same_model_and_captures_nothing(deployed: MonitoredEndpoint, aws: Running) -> None:
    name = create(deployed)
    try:
        sagemaker, runtime = aws.client("sagemaker"), aws.client("sagemaker-runtime")
        config = sagemaker.describe_endpoint_config(EndpointConfigName=name)
        live = sagemaker.describe_endpoint_config(
            EndpointConfigName=sagemaker.describe_endpoint(EndpointName=deployed.name)["EndpointConfigName"]
        )
        assert config["ProductionVariants"] == live["ProductionVariants"]
        assert not (config.get("DataCaptureConfig") or {}).get("EnableCapture")
        answer = runtime.invoke_endpoint(EndpointName=name, ContentType="text/csv", Body="1,2,3,4")
        assert 0 < float(answer["Body"].read()) < 1
        folder = f"{names.data_capture(deployed)}/{name}".removeprefix(f"s3://{deployed.bucket}/")
        assert "Contents" not in aws.client("s3").list_objects_v2(Bucket=deployed.bucket, Prefix=folder)
    finally:
        delete(deployed)
    assert shadows(aws, deployed) == []


def test_a_second_try_takes_what_the_first_one_made(deployed: MonitoredEndpoint, aws: Running) -> None:
    assert create(deployed) == create(deployed, deferrable=True)
    assert len(shadows(aws, deployed)) == 1
    delete(deployed)
    delete(deployed)
    assert shadows(aws, deployed) == []


def test_what_an_earlier_run_left_behind_goes_after_a_day(deployed: MonitoredEndpoint, aws: Running) -> None:
    create(deployed, "left behind")
    aws.advance(23 * 3600)
    create(deployed, "an hour too early")
    assert len(shadows(aws, deployed)) == 2
    aws.advance(2 * 3600)
    kept = [create(deployed, "an hour too early"), create(deployed, "now")]
    assert shadows(aws, deployed) == sorted(kept)
    assert sorted(run_task(DeleteShadowEndpointsOperator(task_id="delete", endpoint=deployed))) == sorted(kept)
    assert shadows(aws, deployed) == []


def test_an_existing_endpoint_answers_where_the_configuration_names_one(
    deployed: MonitoredEndpoint, aws: Running
) -> None:
    sagemaker = aws.client("sagemaker")
    live = sagemaker.describe_endpoint(EndpointName=deployed.name)
    config = sagemaker.describe_endpoint_config(EndpointConfigName=live["EndpointConfigName"])
    other = create_endpoint(aws, config["ProductionVariants"][0]["ModelName"])
    assert create(existing(deployed, other)) == other
    delete(existing(deployed, other))
    assert sagemaker.describe_endpoint(EndpointName=other)["EndpointStatus"] == "InService"
    assert shadows(aws, deployed) == []
    with pytest.raises(EndpointFailed, match=r"There is no endpoint 'nobody', which windows.model.endpoint"):
        create(existing(deployed, "nobody"))

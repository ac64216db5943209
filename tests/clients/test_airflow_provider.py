"""The operators of Airflow's Amazon provider."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from airflow.providers.amazon.aws.operators.sagemaker import (
    SageMakerDeleteModelOperator,
    SageMakerEndpointConfigOperator,
    SageMakerEndpointOperator,
    SageMakerModelOperator,
    SageMakerProcessingOperator,
)
from airflow.providers.amazon.aws.sensors.sagemaker import SageMakerEndpointSensor

from local_aws.clock import Clock
from tests.local_aws.control.resources import VARIANT
from tests.local_aws.embedded import (
    BUCKET,
    IMAGE,
    Embedded,
    echo_every_image,
    embedded,
    job_request,
    stub_every_image,
)
from tests.running_aws import REGION, ROLE


@pytest.fixture
def aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Embedded]:
    """A server that Airflow's connection `aws_default` points to."""
    stub_every_image(monkeypatch)
    echo_every_image(monkeypatch)
    with embedded(tmp_path, clock=Clock()) as running:
        running.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        connection = {
            "conn_type": "aws",
            "login": "tester",
            "password": "password",
            "extra": {"endpoint_url": running.server.aws.url, "region_name": REGION},
        }
        monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps(connection))
        yield running


def test_a_job_whose_name_is_taken_gets_another_or_fails(aws: Embedded) -> None:
    def run(behaviour: str = "complete", if_exists: str = "timestamp") -> None:
        SageMakerProcessingOperator(
            task_id="process",
            config=job_request("nightly", behaviour),
            check_interval=0.1,
            print_log=False,
            action_if_job_exists=if_exists,
        ).execute({})

    run()
    run()
    jobs = aws.sagemaker.list_processing_jobs(NameContains="nightly", StatusEquals="Completed")
    assert len(jobs["ProcessingJobSummaries"]) == 2
    with pytest.raises(Exception, match="job with name nightly already exists"):
        run(if_exists="fail")
    with pytest.raises(Exception, match="the data is wrong"):
        run("fail")


def test_a_model_is_served_and_updated(aws: Embedded) -> None:
    model = {"ModelName": "churn", "PrimaryContainer": {"Image": IMAGE}, "ExecutionRoleArn": ROLE}
    config = {"EndpointConfigName": "churn", "ProductionVariants": [VARIANT | {"ModelName": "churn"}]}
    endpoint = {"EndpointName": "churn", "EndpointConfigName": "churn"}
    SageMakerModelOperator(task_id="model", config=model).execute({})
    SageMakerEndpointConfigOperator(task_id="config", config=config).execute({})
    for operation in ("create", "create", "update"):
        SageMakerEndpointOperator(task_id="endpoint", config=endpoint, operation=operation, check_interval=0.1).execute(
            {}
        )
        assert SageMakerEndpointSensor(task_id="wait", endpoint_name="churn").poke({})
    SageMakerDeleteModelOperator(task_id="delete", config={"ModelName": "churn"}).execute({})
    assert aws.sagemaker.list_models()["Models"] == []

"""Requests that SageMaker takes and local_aws does not: each refusal names what is not supported."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local_aws.control.resources import VARIANT, call, error_of
from tests.local_aws.embedded import IMAGE, Embedded, job_request
from tests.polling import until
from tests.running_aws import ROLE


@pytest.mark.parametrize(
    ("container", "refusal"),
    [
        ({"PrimaryContainer": {"ModelPackageName": "package"}}, "model packages are not supported"),
        ({"Containers": [{"Image": IMAGE}, {"Image": IMAGE}]}, "Inference pipelines are not supported"),
        ({"PrimaryContainer": {"Image": IMAGE, "Mode": "MultiModel"}}, "Mode MultiModel is not supported"),
        ({}, "You must provide either PrimaryContainer or Containers"),
    ],
    ids=["package", "pipeline", "many models", "nothing"],
)
def test_models(shared: Embedded, container: dict[str, Any], refusal: str) -> None:
    status, code, message = error_of(shared, "create_model", ModelName="m", ExecutionRoleArn=ROLE, **container)
    assert (status, code) == (400, "ValidationException")
    assert refusal in message


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        (
            {"AsyncInferenceConfig": {"OutputConfig": {"S3OutputPath": "s3://b/k"}}},
            "AsyncInferenceConfig is not supported by local_aws.",
        ),
        (
            {"ShadowProductionVariants": [VARIANT | {"VariantName": "shadow"}]},
            "ShadowProductionVariants is not supported by local_aws.",
        ),
        (
            {"ExplainerConfig": {"ClarifyExplainerConfig": {"ShapConfig": {"ShapBaselineConfig": {}}}}},
            "ExplainerConfig is not supported by local_aws.",
        ),
        ({"ProductionVariants": [VARIANT, VARIANT]}, "names must be unique"),
        (
            {"ProductionVariants": [{k: v for k, v in VARIANT.items() if k != "ModelName"}]},
            "inference components are not supported",
        ),
        (
            {"ProductionVariants": [{"VariantName": "Only", "ModelName": "base"}]},
            "needs InstanceType and InitialInstanceCount, or ServerlessConfig",
        ),
        (
            {
                "ProductionVariants": [
                    VARIANT | {"ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1}},
                ]
            },
            "has a ServerlessConfig, so it can have neither",
        ),
        ({"ProductionVariants": [VARIANT | {"ModelName": "missing"}]}, "Could not find model"),
    ],
    ids=["async", "shadow", "explainer", "doubled", "component", "no machine", "both", "no model"],
)
def test_endpoint_configurations(shared: Embedded, changes: dict[str, Any], refusal: str) -> None:
    request = {"EndpointConfigName": "refused", "ProductionVariants": [VARIANT]} | changes
    status, code, message = error_of(shared, "create_endpoint_config", **request)
    assert (status, code) == (400, "ValidationException")
    assert refusal in message


def test_operations_that_are_not_there_are_refused_by_name(shared: Embedded) -> None:
    status, code, message = error_of(shared, "list_training_jobs")
    assert (status, code) == (400, "UnknownOperationException")
    assert message == "The operation ListTrainingJobs is not supported by local_aws."


def test_a_job_is_deleted_only_when_it_is_over(shared: Embedded, tmp_path_factory: pytest.TempPathFactory) -> None:
    release = tmp_path_factory.mktemp("job") / "release"
    request = job_request("running", "wait")
    request["Environment"]["RELEASE"] = str(release)
    call(shared, "create_processing_job", **request)
    status, code, message = error_of(shared, "delete_processing_job", ProcessingJobName="running")
    assert (status, code) == (400, "ResourceInUse")
    assert "in status InProgress" in message
    release.touch()
    until(lambda: shared.ended("running"), lambda job: job["ProcessingJobStatus"] == "Completed")
    call(shared, "delete_processing_job", ProcessingJobName="running")
    with pytest.raises(ClientError, match="Could not find requested job"):
        call(shared, "describe_processing_job", ProcessingJobName="running")

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from model_monitor import names, requests
from model_monitor.config import MonitoredEndpoint
from model_monitor.errors import ResourceConflict
from model_monitor.hooks.sagemaker import MODEL, SageMakerHook, executions_since
from model_monitor.operators.storage import UploadFilesOperator
from model_monitor.sources import archive
from tests.monitored import run_task
from tests.running_aws import Running


@pytest.fixture
def hook(aws: Running) -> SageMakerHook:
    return SageMakerHook(region_name="us-west-2")


@pytest.fixture
def model(endpoint: MonitoredEndpoint) -> requests.Body:
    run_task(UploadFilesOperator(task_id="upload", endpoint=endpoint))
    return requests.create_model(endpoint, archive(endpoint))


def test_a_second_try_adopts_what_the_first_one_made(hook: SageMakerHook, model: requests.Body) -> None:
    assert hook.ensure(MODEL, model) == "created"
    assert hook.ensure(MODEL, model) == "adopted"


def test_a_try_that_loses_the_race_adopts_what_the_winner_made(
    hook: SageMakerHook, model: requests.Body, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook.ensure(MODEL, model)
    monkeypatch.setattr(hook, "find", lambda *_, **__: None)
    assert hook.ensure(MODEL, model) == "adopted"


def test_somebody_else_s_resource_of_our_name_is_left_alone(hook: SageMakerHook, model: requests.Body) -> None:
    hook.call("create_model", **(model | {"Tags": []}))
    with pytest.raises(ResourceConflict, match=f"model '{model['ModelName']}' exists .* tag .* is missing"):
        hook.ensure(MODEL, model)


def test_only_the_endpoint_s_own_resources_are_its_own(
    hook: SageMakerHook, model: requests.Body, endpoint: MonitoredEndpoint
) -> None:
    hook.ensure(MODEL, model)
    hook.call("create_model", **(model | {"ModelName": f"{endpoint.name}-other", "Tags": []}))
    assert hook.named_after(endpoint, "list_models", "Models", "ModelArn", "ModelName") == [model["ModelName"]]


def test_what_is_not_there_is_none_and_deleting_it_is_no_error(hook: SageMakerHook, aws: Running) -> None:
    assert hook.endpoint("nowhere") is None
    assert hook.processing_job("nowhere") is None
    assert hook.schedule("nowhere") is None
    assert hook.delete("delete_model", ModelName="nowhere") is False


def test_executions_of_an_earlier_schedule_of_the_name_are_left_out() -> None:
    created = datetime(2026, 11, 22, 10, 0, 5, tzinfo=UTC)
    assert executions_since("churn-bias", created, newest=True) == {
        "MonitoringScheduleName": "churn-bias",
        "CreationTimeAfter": "2026-11-22T10:00:04+00:00",
        "SortBy": "ScheduledTime",
        "SortOrder": "Descending",
        "MaxResults": 100,
    }


def test_tags_tell_whose_it_is(hook: SageMakerHook, model: requests.Body, endpoint: MonitoredEndpoint) -> None:
    hook.ensure(MODEL, model)
    arn = hook.call("describe_model", ModelName=model["ModelName"])["ModelArn"]
    assert hook.tags(arn)[names.ENDPOINT_TAG] == endpoint.name
    assert hook.owned(arn, endpoint)

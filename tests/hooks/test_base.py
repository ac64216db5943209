from __future__ import annotations

import json
import socket

import pytest
from botocore.exceptions import ClientError

from model_monitor.errors import AccessDenied, ServiceUnavailable, Unreachable
from model_monitor.hooks.base import explain, is_missing, is_taken
from model_monitor.hooks.s3 import StorageHook
from model_monitor.hooks.sagemaker import SageMakerHook
from model_monitor.waiting import Wait
from tests.running_aws import Running


def refusal(operation: str, code: str, message: str = "") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


@pytest.mark.parametrize(
    ("service", "error", "request_", "permission", "subject"),
    [
        ("s3", refusal("PutObject", "AccessDenied"), {"Bucket": "b", "Key": "k"}, "s3:PutObject", "s3://b/k"),
        ("s3", refusal("HeadBucket", "403"), {"Bucket": "b"}, "s3:ListBucket", "s3://b/"),
        (
            "sagemaker",
            refusal("CreateModel", "AccessDeniedException", "User x is not authorized"),
            {"ModelName": "churn-1"},
            "sagemaker:CreateModel",
            "churn-1",
        ),
        (
            "sagemaker-runtime",
            refusal("InvokeEndpoint", "AccessDeniedException"),
            {"EndpointName": "churn"},
            "sagemaker:InvokeEndpoint",
            "churn",
        ),
    ],
)
def test_a_refusal_names_the_missing_permission(
    service: str, error: ClientError, request_: dict[str, str], permission: str, subject: str
) -> None:
    explained = explain(error, service, request_)
    assert isinstance(explained, AccessDenied)
    assert f"'{permission}'" in str(explained)
    assert subject in str(explained)


def test_an_account_without_the_managed_monitors_is_told_so() -> None:
    closed = "This operation is in maintenance mode and is not available to new customers."
    explained = explain(refusal("CreateMonitoringSchedule", "ValidationException", closed), "sagemaker", {})
    assert isinstance(explained, ServiceUnavailable)
    assert closed in str(explained)


def test_other_errors_stay_what_they_are() -> None:
    assert explain(refusal("CreateModel", "ValidationException", "1 validation error"), "sagemaker", {}) is None


@pytest.mark.parametrize(
    ("code", "message", "missing"),
    [
        ("ResourceNotFound", "", True),
        ("NoSuchKey", "", True),
        ("404", "Not Found", True),
        ("ValidationException", 'Could not find model "arn:aws:sagemaker:…".', True),
        ("ValidationException", "1 validation error detected", False),
        ("ThrottlingException", "Rate exceeded", False),
    ],
)
def test_missing_resources_are_told_by_code_or_by_words(code: str, message: str, missing: bool) -> None:
    assert is_missing(refusal("Describe", code, message)) is missing


@pytest.mark.parametrize(
    ("code", "message", "taken"),
    [
        ("ResourceInUse", "", True),
        ("ValidationException", "Cannot create already existing model", True),
        ("ValidationException", "1 validation error detected", False),
    ],
)
def test_taken_names_are_told_by_code_or_by_words(code: str, message: str, taken: bool) -> None:
    assert is_taken(refusal("Create", code, message)) is taken


def test_throttling_is_retried_more_often_than_boto3_does_and_a_connection_may_say_otherwise(
    aws: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert SageMakerHook().conn.meta.config.retries == {"mode": "standard", "total_max_attempts": 6}
    monkeypatch.setenv(
        "AIRFLOW_CONN_PATIENT",
        '{"conn_type": "aws", "extra": {"region_name": "us-west-2",'
        ' "config_kwargs": {"retries": {"mode": "adaptive"}}}}',
    )
    assert SageMakerHook(aws_conn_id="patient").conn.meta.config.retries["mode"] == "adaptive"


def test_buckets_of_a_server_of_one_s_own_are_paths_not_host_names(aws: Running) -> None:
    assert StorageHook().conn.meta.config.s3 == {"addressing_style": "path"}


@pytest.mark.parametrize("code", ["InvalidClientTokenId", "ExpiredToken", "SignatureDoesNotMatch"])
def test_credentials_that_aws_does_not_accept_are_told_from_missing_permissions(code: str) -> None:
    explained = explain(refusal("GetCallerIdentity", code, "The security token is invalid"), "sts", {})
    assert isinstance(explained, AccessDenied)
    assert "does not accept the credentials" in str(explained)


def connection(**extra: object) -> str:
    return json.dumps(
        {"conn_type": "aws", "login": "key", "password": "secret", "extra": {"region_name": "us-west-2", **extra}}
    )


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a port that nobody listens on, which the connection `nobody` points to."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
    once = {"retries": {"total_max_attempts": 1}}
    monkeypatch.setenv("AIRFLOW_CONN_NOBODY", connection(endpoint_url=url, config_kwargs=once))
    return url


def test_a_server_that_does_not_answer_is_named_with_its_connection(nobody: str) -> None:
    with pytest.raises(Unreachable, match=f"^{nobody} does not answer .* the connection 'nobody'"):
        SageMakerHook(aws_conn_id="nobody").endpoint("churn")


def test_no_answer_is_given_up_on_within_a_minute_or_so(aws: Running) -> None:
    config = SageMakerHook().conn.meta.config
    assert config.connect_timeout * config.retries["total_max_attempts"] <= 30


def test_a_connection_without_credentials_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    monkeypatch.setenv("AIRFLOW_CONN_BARE", '{"conn_type": "aws", "extra": {"region_name": "us-west-2"}}')
    with pytest.raises(AccessDenied, match="connection 'bare' holds no AWS credentials"):
        SageMakerHook(aws_conn_id="bare").endpoint("churn")


def test_waiting_says_what_it_waits_for(nobody: str, capsys: pytest.CaptureFixture[str]) -> None:
    hook = SageMakerHook(aws_conn_id="nobody")
    outcome = hook.wait(Wait.until("ScheduleSettled", {"MonitoringScheduleName": "churn-bias"}, timeout=0))
    assert outcome.state == "deadline"
    said = 'ScheduleSettled: EndpointConnectionError: Could not connect to the endpoint URL: "'
    assert f"{said}{nobody}" in capsys.readouterr().out

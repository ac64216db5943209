from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from botocore.exceptions import ClientError

from local_aws.store import Store
from tests.polling import until
from tests.processes import alive, programs_of
from tests.running_aws import ROOT, Running, create_endpoint, create_model, make_bucket, start_local_aws


def get(url: str, data: bytes | None = None, **headers: str) -> tuple[int, dict[str, Any]]:
    try:
        with urlopen(Request(url, data=data, headers=headers), timeout=30) as answer:
            return answer.status, json.load(answer)
    except HTTPError as error:
        return error.code, json.load(error)


def test_it_says_that_it_is_well_and_what_time_it_is(local_aws: Running) -> None:
    status, health = get(f"{local_aws.url}/_local/health")
    assert (status, health["status"]) == (200, "ok")
    assert abs(datetime.fromisoformat(health["now"]) - datetime.now(UTC)) < timedelta(seconds=60)


def test_real_time_is_not_moved(local_aws: Running) -> None:
    status, answer = get(f"{local_aws.url}/_local/clock", b'{"advance_seconds": 1}')
    assert status == 409
    assert "--clock stepped" in answer["message"]


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"advance_seconds": "1"}', b'{"advance_seconds": -1}', b"NaN"])
def test_a_wrong_step_is_told(stepped_aws: Running, body: bytes) -> None:
    before = stepped_aws.now()
    status, answer = get(f"{stepped_aws.url}/_local/clock", body)
    assert status == 400
    assert "advance_seconds" in answer["message"]
    assert stepped_aws.now() == before


def test_all_timestamps_come_from_the_stepped_clock(stepped_aws: Running) -> None:
    before = stepped_aws.now()
    now = stepped_aws.advance(86400)
    assert now == before + timedelta(days=1)
    bucket = make_bucket(stepped_aws)
    s3 = stepped_aws.client("s3")
    put = s3.put_object(Bucket=bucket, Key="a", Body=b"1")
    stamps = [
        parsedate_to_datetime(put["ResponseMetadata"]["HTTPHeaders"]["date"]),
        s3.head_object(Bucket=bucket, Key="a")["LastModified"],
        next(item["CreationDate"] for item in s3.list_buckets()["Buckets"] if item["Name"] == bucket),
    ]
    model = create_model(stepped_aws, bucket, b"x")
    described = stepped_aws.client("sagemaker").describe_model(ModelName=model)
    stamps += [
        described["CreationTime"],
        parsedate_to_datetime(described["ResponseMetadata"]["HTTPHeaders"]["date"]),
    ]
    assert {abs(stamp - now) <= timedelta(seconds=1) for stamp in stamps} == {True}, (now, stamps)


@pytest.mark.parametrize("path", ["/", "/bucket/key", "/moto-api/reset", "/endpoints/x/invocations", "/_local/nothing"])
def test_what_is_not_signed_gets_a_modelled_refusal(local_aws: Running, path: str) -> None:
    status, answer = get(f"{local_aws.url}{path}")
    assert status in (403, 404)
    assert "message" in answer


@pytest.mark.parametrize(
    ("service", "call", "request_", "code"),
    [
        ("sagemaker", "list_algorithms", {}, "UnknownOperationException"),
        (
            "sagemaker-runtime",
            "invoke_endpoint_async",
            {"EndpointName": "x", "InputLocation": "s3://b/k"},
            "ValidationError",
        ),
        ("logs", "list_anomalies", {}, "UnknownOperationException"),
        ("kendra", "list_indices", {}, "UnknownOperationException"),
        ("cloudwatch", "list_metric_streams", {}, "UnknownOperationException"),
    ],
)
def test_what_is_not_supported_says_so(
    local_aws: Running, service: str, call: str, request_: dict[str, str], code: str
) -> None:
    with pytest.raises(ClientError) as error:
        getattr(local_aws.client(service), call)(**request_)
    response = error.value.response
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert response["Error"]["Code"] == code
    assert "local_aws" in response["Error"]["Message"]


def test_a_body_that_is_not_json_is_a_serialization_error(local_aws: Running) -> None:
    status, answer = get(
        local_aws.url,
        b"{",
        Authorization="AWS4-HMAC-SHA256 Credential=k/20261122/us-west-2/sagemaker/aws4_request, SignedHeaders=host",
        **{"X-Amz-Target": "SageMaker.ListModels"},
    )
    assert (status, answer["__type"]) == (400, "SerializationException")


def test_the_other_services_answer(local_aws: Running) -> None:
    assert local_aws.client("sts").get_caller_identity()["Account"] == "123456789012"
    with pytest.raises(ClientError) as error:
        local_aws.client("s3").get_object(Bucket=make_bucket(local_aws), Key="missing")
    assert error.value.response["Error"]["Code"] == "NoSuchKey"
    local_aws.client("cloudwatch").put_metric_data(
        Namespace="test", MetricData=[{"MetricName": "m", "Value": 1.0, "Dimensions": [{"Name": "a", "Value": "b"}]}]
    )
    assert local_aws.client("cloudwatch").list_metrics(Namespace="test")["Metrics"]


def test_presigned_addresses_work(local_aws: Running) -> None:
    bucket = make_bucket(local_aws)
    s3 = local_aws.client("s3")
    s3.put_object(Bucket=bucket, Key="a b/c.txt", Body=b"hello")
    address = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "a b/c.txt"})
    with urlopen(address, timeout=10) as answer:
        assert answer.read() == b"hello"


def test_it_listens_on_this_machine_only(local_aws: Running) -> None:
    port = int(local_aws.url.rsplit(":", 1)[1])
    outside = next((info[4][0] for info in socket.getaddrinfo(socket.gethostname(), port, socket.AF_INET)), "127.0.0.1")
    if not outside.startswith("127."):
        with pytest.raises(OSError), socket.create_connection((outside, port), timeout=5):
            pass
    assert local_aws.url.startswith("http://127.0.0.1:")


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_no_model_server_is_left_when_it_ends(tmp_path: Path, model_archive: bytes, end: signal.Signals) -> None:
    aws = start_local_aws(tmp_path)
    create_endpoint(aws, create_model(aws, make_bucket(aws), model_archive))
    servers = programs_of(aws.process.pid)
    assert servers
    aws.process.send_signal(end)
    assert aws.process.wait(30) == (0 if end == signal.SIGTERM else -signal.SIGKILL)
    until(lambda: [server for server in servers if alive(server)], lambda left: not left)


def start_and_fail(*options: str, traceback: bool = False) -> str:
    """What a server that cannot start says."""
    ended = subprocess.run(
        [sys.executable, "-m", "local_aws", *options],
        env=os.environ | {"PYTHONPATH": f"{ROOT / 'plugins'}{os.pathsep}{ROOT / 'include'}"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ("Traceback" in ended.stderr) == traceback
    return ended.stderr


def test_a_folder_that_another_server_uses_is_refused(local_aws: Running) -> None:
    said = start_and_fail("--port", "0", "--data-dir", str(local_aws.data_dir))
    assert said.startswith("local_aws cannot start: ")
    assert "is in use by another local_aws" in said


@pytest.mark.parametrize(
    ("kind", "name", "document"), [("endpoint", "us-west-2/damaged", {}), ("clock", "latest", {"Stepped": True})]
)
def test_a_folder_that_cannot_be_taken_up_ends_the_server(
    tmp_path: Path, kind: str, name: str, document: dict[str, Any]
) -> None:
    store = Store(tmp_path / "state.sqlite")
    store.insert(kind, name, document)
    store.close()
    said = start_and_fail("--port", "0", "--data-dir", str(tmp_path), traceback=True)
    assert f"local_aws cannot start: what is in {tmp_path} cannot be taken up: KeyError" in said


def test_a_folder_of_another_version_is_refused(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "state.sqlite")) as database:
        database.execute("CREATE TABLE documents (kind TEXT, name TEXT, document TEXT)")
    said = start_and_fail("--port", "0", "--data-dir", str(tmp_path))
    assert "was written by another version of local_aws" in said
    assert "--data-dir" in said


def test_a_port_that_is_taken_is_told(local_aws: Running, tmp_path: Path) -> None:
    said = start_and_fail("--port", local_aws.url.rsplit(":", 1)[1], "--data-dir", str(tmp_path))
    assert "Address already in use" in said


def test_its_files_are_for_nobody_but_its_user(tmp_path: Path, model_archive: bytes) -> None:
    aws = start_local_aws(tmp_path)
    try:
        create_endpoint(aws, create_model(aws, make_bucket(aws), model_archive))
        made = [file for file in tmp_path.rglob("*") if file != aws.log]
        assert len(made) > 256
        assert {file for file in made if file.stat().st_mode & 0o077} == set()
    finally:
        aws.stop()


def test_it_listens_on_the_other_loopback_address(tmp_path: Path) -> None:
    aws = start_local_aws(tmp_path, "--host", "::1")
    try:
        assert aws.url.startswith("http://[::1]:")
        assert aws.client("sagemaker").list_models()["Models"] == []
    finally:
        aws.stop()

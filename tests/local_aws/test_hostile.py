"""Requests that no honest client sends: each gets a modelled refusal, and none reaches past the data folder."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import subprocess
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.running_aws import (
    ROLE,
    XGBOOST_IMAGE,
    Running,
    create_endpoint,
    create_model,
    make_bucket,
    new_name,
)

CLARIFY_IMAGE = "306415355426.dkr.ecr.us-west-2.amazonaws.com/sagemaker-clarify-processing:1.0"
VARIANT = {"VariantName": "a", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}


def signed(region: str = "us-west-2", service: str = "sagemaker") -> dict[str, str]:
    """Headers of a request that is signed for a region and a service."""
    scope = f"{region}/{service}/aws4_request"
    return {"Authorization": f"AWS4-HMAC-SHA256 Credential=k/20261122/{scope}, SignedHeaders=host, Signature=x"}


def post(aws: Running, path: str, body: bytes | str, headers: dict[str, str]) -> tuple[int, str, bytes]:
    """Status, content type and content of the answer."""
    connection = http.client.HTTPConnection(aws.url.removeprefix("http://"), timeout=60)
    try:
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.headers["Content-Type"], answer.read()
    finally:
        connection.close()


def send(
    aws: Running, body: bytes | str, operation: str = "ListModels", region: str = "us-west-2"
) -> tuple[int, dict[str, Any]]:
    """Status and content of the control plane's answer."""
    headers = {"X-Amz-Target": f"SageMaker.{operation}", "Content-Type": "application/x-amz-json-1.1"}
    status, content_type, content = post(aws, "/", body, signed(region) | headers)
    assert content_type == "application/x-amz-json-1.1"
    return status, json.loads(content)


@pytest.mark.parametrize(
    "body",
    [
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"MaxResults": 1' + "0" * 5000 + "}",
        '{"CreationTimeAfter": 1' + "0" * 400 + "}",
        '{"CreationTimeAfter": NaN}',
        '{"CreationTimeAfter": 1e999}',
        '{"NameContains": "\\ud800"}',
        '{"NameContains": "a\\u0000b"}',
        b"\xff\xfe",
        "null",
        "[]",
    ],
    ids=str,
)
def test_bodies_that_are_no_request(local_aws: Running, body: bytes | str) -> None:
    status, answer = send(local_aws, body)
    assert (status, answer["__type"]) == (400, "SerializationException")


def test_a_number_that_is_none_is_not_stored(local_aws: Running, bucket: str, model_archive: bytes) -> None:
    model = create_model(local_aws, bucket, model_archive)
    for weight in ("NaN", "Infinity", "1e999"):
        variant = json.dumps([VARIANT | {"ModelName": model, "InitialVariantWeight": "W"}]).replace('"W"', weight)
        body = f'{{"EndpointConfigName": "{new_name("c")}", "ProductionVariants": {variant}}}'
        assert send(local_aws, body, "CreateEndpointConfig")[0] == 400, weight


@pytest.mark.parametrize("region", ["..", ".", "", "../..", "us-east-1%2f..", "x" * 300])
def test_a_region_is_never_a_path(local_aws: Running, bucket: str, region: str) -> None:
    local_aws.client("s3").put_object(Bucket=bucket, Key="kept", Body=b"1")
    cluster = {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30}
    job = {
        "ProcessingJobName": "s3",
        "ProcessingResources": {"ClusterConfig": cluster},
        "AppSpecification": {"ImageUri": CLARIFY_IMAGE},
        "RoleArn": ROLE,
    }
    status, answer = send(local_aws, json.dumps(job), "CreateProcessingJob", region=region)
    assert (status, answer["__type"]) == (403, "MissingAuthenticationTokenException")
    assert any(path.is_file() for path in (local_aws.data_dir / "s3").rglob("*"))
    assert local_aws.client("s3").get_object(Bucket=bucket, Key="kept")["Body"].read() == b"1"


@pytest.mark.parametrize(
    "service", ["s3", "sts", "iam", "logs", "monitoring", "events", "sns", "dynamodb", "lambda", ".."]
)
def test_an_operation_signed_for_another_service_is_no_failure_of_the_server(local_aws: Running, service: str) -> None:
    headers = {"X-Amz-Target": "SageMaker.CreateModel", "Content-Type": "application/x-amz-json-1.1"}
    status, content_type, _ = post(local_aws, "/", b"{}", signed(service=service) | headers)
    assert status < 500
    assert "html" not in content_type


@pytest.mark.parametrize("token", ["abc", "-1", "²", "b2Zmc2V0Oi01", "é"])
def test_a_token_that_no_page_gave(local_aws: Running, bucket: str, model_archive: bytes, token: str) -> None:
    sagemaker = local_aws.client("sagemaker")
    arn = sagemaker.describe_model(ModelName=create_model(local_aws, bucket, model_archive))["ModelArn"]
    for operation, request in (("ListModels", {}), ("ListTags", {"ResourceArn": arn})):
        status, answer = send(local_aws, json.dumps(request | {"NextToken": token}), operation)
        assert (status, answer["__type"]) == (400, "ValidationException"), operation


@pytest.mark.parametrize(
    "uri", ["s3://", "s3://-/", "s3://BAD_bucket!!/x", "s3://../x", "https://x", f"s3://{'a' * 300}/x"]
)
def test_model_data_at_an_impossible_address(local_aws: Running, uri: str) -> None:
    container = {"Image": XGBOOST_IMAGE, "ModelDataUrl": uri}
    body = json.dumps({"ModelName": "impossible", "PrimaryContainer": container, "ExecutionRoleArn": ROLE})
    status, answer = send(local_aws, body, "CreateModel")
    assert (status, answer["__type"]) == (400, "ValidationException")


@pytest.mark.parametrize(
    ("request_", "refusal"),
    [
        ({"Containers": [{"Image": XGBOOST_IMAGE}] * 2}, "Inference pipelines are not supported"),
        ({"PrimaryContainer": {"Image": XGBOOST_IMAGE, "Mode": "MultiModel"}}, "Mode MultiModel is not supported"),
        (
            {
                "PrimaryContainer": {
                    "Image": XGBOOST_IMAGE,
                    "ModelDataSource": {
                        "S3DataSource": {
                            "S3Uri": "s3://bucket/model/",
                            "S3DataType": "S3Prefix",
                            "CompressionType": "None",
                        }
                    },
                }
            },
            "ModelDataSource is not supported",
        ),
    ],
)
def test_what_would_be_served_otherwise_than_asked_is_refused(
    local_aws: Running, request_: dict[str, Any], refusal: str
) -> None:
    sagemaker = local_aws.client("sagemaker")
    with pytest.raises(ClientError, match=refusal):
        sagemaker.create_model(ModelName="refused", ExecutionRoleArn=ROLE, **request_)
    with pytest.raises(ClientError, match="Could not find model"):
        sagemaker.describe_model(ModelName="refused")


@pytest.mark.parametrize("name", ["..", "%2e%2e", "a%0d%0aX-Evil:%201", "a" * 500, "%ff", "%E2%82%AC"])
def test_names_of_endpoints_that_are_none(local_aws: Running, name: str) -> None:
    status, content_type, answer = post(local_aws, f"/endpoints/{name}/invocations", b"1", signed())
    assert (status, content_type) == (400, "application/json")
    assert "endpointName" in json.loads(answer)["Message"]


def test_one_of_many_creations_of_the_same_name_succeeds(local_aws: Running, model_archive: bytes) -> None:
    model = create_model(local_aws, make_bucket(local_aws), model_archive)
    config, name = new_name("config"), new_name("raced")
    local_aws.client("sagemaker").create_endpoint_config(
        EndpointConfigName=config, ProductionVariants=[VARIANT | {"ModelName": model}]
    )
    body = json.dumps({"EndpointName": name, "EndpointConfigName": config})
    with ThreadPoolExecutor(8) as clients:
        answers = list(clients.map(lambda _: send(local_aws, body, "CreateEndpoint"), range(8)))
    assert Counter(status for status, _ in answers) == {200: 1, 400: 7}
    assert {answer["__type"] for status, answer in answers if status == 400} == {"ValidationException"}


def test_requests_to_an_endpoint_that_is_being_deleted(local_aws: Running, model_archive: bytes) -> None:
    endpoint = create_endpoint(local_aws, create_model(local_aws, make_bucket(local_aws), model_archive))
    answered, over = threading.Barrier(9), threading.Event()
    seen: list[int] = []

    def ask() -> None:
        headers = signed() | {"Content-Type": "text/csv"}
        seen.append(post(local_aws, f"/endpoints/{endpoint}/invocations", b"1,2,3,4", headers)[0])

    def client() -> None:
        ask()
        answered.wait(30)
        while not over.is_set():
            ask()

    clients = [threading.Thread(target=client) for _ in range(8)]
    for thread in clients:
        thread.start()
    answered.wait(30)
    sagemaker = local_aws.client("sagemaker")
    sagemaker.delete_endpoint(EndpointName=endpoint)
    sagemaker.get_waiter("endpoint_deleted").wait(EndpointName=endpoint, WaiterConfig={"Delay": 1, "MaxAttempts": 20})
    over.set()
    for thread in clients:
        thread.join()
    assert set(seen) <= {200, 400, 424}
    assert 400 in seen, "after the end there is no such endpoint"


@pytest.mark.parametrize("path", ["/", "/_local/clock", "/endpoints/x/invocations"])
@pytest.mark.parametrize("header", ["Content-Length: -5", "Transfer-Encoding: chunked", "Content-Length: abc"])
def test_bodies_whose_length_makes_no_sense(local_aws: Running, path: str, header: str) -> None:
    host, port = local_aws.url.removeprefix("http://").split(":")
    headers = "".join(f"{name}: {value}\r\n" for name, value in signed().items())
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        target = "X-Amz-Target: SageMaker.ListModels\r\n"
        request = f"POST {path} HTTP/1.1\r\nHost: x\r\n{target}{headers}{header}\r\n\r\nzz\r\n"
        connection.sendall(request.encode())
        assert connection.recv(12) == b"HTTP/1.1 400"


def test_idle_connections_take_no_thread(local_aws: Running) -> None:
    host = local_aws.url.removeprefix("http://")
    idle = [http.client.HTTPConnection(host, timeout=30) for _ in range(100)]
    headers = signed() | {"X-Amz-Target": "SageMaker.ListModels", "Content-Type": "application/x-amz-json-1.1"}
    try:
        for connection in idle:
            connection.request("POST", "/", b"{}", headers)
            assert connection.getresponse().read()
        assert all(connection.sock is not None for connection in idle), "all are kept"
        for connection in idle[::10]:
            connection.request("POST", "/", b"{}", headers)
            assert connection.getresponse().status == 200
        assert send(local_aws, "{}")[0] == 200
    finally:
        for connection in idle:
            connection.close()


def test_connections_that_say_nothing_take_no_thread(local_aws: Running) -> None:
    host, port = local_aws.url.removeprefix("http://").split(":")
    with contextlib.ExitStack() as silent:
        for _ in range(200):
            silent.enter_context(socket.create_connection((host, int(port)), timeout=30))
        begun = time.monotonic()
        assert send(local_aws, "{}")[0] == 200
        assert time.monotonic() - begun < 5


def resident_bytes(aws: Running) -> int:
    """The memory of the server's process."""
    listed = subprocess.run(
        ["ps", "-o", "rss=", "-p", str(aws.process.pid)], capture_output=True, text=True, check=True
    )
    return int(listed.stdout) * 1024


@pytest.mark.parametrize("service", ["sagemaker", "monitoring", "logs", None])
def test_a_body_that_is_too_large_is_refused_and_not_kept(local_aws: Running, service: str | None) -> None:
    headers = {"X-Amz-Target": "SageMaker.ListModels", "Content-Type": "application/x-amz-json-1.1"}
    before = resident_bytes(local_aws)
    status, _, answer = post(local_aws, "/", b" " * 40_000_000, headers | (signed(service=service) if service else {}))
    assert (status, json.loads(answer)["__type"]) == (413, "RequestEntityTooLargeException")
    assert resident_bytes(local_aws) - before < 20_000_000


def test_a_body_without_end_is_refused_before_it_is_sent(local_aws: Running) -> None:
    host, port = local_aws.url.removeprefix("http://").split(":")
    lines = [f"{name}: {value}" for name, value in signed().items()]
    for length in ("Content-Length: 100000000000", "Transfer-Encoding: chunked"):
        with socket.create_connection((host, int(port)), timeout=30) as connection:
            head = ["POST / HTTP/1.1", "Host: x", "X-Amz-Target: SageMaker.ListModels", *lines, length]
            connection.sendall("\r\n".join([*head, "", ""]).encode())
            with contextlib.suppress(ConnectionError):
                if "chunked" in length:
                    connection.sendall(b"FFFFFFFF\r\n")
                for _ in range(1500):
                    connection.sendall(b" " * 65536)
            with contextlib.suppress(ConnectionError):
                assert connection.recv(12) == b"HTTP/1.1 413"
    assert send(local_aws, "{}")[0] == 200


def test_clients_that_hang_up_take_no_place(local_aws: Running) -> None:
    host, port = local_aws.url.removeprefix("http://").split(":")
    for _ in range(64):
        with socket.create_connection((host, int(port)), timeout=30) as connection:
            connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{")
    assert send(local_aws, "{}")[0] == 200


@pytest.mark.parametrize(
    "header", [b"X-Long: %s\r\n" % (b"a" * 200_000), b"X-Short: a\r\n" * 20_000], ids=["long", "many"]
)
def test_headers_without_end_are_not_kept(local_aws: Running, header: bytes) -> None:
    host, port = local_aws.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(b"GET /_local/health HTTP/1.1\r\nHost: localhost\r\n")
        with contextlib.suppress(OSError):
            connection.sendall(header)
        assert connection.recv(100).startswith(b"HTTP/1.1 413")

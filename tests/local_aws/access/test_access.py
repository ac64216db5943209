"""With a key file, known keys and what they signed are served, and nothing else is."""

from __future__ import annotations

import http.client
import io
import json
import os
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import botocore.auth
import pytest
from botocore.exceptions import ClientError

from local_aws.access.signatures import ALGORITHM, Scope, Signer, canonical_request
from tests.local_aws.access.guarded import (
    KEY,
    OTHER_KEY,
    OTHER_SECRET,
    SECRET,
    Guarded,
    send,
    signed,
    stamp,
    start_guarded,
)
from tests.running_aws import REGION, ROLE, create_endpoint, create_model, make_bucket

ODD_KEY = "a b/ü+(1)~*'!@,:;=&$#?%41.txt"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """A server with real time and two known keys, the second with a session token."""
    running = start_guarded(tmp_path_factory.mktemp("guarded"))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def bucket(guarded: Guarded) -> str:
    return make_bucket(guarded)


def refusal(call: Any, **request: Any) -> tuple[int, str]:
    """HTTP status and code of the error that a call ends in."""
    with pytest.raises(ClientError) as error:
        call(**request)
    response = error.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]


CALLS: list[tuple[str, str, dict[str, Any]]] = [
    ("sagemaker", "list_models", {}),
    ("sagemaker-runtime", "invoke_endpoint", {"EndpointName": "x", "Body": b"1,2"}),
    ("s3", "list_buckets", {}),
    ("s3", "put_object", {"Bucket": "b", "Key": "k", "Body": b"1"}),
    ("sts", "get_caller_identity", {}),
    ("iam", "list_users", {}),
    ("sns", "list_topics", {}),
    ("cloudwatch", "list_metrics", {}),
    ("logs", "describe_log_groups", {}),
    ("events", "list_rules", {}),
]
REFUSALS = {
    "s3": ((403, "InvalidAccessKeyId"), (403, "SignatureDoesNotMatch")),
    "sagemaker-runtime": ((403, "UnrecognizedClientException"), (403, "InvalidSignatureException")),
    "query": ((403, "InvalidClientTokenId"), (403, "SignatureDoesNotMatch")),
    "json": ((400, "UnrecognizedClientException"), (400, "InvalidSignatureException")),
}


@pytest.mark.parametrize(("service", "call", "request_"), CALLS, ids=lambda value: str(value)[:20])
def test_a_wrong_key_and_a_wrong_secret_are_refused_as_each_service_does(
    guarded: Guarded, service: str, call: str, request_: dict[str, Any]
) -> None:
    protocol = "query" if service in ("sts", "iam", "sns") else service if service in REFUSALS else "json"
    unknown = getattr(guarded.client_with("AKIDNOBODY", SECRET, service), call)
    wrong = getattr(guarded.client_with(KEY, "guess", service), call)
    assert (refusal(unknown, **request_), refusal(wrong, **request_)) == REFUSALS[protocol]


@pytest.mark.parametrize(
    ("service", "call", "request_"), [call for call in CALLS if "endpoint" not in call[1] and "put" not in call[1]]
)
def test_a_known_key_is_served_by_every_service(
    guarded: Guarded, service: str, call: str, request_: dict[str, Any]
) -> None:
    answer = getattr(guarded.client(service), call)(**request_)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_a_head_request_is_refused_without_a_body(guarded: Guarded, bucket: str) -> None:
    s3 = guarded.client_with(KEY, "guess", "s3")
    assert refusal(s3.head_object, Bucket=bucket, Key="x") == (403, "403")
    assert refusal(s3.head_bucket, Bucket=bucket) == (403, "403")


@pytest.mark.parametrize("name", ["a.txt", ODD_KEY, "a//b/../c/./d", "%2F%2f", "a+b c", "日本語/ключ"])
def test_objects_of_any_name_go_in_and_out(guarded: Guarded, bucket: str, name: str) -> None:
    s3 = guarded.client("s3")
    s3.put_object(
        Bucket=bucket, Key=name, Body=b"hello", Metadata={"note_a": "two  spaces"}, ContentType="text/plain; charset=x"
    )
    assert s3.get_object(Bucket=bucket, Key=name, Range="bytes=1-3")["Body"].read() == b"ell"
    listed = s3.list_objects_v2(Bucket=bucket, Prefix=name, MaxKeys=1)
    assert [item["Key"] for item in listed["Contents"]] == [name]
    s3.copy_object(Bucket=bucket, Key=f"{name}-copy", CopySource={"Bucket": bucket, "Key": name})
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": name}, {"Key": f"{name}-copy"}]})
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket, Prefix=name)


def test_large_objects_in_parts(guarded: Guarded, bucket: str) -> None:
    content = os.urandom(17 * 1024**2)
    s3 = guarded.client("s3")
    s3.upload_fileobj(io.BytesIO(content), bucket, "large")
    assert s3.get_object(Bucket=bucket, Key="large")["Body"].read() == content
    s3.put_object(Bucket=bucket, Key="one-piece", Body=io.BytesIO(content))
    assert s3.get_object(Bucket=bucket, Key="one-piece")["Body"].read() == content


def test_a_temporary_key_needs_its_token(guarded: Guarded) -> None:
    for token, served in (("a-token", True), ("b-token", False), (None, False)):
        sts = guarded.client_with(OTHER_KEY, OTHER_SECRET, "sts", token=token)
        if served:
            assert sts.get_caller_identity()["Account"] == "123456789012"
        else:
            assert refusal(sts.get_caller_identity) == (403, "InvalidClientTokenId")


def test_an_assumed_role_has_a_key_of_its_own(guarded: Guarded) -> None:
    given = guarded.client("sts").assume_role(RoleArn=ROLE, RoleSessionName="session")["Credentials"]
    key, secret, token = given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"]
    assert guarded.client_with(key, secret, "sagemaker", token=token).list_models()["Models"] == []
    identity = guarded.client_with(key, secret, "sts", token=token).get_caller_identity()
    assert identity["Arn"].endswith("/session")
    for other in (None, "", f"{token}x"):
        assert refusal(guarded.client_with(key, secret, "sts", token=other).get_caller_identity)[0] == 403
    fixed = guarded.client("sts").get_session_token()["Credentials"]
    told = guarded.client_with(
        fixed["AccessKeyId"], fixed["SecretAccessKey"], "sts", token=fixed["SessionToken"]
    ).get_caller_identity
    assert refusal(told) == (403, "InvalidClientTokenId"), "moto gives the same one to everybody"


def test_who_i_am_can_be_presigned(guarded: Guarded) -> None:
    address = guarded.client("sts").generate_presigned_url("get_caller_identity", HttpMethod="GET")
    assert b"<Account>123456789012</Account>" in send(address, {}, None, "GET")[2]
    status, _, answer = send(address.replace("X-Amz-Expires=3600", "X-Amz-Expires=3601"), {}, None, "GET")
    assert (status, b"<Code>SignatureDoesNotMatch</Code>" in answer) == (403, True)


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_presigned_addresses(guarded: Guarded, bucket: str, version: str) -> None:
    s3 = guarded.client_with(KEY, SECRET, "s3", signature_version=version)
    place = {"Bucket": bucket, "Key": f"{version}/{ODD_KEY}"}
    put = s3.generate_presigned_url("put_object", place | {"ContentType": "text/plain"})
    get = s3.generate_presigned_url("get_object", place | {"ResponseContentType": "text/csv"}, ExpiresIn=60)
    assert send(put, {"Content-Type": "text/plain"}, b"hello", "PUT")[0] == 200
    assert send(get, {}, None, "GET") == (200, "text/csv", b"hello")
    other_place = get.replace(f"/{bucket}/", "/other/")
    longer = get.replace("X-Amz-Expires=60", "X-Amz-Expires=600").replace("Expires=", "Expires=1")
    assert send(put, {"Content-Type": "text/html"}, b"hello", "PUT")[0] == 403
    for method, address in (("PUT", get), ("GET", put), ("GET", other_place), ("GET", longer)):
        status, _, answer = send(address, {}, None, method)
        assert (status, b"<Code>SignatureDoesNotMatch</Code>" in answer) == (403, True), (method, address)
    unknown = guarded.client_with("AKIDNOBODY", SECRET, "s3", signature_version=version)
    answer = send(unknown.generate_presigned_url("get_object", place), {}, None, "GET")
    assert (answer[0], b"<Error><Code>InvalidAccessKeyId</Code>" in answer[2]) == (403, True)


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_a_presigned_address_expires(guarded: Guarded, bucket: str, version: str) -> None:
    s3 = guarded.client_with(KEY, SECRET, "s3", signature_version=version)
    s3.put_object(Bucket=bucket, Key="expiring", Body=b"1")
    address = s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "expiring"}, ExpiresIn=-1)
    status, _, answer = send(address, {}, None, "GET")
    assert status in (400, 403)
    assert b"<Code>SignatureDoesNotMatch</Code>" not in answer


def test_the_older_header_of_s3(guarded: Guarded, bucket: str) -> None:
    s3 = guarded.client_with(KEY, SECRET, "s3", signature_version="s3")
    s3.put_object(Bucket=bucket, Key=ODD_KEY, Body=b"hello", Metadata={"a": "b", "c_d": "e"})
    assert s3.get_object(Bucket=bucket, Key=ODD_KEY)["Body"].read() == b"hello"
    assert refusal(
        guarded.client_with(KEY, "guess", "s3", signature_version="s3").get_object, Bucket=bucket, Key=ODD_KEY
    ) == (403, "SignatureDoesNotMatch")


PRESIGNED = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=20261122T000000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host"


SCOPE = f"{KEY}/20261122/us-west-2/s3/aws4_request"
END_OF_TIME = {"Date": "Fri, 31 Dec 9999 23:59:59 -2300"}


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ("", END_OF_TIME | {"Authorization": f"AWS {KEY}:x"}),
        ("", END_OF_TIME | {"Authorization": f"{ALGORITHM} Credential={SCOPE}, SignedHeaders=host, Signature=0"}),
        (f"AWSAccessKeyId={KEY}&Signature=x&Expires=99999999999", {"Host": "[::"}),
        (f"AWSAccessKeyId={KEY}&Signature=x&Expires={'9' * 5000}", {}),
        (f"{PRESIGNED}&X-Amz-Credential={SCOPE}&X-Amz-Signature=0".replace("=60", f"={'9' * 5000}"), {}),
        (f"{PRESIGNED}&X-Amz-Credential={SCOPE}&X-Amz-Signature=0".replace("20261122", "99991231"), {}),
    ],
)
def test_moments_and_hosts_that_are_none_are_refused(guarded: Guarded, query: str, headers: dict[str, str]) -> None:
    status, content_type, answer = send(f"{guarded.url}/bucket/key?{query}", headers, None, "GET")
    assert status in (400, 403), answer
    assert "xml" in content_type


@pytest.mark.parametrize(
    ("query", "authorization"),
    [
        (f"{PRESIGNED}&X-Amz-Credential={KEY}/20261122/us-west-2/s3/aws4_request&X-Amz-Signature=%C3%A9", ""),
        (f"{PRESIGNED}&X-Amz-Credential={KEY}/20261122/us-west-2/s3/aws4_request", ""),
        (f"{PRESIGNED}&X-Amz-Credential={KEY}/x/us-west-2/s3/aws4_request&X-Amz-Signature=0", ""),
        (f"AWSAccessKeyId={KEY}&Signature=%C3%A9&Expires=99999999999", ""),
        (f"AWSAccessKeyId={KEY}&Signature=x&Expires=soon", ""),
        (f"AWSAccessKeyId={KEY}&Signature=x", ""),
        ("", f"AWS {KEY}:é"),
        ("", f"AWS4-HMAC-SHA256 Credential={KEY}/20261122/us-west-2/s3/aws4_request, SignedHeaders=host, Signature=0"),
    ],
)
def test_signatures_that_no_client_makes_are_refused_and_nothing_breaks(
    guarded: Guarded, query: str, authorization: str
) -> None:
    headers = {"Authorization": authorization.encode().decode("latin-1")} if authorization else {}
    status, content_type, answer = send(f"{guarded.url}/bucket/key?{query}", headers, None, "GET")
    assert status in (400, 403), answer
    assert "xml" in content_type


def test_a_presigned_address_opens_nothing_but_what_it_is_for(guarded: Guarded, bucket: str) -> None:
    s3 = guarded.client_with(KEY, SECRET, "s3", signature_version="s3")
    address = s3.generate_presigned_url("put_object", {"Bucket": "endpoints", "Key": "x/invocations"})
    scope = "AWS4-HMAC-SHA256 Credential=nobody/20261122/us-west-2/sagemaker/aws4_request, SignedHeaders=host"
    for authorization in (f"{scope}, Signature=0", scope):
        status, _, answer = send(address, {"Authorization": authorization}, None, "PUT")
        assert status in (400, 403), answer
        assert b"is not supported" not in answer, "the request has come through to the endpoint"


LIST_MODELS = {"X-Amz-Target": "SageMaker.ListModels", "Content-Type": "application/x-amz-json-1.1"}


def test_what_was_signed_cannot_be_changed(guarded: Guarded) -> None:
    url, body = f"{guarded.url}/", b'{"MaxResults": 1}'
    headers = signed(url, body, headers=LIST_MODELS)
    assert send(url, headers, body)[0] == 200
    changed = [
        (url, headers, b'{"MaxResults": 2}'),
        (url, headers, b""),
        (f"{url}endpoints/x/invocations", headers, body),
        (f"{url}?a=b", headers, body),
        (url, headers | {"X-Amz-Target": "SageMaker.ListEndpoints"}, body),
        (url, headers | {"X-Amz-Security-Token": "unsigned"}, body),
        (url, headers | {"X-Amz-Date": stamp(datetime.now(UTC) - timedelta(minutes=1))}, body),
        (url, headers | {"Authorization": headers["Authorization"].replace("host;", "")}, body),
        (url, headers | {"Authorization": headers["Authorization"].replace("us-west-2", "eu-west-1")}, body),
        (url, headers | {"Authorization": headers["Authorization"][:-1]}, body),
    ]
    for number, request in enumerate(changed):
        status, content_type, answer = send(*request)
        assert status in (400, 403), number
        assert "json" in content_type
        assert b"signature" in answer, number
    moved = headers | {"Authorization": headers["Authorization"].replace("/sagemaker/", "/s3/")}
    assert b"<Code>SignatureDoesNotMatch</Code>" in send(url, moved, body)[2]


def test_an_object_whose_content_was_changed_on_the_way_is_not_kept(guarded: Guarded, bucket: str) -> None:
    url = f"{guarded.url}/{bucket}/changed"
    headers = signed(url, b"hello", "PUT", service="s3", headers={"X-Amz-Content-SHA256": sha256(b"hello").hexdigest()})
    status, _, answer = send(url, headers, b"jello", "PUT")
    assert (status, b"XAmzContentSHA256Mismatch" in answer) == (400, True)
    assert refusal(guarded.client("s3").get_object, Bucket=bucket, Key="changed") == (404, "NoSuchKey")


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        ("", 403),
        ("Basic dXNlcjpwYXNz", 403),
        ("AWS4-HMAC-SHA256 Credential=AKIDKNOWN/20261122/us-west-2/sagemaker/aws4_request", 400),
        ("AWS4-HMAC-SHA256 Credential=AKIDKNOWN/20261122/us-west-2/sagemaker/aws4_request, SignedHeaders=host", 400),
        (
            "AWS4-HMAC-SHA256 Credential=AKIDKNOWN/1/us-west-2/sagemaker/aws4_request, SignedHeaders=host, Signature=x",
            400,
        ),
        ("AWS AKIDKNOWN", 403),
        ("AWS AKIDKNOWN:", 403),
        ("AWS :x", 403),
    ],
)
def test_half_a_signature(guarded: Guarded, authorization: str, status: int) -> None:
    answer = send(f"{guarded.url}/", LIST_MODELS | {"Authorization": authorization}, b"{}")
    assert answer[0] in (status, 400), answer
    assert b"Models" not in answer[2]


@pytest.mark.parametrize("minutes", [-20, 20])
def test_a_request_of_another_time_is_refused(
    guarded: Guarded, bucket: str, monkeypatch: pytest.MonkeyPatch, minutes: int
) -> None:
    monkeypatch.setattr(
        botocore.auth,
        "get_current_datetime",
        lambda: datetime.now(UTC).replace(tzinfo=None) + timedelta(minutes=minutes),
    )
    assert refusal(guarded.client("sagemaker").list_models) == (400, "InvalidSignatureException")
    assert refusal(guarded.client("s3").list_objects_v2, Bucket=bucket) == (403, "RequestTimeTooSkewed")


def streamed_headers(url: str, content_hash: str, moment: str, **extra: str) -> tuple[Signer, str, dict[str, str]]:
    """A signer, the seed signature, and the headers of a streamed upload."""
    address = urlsplit(url)
    signer = Signer(SECRET, Scope(moment[:8], REGION, "s3"), moment)
    headers = {
        "content-encoding": "aws-chunked",
        "host": address.netloc,
        "x-amz-content-sha256": content_hash,
        "x-amz-date": moment,
        **extra,
    }
    seed = signer.request(canonical_request("PUT", address.path, "", headers, content_hash, "s3"))
    authorization = (
        f"AWS4-HMAC-SHA256 Credential={KEY}/{signer.scope}, SignedHeaders={';'.join(sorted(headers))}, Signature={seed}"
    )
    return signer, seed, headers | {"Authorization": authorization, "Content-Type": "binary/octet-stream"}


@pytest.mark.parametrize("changed", [False, True])
def test_a_streamed_upload_of_signed_chunks(guarded: Guarded, bucket: str, changed: bool) -> None:
    url = f"{guarded.url}/{bucket}/streamed-{changed}"
    chunks = [b"a" * 65_536, b"b" * 1000, b""]
    signer, previous, headers = streamed_headers(
        url,
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        stamp(datetime.now(UTC)),
        **{"x-amz-decoded-content-length": str(sum(map(len, chunks)))},
    )
    body = b""
    for chunk in chunks:
        previous = signer.chunk(previous, chunk)
        body += f"{len(chunk):x};chunk-signature={previous}\r\n".encode() + chunk + b"\r\n"
    status, _, _ = send(url, headers, body.replace(b"bbb", b"bbc", 1) if changed else body, "PUT")
    if changed:
        assert status == 403
        assert refusal(guarded.client("s3").head_object, Bucket=bucket, Key=f"streamed-{changed}") == (404, "404")
    else:
        assert status == 200
        stored = guarded.client("s3").get_object(Bucket=bucket, Key=f"streamed-{changed}")["Body"].read()
        assert stored == b"".join(chunks)


def test_a_streamed_upload_with_an_unsigned_trailing_checksum(guarded: Guarded, bucket: str) -> None:
    url = f"{guarded.url}/{bucket}/trailer"
    _, _, headers = streamed_headers(
        url,
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        stamp(datetime.now(UTC)),
        **{"x-amz-decoded-content-length": "5", "x-amz-trailer": "x-amz-checksum-crc32"},
    )
    body = b"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n"
    assert send(url, headers, body, "PUT")[0] == 200
    assert guarded.client("s3").get_object(Bucket=bucket, Key="trailer")["Body"].read() == b"hello"


def test_an_upload_whose_content_is_not_signed(guarded: Guarded, bucket: str) -> None:
    s3 = guarded.client_with(KEY, SECRET, "s3", s3={"payload_signing_enabled": False})
    s3.put_object(Bucket=bucket, Key="unsigned", Body=b"hello")
    assert s3.get_object(Bucket=bucket, Key="unsigned")["Body"].read() == b"hello"


@pytest.mark.parametrize("content", [b"hello", b"jello"])
def test_an_upload_in_chunks_of_http(guarded: Guarded, bucket: str, content: bytes) -> None:
    url = f"{guarded.url}/{bucket}/http-chunks"
    declared = {"X-Amz-Content-SHA256": sha256(b"hello").hexdigest(), "Content-Type": "text/plain"}
    headers = signed(url, b"hello", "PUT", service="s3", headers=declared)
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    connection.request("PUT", urlsplit(url).path, iter([content[:2], content[2:]]), headers, encode_chunked=True)
    assert connection.getresponse().status == (200 if content == b"hello" else 400)
    connection.close()
    stored = guarded.client("s3").get_object(Bucket=bucket, Key="http-chunks")["Body"].read()
    assert stored == b"hello"


def test_the_health_is_open_and_the_rest_of_the_administration_is_not(guarded: Guarded) -> None:
    assert send(f"{guarded.url}/_local/health", {}, None, "GET")[0] == 200
    clock, body = f"{guarded.url}/_local/clock", b'{"advance_seconds": 60}'
    assert send(clock, {}, body)[0] == 403
    assert send(clock, signed(clock, body, secret="guess"), body)[0] == 400
    assert send(clock, signed(clock, body), body)[0] == 409, "admitted, but its clock is real"
    assert send(f"{guarded.url}/moto-api/reset", {}, b"")[0] == 403


def test_pages_of_other_sites_may_ask_with_a_signature(guarded: Guarded) -> None:
    connection = http.client.HTTPConnection(urlsplit(guarded.url).netloc, timeout=30)
    connection.request("GET", "/_local/health", headers={"Origin": "https://ours.example"})
    assert connection.getresponse().status == 200
    connection.close()


def test_curl_signs_for_the_clock(guarded: Guarded) -> None:
    answer = subprocess.run(
        [
            "curl", "--silent", "--aws-sigv4", f"aws:amz:{REGION}:sagemaker", "--user", f"{KEY}:{SECRET}",
            "--data", '{"advance_seconds": 60}', f"{guarded.url}/_local/clock",
        ],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "--clock stepped" in json.loads(answer.stdout)["message"]


def test_endpoints_and_captures_work_by_the_servers_own_key(
    guarded: Guarded, bucket: str, model_archive: bytes
) -> None:
    endpoint = create_endpoint(guarded, create_model(guarded, bucket, model_archive))
    runtime = guarded.client("sagemaker-runtime")
    answer = runtime.invoke_endpoint(EndpointName=endpoint, ContentType="text/csv", Body=b"1,2,3,4")
    assert 0 <= float(answer["Body"].read()) <= 1


def test_no_secret_is_in_the_log_or_in_the_data_folder(guarded: Guarded, bucket: str) -> None:
    refusal(guarded.client_with(KEY, "guess", "s3").list_objects_v2, Bucket=bucket)
    for service, call, request in (
        ("sns", "create_topic", {"Name": "kept"}),
        ("iam", "create_user", {"UserName": "kept"}),
        ("logs", "create_log_group", {"logGroupName": "kept"}),
        ("s3", "put_object", {"Bucket": bucket, "Key": "kept", "Body": b"1"}),
    ):
        getattr(guarded.client_with(OTHER_KEY, OTHER_SECRET, service, token="a-token"), call)(**request)
    secrets = [SECRET.encode(), OTHER_SECRET.encode(), b"a-token"]
    for file in filter(Path.is_file, guarded.data_dir.rglob("*")):
        content = file.read_bytes()
        assert not [secret for secret in secrets if secret in content], file

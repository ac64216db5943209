"""Uploads in chunks whose bodies are not whole."""

from __future__ import annotations

import http.client
from xml.etree import ElementTree

import pytest

from tests.running_aws import Running, make_bucket

SIGNATURE = ";chunk-signature=" + "0" * 64
SIGNED, UNSIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"


@pytest.fixture(scope="module")
def bucket(local_aws: Running) -> str:
    return make_bucket(local_aws)


def put(aws: Running, bucket: str, kind: str, body: str) -> tuple[int, str | None]:
    """Status of an upload of five bytes, and the code of its refusal."""
    headers = {
        "Authorization": "AWS4-HMAC-SHA256 Credential=k/20261122/us-west-2/s3/aws4_request, SignedHeaders=host, "
        "Signature=x",
        "Content-Encoding": "aws-chunked",
        "X-Amz-Content-SHA256": kind,
        "X-Amz-Decoded-Content-Length": "5",
    }
    connection = http.client.HTTPConnection(aws.url.removeprefix("http://"), timeout=60)
    try:
        connection.request("PUT", f"/{bucket}/chunked", body, headers)
        answer = connection.getresponse()
        content = answer.read()
    finally:
        connection.close()
    return answer.status, ElementTree.fromstring(content).findtext("Code") if content else None


@pytest.mark.parametrize(("kind", "signature"), [(SIGNED, SIGNATURE), (UNSIGNED, "")])
def test_whole_chunks_are_stored(local_aws: Running, bucket: str, kind: str, signature: str) -> None:
    body = f"3{signature}\r\nhel\r\n2{signature}\r\nlo\r\n0{signature}\r\n\r\n"
    assert put(local_aws, bucket, kind, body) == (200, None)
    assert local_aws.client("s3").get_object(Bucket=bucket, Key="chunked")["Body"].read() == b"hello"


@pytest.mark.parametrize(("kind", "signature"), [(SIGNED, SIGNATURE), (UNSIGNED, "")])
@pytest.mark.parametrize(
    "body",
    [
        "no chunk at all",
        "zz{}\r\nhello\r\n0{}\r\n\r\n",
        "5{}\r\nhel",
        "5{}\r\nhello\r\n",
        "3{}\r\nhello\r\n0{}\r\n\r\n",
    ],
    ids=["none", "no size", "cut off", "no last chunk", "longer than it says"],
)
def test_others_are_refused(local_aws: Running, bucket: str, kind: str, signature: str, body: str) -> None:
    assert put(local_aws, bucket, kind, body.replace("{}", signature)) == (400, "IncompleteBody")


def test_chunks_that_hold_less_than_was_announced(local_aws: Running, bucket: str) -> None:
    body = f"3{SIGNATURE}\r\nhel\r\n0{SIGNATURE}\r\n\r\n"
    assert put(local_aws, bucket, SIGNED, body) == (400, "IncompleteBody")

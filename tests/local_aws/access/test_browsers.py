"""What a browser on this machine sends for pages that it shows."""

from __future__ import annotations

import http.client
from urllib.parse import quote

import pytest

from tests.running_aws import Running

FORM = {"Content-Type": "text/plain"}


def send(
    url: str, headers: dict[str, str], method: str = "POST", path: str = "/_local/clock", body: str = "{}"
) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=30)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://203.0.113.7", "http://[", ""])
def test_a_form_of_a_page_elsewhere_moves_no_clock(stepped_aws: Running, origin: str) -> None:
    before = stepped_aws.now()
    status, content = send(stepped_aws.url, FORM | {"Origin": origin}, body='{"advance_seconds": 60}')
    assert status == 403
    assert b"--keys" in content
    assert stepped_aws.now() == before


def test_a_form_of_a_page_elsewhere_writes_no_object(local_aws: Running, bucket: str) -> None:
    scope = quote("k/20261122/us-west-2/s3/aws4_request", safe="")
    path = f"/{bucket}/planted?X-Amz-Credential={scope}"
    status, content = send(local_aws.url, FORM | {"Origin": "https://evil.example"}, "PUT", path, "planted")
    assert status == 403
    assert b"<Code>AccessDenied</Code>" in content
    assert "Contents" not in local_aws.client("s3").list_objects_v2(Bucket=bucket)


@pytest.mark.parametrize("host", ["evil.example", "www.evil.example:5566", "127.0.0.1.evil.example", "localhost.evil"])
def test_a_name_that_was_made_to_lead_here_is_refused(local_aws: Running, host: str) -> None:
    assert send(local_aws.url, {"Host": host}, "GET", "/_local/jobs")[0] == 403


@pytest.mark.parametrize(
    ("mode", "method", "status"), [("no-cors", "GET", 403), ("navigate", "POST", 403), ("navigate", "GET", 200)]
)
def test_a_link_may_be_followed_but_not_embedded(local_aws: Running, mode: str, method: str, status: int) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": mode}
    assert send(local_aws.url, headers, method, "/_local/health")[0] == status


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://localhost:8501", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "http://127.0.0.1:8501"},
        {"Host": "bucket.localhost:5566"},
        {"Host": "local-aws:5566"},
        {"Host": "local-aws:5566", "Origin": "http://local-aws:8501"},
        {"Host": "[::1]:5566"},
        {"Host": "host.docker.internal:5566"},
        {"Host": ""},
    ],
    ids=str,
)
def test_pages_and_names_of_this_machine_are_served(local_aws: Running, headers: dict[str, str]) -> None:
    assert send(local_aws.url, headers, "GET", "/_local/jobs")[0] == 200

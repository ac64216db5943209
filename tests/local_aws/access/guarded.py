"""A local_aws that serves known keys only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from tests.running_aws import REGION, Running, start_local_aws
from tests.strict_responses import watched

KEY, SECRET = "AKIDKNOWN", "a/secret+with%signs"
OTHER_KEY, OTHER_SECRET = "AKIDOTHER", "another"
KEYS = f"""
[default]
aws_access_key_id = {KEY}
aws_secret_access_key = {SECRET}
region = us-west-2

[profile without a key]
region = eu-west-1

[other]
aws_access_key_id = {OTHER_KEY}
aws_secret_access_key = {OTHER_SECRET}
aws_session_token = a-token
"""


@dataclass
class Guarded(Running):
    """A running local_aws with a key file; its own calls are signed with a key of it."""

    def client(self, service: str, region: str = REGION) -> Any:
        """A boto3 client with a known key."""
        return self.client_with(KEY, SECRET, service, region)

    def client_with(
        self, key: str, secret: str, service: str, region: str = REGION, token: str | None = None, **config: Any
    ) -> Any:
        """A boto3 client with any key."""
        client: Any = boto3.client(
            service,
            region_name=region,
            endpoint_url=self.url,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            aws_session_token=token,
            config=Config(retries={"max_attempts": 0}, **config),
        )
        return watched(client)

    def advance(self, seconds: float, settle: bool = False) -> datetime:
        """Move a stepped clock by a signed request."""
        url, body = f"{self.url}/_local/clock", json.dumps({"advance_seconds": seconds, "settle": settle}).encode()
        status, _, answer = send(url, signed(url, body), body)
        assert status == 200, answer
        return datetime.fromisoformat(json.loads(answer)["now"])


def write_keys(folder: Path, text: str = KEYS) -> Path:
    """A key file that only its owner can read."""
    file = folder / "keys"
    file.touch(mode=0o600)
    file.write_text(text)
    return file


def start_guarded(folder: Path, *options: str) -> Guarded:
    """Start a local_aws with a key file."""
    running = start_local_aws(folder / "aws", "--keys", str(write_keys(folder)), *options)
    return Guarded(running.url, running.data_dir, running.process, running.log)


def signed(
    url: str,
    body: bytes = b"",
    method: str = "POST",
    *,
    service: str = "sagemaker",
    key: str = KEY,
    secret: str = SECRET,
    headers: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The headers of a signed request, by botocore."""
    request = AWSRequest(method, url, dict(headers or {}), body)
    SigV4Auth(Credentials(key, secret), service, REGION).add_auth(request)
    return dict(request.headers.items())


def send(
    url: str, headers: Mapping[str, str], body: bytes | None = b"", method: str = "POST"
) -> tuple[int, str, bytes]:
    """Status, content type and content of the answer."""
    try:
        with urlopen(Request(url, body, dict(headers), method=method), timeout=60) as answer:
            return answer.status, answer.headers["Content-Type"] or "", answer.read()
    except HTTPError as error:
        return error.code, error.headers["Content-Type"] or "", error.read()


def stamp(moment: datetime) -> str:
    """A moment as signatures have it."""
    return moment.strftime("%Y%m%dT%H%M%SZ")

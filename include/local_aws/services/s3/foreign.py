"""An S3 elsewhere that takes the place of the built-in one: where `AWS_ENDPOINT_URL_S3` points."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import boto3
from botocore.config import Config

VARIABLE = "AWS_ENDPOINT_URL_S3"


class UnusableS3(Exception):
    """The S3 elsewhere cannot be used; the text says why, and what to do."""


class ForeignS3:
    """An S3 at an address, used with the credentials that boto3 finds in this process's surroundings."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session = boto3.session.Session()
        if self._session.get_credentials() is None:
            raise UnusableS3(
                f"{VARIABLE} is {url}, but there are no credentials for it: set AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY, or AWS_PROFILE."
            )

    @classmethod
    def of_environment(cls, environment: Mapping[str, str] = os.environ) -> ForeignS3 | None:
        """The one that the environment names, if any.

        Raises:
            UnusableS3: there are no credentials for it.
        """
        url = environment.get(VARIABLE)
        return cls(url) if url else None

    def client(self, region: str) -> Any:
        """A boto3 client of it."""
        make: Any = self._session.client
        config = Config(
            s3={"addressing_style": "path"}, retries={"mode": "standard", "max_attempts": 5}, max_pool_connections=32
        )
        return make("s3", region_name=region, endpoint_url=self.url, config=config)

    def variables(self) -> dict[str, str]:
        """What lets boto3 in another process use it."""
        found: Any = self._session.get_credentials()
        credentials = found.get_frozen_credentials()
        token = {"AWS_SESSION_TOKEN": credentials.token} if credentials.token else {}
        return {
            VARIABLE: self.url,
            "AWS_ACCESS_KEY_ID": credentials.access_key,
            "AWS_SECRET_ACCESS_KEY": credentials.secret_key,
            **token,
        }

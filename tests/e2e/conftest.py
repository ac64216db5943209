"""Fixtures for the tests of the flow from end to end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.place import Place
from tests.running_aws import capture_config, create_endpoint, create_model, make_bucket, start_local_aws


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, model_archive: bytes) -> Iterator[Place]:
    aws = start_local_aws(tmp_path_factory.mktemp("aws"), "--clock", "stepped")
    try:
        bucket = make_bucket(aws)
        model = create_model(aws, bucket, model_archive)
        yield Place(aws, bucket, model, create_endpoint(aws, model, capture_config(bucket)))
    finally:
        aws.stop()

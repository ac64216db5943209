from __future__ import annotations

from pathlib import Path

import pytest

from model_monitor.config import MonitoredEndpoint
from model_monitor.errors import InputError
from model_monitor.hooks.s3 import StorageHook
from model_monitor.operators.storage import CheckBucketOperator, UploadFilesOperator
from tests.monitored import monitored_endpoint, run_task
from tests.running_aws import Running


def test_a_writable_bucket_is_written_to(endpoint: MonitoredEndpoint) -> None:
    written = run_task(CheckBucketOperator(task_id="check", endpoint=endpoint))
    assert written.startswith(f"s3://{endpoint.bucket}/monitors/")
    assert StorageHook().read(written)


def test_a_missing_bucket_is_named_with_what_to_do(aws: Running, files: Path) -> None:
    endpoint = monitored_endpoint(files, "not-there-at-all")
    with pytest.raises(InputError, match=r"no bucket 'not-there-at-all'\. Create it in us-west-2, or set 'bucket'"):
        run_task(CheckBucketOperator(task_id="check", endpoint=endpoint))


def test_sagemaker_s_default_bucket_is_created(aws: Running, files: Path) -> None:
    default = "sagemaker-us-west-2-123456789012"
    written = run_task(CheckBucketOperator(task_id="check", endpoint=monitored_endpoint(files, default)))
    assert written.startswith(f"s3://{default}/")
    place = aws.client("s3").get_bucket_location(Bucket=default)["LocationConstraint"]
    assert place == "us-west-2"


def test_files_are_uploaded_where_their_content_says(endpoint: MonitoredEndpoint, files: Path) -> None:
    uploaded = run_task(UploadFilesOperator(task_id="upload", endpoint=endpoint))
    assert StorageHook().read(uploaded["archive"]) == (files / "model.tar.gz").read_bytes()
    assert StorageHook().read(uploaded["validation"]) == (files / "validation.csv").read_bytes()
    assert run_task(UploadFilesOperator(task_id="upload", endpoint=endpoint)) == uploaded

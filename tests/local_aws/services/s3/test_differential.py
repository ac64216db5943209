"""The same S3 script against moto alone and against local_aws: same answers, also after a kill."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from tests.local_aws.services.s3 import s3_script
from tests.local_aws.services.s3.s3_script import Answers
from tests.moto_alone import moto_alone
from tests.running_aws import start_local_aws

FAILS_IN_MOTO = {
    "upload_part no upload": "NoSuchUpload",
    "get_object_acl uploads/done": None,
}
"""Calls to which moto answers 500, and the error that local_aws answers; None is an answer that is no error."""


def s3_at(url: str) -> Any:
    return boto3.client(
        "s3",
        region_name=s3_script.REGION,
        endpoint_url=url,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"max_attempts": 0}),
    )


def different(moto: Answers, ours: Answers) -> dict[str, tuple[Any, Any]]:
    """Answers that are not the same, but for those that moto owes."""
    assert list(moto.given) == list(ours.given)
    found = {}
    for name, expected in moto.given.items():
        call = name.partition(" ")[2]
        if call in FAILS_IN_MOTO:
            assert expected["Status"] == 500, f"moto answers {call} now; compare it"
            assert ours.given[name].get("Error", {}).get("Code") == FAILS_IN_MOTO[call]
        elif ours.given[name] != expected:
            found[name] = (expected, ours.given[name])
    return found


def test_s3_answers_as_moto_does_and_after_a_kill_as_before(tmp_path: Path) -> None:
    with moto_alone() as url:
        moto_written = s3_script.write(s3_at(url))
        moto_read = s3_script.read(s3_at(url))
    ours = start_local_aws(tmp_path)
    try:
        written = s3_script.write(s3_at(ours.url))
        read = s3_script.read(s3_at(ours.url))
    finally:
        ours.process.kill()
        ours.process.wait()
    again = start_local_aws(tmp_path)
    try:
        read_again = s3_script.read(s3_at(again.url))
    finally:
        again.stop()
    assert len(written.given) > 150
    assert len(read.given) > 450
    assert different(moto_written, written) == {}
    assert different(moto_read, read) == {}
    changed = {
        name: (read.exact[name], read_again.exact[name])
        for name in read.exact
        if read.exact[name] != read_again.exact[name]
    }
    assert changed == {}


def test_an_upload_that_a_kill_interrupts_is_completed_after_it(tmp_path: Path) -> None:
    first = start_local_aws(tmp_path)
    s3 = s3_at(first.url)
    s3.create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": s3_script.REGION})
    upload = s3.create_multipart_upload(Bucket="bucket", Key="large", Metadata={"who": "me"})["UploadId"]
    place = {"Bucket": "bucket", "Key": "large", "UploadId": upload}
    tags = [s3.upload_part(**place, PartNumber=1, Body=b"a" * s3_script.PART)["ETag"]]
    first.process.kill()
    first.process.wait()
    second = start_local_aws(tmp_path)
    try:
        s3 = s3_at(second.url)
        tags.append(s3.upload_part(**place, PartNumber=2, Body=b"end")["ETag"])
        parts = [{"PartNumber": number, "ETag": tag} for number, tag in enumerate(tags, 1)]
        s3.complete_multipart_upload(**place, MultipartUpload={"Parts": parts})
        found = s3.get_object(Bucket="bucket", Key="large")
        assert found["Body"].read() == b"a" * s3_script.PART + b"end"
        assert found["Metadata"] == {"who": "me"}
        with pytest.raises(s3.exceptions.NoSuchUpload):
            s3.list_parts(**place)
        assert sum(1 for file in (tmp_path / "s3" / "contents").rglob("*") if file.is_file()) == 1
    finally:
        second.stop()

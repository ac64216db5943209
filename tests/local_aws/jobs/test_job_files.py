from __future__ import annotations

import gzip
import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from moto import mock_aws

from local_aws.jobs import volume
from local_aws.jobs.job_files import Outputs, TransferError, download, has_objects
from local_aws.jobs.volume import Volume

ROLE = "arn:aws:iam::123456789012:role/Role"
DATA = "/opt/ml/processing/input/data"


@pytest.fixture
def s3() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
        client.create_bucket(Bucket="bucket")
        yield client


def put(s3: Any, *keys: str) -> None:
    for key in keys:
        s3.put_object(Bucket="bucket", Key=key, Body=key.encode())


def source(uri: str, **more: str) -> dict[str, Any]:
    return {"InputName": "data", "S3Input": {"S3Uri": uri, "LocalPath": DATA, "S3DataType": "S3Prefix"} | more}


def fetched(s3: Any, root: Path, place: dict[str, Any]) -> dict[str, bytes]:
    download(s3, place, root, ROLE, Volume(1))
    folder = root / DATA.lstrip("/")
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.mark.parametrize("uri", ["s3://bucket/a/b", "s3://bucket/a/b/"])
def test_a_folder_comes_with_its_subfolders(s3: Any, tmp_path: Path, uri: str) -> None:
    put(s3, "a/b/one.csv", "a/b/deep/two.csv", "a/b/", "a/other.csv")
    assert fetched(s3, tmp_path, source(uri)) == {"one.csv": b"a/b/one.csv", "deep/two.csv": b"a/b/deep/two.csv"}


def test_an_object_comes_by_its_own_name_and_so_does_all_that_begins_like_it(s3: Any, tmp_path: Path) -> None:
    put(s3, "a/data.csv", "a/data.csv.bak")
    assert set(fetched(s3, tmp_path, source("s3://bucket/a/data.csv"))) == {"data.csv", "data.csv.bak"}


def test_a_whole_bucket(s3: Any, tmp_path: Path) -> None:
    put(s3, "top.csv", "a/b.csv")
    assert set(fetched(s3, tmp_path, source("s3://bucket"))) == {"top.csv", "a/b.csv"}


def test_a_manifest_names_its_objects(s3: Any, tmp_path: Path) -> None:
    put(s3, "a/one.csv", "a/two.csv", "a/three.csv")
    manifest = json.dumps([{"prefix": "s3://bucket/a/"}, "one.csv", "three.csv"])
    s3.put_object(Bucket="bucket", Key="manifest.json", Body=manifest)
    found = fetched(s3, tmp_path, source("s3://bucket/manifest.json", S3DataType="ManifestFile"))
    assert set(found) == {"one.csv", "three.csv"}


def test_gzip_is_unpacked_when_asked_for(s3: Any, tmp_path: Path) -> None:
    s3.put_object(Bucket="bucket", Key="a/one.csv.gz", Body=gzip.compress(b"1,2"))
    assert fetched(s3, tmp_path, source("s3://bucket/a", S3CompressionType="Gzip")) == {"one.csv": b"1,2"}


def test_an_input_that_is_larger_than_the_volume_is_not_read(
    s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(volume, "GIGABYTE", 10)
    s3.put_object(Bucket="bucket", Key="a/1.csv", Body=b"1" * 6)
    s3.put_object(Bucket="bucket", Key="a/2.csv", Body=b"2" * 5)
    reason = (
        "^ClientError: Data download failed: Insufficient disk space: s3://bucket/a/2.csv of the input data: "
        r"it has 5 bytes, more than the 4 bytes that are left of the job's volume of 1 GB \(VolumeSizeInGB\)$"
    )
    with pytest.raises(TransferError, match=reason):
        download(s3, source("s3://bucket/a"), tmp_path, ROLE, Volume(1))
    assert [file.name for file in tmp_path.rglob("*.csv")] == ["1.csv"]
    assert set(fetched(s3, tmp_path / "two", source("s3://bucket/a/1.csv"))) == {"1.csv"}


def test_a_gzip_bomb_is_not_unpacked(s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(volume, "GIGABYTE", 2 * 1024**2)
    s3.put_object(Bucket="bucket", Key="a/bomb.csv.gz", Body=gzip.compress(bytes(32 * 1024**2)))
    with pytest.raises(TransferError, match=r"bomb\.csv\.gz of the input data: it unpacks to more than .* 1 GB"):
        download(s3, source("s3://bucket/a", S3CompressionType="Gzip"), tmp_path, ROLE, Volume(1))
    assert sum(file.stat().st_size for file in tmp_path.rglob("*") if file.is_file()) <= 2 * 1024**2


def test_a_packed_file_takes_no_room_when_it_is_unpacked(
    s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(volume, "GIGABYTE", 100)
    for name in ("one", "two", "three"):
        s3.put_object(Bucket="bucket", Key=f"a/{name}.csv.gz", Body=gzip.compress(b"x" * 25))
    found = fetched(s3, tmp_path, source("s3://bucket/a", S3CompressionType="Gzip"))
    assert set(found) == {"one.csv", "two.csv", "three.csv"}


def test_nothing_there_names_address_and_role(s3: Any, tmp_path: Path) -> None:
    for uri in ("s3://bucket/nothing", "s3://nowhere/at/all"):
        with pytest.raises(TransferError, match=f'No S3 objects found under S3 URL "{uri}".*{ROLE}'):
            download(s3, source(uri), tmp_path, ROLE, Volume(1))


def test_keys_do_not_lead_out_of_the_container(s3: Any, tmp_path: Path) -> None:
    put(s3, "a/../../../../../../escaped")
    with pytest.raises(TransferError, match="outside the job's container"):
        download(s3, source("s3://bucket/a"), tmp_path / "root", ROLE, Volume(1))
    assert not list(tmp_path.rglob("escaped"))


def test_only_what_changed_is_uploaded_again(s3: Any, tmp_path: Path) -> None:
    place = {"S3Uri": "s3://bucket/out", "LocalPath": "/out", "S3UploadMode": "Continuous"}
    outputs = Outputs(s3, [{"OutputName": "result", "S3Output": place}], tmp_path)
    (tmp_path / "out" / "deep").mkdir()
    (tmp_path / "out" / "deep" / "a.json").write_text("{}")
    outputs.sync(continuous_only=True)
    s3.delete_object(Bucket="bucket", Key="out/deep/a.json")
    outputs.sync(continuous_only=False)
    assert not has_objects(s3, "s3://bucket/out")
    (tmp_path / "out" / "deep" / "a.json").write_text('{"more": 1}')
    outputs.sync(continuous_only=True)
    assert s3.get_object(Bucket="bucket", Key="out/deep/a.json")["Body"].read() == b'{"more": 1}'


def test_an_output_is_uploaded_without_being_read_into_memory(s3: Any, tmp_path: Path) -> None:
    place = {"S3Uri": "s3://bucket/out", "LocalPath": "/out", "S3UploadMode": "EndOfJob"}
    outputs = Outputs(s3, [{"OutputName": "result", "S3Output": place}], tmp_path)
    size = 64 * 1024**2
    with (tmp_path / "out" / "large.bin").open("wb") as file:
        file.truncate(size)
    received: list[int] = []

    def read_like_a_socket(request: Any, **_: Any) -> AWSResponse:
        while piece := request.body.read(64 * 1024):
            received.append(len(piece))
        return AWSResponse(request.url, 200, {}, SimpleNamespace(stream=list))

    s3.meta.events.register_first("before-send.s3.PutObject", read_like_a_socket)
    tracemalloc.start()
    outputs.sync(continuous_only=False)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert sum(received) >= size
    assert most < size / 4


def test_a_file_that_goes_on_growing_is_uploaded_as_it_was(s3: Any, tmp_path: Path) -> None:
    place = {"S3Uri": "s3://bucket/out", "LocalPath": "/out", "S3UploadMode": "Continuous"}
    outputs = Outputs(s3, [{"OutputName": "result", "S3Output": place}], tmp_path)
    log = tmp_path / "out" / "log.txt"
    log.write_text("one\n")

    def write_on(**_: Any) -> None:
        log.write_text("quite another text\n")

    s3.meta.events.register_first("before-send.s3.PutObject", write_on)
    outputs.sync(continuous_only=True)
    assert s3.get_object(Bucket="bucket", Key="out/log.txt")["Body"].read() == b"one\n"
    s3.meta.events.unregister("before-send.s3.PutObject", write_on)
    outputs.sync(continuous_only=False)
    assert s3.get_object(Bucket="bucket", Key="out/log.txt")["Body"].read() == b"quite another text\n"


def test_outputs_for_the_end_of_the_job_wait_for_it(s3: Any, tmp_path: Path) -> None:
    place = {"S3Uri": "s3://bucket/out", "LocalPath": "/out", "S3UploadMode": "EndOfJob"}
    outputs = Outputs(s3, [{"OutputName": "result", "S3Output": place}], tmp_path)
    (tmp_path / "out" / "a.json").write_text("{}")
    outputs.sync(continuous_only=True)
    assert not has_objects(s3, "s3://bucket/out")
    outputs.sync(continuous_only=False)
    assert has_objects(s3, "s3://bucket/out")


def test_empty_objects_and_missing_buckets_are_no_data(s3: Any) -> None:
    s3.put_object(Bucket="bucket", Key="hour/", Body=b"")
    assert not has_objects(s3, "s3://bucket/hour")
    assert not has_objects(s3, "s3://nowhere/hour")
    put(s3, "hour/data.jsonl")
    assert has_objects(s3, "s3://bucket/hour/")

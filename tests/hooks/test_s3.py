from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from model_monitor.errors import AccessDenied, InputError
from model_monitor.hooks.s3 import StorageHook
from tests.running_aws import Running, make_bucket


@pytest.fixture
def bucket(aws: Running) -> str:
    return make_bucket(aws)


@pytest.fixture
def storage(aws: Running) -> StorageHook:
    return StorageHook(region_name="us-west-2")


def test_what_is_put_can_be_read_and_what_is_not_there_is_none(storage: StorageHook, bucket: str) -> None:
    assert storage.put(f"s3://{bucket}/a/b.txt", "text") == f"s3://{bucket}/a/b.txt"
    assert storage.read(f"s3://{bucket}/a/b.txt") == b"text"
    assert storage.read(f"s3://{bucket}/a/c.txt") is None
    storage.delete(f"s3://{bucket}/a/b.txt")
    assert storage.read(f"s3://{bucket}/a/b.txt") is None


def test_what_is_large_comes_in_pieces_and_is_not_read_further_than_asked_for(
    storage: StorageHook, bucket: str
) -> None:
    content = bytes(range(256)) * 4096 * 3
    storage.put(f"s3://{bucket}/large", content)
    assert b"".join(storage.chunks(f"s3://{bucket}/large")) == content
    assert next(storage.chunks(f"s3://{bucket}/large")) == content[: 2**20]
    assert list(storage.chunks(storage.put(f"s3://{bucket}/empty", ""))) == []
    with pytest.raises(InputError, match=f"s3://{bucket}/nothing is gone"):
        list(storage.chunks(f"s3://{bucket}/nothing"))


def test_an_object_is_replaced_only_as_it_was_read(storage: StorageHook, bucket: str) -> None:
    uri = f"s3://{bucket}/state.json"
    assert storage.versioned(uri) is None
    first = storage.put_over(uri, "1", None)
    assert first is not None
    assert storage.put_over(uri, "2", None) is None, "it is there already"
    assert storage.versioned(uri) == (b"1", first)
    second = storage.put_over(uri, "2", first)
    assert storage.put_over(uri, "3", first) is None, "it is another one by now"
    assert storage.versioned(uri) == (b"2", second)
    storage.delete(uri)
    assert storage.put_over(uri, "3", second) is None, "it is gone"


def test_a_file_is_uploaded_once(storage: StorageHook, bucket: str, tmp_path: Path) -> None:
    file = tmp_path / "model.tar.gz"
    file.write_bytes(b"model")
    assert storage.upload(file, f"s3://{bucket}/model.tar.gz") is True
    assert storage.upload(file, f"s3://{bucket}/model.tar.gz") is False


def test_a_half_uploaded_file_is_uploaded_again(storage: StorageHook, bucket: str, tmp_path: Path) -> None:
    file = tmp_path / "model.tar.gz"
    file.write_bytes(b"model")
    storage.put(f"s3://{bucket}/model.tar.gz", "mod")
    assert storage.upload(file, f"s3://{bucket}/model.tar.gz") is True
    assert storage.read(f"s3://{bucket}/model.tar.gz") == b"model"


def test_a_missing_file_is_named(storage: StorageHook, bucket: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"model\.tar\.gz: cannot be read: No such file"):
        storage.upload(tmp_path / "model.tar.gz", f"s3://{bucket}/model.tar.gz")


def test_lists_all_pages_and_from_a_key_on(storage: StorageHook, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [f"s3://{bucket}/captures/{number}" for number in range(5)]
    for key in keys:
        storage.put(key, "x")
    call = storage.call
    monkeypatch.setattr(
        storage,
        "call",
        lambda method, **request: call(method, **request, **({"MaxKeys": 2} if "Prefix" in request else {})),
    )
    assert storage.list(f"s3://{bucket}/captures/") == keys
    assert storage.list(f"s3://{bucket}/captures/", start_after=keys[2]) == keys[3:]
    assert storage.list(f"s3://{bucket}/captures/", limit=3) == keys[:3]
    assert storage.list(f"s3://{bucket}/nothing/") == []


def test_the_time_is_the_service_s(storage: StorageHook, bucket: str, aws: Running) -> None:
    assert abs(storage.time(bucket) - aws.now()) <= timedelta(seconds=1)


def test_buckets_are_found_and_made(storage: StorageHook, bucket: str) -> None:
    assert storage.bucket_exists(bucket)
    assert not storage.bucket_exists(f"{bucket}-other")
    storage.create_bucket(f"{bucket}-other", "us-west-2")
    assert storage.bucket_exists(f"{bucket}-other")


def test_a_refused_write_says_which_permission_is_missing(
    storage: StorageHook, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(**request: object) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "Access Denied"}}, "PutObject")

    monkeypatch.setattr(storage.conn, "put_object", denied)
    with pytest.raises(AccessDenied, match=f"PutObject on s3://{bucket}/x: Access Denied. Allow 's3:PutObject'"):
        storage.put(f"s3://{bucket}/x", "x")


def test_a_folder_takes_another_s_place_and_what_is_the_same_is_not_written_again(
    storage: StorageHook, bucket: str, tmp_path: Path, aws: Running
) -> None:
    place = f"s3://{bucket}/report"
    for name, text in (("analysis.json", "{}"), ("nested/out.csv", "1"), ("stale.json", "old")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    storage.put(f"s3://{bucket}/reports/of-another", "stays")
    assert storage.replace(place, tmp_path) is True
    written = {one.uri: one for one in storage.objects(f"{place}/")}
    assert {uri.removeprefix(f"{place}/") for uri in written} == {"analysis.json", "nested/out.csv", "stale.json"}
    assert storage.replace(place, tmp_path) is False
    (tmp_path / "stale.json").unlink()
    (tmp_path / "analysis.json").write_text('{"version": "1.0"}')
    before = aws.client("s3").head_object(Bucket=bucket, Key="report/nested/out.csv")["LastModified"]
    aws.advance(60)
    assert storage.replace(place, tmp_path) is True
    assert storage.list(f"{place}/") == [f"{place}/analysis.json", f"{place}/nested/out.csv"]
    assert storage.read(f"{place}/analysis.json") == b'{"version": "1.0"}'
    assert aws.client("s3").head_object(Bucket=bucket, Key="report/nested/out.csv")["LastModified"] == before
    assert storage.read(f"s3://{bucket}/reports/of-another") == b"stays"


def test_folders_of_a_folder(storage: StorageHook, bucket: str) -> None:
    for key in ("a/AllTraffic/1", "a/Challenger/x/2", "a/file", "ab/Other/3"):
        storage.put(f"s3://{bucket}/{key}", "1")
    assert storage.folders(f"s3://{bucket}/a") == ["AllTraffic", "Challenger"]
    assert storage.folders(f"s3://{bucket}/nothing") == []


def test_downloads_go_to_files(storage: StorageHook, bucket: str, tmp_path: Path) -> None:
    uri = storage.put(f"s3://{bucket}/big", b"x" * 3_000_000)
    storage.download(uri, tmp_path / "deep" / "big")
    assert (tmp_path / "deep" / "big").stat().st_size == 3_000_000
    with pytest.raises(InputError, match=f"s3://{bucket}/gone is gone"):
        storage.download(f"s3://{bucket}/gone", tmp_path / "gone")

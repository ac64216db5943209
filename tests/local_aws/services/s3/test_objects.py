"""What local_aws relies on inside moto, and what it does with it; these fail when moto changes it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import moto.s3.models as models
import moto.s3.responses as responses
import pytest

from local_aws.clock import Clock
from local_aws.database_files import UnusableStore
from local_aws.services.moto_services import moto_application
from local_aws.services.s3.contents import SMALL, Contents, MappedFile
from local_aws.services.s3.documents import ELSEWHERE, PASSING
from local_aws.services.s3.index import S3Index
from local_aws.services.s3.objects import StoredKey
from local_aws.services.s3.persistence import PersistentS3
from tests.local_aws.embedded import BUCKET, embedded
from tests.running_aws import REGION

ACCOUNT = "123456789012"
LARGE = b"0123456789" * (SMALL // 5)


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[Any]:
    s3 = PersistentS3(moto_application(Clock()), tmp_path / "s3")
    backend: Any = models.s3_backends[ACCOUNT]["aws"]
    backend.create_bucket(BUCKET, REGION)
    yield backend
    s3.close()


def test_all_that_moto_knows_of_a_version_is_kept(backend: Any) -> None:
    known = {
        "_etag", "_expiry", "_is_versioned", "_metadata", "_status", "_storage_class", "_version_id", "acl",
        "bucket_key_enabled", "checksum_algorithm", "checksum_parts", "checksum_type", "checksum_value", "contentsize",
        "encryption", "kms_key_id", "last_modified", "lock_legal_status", "lock_mode", "lock_until",
        "website_redirect_location",
    }  # fmt: skip
    attributes = set(vars(backend.put_object(BUCKET, "key", b"content")))
    assert attributes - ELSEWHERE - PASSING == known - ELSEWHERE, "see whether what is new is to be kept"


def test_no_content_stays_in_memory(backend: Any) -> None:
    key = backend.put_object(BUCKET, "key", LARGE)
    held = [name for name, value in vars(key).items() if isinstance(value, bytes | bytearray) or hasattr(value, "seek")]
    assert held == []
    assert isinstance(key.value, MappedFile)
    assert key.value[5:8] == b"567"
    assert b"".join(key.value) == LARGE


def test_versions_are_listed_without_reading_or_writing_contents(
    backend: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend.put_bucket_versioning(BUCKET, "Enabled")
    for number in range(3):
        backend.put_object(BUCKET, "key", str(number).encode())
    monkeypatch.setattr(StoredKey, "value", property(lambda _: pytest.fail("a content is read")))
    versions, _, markers, _, _ = backend.list_object_versions(BUCKET)
    assert (len(versions), len(markers)) == (3, 0)
    assert sum(1 for file in (tmp_path / "s3" / "contents").rglob("*") if file.is_file()) == 3


def test_moto_forgets_what_nothing_holds(backend: Any) -> None:
    for _ in range(5):
        backend.put_object(BUCKET, "key", b"content")
    assert StoredKey.instances_tracked == []  # type: ignore[attr-defined]


def test_a_content_that_is_replaced_while_it_is_read_is_read_to_its_end(backend: Any, tmp_path: Path) -> None:
    reading = backend.put_object(BUCKET, "key", LARGE)
    backend.put_object(BUCKET, "key", b"new")
    assert b"".join(reading.value) == LARGE
    del reading
    assert sum(1 for file in (tmp_path / "s3" / "contents").rglob("*") if file.is_file()) == 1


def test_moto_has_its_own_back_afterwards(tmp_path: Path) -> None:
    original = models.FakeKey, models.s3_backends.backend
    s3 = PersistentS3(moto_application(Clock()), tmp_path)
    assert models.FakeKey is StoredKey
    s3.close()
    assert (models.FakeKey, models.s3_backends.backend) == original
    assert original[0] is responses.FakeKey


def test_files_that_nothing_refers_to_are_removed(tmp_path: Path) -> None:
    contents = Contents(tmp_path)
    kept, lost = contents.add(b"kept"), contents.add(b"lost")
    for content in (kept, lost):
        content.keep()
    assert contents.remove_all_but({str(kept.name)}) == 1
    assert contents.stored(kept.name, 4).read() == b"kept"
    with pytest.raises(FileNotFoundError):
        contents.stored(lost.name, 4).read()


def test_a_content_that_was_never_kept_leaves_no_file(tmp_path: Path) -> None:
    contents = Contents(tmp_path)
    content = contents.add(b"given up")
    assert content.read() == b"given up"
    del content
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == []


def test_an_index_of_another_format_is_refused(tmp_path: Path) -> None:
    index = S3Index(tmp_path / "index.sqlite")
    with index.transaction():
        index._database.execute("PRAGMA user_version=99")
    index.close()
    with pytest.raises(UnusableStore, match="format 99; this one reads 1"):
        S3Index(tmp_path / "index.sqlite")


def test_only_one_of_many_creates_an_object_that_must_be_new(tmp_path: Path) -> None:
    with embedded(tmp_path) as aws:
        s3 = aws.client("s3")
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        won: list[int] = []
        refused: list[str] = []

        def create(number: int) -> None:
            try:
                s3.put_object(Bucket=BUCKET, Key="new", Body=str(number).encode(), IfNoneMatch="*")
            except s3.exceptions.ClientError as error:
                refused.append(error.response["Error"]["Code"])
            else:
                won.append(number)

        threads = [threading.Thread(target=create, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (len(won), refused) == (1, ["PreconditionFailed"] * 7)
        assert aws.get("new") == str(won[0])


def test_versions_of_one_moment_are_told_apart(tmp_path: Path) -> None:
    with embedded(tmp_path) as aws:
        s3 = aws.client("s3")
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        given = [s3.put_object(Bucket=BUCKET, Key="key", Body=b"x")["VersionId"] for _ in range(3)]
        versions = s3.list_object_versions(Bucket=BUCKET)["Versions"]
        assert [version["VersionId"] for version in versions] == given[::-1]
        assert [version["IsLatest"] for version in versions] == [True, False, False]

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from unittest.mock import Mock

import boto3
import pytest
from moto import mock_aws

from local_aws.hosting import model_archive
from local_aws.hosting.model_archive import BadArchive, extract
from local_aws.hosting.model_servers import ModelServerFailed, start
from tests.running_aws import XGBOOST_IMAGE


def archive_of(file: Path, *members: tarfile.TarInfo, content: bytes = b"") -> Path:
    with tarfile.open(file, "w:gz") as archive:
        for member in members:
            archive.addfile(member, io.BytesIO(content))
    return file


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", size: int = 0) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = link
    info.size = size
    return info


def test_files_and_folders_are_extracted(tmp_path: Path) -> None:
    file = archive_of(
        tmp_path / "a.tar.gz", member("code", tarfile.DIRTYPE), member("code/x.py", size=3), content=b"abc"
    )
    extract(file, tmp_path / "out")
    assert (tmp_path / "out/code/x.py").read_bytes() == b"abc"


@pytest.mark.parametrize(
    ("evil", "reason"),
    [
        (member("../outside"), "lies outside"),
        (member("/etc/x"), "lies outside"),
        (member("a/../../b"), "lies outside"),
        (member("link", tarfile.SYMTYPE, "/etc/passwd"), "is a link"),
        (member("link", tarfile.LNKTYPE, "../x"), "is a link"),
        (member("pipe", tarfile.FIFOTYPE), "is a link or a special file"),
        (member("device", tarfile.CHRTYPE), "is a link or a special file"),
    ],
)
def test_only_plain_files_inside_are(tmp_path: Path, evil: tarfile.TarInfo, reason: str) -> None:
    with pytest.raises(BadArchive, match=reason):
        extract(archive_of(tmp_path / "a.tar.gz", evil), tmp_path / "out")
    assert not (tmp_path / "outside").exists()


def test_what_is_too_big_is_refused_before_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_archive, "MOST_BYTES", 10)
    file = archive_of(tmp_path / "a.tar.gz", member("x", size=11), content=b"x" * 11)
    with pytest.raises(BadArchive, match="more than"):
        extract(file, tmp_path / "out")
    assert not (tmp_path / "out/x").exists()


def test_folders_count_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_archive, "MOST_FILES", 3)
    folders = [member(f"folder-{number}", tarfile.DIRTYPE) for number in range(4)]
    with pytest.raises(BadArchive, match="more than 3 files and folders"):
        extract(archive_of(tmp_path / "a.tar.gz", *folders), tmp_path / "out")
    assert len(list((tmp_path / "out").iterdir())) == 3


@pytest.mark.parametrize("content", [b"", b"not an archive", b"\x1f\x8b\x08broken"])
def test_something_else_is_no_archive(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "a.tar.gz"
    file.write_bytes(content)
    with pytest.raises(BadArchive):
        extract(file, tmp_path / "out")


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK])
def test_a_header_that_is_a_bomb_is_not_read(tmp_path: Path, kind: bytes) -> None:
    """A tar's reader would take the whole extended header, here 32 MiB of zeros, into memory."""
    size = 32 * 1024**2
    file = archive_of(tmp_path / "a.tar.gz", member("header", kind, size=size), content=bytes(size))
    assert file.stat().st_size < 100_000
    with pytest.raises(BadArchive, match="a header of more than"):
        extract(file, tmp_path / "out")


def test_a_refusal_does_not_name_folders_of_the_host(tmp_path: Path) -> None:
    file = archive_of(tmp_path / "a.tar.gz", member("x", tarfile.DIRTYPE), member("x"))
    with pytest.raises(BadArchive, match="Is a directory") as refusal:
        extract(file, tmp_path / "out")
    assert str(tmp_path) not in str(refusal.value)


def test_an_archive_that_is_too_large_is_not_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_archive, "MOST_BYTES", 10)
    with mock_aws():
        s3 = boto3.client("s3", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
        s3.create_bucket(Bucket="bucket")
        s3.put_object(Bucket="bucket", Key="model.tar.gz", Body=bytes(11))
        container = {"Image": XGBOOST_IMAGE, "ModelDataUrl": "s3://bucket/model.tar.gz"}
        with pytest.raises(ModelServerFailed, match="it has 11 bytes, more than 10"):
            start(container, tmp_path / "model", s3, "AllTraffic", Mock())

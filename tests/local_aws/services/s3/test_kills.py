"""S3 under concurrent writes, killed at random moments: what was acknowledged is there, and nothing by half."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tests.running_aws import REGION, Running, start_local_aws

PLAIN, VERSIONED = "plain", "versioned"
WRITERS, KEYS, KILLS = 6, 4, 4
SEED = 20261123


class Seen(NamedTuple):
    """What an object is: its content, and a mark that its metadata and its tags bear with it."""

    content: bytes
    mark: str
    tag: str


State = Seen | None
"""An object, or None where there is none."""


@dataclass
class Writer:
    """Writes its own keys; knows what was acknowledged of each, and what it was about to make of the last one."""

    number: int
    chance: random.Random
    kept: dict[str, State] = field(default_factory=dict)
    pending: dict[str, State] = field(default_factory=dict)
    versions: list[bytes] = field(default_factory=list)
    pending_version: bytes | None = None
    acknowledged: int = 0

    def work(self, s3: Any, killed: threading.Event) -> None:
        """Write until the server is gone."""
        actions: tuple[Callable[[Any], None], ...] = (
            self.put,
            self.put,
            self.delete,
            self.upload,
            self.copy,
            self.tag,
            self.add_version,
        )
        while not killed.is_set():
            try:
                self.chance.choice(actions)(s3)
            except (BotoCoreError, ClientError, OSError, KeyError):
                # A key is missing where the kill cut an answer off after its headers.
                if not killed.wait(5):
                    raise
                return
            self.kept |= self.pending
            self.pending = {}
            self.acknowledged += 1

    def put(self, s3: Any) -> None:
        made = self._new()
        key = self._about_to_make(made)
        s3.put_object(Bucket=PLAIN, Key=key, Body=made.content, Metadata={"mark": made.mark}, Tagging=f"t={made.tag}")

    def delete(self, s3: Any) -> None:
        key, other = self._about_to_make(None), self._key()
        self.pending[other] = None
        s3.delete_objects(Bucket=PLAIN, Delete={"Objects": [{"Key": key}, {"Key": other}]})

    def upload(self, s3: Any) -> None:
        made = self._new()
        key = self._about_to_make(made)
        began = s3.create_multipart_upload(Bucket=PLAIN, Key=key, Metadata={"mark": made.mark}, Tagging=f"t={made.tag}")
        place = {"Bucket": PLAIN, "Key": key, "UploadId": began["UploadId"]}
        tag = s3.upload_part(**place, PartNumber=1, Body=made.content)["ETag"]
        s3.complete_multipart_upload(**place, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": tag}]})

    def copy(self, s3: Any) -> None:
        target = f"{self.number}/copy"
        there = [key for key, state in self.kept.items() if state and key != target]
        if there:
            source = self.chance.choice(there)
            self.pending = {target: self.kept[source]}
            s3.copy_object(
                Bucket=PLAIN,
                Key=target,
                CopySource={"Bucket": PLAIN, "Key": source},
                MetadataDirective="COPY",
                TaggingDirective="REPLACE",
                Tagging=f"t={self.kept[source].tag}",
            )  # type: ignore[union-attr]

    def tag(self, s3: Any) -> None:
        there = [key for key, state in self.kept.items() if state]
        if there:
            key = self.chance.choice(there)
            tag = str(self.chance.random())
            self.pending = {key: self.kept[key]._replace(tag=tag)}  # type: ignore[union-attr]
            s3.put_object_tagging(Bucket=PLAIN, Key=key, Tagging={"TagSet": [{"Key": "t", "Value": tag}]})

    def add_version(self, s3: Any) -> None:
        self.pending_version = str(self.chance.random()).encode()
        s3.put_object(Bucket=VERSIONED, Key=str(self.number), Body=self.pending_version)
        self.versions.append(self.pending_version)
        self.pending_version = None

    def check(self, s3: Any) -> None:
        """All is as acknowledged, but for the last write, which may have been done or not; go on from there."""
        for key in {*self.kept, *self.pending}:
            seen = look(s3, key)
            allowed = [self.kept.get(key), self.pending[key]] if key in self.pending else [self.kept[key]]
            assert seen in allowed, f"{key} is {seen}, not {allowed}"
            self.kept[key] = seen
        found = [
            s3.get_object(Bucket=VERSIONED, Key=str(self.number), VersionId=version["VersionId"])["Body"].read()
            for version in reversed(
                s3.list_object_versions(Bucket=VERSIONED, Prefix=str(self.number)).get("Versions", [])
            )
        ]
        assert found in (self.versions, [*self.versions, self.pending_version])
        self.pending, self.versions, self.pending_version = {}, found, None

    def _about_to_make(self, state: State) -> str:
        key = self._key()
        self.pending = {key: state}
        return key

    def _key(self) -> str:
        return f"{self.number}/{self.chance.randrange(KEYS)}"

    def _new(self) -> Seen:
        mark = str(self.chance.random())
        return Seen(mark.encode() * self.chance.choice((1, 100, 30_000)), mark, mark)


def look(s3: Any, key: str) -> State:
    """What an object is now."""
    try:
        found = s3.get_object(Bucket=PLAIN, Key=key)
    except s3.exceptions.NoSuchKey:
        return None
    tags = s3.get_object_tagging(Bucket=PLAIN, Key=key)["TagSet"]
    return Seen(found["Body"].read(), found["Metadata"].get("mark", ""), tags[0]["Value"] if tags else "")


def client(aws: Running) -> Any:
    return boto3.client(
        "s3",
        region_name=REGION,
        endpoint_url=aws.url,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"max_attempts": 0}, max_pool_connections=WRITERS),
    )


def write_and_kill(aws: Running, writers: list[Writer], after: int) -> None:
    """Let all write at once, and kill the server as soon as it has acknowledged so much."""
    s3, killed = client(aws), threading.Event()
    goal = sum(writer.acknowledged for writer in writers) + after
    threads = [threading.Thread(target=writer.work, args=(s3, killed)) for writer in writers]
    for thread in threads:
        thread.start()
    while sum(writer.acknowledged for writer in writers) < goal and all(thread.is_alive() for thread in threads):
        threads[0].join(0.002)
    aws.process.kill()
    killed.set()
    for thread in threads:
        thread.join()
    aws.process.wait()
    assert sum(writer.acknowledged for writer in writers) >= goal, "a writer failed before the kill"


def test_what_was_acknowledged_is_there_after_kills(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    writers = [Writer(number, random.Random(SEED + number)) for number in range(WRITERS)]
    aws = start_local_aws(tmp_path)
    s3 = client(aws)
    for bucket in (PLAIN, VERSIONED):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_versioning(Bucket=VERSIONED, VersioningConfiguration={"Status": "Enabled"})
    for _ in range(KILLS):
        write_and_kill(aws, writers, after=chance.randrange(50, 250))
        aws = start_local_aws(tmp_path)
        for writer in writers:
            writer.check(client(aws))
    try:
        left = {file.name for file in (tmp_path / "s3" / "contents").rglob("*") if file.is_file()}
        objects = sum(1 for writer in writers for state in writer.kept.values() if state)
        versions = sum(len(writer.versions) for writer in writers)
        parts = sum(
            len(client(aws).list_parts(Bucket=PLAIN, Key=upload["Key"], UploadId=upload["UploadId"]).get("Parts", []))
            for upload in client(aws).list_multipart_uploads(Bucket=PLAIN).get("Uploads", [])
        )
        assert len(left) == objects + versions + parts, "files that nothing refers to are left"
    finally:
        aws.stop()

"""What the index keeps of moto's buckets, object versions and uploads, as documents."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import moto.s3.models as models
from moto.moto_api._internal.managed_state_model import ManagedState
from moto.utilities.utils import LowercaseDict
from requests.structures import CaseInsensitiveDict

from local_aws.services.s3.contents import Content
from local_aws.services.s3.moto_documents import Documents
from local_aws.services.s3.objects import StoredKey

ELSEWHERE = frozenset({"name", "bucket_name", "account_id", "region_name", "partition", "content", "multipart", "acl"})
"""Attributes of a version that its row, its bucket or its document tell apart from the rest."""
PASSING = frozenset({"lock", "disposed", "_max_buffer_size", *vars(ManagedState("", [("", "")]))} - {"_status"})
"""Attributes of a version that mean something only while it is in memory."""
OF_A_BUCKET_ELSEWHERE = frozenset({"name", "account_id", "partition", "keys", "multiparts"})


class S3Documents:
    """Writes moto's S3 objects as documents and puts them back in their places."""

    def __init__(self) -> None:
        kinds = {
            kind for kind in vars(models).values() if isinstance(kind, type) and kind.__module__ == models.__name__
        }
        self._documents = Documents({*kinds, LowercaseDict, CaseInsensitiveDict})
        self._acl_of = lru_cache(maxsize=1000)(self._documents.loads)
        self._blank: dict[tuple[str, str], StoredKey] = {}

    def bucket(self, backend: Any, bucket: Any) -> str:
        """All settings of a bucket, and its tags."""
        state = {name: value for name, value in vars(bucket).items() if name not in OF_A_BUCKET_ELSEWHERE}
        return self._documents.dumps({"state": state, "tags": _tags(backend, bucket.arn)})

    def restore_bucket(self, backend: Any, name: str, document: str) -> None:
        """A bucket as it was, still empty."""
        found = self._documents.loads(document)
        make: Any = models.FakeBucket
        bucket = make(name, backend.account_id, found["state"]["region_name"])
        vars(bucket).update(found["state"])
        backend.buckets[name] = bucket
        _restore_tags(backend, bucket.arn, found["tags"])

    def version(self, backend: Any, version: Any) -> str:
        """A version of an object, or a delete marker."""
        if isinstance(version, models.FakeDeleteMarker):
            of_marker = isinstance(version.key, models.FakeDeleteMarker)
            return self._documents.dumps({"marker": {"last_modified": version.last_modified}, "of_marker": of_marker})
        document: dict[str, Any] = {
            "state": _state(version),
            "acl": self._documents.dumps(version.acl),
            "tags": _tags(backend, version.arn),
        }
        if version.multipart is not None:
            document["upload"] = _upload(version.multipart)
            document["parts"] = [[number, _state(part)] for number, part in sorted(version.multipart.parts.items())]
        return self._documents.dumps(document)

    def restore_version(
        self, backend: Any, bucket: Any, key: str, version_id: str, document: str, content: Content
    ) -> Any:
        """The version, as the latest of its key."""
        found = self._documents.loads(document)
        versions = bucket.keys.getlist(key)
        made: Any
        if "marker" in found:
            made = object.__new__(models.FakeDeleteMarker)
            before = versions[-1] if versions else None
            if before is None or isinstance(before, models.FakeDeleteMarker) != found["of_marker"]:
                before = made if found["of_marker"] else self._version_of(backend, bucket.name, key, {}, content)
            vars(made).update(found["marker"], name=key, _version_id=version_id, key=before)
        else:
            made = self._version_of(backend, bucket.name, key, found["state"], content)
            made.acl = self._acl_of(found["acl"])
            if "upload" in found:
                made.multipart = self._upload_of(found["upload"])
                for number, state in found["parts"]:
                    nothing = Content(None, None, 0, kept=True)
                    made.multipart.parts[number] = self._version_of(backend, None, number, state, nothing)
                    made.multipart.partlist.append(number)
            _restore_tags(backend, made.arn, found["tags"])
        bucket.keys[key] = made
        return made

    def upload(self, upload: Any) -> str:
        """An upload, without its parts."""
        return self._documents.dumps(_upload(upload))

    def restore_upload(self, bucket: Any, upload_id: str, document: str) -> None:
        """An upload as it was, still without parts."""
        bucket.multiparts[upload_id] = self._upload_of(self._documents.loads(document))

    def part(self, part: Any) -> str:
        """A part of an upload."""
        return self._documents.dumps(_state(part))

    def restore_part(
        self, backend: Any, bucket: Any, upload_id: str, number: int, document: str, content: Content
    ) -> None:
        """A part as it was, as the last of its upload."""
        upload = bucket.multiparts[upload_id]
        upload.parts[number] = self._version_of(backend, None, number, self._documents.loads(document), content)
        upload.partlist.append(number)

    def _version_of(
        self, backend: Any, bucket: str | None, name: str | int, state: dict[str, Any], content: Content
    ) -> StoredKey:
        place = (backend.account_id, backend.region_name)
        if place not in self._blank:
            self._blank[place] = StoredKey("", b"", account_id=place[0], region_name=place[1])
        return self._blank[place].restored({**state, "name": name, "bucket_name": bucket}, content)

    def _upload_of(self, state: dict[str, Any]) -> Any:
        upload: Any = object.__new__(models.FakeMultipart)
        vars(upload).update(state, parts={}, partlist=[])
        return upload


def _state(version: Any) -> dict[str, Any]:
    return {name: value for name, value in vars(version).items() if name not in ELSEWHERE and name not in PASSING}


def _upload(upload: Any) -> dict[str, Any]:
    return {name: value for name, value in vars(upload).items() if name not in ("parts", "partlist")}


def _tags(backend: Any, arn: str) -> list[tuple[str, str]] | None:
    return list(backend.tagger.get_tag_dict_for_resource(arn).items()) if backend.tagger.has_tags(arn) else None


def _restore_tags(backend: Any, arn: str, tags: list[tuple[str, str]] | None) -> None:
    if tags is not None:
        backend.tagger.tags[arn] = dict(tags)

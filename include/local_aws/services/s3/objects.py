"""Moto's S3 with contents in files, telling what each request changes.

Two classes of moto are replaced, which is all that durability needs of it: `FakeKey` (an object's version, or a part of
an upload), whose content becomes a file, and `S3Backend`, through which all reading and writing goes.
"""

from __future__ import annotations

from datetime import timedelta
from threading import Lock
from typing import Any, ClassVar

import moto.s3.models as models
import moto.s3.responses  # noqa: F401 - takes moto's own classes from `models` while they are still there
from moto.s3.exceptions import InvalidContinuationToken
from moto.s3.models import FakeKey, S3Backend
from moto.utilities.utils import md5_hash

from local_aws.services.s3.changes import Changes
from local_aws.services.s3.contents import Content, Contents, MappedFile
from local_aws.services.s3.locks import KeyLocks

TICK = timedelta(microseconds=1)


class StoredKey(FakeKey):
    """An object's version or an upload's part; its value is read from its file whenever it is asked for."""

    contents: ClassVar[Contents]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self._value_buffer

    @property  # type: ignore[override]
    def value(self) -> bytes | MappedFile:
        return self.content.read()

    @value.setter
    def value(self, new: Any) -> None:
        self.content = new if isinstance(new, Content) else self.contents.add(new)
        self.contentsize = self.content.size

    @property
    def etag(self) -> str:
        if self._etag is None:
            digest = md5_hash()
            digest.update(self.content.read())
            self._etag = digest.hexdigest()
        return f'"{self._etag}"'

    def dispose(self, garbage: bool = False) -> None:
        """Nothing: a file ends when the index and all requests are done with it."""
        self.disposed = True

    def __deepcopy__(self, memo: dict[int, Any]) -> StoredKey:
        """The same version; moto would read and write every content of a bucket to list its versions."""
        copied: StoredKey = object.__new__(StoredKey)
        vars(copied).update(vars(self))
        return copied

    def restored(self, state: dict[str, Any], content: Content) -> StoredKey:
        """A version like this one but for a kept state and a content."""
        made: StoredKey = object.__new__(StoredKey)
        vars(made).update(vars(self) | state | {"content": content, "lock": Lock()})
        return made


class RecordingBackend(S3Backend):
    """S3 of one account and partition; each bucket, object and upload that it touches is noted."""

    changes: ClassVar[Changes]
    locks: ClassVar[KeyLocks]

    def create_bucket(self, bucket_name: str, *args: Any, **kwargs: Any) -> Any:
        self.changes.saw_bucket(bucket_name)
        return super().create_bucket(bucket_name, *args, **kwargs)

    def delete_bucket(self, bucket_name: str) -> Any:
        self.changes.saw_bucket(bucket_name)
        return super().delete_bucket(bucket_name)

    def get_bucket(self, bucket_name: str) -> Any:
        self.changes.saw_bucket(bucket_name)
        return super().get_bucket(bucket_name)

    def get_object(self, bucket_name: str, key_name: str, *args: Any, **kwargs: Any) -> Any:
        found = super().get_object(bucket_name, key_name, *args, **kwargs)
        self.changes.saw_object(bucket_name, key_name, None if found is None else found.version_id)
        return found

    def put_object(self, bucket_name: str, key_name: str, value: Any, *args: Any, **kwargs: Any) -> Any:
        content = StoredKey.contents.add(value)
        with self.locks.held(bucket_name, key_name):
            key = super().put_object(bucket_name, key_name, content, *args, **kwargs)  # type: ignore[arg-type]
            self._in_order(bucket_name, key_name)
            self.changes.changed_object(bucket_name, key_name, key.version_id)
            return key

    def delete_object(self, bucket_name: str, key_name: str, *args: Any, **kwargs: Any) -> Any:
        with self.locks.held(bucket_name, key_name):
            deleted = super().delete_object(bucket_name, key_name, *args, **kwargs)
            self._in_order(bucket_name, key_name)
            self.changes.changed_object(bucket_name, key_name)
            return deleted

    def create_multipart_upload(self, bucket_name: str, *args: Any, **kwargs: Any) -> Any:
        upload = super().create_multipart_upload(bucket_name, *args, **kwargs)
        self.changes.changed_upload(bucket_name, upload.id)
        return upload

    def upload_part(self, bucket_name: str, multipart_id: str, part_id: int, value: Any) -> Any:
        self._require_upload(bucket_name, multipart_id)
        content = StoredKey.contents.add(value)
        part = super().upload_part(bucket_name, multipart_id, part_id, content)  # type: ignore[arg-type]
        self.changes.changed_upload(bucket_name, multipart_id, part_id)
        return part

    def upload_part_copy(
        self, dest_bucket_name: str, multipart_id: str, part_id: int, *args: Any, **kwargs: Any
    ) -> Any:
        self._require_upload(dest_bucket_name, multipart_id)
        part = super().upload_part_copy(dest_bucket_name, multipart_id, part_id, *args, **kwargs)
        self.changes.changed_upload(dest_bucket_name, multipart_id, part_id)
        return part

    def complete_multipart_upload(self, bucket_name: str, multipart_id: str, body: Any) -> Any:
        self._require_upload(bucket_name, multipart_id)
        self.changes.changed_upload(bucket_name, multipart_id)
        key = super().complete_multipart_upload(bucket_name, multipart_id, body)
        if key is not None and key.acl is None:
            key.set_acl(models.get_canned_acl("private"))
        return key

    def abort_multipart_upload(self, bucket_name: str, multipart_id: str) -> None:
        self.changes.changed_upload(bucket_name, multipart_id)
        super().abort_multipart_upload(bucket_name, multipart_id)

    def list_objects_v2(
        self,
        bucket: Any,
        prefix: str | None,
        delimiter: str | None,
        continuation_token: str | None,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        if continuation_token and continuation_token not in self._pagination_tokens:
            self._pagination_tokens[continuation_token] = _named_by(continuation_token, bucket, prefix or "", delimiter)
        return super().list_objects_v2(bucket, prefix, delimiter, continuation_token, *args, **kwargs)

    def _require_upload(self, bucket_name: str, multipart_id: str) -> None:
        if multipart_id not in self.get_bucket(bucket_name).multiparts:
            raise models.NoSuchUpload(upload_id=multipart_id)

    def _in_order(self, bucket_name: str, key_name: str) -> None:
        """Versions of one moment, as a clock that stands still gives them, are told apart by a microsecond."""
        versions = super().get_bucket(bucket_name).keys.getlist(key_name, [])
        if len(versions) > 1 and versions[-1].last_modified <= versions[-2].last_modified:
            versions[-1].last_modified = versions[-2].last_modified + TICK


def _named_by(token: str, bucket: Any, prefix: str, delimiter: str | None) -> str:
    """The key or common prefix that a page of an earlier process ended with: moto's tokens are hashes of those."""
    for key in list(bucket.keys):
        names = [key]
        if delimiter and key.startswith(prefix) and delimiter in (rest := key.removeprefix(prefix)):
            names.append(f"{prefix}{rest.partition(delimiter)[0]}{delimiter}")
        for name in names:
            if md5_hash(name.encode()).hexdigest() == token:
                return str(name)
    raise InvalidContinuationToken


class Replaced:
    """Moto's classes, replaced until `restore`."""

    def __init__(self) -> None:
        self._backend = models.s3_backends.backend
        models.FakeKey = StoredKey  # type: ignore[misc]
        models.s3_backends.backend = RecordingBackend
        self._forget()

    def restore(self) -> None:
        """Give moto back its own, empty."""
        models.FakeKey = FakeKey  # type: ignore[misc]
        models.s3_backends.backend = self._backend
        self._forget()

    def _forget(self) -> None:
        models.s3_backends.clear()
        models.s3_backends.bucket_accounts.clear()

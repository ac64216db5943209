"""What a request changes in S3, noted while moto answers it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Changed:
    """Names of what may have changed: versions of objects, parts of uploads, buckets unless an object was asked for."""

    reading: bool = False
    of_object: bool = False
    buckets: set[str] = field(default_factory=set)
    objects: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    uploads: dict[tuple[str, str], set[int]] = field(default_factory=dict)

    @property
    def changed_buckets(self) -> set[str]:
        """The buckets whose settings may have changed."""
        return set() if self.of_object else self.buckets

    @property
    def anything(self) -> bool:
        """Whether there is anything to save."""
        return bool(self.changed_buckets or self.objects or self.uploads)


class Changes:
    """Notes changes by thread; `save` gets them at the end of each request, or at once outside of one."""

    def __init__(self, save: Callable[[Changed], None]) -> None:
        self._save = save
        self._thread = threading.local()

    @contextmanager
    def of_request(self, reading: bool) -> Iterator[None]:
        """Collect what a request changes; a reading one changes only what moto writes on its own, as access logs."""
        changed = self._thread.changed = Changed(reading)
        try:
            yield
        finally:
            del self._thread.changed
            self._save(changed)

    def saw_bucket(self, bucket: str) -> None:
        """A bucket was asked for: a request that writes may have changed its settings."""
        with self._current() as changed:
            if not changed.reading:
                changed.buckets.add(bucket)

    def saw_object(self, bucket: str, key: str, version: str | None) -> None:
        """An object was asked for: a request that writes may have changed tags or locks of what was found."""
        with self._current() as changed:
            changed.of_object = True
            if version is not None and not changed.reading:
                changed.objects.setdefault((bucket, key), set()).add(version)

    def changed_object(self, bucket: str, key: str, *versions: str) -> None:
        """An object has a new version, or one less."""
        with self._current() as changed:
            changed.objects.setdefault((bucket, key), set()).update(versions)

    def changed_upload(self, bucket: str, upload: str, *parts: int) -> None:
        """An upload began, got a part, or ended."""
        with self._current() as changed:
            changed.uploads.setdefault((bucket, upload), set()).update(parts)

    @contextmanager
    def _current(self) -> Iterator[Changed]:
        changed: Changed | None = getattr(self._thread, "changed", None)
        if changed is not None:
            yield changed
        else:
            changed = Changed()
            yield changed
            self._save(changed)

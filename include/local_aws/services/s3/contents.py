"""The bytes of S3's objects: one file each, read only when asked for.

A file is complete before anything refers to it, is never changed, and is removed when nothing refers to it any more: no
document of the index and no request that still reads it.
"""

from __future__ import annotations

import contextlib
import mmap
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

SMALL = 256 * 1024
"""Bytes up to which a content is read as a whole; a larger one is mapped, so that only what is sent is read."""
BLOCK = 256 * 1024


class MappedFile(mmap.mmap):
    """A file's bytes without reading them: as long as the file, sliced and hashed like bytes, sent once by blocks."""

    def __iter__(self) -> Iterator[bytes]:  # type: ignore[override]
        with self:
            for start in range(0, len(self), BLOCK):
                yield self[start : start + BLOCK]

    def decode(self, encoding: str = "utf-8") -> str:
        """All of it as text."""
        return self[:].decode(encoding)


class Content:
    """One object's bytes; its file goes with it unless it is kept."""

    __slots__ = ("_fresh", "_kept", "_path", "name", "size")

    def __init__(self, name: str | None, path: str | None, size: int, kept: bool, fresh: bytes | None = None) -> None:
        self.name = name
        self.size = size
        self._path = path
        self._kept = kept
        self._fresh = fresh

    def __len__(self) -> int:
        return self.size

    def read(self) -> bytes | MappedFile:
        """All bytes; those of a large content stay on the disk until they are used."""
        if self._fresh is not None:
            return self._fresh
        if self._path is None:
            return b""
        with open(self._path, "rb", buffering=0) as file:
            if self.size <= SMALL:
                return file.read()
            return MappedFile(file.fileno(), self.size, access=mmap.ACCESS_READ)

    def keep(self) -> None:
        """The index refers to it now."""
        self._kept = True
        self._fresh = None

    def let_go(self) -> None:
        """The index does not refer to it any more: its file ends with the last request that reads it."""
        self._kept = False

    def remove(self) -> None:
        """End its file now; nobody reads it."""
        if self._path is not None:
            path, self._path = self._path, None
            _unlink(path)

    def __del__(self) -> None:
        if not self._kept:
            self.remove()


class Contents:
    """A folder of contents."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        for number in range(256):
            (folder / f"{number:02x}").mkdir(parents=True, exist_ok=True)

    def add(self, data: Any) -> Content:
        """A new content, its file complete; `data` is anything bytes-like, or text."""
        if isinstance(data, str):
            data = data.encode()
        size = len(data)
        if not size:
            return Content(None, None, 0, kept=True)
        name = os.urandom(16).hex()
        path = self._path(name)
        content = Content(name, path, size, kept=False, fresh=bytes(data) if size <= SMALL else None)
        with open(path, "xb", buffering=0) as file:
            rest = memoryview(data)
            while rest:
                rest = rest[file.write(rest) :]
        return content

    def stored(self, name: str | None, size: int) -> Content:
        """A content of an earlier run; no file is looked at."""
        return Content(name, self._path(name) if name else None, size, kept=True)

    def remove_all_but(self, names: set[str]) -> int:
        """Remove the files that a kill left without a reference; returns how many."""
        removed = 0
        for folder in os.scandir(self._folder):
            if folder.is_dir():
                for file in os.scandir(folder.path):
                    if file.name not in names:
                        _unlink(file.path)
                        removed += 1
        return removed

    def _path(self, name: str) -> str:
        return f"{self._folder}/{name[:2]}/{name}"


def _unlink(path: str, unlink: Callable[[str], None] = os.unlink) -> None:
    with contextlib.suppress(FileNotFoundError):
        unlink(path)

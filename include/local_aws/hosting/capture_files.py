"""Capture files on their way to S3: append-only files in the data folder, one line per record.

A record is in its file, by one write, before the endpoint's answer is sent, so it survives the process's end at any
moment; nothing is forced to the disk, so the last moments before a power cut may be missing. A file's first line says
which object it becomes, so that uploading it twice makes one object.
"""

from __future__ import annotations

import json
import logging
import os
import uuid
from dataclasses import dataclass
from pathlib import Path

log = logging.getLogger(__name__)

SUFFIX = ".jsonl"
DAMAGED = ".damaged"


@dataclass(frozen=True)
class Target:
    """The object that a file becomes."""

    region: str
    bucket: str
    key: str


class CaptureFile:
    """A file that grows."""

    def __init__(self, folder: Path, target: Target) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"{uuid.uuid4().hex}{SUFFIX}"
        self.size = 0
        self._head = f"{json.dumps(vars(target))}\n".encode()
        self._file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o644)

    def append(self, line: str) -> None:
        """Add a record.

        Raises:
            OSError: it cannot be written; nothing of it is in the file then.
        """
        data = self._head + line.encode() + b"\n"
        written = os.write(self._file, data)
        if written < len(data):
            os.ftruncate(self._file, self.size)
            raise OSError(f"only {written} of {len(data)} bytes fit into {self.path}")
        self.size += written
        self._head = b""

    def close(self) -> None:
        """Nothing more is added."""
        os.close(self._file)


def left_over(folder: Path) -> list[Path]:
    """The files that an earlier process left, the oldest first."""
    return sorted(folder.glob(f"*{SUFFIX}"), key=lambda path: path.stat().st_mtime)


def read(path: Path) -> tuple[Target, bytes] | None:
    """A file's target and records; None when it has none, and then it is out of the way.

    A record whose line has no end was never acknowledged and is left out.
    """
    content = path.read_bytes()
    whole, end, rest = content.rpartition(b"\n")
    if rest:
        log.warning("The last record of %s was cut off and is left out: its request was never answered.", path)
    head, _, records = (whole + end).partition(b"\n")
    try:
        target = Target(**json.loads(head)) if head else None
    except (ValueError, TypeError) as error:
        log.error("%s does not say which object it becomes (%s); it is kept as %s.", path, error, DAMAGED)
        path.replace(path.with_suffix(DAMAGED))
        return None
    if target is None or not records:
        path.unlink()
        return None
    return target, records

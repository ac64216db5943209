"""Model archives are untrusted files: only plain files, only inside the target, only so many bytes."""

from __future__ import annotations

import gzip
import shutil
import tarfile
import zlib
from pathlib import Path, PurePosixPath

MOST_BYTES = 2 * 1024**3
MOST_FILES = 10_000
MOST_AT_A_TIME = 4 * 1024**2


class BadArchive(Exception):
    """The file is not an archive that may be extracted; the text says why."""


def extract(archive: Path, folder: Path) -> None:
    """Extract a `model.tar.gz`.

    Raises:
        BadArchive: not a gzip-compressed tar; a member that is neither file nor folder, or lies outside; too much.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = 0
    size = 0
    try:
        with _Bounded(archive) as unpacked, tarfile.open(fileobj=unpacked, mode="r:") as members:
            for member in members:
                target = _inside(folder, member)
                files += 1
                size += member.size
                if files > MOST_FILES or size > MOST_BYTES:
                    raise BadArchive(f"it holds more than {MOST_FILES} files and folders or {MOST_BYTES} bytes")
                if member.isdir():
                    target.mkdir(parents=True, exist_ok=True)
                    continue
                source = members.extractfile(member)
                if source is None:
                    raise BadArchive(f"{member.name} is not a file")
                target.parent.mkdir(parents=True, exist_ok=True)
                with source, target.open("wb") as copy:
                    shutil.copyfileobj(source, copy)
    except (tarfile.TarError, EOFError, zlib.error, OSError, ValueError, OverflowError) as error:
        # An OSError's own text names a folder of the host.
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise BadArchive(reason) from error


class _Bounded(gzip.GzipFile):
    """Gives no more at a time than a tar's reader asks for, unless a header says that it is as long as a bomb."""

    def read(self, size: int | None = -1) -> bytes:
        if size is None or not 0 <= size <= MOST_AT_A_TIME:
            raise BadArchive(f"it has a header of more than {MOST_AT_A_TIME} bytes")
        return super().read(size)


def _inside(folder: Path, member: tarfile.TarInfo) -> Path:
    name = PurePosixPath(member.name)
    if name.is_absolute() or ".." in name.parts:
        raise BadArchive(f"{member.name} lies outside the archive's folder")
    if not (member.isreg() or member.isdir()):
        raise BadArchive(f"{member.name} is a link or a special file")
    return folder / name

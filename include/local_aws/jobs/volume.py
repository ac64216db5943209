"""The storage volume of a job's instance: what is downloaded and unpacked for it must fit."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

from local_aws.s3_addresses import TooLarge, fetch

GIGABYTE = 1024**3
PIECE_BYTES = 1024**2


class VolumeFull(Exception):
    """Something does not fit; the text says what, and how large the volume is."""


class Volume:
    """So many bytes of room, of which inputs take some."""

    def __init__(self, gigabytes: int) -> None:
        self._gigabytes = gigabytes
        self._left = gigabytes * GIGABYTE

    def fetch(self, s3: Any, bucket: str, key: str, target: Path) -> None:
        """Write an object of S3 to a file.

        Raises:
            VolumeFull: it is too large; nothing of it is read then.
            S3_ERRORS: it cannot be read.
        """
        try:
            fetch(s3, bucket, key, target, self._left)
        except TooLarge as error:
            raise self._full(f"it has {error.size} bytes,", self._left) from error
        self._left -= target.stat().st_size

    def unpack(self, packed_file: Path) -> None:
        """Put what a `.gz` file holds in its place.

        Raises:
            VolumeFull: it is too large; no more than fits is written then.
        """
        room = self._left
        with gzip.open(packed_file) as packed, packed_file.with_suffix("").open("wb") as plain:
            while piece := packed.read(PIECE_BYTES):
                if len(piece) > self._left:
                    raise self._full("it unpacks to", room)
                plain.write(piece)
                self._left -= len(piece)
        self._left += packed_file.stat().st_size
        packed_file.unlink()

    def _full(self, what: str, room: int) -> VolumeFull:
        volume = f"the job's volume of {self._gigabytes} GB (VolumeSizeInGB)"
        return VolumeFull(f"{what} more than the {room} bytes that are left of {volume}")

"""Memory that comes back, and the time that looking for it takes."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Iterator
from contextlib import contextmanager

LARGE_BYTES = 1 << 20
_M_MMAP_THRESHOLD = -3


def return_large_blocks() -> None:
    """Let glibc give each large block back to the system when it is freed.

    On its own it keeps such blocks, up to 32 MB each and for each thread, once one of them has been freed. Source:
    mallopt(3), M_MMAP_THRESHOLD. Other C libraries have nothing to set.
    """
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(_M_MMAP_THRESHOLD, LARGE_BYTES)


@contextmanager
def nothing_to_collect() -> Iterator[None]:
    """Make many objects that all last, without looking again and again through those made so far."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()

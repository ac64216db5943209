"""Memory that comes back."""

from __future__ import annotations

import ctypes

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

"""One writer at a time for each name."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class KeyLocks:
    """Re-entrant locks by name, which exist only while they are held or waited for."""

    def __init__(self) -> None:
        self._locks: dict[tuple[str, ...], tuple[threading.RLock, int]] = {}  # type: ignore[valid-type]
        self._guard = threading.Lock()

    @contextmanager
    def held(self, *name: str) -> Iterator[None]:
        """Hold the lock of a name."""
        with self._guard:
            lock, users = self._locks.get(name) or (threading.RLock(), 0)
            self._locks[name] = (lock, users + 1)
        try:
            with lock:
                yield
        finally:
            with self._guard:
                lock, users = self._locks[name]
                if users > 1:
                    self._locks[name] = (lock, users - 1)
                else:
                    del self._locks[name]

"""Memory that is bounded: what was found out, until more was found out than fits."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from threading import Lock
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Kept(Generic[Value]):
    """Values by key, each found out by one thread while others that want it wait; the least used go first.

    Args:
        limit: the sum of sizes that is kept.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.size = 0
        self._lock = Lock()
        self._values: OrderedDict[Hashable, tuple[Value, int]] = OrderedDict()
        self._underway: dict[Hashable, Future[Value]] = {}

    def get(self, key: Hashable, find: Callable[[], Value], size: int = 1) -> Value:
        """The value of a key, found out unless it is known. An error is not kept: who asks next tries again."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key][0]
            future = self._underway.get(key)
            if asked_first := future is None:
                future = self._underway[key] = Future()
        if not asked_first:
            return future.result()
        try:
            value = find()
        except BaseException as error:
            with self._lock:
                del self._underway[key]
            future.set_exception(error)
            raise
        with self._lock:
            del self._underway[key]
            self._keep(key, value, size)
        future.set_result(value)
        return value

    def known(self, key: Hashable) -> Value | None:
        """The value of a key, if it is known; finds out nothing."""
        with self._lock:
            if key not in self._values:
                return None
            self._values.move_to_end(key)
            return self._values[key][0]

    def drop(self, key: Hashable) -> None:
        """Forget a value, if it is known."""
        with self._lock:
            _, freed = self._values.pop(key, (None, 0))
            self.size -= freed

    def __len__(self) -> int:
        return len(self._values)

    def _keep(self, key: Hashable, value: Value, size: int) -> None:
        self._values[key] = (value, size)
        self.size += size
        while self.size > self.limit:
            _, (_, freed) = self._values.popitem(last=False)
            self.size -= freed

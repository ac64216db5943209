"""A long listing that is asked for once, and then mostly at its end: what is new stands there."""

from __future__ import annotations

import logging
import time
from bisect import bisect_right
from collections.abc import Callable, Iterable
from math import inf
from threading import Lock, Thread
from typing import Generic, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from model_monitor.errors import MonitorError

FRESH_SECONDS = 5.0
OLDER_SECONDS = 60.0
STALE_SECONDS = 3600.0
TAIL = 250
LIMIT = 200_000

Item = TypeVar("Item")
Ask = Callable[[str, str | None], Iterable[tuple[str, Item]]]

log = logging.getLogger(__name__)


class Listing(Generic[Item]):
    """Items in the order of their keys, shared by threads.

    Its last items are asked for again when they are no longer fresh, by whoever reads then. The others change seldom:
    they are asked for again after `OLDER_SECONDS`, beside whoever reads, who gets what was known; after `STALE_SECONDS`
    whoever reads waits for them, too.

    Args:
        ask: yields keys and items after one key and up to another, in order; errors of AWS's may be raised.
        tail: how many items are its last.
        fresh: the seconds for which they are fresh.
        settled: whether an item stays as it is, which all do unless given; the last begin with the first that may not.
        clock: seconds that pass.
    """

    def __init__(
        self,
        ask: Ask[Item],
        *,
        tail: int = TAIL,
        fresh: float = FRESH_SECONDS,
        settled: Callable[[Item], bool] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask, self._tail, self._fresh, self._settled, self._clock = ask, tail, fresh, settled, clock
        self._lock = Lock()
        self._keys: list[str] = []
        self._items: list[Item] = []
        self._floor: str | None = None
        self._asked = self._asked_older = -inf
        self._beside: Thread | None = None

    def since(self, key: str) -> list[Item]:
        """The items after a key."""
        with self._lock:
            if self._floor is None or self._clock() - self._asked_older >= STALE_SECONDS:
                self._floor = key if self._floor is None else min(key, self._floor)
                self._refresh(self._floor, None)
                self._asked = self._asked_older = self._clock()
            if self._clock() - self._asked >= self._fresh:
                self._refresh(self._last(), None)
                self._asked = self._clock()
            if key < self._floor:
                self._refresh(key, self._floor)
                self._floor = key
            if self._clock() - self._asked_older >= OLDER_SECONDS and self._beside is None:
                self._asked_older = self._clock()
                self._beside = Thread(target=self._refresh_older, args=(self._floor, self._last()), daemon=True)
                self._beside.start()
            found = self._known(key)
            self._forget()
            return found

    def known(self, key: str) -> list[Item]:
        """The items after a key as far as they are known; nobody is asked."""
        with self._lock:
            return self._known(key)

    def settle(self) -> None:
        """Wait until nothing is asked beside."""
        beside = self._beside
        if beside is not None:
            beside.join()

    def _known(self, key: str) -> list[Item]:
        return self._items[bisect_right(self._keys, key) :]

    def _last(self) -> str:
        """The key after which the last items come."""
        start = max(len(self._keys) - self._tail, 0)
        if self._settled is not None:
            start = next((place for place in range(start) if not self._settled(self._items[place])), start)
        return self._keys[start - 1] if start else str(self._floor)

    def _refresh_older(self, after: str, up_to: str) -> None:
        try:
            found = list(self._ask(after, up_to)) if after < up_to else []
        except (MonitorError, ClientError, BotoCoreError) as problem:
            log.warning("What was listed before stays known; asking again failed: %s", problem)
        else:
            with self._lock:
                self._replace(after, up_to, found)
        finally:
            self._beside = None

    def _refresh(self, after: str, up_to: str | None) -> None:
        self._replace(after, up_to, list(self._ask(after, up_to)))

    def _replace(self, after: str, up_to: str | None, found: list[tuple[str, Item]]) -> None:
        low = bisect_right(self._keys, after)
        high = len(self._keys) if up_to is None else max(bisect_right(self._keys, up_to), low)
        self._keys[low:high] = [key for key, _ in found]
        self._items[low:high] = [item for _, item in found]

    def _forget(self) -> None:
        if (over := len(self._keys) - LIMIT) > 0:
            self._floor = self._keys[over - 1]
            del self._keys[:over], self._items[:over]

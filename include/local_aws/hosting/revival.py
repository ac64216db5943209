"""Model servers that end by themselves are started again: at once, then after ever longer pauses, without end."""

from __future__ import annotations

import logging
import threading
import time
import weakref
from collections.abc import Callable

from local_aws.hosting.model_servers import ModelServer, ModelServerFailed
from local_aws.hosting.serving import Serving, ServingTable, Variant

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.2
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
STEADY_SECONDS = 60.0
"""A server that has run for so long has proven itself: when it ends, it is started at once again."""

Start = Callable[[str, Variant], ModelServer]
"""Starts a server for an endpoint's variant; the first argument is the endpoint's key."""


class Pauses:
    """How long to wait before each start: not at all, then 1, 2, 4 … 60 seconds."""

    def __init__(self) -> None:
        self._next = 0.0

    def next(self) -> float:
        """The pause before the next start."""
        pause = self._next
        self._next = min(max(2 * pause, FIRST_PAUSE), LONGEST_PAUSE)
        return pause


class Revival:
    """Watches the servers of all endpoints."""

    def __init__(self, table: ServingTable, start: Start) -> None:
        self._table = table
        self._start = start
        self._pauses: weakref.WeakKeyDictionary[Variant, tuple[Pauses, float]] = weakref.WeakKeyDictionary()
        self._under_way: set[Variant] = set()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="revival", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """Start nothing any more."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    @property
    def under_way(self) -> int:
        """How many variants are being started again."""
        with self._lock:
            return len(self._under_way)

    def _watch(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            for key, serving in self._table.all():
                for variant in serving.variants.values():
                    if not variant.server.alive and self._claim(variant):
                        self._begin(key, serving, variant)

    def _claim(self, variant: Variant) -> bool:
        with self._lock:
            if variant in self._under_way:
                return False
            self._under_way.add(variant)
            return True

    def _begin(self, key: str, serving: Serving, variant: Variant) -> None:
        log.error("The model server of %s/%s ended; it is started again.", key, variant.name)
        threading.Thread(
            target=self._revive, args=(key, serving, variant), name=f"revive-{variant.name}", daemon=True
        ).start()

    def _revive(self, key: str, serving: Serving, variant: Variant) -> None:
        pauses = self._pauses_of(variant)
        try:
            while not serving.retired.wait(pauses.next()):
                try:
                    server = self._start(key, variant)
                except Exception as error:
                    unforeseen = not isinstance(error, ModelServerFailed)
                    log.error("%s/%s did not start: %s", key, variant.name, error, exc_info=unforeseen)
                    continue
                self._adopt(serving, variant, server)
                return
        finally:
            with self._lock:
                self._under_way.discard(variant)

    def _adopt(self, serving: Serving, variant: Variant, server: ModelServer) -> None:
        dead, variant.server = variant.server, server
        dead.stop()
        with self._lock:
            self._pauses[variant] = (self._pauses[variant][0], time.monotonic())
        # Whoever retires a deployment stops the servers that it finds; this one may have come too late to be found.
        if serving.retired.is_set():
            server.stop()

    def _pauses_of(self, variant: Variant) -> Pauses:
        now = time.monotonic()
        with self._lock:
            pauses, started = self._pauses.get(variant, (Pauses(), now))
            if now - started > STEADY_SECONDS:
                pauses = Pauses()
            self._pauses[variant] = (pauses, started)
            return pauses

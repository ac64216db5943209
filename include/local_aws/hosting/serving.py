"""What answers an endpoint's requests: its variants, by weight, and how it is let go without losing a request."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from local_aws.hosting.model_servers import ModelServer


def weight_of(settings: Mapping[str, Any]) -> float:
    """A deployed variant's share of the traffic: what was asked for last, else what its configuration says."""
    return float(settings.get("DesiredWeight", settings.get("InitialVariantWeight", 1.0)))


def instances_of(settings: Mapping[str, Any]) -> int:
    """How many instances a deployed variant is to have."""
    return int(settings.get("DesiredInstanceCount", settings.get("InitialInstanceCount", 1)))


class Variant:
    """A production variant and the server of its model, which another one replaces when its process ends."""

    def __init__(self, settings: Mapping[str, Any], server: ModelServer) -> None:
        self.name = str(settings["VariantName"])
        self.container: dict[str, Any] = settings["Container"]
        self.weight = weight_of(settings)
        self.server = server


class Serving:
    """The variants of one deployment. Requests are counted, so that its servers stop when the last one is answered."""

    def __init__(self, variants: Mapping[str, Variant], data_capture: dict[str, Any] | None) -> None:
        self.variants = dict(variants)
        self.data_capture = data_capture
        self.retired = threading.Event()
        self._requests = 0
        self._changed = threading.Condition()

    def choose(self) -> Variant:
        """A variant by chance, in the proportion of the weights; all alike when nobody has any."""
        variants = list(self.variants.values())
        if len(variants) == 1:
            return variants[0]
        weights = [variant.weight for variant in variants]
        return random.choices(variants, weights if any(weights) else None)[0]

    def weigh(self, settings: list[dict[str, Any]]) -> None:
        """Share the traffic anew, as the deployed variants' settings say."""
        for wanted in settings:
            self.variants[wanted["VariantName"]].weight = weight_of(wanted)

    @property
    def requests(self) -> int:
        """How many requests are being answered."""
        with self._changed:
            return self._requests

    def enter(self) -> None:
        """One more request is being answered."""
        with self._changed:
            self._requests += 1

    def leave(self) -> None:
        """A request is answered."""
        with self._changed:
            self._requests -= 1
            self._changed.notify_all()

    def retire(self, patience: float) -> None:
        """Wait until all requests are answered, `patience` seconds at most, then stop every variant's server."""
        self.retired.set()
        with self._changed:
            self._changed.wait_for(lambda: self._requests == 0, patience)
        for variant in self.variants.values():
            variant.server.stop()


class ServingTable:
    """Which endpoint is served by what. A request that was let in here is answered by what it found."""

    def __init__(self) -> None:
        self._serving: dict[str, Serving] = {}
        self._lock = threading.Lock()
        self._closed = False

    def get(self, key: str) -> Serving | None:
        """What answers an endpoint's requests, or None when nothing does."""
        with self._lock:
            return self._serving.get(key)

    @contextmanager
    def request(self, key: str) -> Iterator[Serving | None]:
        """What answers this request; it is not stopped before the request is over."""
        with self._lock:
            serving = self._serving.get(key)
            if serving is not None:
                serving.enter()
        try:
            yield serving
        finally:
            if serving is not None:
                serving.leave()

    def replace(self, key: str, serving: Serving) -> Serving | None:
        """Send an endpoint's requests elsewhere from now on; returns what answered them before.

        Raises:
            Closed: nothing is served any more.
        """
        with self._lock:
            if self._closed:
                raise Closed
            before = self._serving.get(key)
            self._serving[key] = serving
            return before

    def remove(self, key: str) -> Serving | None:
        """Let nobody answer an endpoint's requests; returns what did."""
        with self._lock:
            return self._serving.pop(key, None)

    def all(self) -> list[tuple[str, Serving]]:
        """Every endpoint that is served."""
        with self._lock:
            return list(self._serving.items())

    def close(self) -> list[Serving]:
        """Let nothing be served any more; returns what was."""
        with self._lock:
            self._closed = True
            left, self._serving = list(self._serving.values()), {}
            return left


class Closed(Exception):
    """The server is being stopped."""

"""What moto leaves to chance and to the time, so that a request that is repeated gives what it gave before."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from random import Random
from typing import Any


class _Circumstances(threading.local):
    moment: datetime | None = None
    chance: Random | None = None


_current = _Circumstances()
_otherwise = Random()


def moment() -> datetime | None:
    """The time that this thread's request has; None when it has the clock's."""
    return _current.moment


@contextmanager
def circumstances(moment: datetime, seed: int) -> Iterator[None]:
    """Within this, moto sees one moment, and a seed decides what is random; other threads are not concerned."""
    _current.moment, _current.chance = moment, Random(seed)
    try:
        yield
    finally:
        _current.moment = _current.chance = None


def install() -> None:
    """Let moto draw its identifiers from here."""
    from moto.moto_api._internal.moto_random import MotoRandom

    def random(self: MotoRandom) -> float:
        return (_current.chance or _otherwise).random()

    def getrandbits(self: MotoRandom, k: int) -> int:
        return (_current.chance or _otherwise).getrandbits(k)

    replaced: Any = MotoRandom
    replaced.random, replaced.getrandbits = random, getrandbits

"""Waiting for what other processes do."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

WAIT_SECONDS = 120
INTERVAL_SECONDS = 0.05

Seen = TypeVar("Seen")


def until(look: Callable[[], Seen], done: Callable[[Seen], bool], seconds: float = WAIT_SECONDS) -> Seen:
    """What `look` gives once that is `done`; fails with what it saw last after two minutes, or so many seconds."""
    deadline = time.monotonic() + seconds
    while not done(seen := look()):
        assert time.monotonic() < deadline, f"still not so after {seconds:.0f} s: {seen}"
        time.sleep(INTERVAL_SECONDS)
    return seen

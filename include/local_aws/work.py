"""What is going on in the background, so that nobody has to poll for its end."""

from __future__ import annotations

import itertools
import threading


class Work:
    """Everything that was begun and is not over. Thread-safe."""

    def __init__(self) -> None:
        self._going_on: dict[int, str] = {}
        self._numbers = itertools.count()
        self._changed = threading.Condition()

    def begin(self, what: str) -> int:
        """Something begins, such as "processing job us-west-2/merge"; `end` takes the number that comes back."""
        with self._changed:
            number = next(self._numbers)
            self._going_on[number] = what
            return number

    def end(self, number: int) -> None:
        """It is over."""
        with self._changed:
            del self._going_on[number]
            self._changed.notify_all()

    def wait(self, timeout: float) -> list[str]:
        """Wait until nothing goes on; what still does after `timeout` seconds, the oldest first."""
        with self._changed:
            self._changed.wait_for(lambda: not self._going_on, timeout)
            return list(self._going_on.values())

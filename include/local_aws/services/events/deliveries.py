"""What goes out by itself: events to the targets of rules, notifications to the subscribers of topics.

Nobody waits for a delivery, and one that fails is told in the log: as on AWS, neither the change that is told of nor
the rest of the deliveries depends on it.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable

from local_aws.work import Work

log = logging.getLogger(__name__)

MOST_WAITING = 10_000
LONGEST_STOP_SECONDS = 10.0


class Deliveries:
    """Delivers one thing after the other, in the order they were posted."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._waiting: queue.Queue[tuple[str, int, Callable[[], None]] | None] = queue.Queue(MOST_WAITING)
        self._thread = threading.Thread(target=self._deliver, name="deliveries", daemon=True)

    def start(self) -> None:
        """Begin to deliver; what was posted before waits until then."""
        self._thread.start()

    def stop(self) -> None:
        """Deliver what waits, but not for long."""
        if self._thread.is_alive():
            self._waiting.put(None)
            self._thread.join(LONGEST_STOP_SECONDS)

    def post(self, what: str, deliver: Callable[[], None]) -> None:
        """Have something delivered; `what` names it in the log."""
        number = self._work.begin(f"delivery of {what}")
        try:
            self._waiting.put_nowait((what, number, deliver))
        except queue.Full:
            self._work.end(number)
            log.error("%s is not delivered: %d others wait already.", what, MOST_WAITING)

    def _deliver(self) -> None:
        while (delivery := self._waiting.get()) is not None:
            what, number, deliver = delivery
            try:
                deliver()
            except Exception:
                log.exception("%s could not be delivered.", what)
            finally:
                self._work.end(number)

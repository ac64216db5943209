"""The server's time, and what happens at a moment of it."""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

log = logging.getLogger(__name__)

LONGEST_WAIT_SECONDS = 5.0


def _system_time() -> datetime:
    return datetime.now(UTC)


class ClockIsReal(Exception):
    """Somebody tried to move the real time."""


class Alarm:
    """Something to be done at a moment; `cancel()` calls it off."""

    def __init__(self, moment: datetime, action: Callable[[], None]) -> None:
        self.moment = moment
        self.action = action
        self.cancelled = False

    def cancel(self) -> None:
        """Call it off; harmless when it is done already."""
        self.cancelled = True


class Clock:
    """Real time, which `source` tells, or (stepped) time that starts at the real one and moves only by `advance`.

    Alarms go off one after the other in the order of their moments; an alarm may set further ones. With real time they
    go off in a thread of the clock's own; with stepped time inside `advance`, each seeing its own moment as now.
    """

    def __init__(
        self, stepped: bool = False, start: datetime | None = None, source: Callable[[], datetime] = _system_time
    ) -> None:
        self.stepped = stepped
        self._source = source
        self._now = start or source()
        self._alarms: list[tuple[datetime, int, Alarm]] = []
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._stepping = threading.Lock()
        self._stopped = False
        self._thread = threading.Thread(target=self._ring, name="clock", daemon=True)

    def start(self) -> None:
        """Let alarms go off; with stepped time nothing happens before `advance`."""
        if not self.stepped:
            self._thread.start()

    def stop(self) -> None:
        """No alarm goes off after this."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(timeout=LONGEST_WAIT_SECONDS)

    def now(self) -> datetime:
        """The server's time, aware, in UTC."""
        if not self.stepped:
            return self._source()
        with self._changed:
            return self._now

    def timestamp(self) -> float:
        """The server's time in epoch seconds, to the millisecond, as documents keep it."""
        return round(self.now().timestamp(), 3)

    def call_at(self, moment: datetime, action: Callable[[], None]) -> Alarm:
        """Do something when the clock reaches a moment; one that is past is done at the next chance."""
        alarm = Alarm(moment, action)
        with self._changed:
            heapq.heappush(self._alarms, (moment, next(self._order), alarm))
            self._changed.notify_all()
        return alarm

    def advance(self, seconds: float) -> datetime:
        """Move stepped time forward and do all that falls due on the way.

        Raises:
            ClockIsReal: the clock is not stepped.
            ValueError: time does not go backwards.
        """
        if not self.stepped:
            raise ClockIsReal("The clock is real; start local_aws with --clock stepped to move it.")
        if not 0 <= seconds < float("inf"):
            raise ValueError("advance_seconds must be a number of 0 or more.")
        with self._stepping:
            goal = self.now() + timedelta(seconds=seconds)
            while (alarm := self._take(until=goal)) is not None:
                with self._changed:
                    self._now = max(self._now, alarm.moment)
                self._sound(alarm)
            with self._changed:
                self._now = goal
            return goal

    def _ring(self) -> None:
        while not self._stopped:
            alarm = self._take(until=self.now())
            if alarm is not None:
                self._sound(alarm)
                continue
            with self._changed:
                if self._stopped:
                    return
                wait = LONGEST_WAIT_SECONDS
                if self._alarms:
                    wait = min(wait, (self._alarms[0][0] - self.now()).total_seconds())
                self._changed.wait(timeout=max(wait, 0))

    def _take(self, until: datetime) -> Alarm | None:
        with self._changed:
            while self._alarms and self._alarms[0][0] <= until:
                alarm = heapq.heappop(self._alarms)[2]
                if not alarm.cancelled:
                    return alarm
            return None

    def _sound(self, alarm: Alarm) -> None:
        try:
            alarm.action()
        except Exception:
            log.exception("What was due at %s failed.", alarm.moment.isoformat())

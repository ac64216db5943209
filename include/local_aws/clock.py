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


def _nothing(moment: datetime) -> None:
    """What a clock without a memory does before it moves."""


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
    """Real time, which `source` tells, or (stepped) time that moves only by `advance`.

    Stepped time starts at `start`, or else at the real time. Alarms go off one after the other in the order of their
    moments; an alarm may set further ones. With real time they go off in a thread of the clock's own; with stepped time
    inside `advance`, each seeing its own moment as now.
    """

    def __init__(
        self, stepped: bool = False, start: datetime | None = None, source: Callable[[], datetime] = _system_time
    ) -> None:
        self.stepped = stepped
        self.start_asked_for = start
        self._source = source
        self._now = start or source()
        self._before_move: Callable[[datetime], None] = _nothing
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

    def go_on_from(self, moment: datetime) -> None:
        """Let stepped time go on from where an earlier process left it."""
        with self._changed:
            self._now = moment

    def before_each_move(self, note: Callable[[datetime], None]) -> None:
        """Have every moment that stepped time comes to noted before anybody sees it."""
        self._before_move = note

    def now(self) -> datetime:
        """The server's time, aware, in UTC."""
        if not self.stepped:
            return self._source()
        with self._changed:
            return self._now

    def timestamp(self) -> float:
        """The server's time in epoch seconds, to the millisecond, as documents keep it."""
        return round(self.now().timestamp(), 3)

    def seconds_ahead(self) -> float:
        """How far this time is ahead of the source's; negative when it is behind."""
        return (self.now() - self._source()).total_seconds() if self.stepped else 0.0

    def call_at(self, moment: datetime, action: Callable[[], None]) -> Alarm:
        """Do something when the clock reaches a moment; one that is past is done at the next chance."""
        alarm = Alarm(moment, action)
        with self._changed:
            heapq.heappush(self._alarms, (moment, next(self._order), alarm))
            self._changed.notify_all()
        return alarm

    def advance(self, seconds: float, after_each: Callable[[], None] | None = None) -> datetime:
        """Move stepped time forward and do all that falls due on the way.

        Args:
            after_each: is called when all that is due at one moment is done, before time moves on, and at the end.

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
            while True:
                if after_each is not None and not self._due(self.now()):
                    after_each()
                alarm = self._take(until=goal)
                if alarm is None:
                    break
                self._move(max(self.now(), alarm.moment))
                self._sound(alarm)
            self._move(goal)
            return goal

    def _move(self, moment: datetime) -> None:
        if moment == self.now():
            return
        self._before_move(moment)
        with self._changed:
            self._now = moment

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

    def _due(self, moment: datetime) -> bool:
        with self._changed:
            return bool(self._alarms) and self._alarms[0][0] <= moment

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

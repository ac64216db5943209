"""The time of a data folder: whichever clock it is opened with, it never goes back."""

from __future__ import annotations

import logging
import sqlite3
from datetime import UTC, datetime, timedelta

from local_aws.clock import Clock
from local_aws.database_files import UnusableStore
from local_aws.store import Store

log = logging.getLogger(__name__)

KIND = "clock"
NAME = "latest"
REAL_TIME_NOTED_EVERY = timedelta(minutes=1)
TOLERANCE = timedelta(seconds=5)
"""How far ahead of the real time a folder's stepped time may be, as clocks are never quite the same."""


class KeptTime:
    """Notes a clock's time in the store: stepped time at every move, real time every minute."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def take_up(self) -> None:
        """Let the clock go on from where the folder's last one was.

        Raises:
            UnusableStore: that would be a step back.
        """
        kept = self._store.get(KIND, NAME)
        if kept is not None:
            latest = datetime.fromisoformat(kept["Now"])
            if self._clock.stepped:
                self._step_on_from(latest, bool(kept["Stepped"]))
            elif kept["Stepped"] and latest > self._clock.now() + TOLERANCE:
                raise UnusableStore(
                    f"the time of this data folder is {_text(latest)}, which is in the future: a stepped clock "
                    "was used. Start with --clock stepped, wait until then, or give another folder with --data-dir."
                )
        self.note(self._clock.now())
        self._clock.before_each_move(self.note)

    def start(self) -> None:
        """Note real time from now on."""
        if not self._clock.stepped:
            self._note_and_go_on()

    def stop(self) -> None:
        """Note the time a last time; on a full disk the one noted before has to do."""
        try:
            self.note(self._clock.now())
        except sqlite3.Error as error:
            log.warning("The time of the data folder cannot be noted: %s", error)

    def note(self, moment: datetime) -> None:
        """Remember that it has been as late as this."""
        self._store.put(KIND, NAME, {"Now": moment.isoformat(), "Stepped": self._clock.stepped})

    def _step_on_from(self, latest: datetime, was_stepped: bool) -> None:
        asked_for = self._clock.start_asked_for
        if asked_for is None:
            self._clock.go_on_from(latest if was_stepped else max(latest, self._clock.now()))
        elif asked_for < latest:
            raise UnusableStore(
                f"--start {_text(asked_for)} is before {_text(latest)}, where the time of this data folder is already. "
                "Leave --start out to go on from there, or give another folder with --data-dir."
            )

    def _note_and_go_on(self) -> None:
        now = self._clock.now()
        self._clock.call_at(now + REAL_TIME_NOTED_EVERY, self._note_and_go_on)
        self.note(now)


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

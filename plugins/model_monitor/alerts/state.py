"""What was told, kept in S3 for every run that may have something to tell, in this DAG or another."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from model_monitor import names
from model_monitor.alerts.decision import Told
from model_monitor.alerts.outcome import Outcome
from model_monitor.errors import InputError
from model_monitor.windows import moment, shown

if TYPE_CHECKING:
    from model_monitor.config import MonitoredEndpoint
    from model_monitor.hooks.s3 import StorageHook
    from model_monitor.names import Kind

LONGEST_TELLING = timedelta(minutes=5)


@dataclass(frozen=True)
class Teller:
    """A task that is telling, and until when others wait for it; one that was killed comes back under its own name."""

    name: str
    until: str


@dataclass(frozen=True)
class State:
    """The last windows, oldest first; what each channel was told; who is telling at the moment."""

    windows: tuple[Outcome, ...] = ()
    told: Mapping[str, Told] = field(default_factory=dict)
    teller: Teller | None = None

    @property
    def newest(self) -> Outcome | None:
        """The last window that was told of, or found to be no news."""
        return self.windows[-1] if self.windows else None

    def having_told(self, channel: str, told: Told) -> State:
        """The state with what a channel was told."""
        return replace(self, told={**self.told, channel: told})

    def as_json(self) -> str:
        """What is kept."""
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: bytes) -> State:
        """What was kept."""
        content: dict[str, Any] = json.loads(text)
        return cls(
            tuple(map(Outcome.from_dict, content["windows"])),
            {channel: Told.from_dict(told) for channel, told in content["told"].items()},
            content["teller"] and Teller(**content["teller"]),
        )


class Kept:
    """The state of one monitor's alerts in S3.

    It is replaced only as it was read, so that of two runs that find the same window at the same time one tells of it.
    """

    def __init__(self, storage: StorageHook, endpoint: MonitoredEndpoint, kind: Kind) -> None:
        self._storage = storage
        self._uri = names.alert_state(endpoint, kind)
        self._bucket = endpoint.bucket
        self._etag: str | None = None

    def read(self) -> State:
        """What is kept now.

        Raises:
            InputError: when it cannot be read.
        """
        found = self._storage.versioned(self._uri)
        if found is None:
            self._etag = None
            return State()
        content, self._etag = found
        try:
            return State.from_json(content)
        except (ValueError, KeyError, TypeError, AttributeError) as problem:
            raise InputError(
                f"{self._uri} is not what alerts keep there ({type(problem).__name__}: {problem}). Restore an earlier "
                "version of it, or delete it: then everybody is told afresh."
            ) from problem

    def write(self, state: State) -> bool:
        """Keep another state; False when somebody else has done so since it was read."""
        etag = self._storage.put_over(self._uri, state.as_json(), self._etag)
        if etag is None:
            return False
        self._etag = etag
        return True

    def teller(self, name: str) -> Teller:
        """A teller from now on."""
        return Teller(name, shown(self._now() + LONGEST_TELLING))

    def waits_for(self, state: State, name: str) -> bool:
        """Whether somebody else is telling."""
        return state.teller is not None and state.teller.name != name and self.telling(state)

    def telling(self, state: State) -> bool:
        """Whether somebody is telling at the moment."""
        return state.teller is not None and moment(state.teller.until) > self._now()

    def _now(self) -> datetime:
        return self._storage.time(self._bucket)

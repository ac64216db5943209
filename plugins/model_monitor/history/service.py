"""The managed service's executions of a schedule, where there is such a service."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import inf
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from model_monitor import names, requests
from model_monitor.config import MonitoredEndpoint
from model_monitor.errors import MonitorError
from model_monitor.history.documents import shortened
from model_monitor.history.listing import Listing
from model_monitor.hooks.base import is_missing
from model_monitor.names import KINDS, Kind

if TYPE_CHECKING:
    from model_monitor.hooks.sagemaker import SageMakerHook

ASKED_AGAIN_SECONDS = 60.0
TAIL = 20
UNDER_WAY = frozenset({"Pending", "InProgress", "Stopping"})

Answer = TypeVar("Answer")

_ROOM = timedelta(seconds=1)


@dataclass(frozen=True)
class Managed:
    """An execution of the managed service; `window` is the folder it writes to."""

    window: str
    scheduled: datetime
    state: str
    reason: str | None
    job: str | None


class Service:
    """What the managed service says of an endpoint's monitors; a service that refuses is not asked at every turn."""

    def __init__(
        self, endpoint: MonitoredEndpoint, sagemaker: SageMakerHook, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._endpoint, self._sagemaker, self._clock = endpoint, sagemaker, clock
        self._executions: dict[Kind, Listing[Managed]] = {
            kind: Listing(self._asked(kind), tail=TAIL, settled=_is_settled, clock=clock) for kind in KINDS
        }
        self._refused = -inf
        self.problem: str | None = None

    def executions(self, kind: Kind, since: datetime) -> dict[str, Managed]:
        """The executions due since a moment, by window; of several of one window the last that was created.

        What the service refuses is told in `problem`; what it said before stays known.
        """
        executions, key = self._executions[kind], _key(since)
        found = self._answer(lambda: executions.since(key), lambda: executions.known(key))
        return {one.window: one for one in found}

    def newest(self, kind: Kind) -> datetime | None:
        """When the newest execution was due."""
        request = {**requests.list_monitoring_executions(names.schedule(self._endpoint, kind)), "MaxResults": 1}
        found = self._answer(lambda: self._sagemaker.execution(request), lambda: None)
        return found["ScheduledTime"].astimezone(UTC) if found else None

    def settle(self) -> None:
        """Wait until nothing is asked beside."""
        for executions in self._executions.values():
            executions.settle()

    def _asked(self, kind: Kind) -> Callable[[str, str | None], Iterator[tuple[str, Managed]]]:
        def ask(after: str, up_to: str | None) -> Iterator[tuple[str, Managed]]:
            for key, one in self._list(kind, _moment(after), None if up_to is None else _moment(up_to)):
                if after < key and (up_to is None or key <= up_to):
                    yield key, one

        return ask

    def _list(self, kind: Kind, since: datetime, until: datetime | None) -> list[tuple[str, Managed]]:
        request: dict[str, Any] = {
            "MonitoringScheduleName": names.schedule(self._endpoint, kind),
            "SortBy": "ScheduledTime",
            "SortOrder": "Ascending",
            "MaxResults": 100,
            # Whether the service means "after" strictly is not documented.
            "ScheduledTimeAfter": since - _ROOM,
        }
        if until is not None:
            request["ScheduledTimeBefore"] = until + _ROOM
        return sorted(map(_read, self._sagemaker.executions(request)), key=lambda found: found[0])

    def _answer(self, ask: Callable[[], Answer], otherwise: Callable[[], Answer]) -> Answer:
        """The service's answer, or what is there otherwise: it refuses, has refused lately or has no such schedule."""
        if self.problem is not None and self._clock() - self._refused < ASKED_AGAIN_SECONDS:
            return otherwise()
        try:
            answer = ask()
        except (MonitorError, ClientError, BotoCoreError) as problem:
            if isinstance(problem, ClientError) and is_missing(problem):
                return otherwise()
            self._refused = self._clock()
            self.problem = shortened(str(problem))
            return otherwise()
        self.problem = None
        return answer


def _read(summary: dict[str, Any]) -> tuple[str, Managed]:
    scheduled = summary["ScheduledTime"].astimezone(UTC)
    job = str(summary.get("ProcessingJobArn", "")).rpartition("/")[2] or None
    one = Managed(
        window=names.hour_path(scheduled),
        scheduled=scheduled,
        state=summary["MonitoringExecutionStatus"],
        reason=summary.get("FailureReason"),
        job=job,
    )
    return f"{_key(scheduled)} {_key(summary['CreationTime'])}", one


def _is_settled(one: Managed) -> bool:
    return one.state not in UNDER_WAY


def _key(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")


def _moment(key: str) -> datetime:
    return datetime.fromisoformat(key.split(" ")[0]).replace(tzinfo=UTC)

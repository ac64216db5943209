"""Waiting: what a state means is in `waiters/*.json`, until when is a deadline in seconds.

Sensors, operators and triggers share this module, so that a task means the same by "done" whether it waits in its
worker or in the triggerer. Throttling and lost connections are waited out; any other refusal ends the waiting at once.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

from airflow.providers.amazon.aws.utils.waiter_with_logging import RETRIABLE_ERROR_CODES
from botocore import xform_name
from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnection
from botocore.waiter import SingleWaiterConfig, WaiterModel

WAITERS = Path(__file__).parent / "waiters"

STATUS = ("EndpointStatus", "ProcessingJobStatus", "MonitoringScheduleStatus", "MonitoringExecutionStatus")

State = Literal["success", "failure", "waiting", "deadline"]


@dataclass(frozen=True)
class Outcome:
    """How waiting ended, and the last answer: a response, or an error's as botocore parses it."""

    state: State
    response: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Wait:
    """What to ask, of which waiter, how often, and how long.

    Args:
        service: `sagemaker` or `s3`; names the file of waiters.
        waiter: the waiter's name in that file.
        request: the request to repeat.
        interval: seconds between two requests; the waiter's own unless given.
        deadline: seconds since the epoch after which to give up.
    """

    service: str
    waiter: str
    request: dict[str, Any]
    interval: float
    deadline: float

    @classmethod
    def until(
        cls,
        waiter: str,
        request: dict[str, Any],
        *,
        service: str = "sagemaker",
        interval: float | None = None,
        timeout: float | None = None,
    ) -> Wait:
        """A wait that starts now and lasts `timeout` seconds; the waiter's own numbers where nothing is given."""
        own = waiter_config(service, waiter)
        return cls(
            service,
            waiter,
            request,
            interval=own.delay if interval is None else interval,
            deadline=time.time() + (own.delay * own.max_attempts if timeout is None else timeout),
        )

    def judge(self, response: dict[str, Any]) -> State:
        """What one answer means."""
        for acceptor in waiter_config(self.service, self.waiter).acceptors:
            if acceptor.matcher_func(response):
                return "success" if acceptor.state == "success" else "failure"
        return "waiting"

    def ask(self, client: Any) -> Outcome:
        """Ask once."""
        try:
            response = self._method(client)(**self.request)
        except (ClientError, NoConnection, HTTPClientError) as error:
            return self._judge_error(error)
        return Outcome(self.judge(response), response)

    def poll(
        self, client: Any, until: float | None = None, on_state: Callable[[Outcome], None] | None = None
    ) -> Outcome:
        """Ask again and again, until it is decided, or the deadline (or the earlier moment `until`) has passed."""
        end = self.deadline if until is None else min(until, self.deadline)
        while True:
            outcome = self.ask(client)
            if on_state:
                on_state(outcome)
            if outcome.state != "waiting":
                return outcome
            if (left := end - time.time()) <= 0:
                return Outcome("deadline" if end == self.deadline else "waiting", outcome.response)
            time.sleep(min(self.interval, left))

    async def poll_async(self, client: Any, on_state: Callable[[Outcome], None]) -> Outcome:
        """As `poll`, for the triggerer."""
        while True:
            try:
                answer: Awaitable[dict[str, Any]] = self._method(client)(**self.request)
                response = await answer
                outcome = Outcome(self.judge(response), response)
            except (ClientError, NoConnection, HTTPClientError) as error:
                outcome = self._judge_error(error)
            on_state(outcome)
            if outcome.state != "waiting":
                return outcome
            if (left := self.deadline - time.time()) <= 0:
                return Outcome("deadline", outcome.response)
            await asyncio.sleep(min(self.interval, left))

    def _method(self, client: Any) -> Callable[..., Any]:
        operation = waiter_config(self.service, self.waiter).operation
        return getattr(client, xform_name(operation))

    def _judge_error(self, error: Exception) -> Outcome:
        if not isinstance(error, ClientError):
            return Outcome("waiting", {"Error": {"Code": type(error).__name__, "Message": str(error)}})
        response: dict[str, Any] = dict(error.response)
        state = self.judge(response)
        if state == "waiting" and response["Error"]["Code"] not in RETRIABLE_ERROR_CODES:
            raise error
        return Outcome(state, response)


@cache
def waiter_config(service: str, waiter: str) -> SingleWaiterConfig:
    """One waiter of `waiters/<service>.json`."""
    model = WaiterModel(json.loads((WAITERS / f"{service}.json").read_text(encoding="utf-8")))
    return model.get_waiter(waiter)


def changes(wait: Wait, say: Callable[[str], None]) -> Callable[[Outcome], None]:
    """Says what an answer means whenever that differs from the answer before."""
    said = ""

    def tell(outcome: Outcome) -> None:
        nonlocal said
        if (status := describe(wait, outcome.response)) != said:
            say(f"{wait.waiter}: {status}")
            said = status

    return tell


def describe(wait: Wait, response: dict[str, Any]) -> str:
    """An answer in a few words: status, reason, message."""
    if "Error" in response:
        return f"{response['Error'].get('Code')}: {response['Error'].get('Message', '')}"
    operation = waiter_config(wait.service, wait.waiter).operation
    if operation == "ListObjectsV2":
        return f"{response.get('KeyCount', 0)} objects"
    if operation == "ListMonitoringExecutions":
        summaries = response["MonitoringExecutionSummaries"]
        if not summaries:
            return "no execution yet"
        response = summaries[0]
    said = " - ".join(str(response[key]) for key in (*STATUS, "FailureReason") if response.get(key))
    message = str(response.get("ExitMessage", ""))
    return said if not message or message.partition(": ")[2] in said else f"{said} - {message}"

"""What states mean, and how long waiting lasts; the clock is the test's own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from model_monitor.waiting import Outcome, Wait, changes, describe


class Clock:
    """Time that passes by sleeping alone."""

    def __init__(self) -> None:
        self.now = 1_000_000.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept.append(seconds)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()

    async def sleep(seconds: float) -> None:
        clock.sleep(seconds)

    monkeypatch.setattr(time, "time", lambda: clock.now)
    monkeypatch.setattr(time, "sleep", clock.sleep)
    monkeypatch.setattr(asyncio, "sleep", sleep)
    return clock


class Client:
    """Answers describe_endpoint with one prepared thing after another, the last one for ever."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)

    def describe_endpoint(self, EndpointName: str) -> dict[str, Any]:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return {"EndpointStatus": answer}


class AsyncClient(Client):
    async def describe_endpoint(self, EndpointName: str) -> dict[str, Any]:  # type: ignore[override]
        return super().describe_endpoint(EndpointName)


def poll(wait: Wait, *answers: Any) -> Outcome:
    return wait.poll(Client(*answers))


def poll_async(wait: Wait, *answers: Any) -> Outcome:
    return asyncio.run(wait.poll_async(AsyncClient(*answers), lambda outcome: None))


in_both_ways = pytest.mark.parametrize("polled", [poll, poll_async])
Polled = Callable[..., Outcome]

THROTTLED = ClientError({"Error": {"Code": "ThrottlingException", "Message": "Rate exceeded"}}, "DescribeEndpoint")
DENIED = ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "DescribeEndpoint")
UNREACHABLE = EndpointConnectionError(endpoint_url="http://127.0.0.1:1")


def in_service(timeout: float = 60) -> Wait:
    return Wait.until("EndpointInService", {"EndpointName": "churn"}, interval=5, timeout=timeout)


@in_both_ways
def test_waits_from_interval_to_interval_until_it_is_decided(polled: Polled, clock: Clock) -> None:
    assert polled(in_service(), "Creating", "Creating", "InService").state == "success"
    assert clock.slept == [5, 5]


@in_both_ways
def test_a_bad_end_is_told_with_the_answer(polled: Polled) -> None:
    outcome = polled(in_service(), "Creating", "Failed")
    assert (outcome.state, outcome.response) == ("failure", {"EndpointStatus": "Failed"})


@in_both_ways
def test_the_deadline_is_in_seconds_and_is_kept_exactly(polled: Polled, clock: Clock) -> None:
    assert polled(in_service(timeout=12), "Creating").state == "deadline"
    assert clock.slept == [5, 5, 2]


@in_both_ways
def test_throttling_and_lost_connections_are_waited_out(polled: Polled) -> None:
    assert polled(in_service(), THROTTLED, UNREACHABLE, THROTTLED, "InService").state == "success"


@in_both_ways
def test_throttling_does_not_outlast_the_deadline(polled: Polled) -> None:
    outcome = polled(in_service(timeout=30), THROTTLED)
    assert outcome.state == "deadline"
    assert describe(in_service(), outcome.response) == "ThrottlingException: Rate exceeded"


@in_both_ways
def test_other_refusals_end_the_waiting_at_once(polled: Polled, clock: Clock) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        polled(in_service(), DENIED)
    assert clock.slept == []


def test_patience_can_end_before_the_deadline(clock: Clock) -> None:
    outcome = in_service(timeout=60).poll(Client("Creating"), until=clock.now + 7)
    assert outcome.state == "waiting"
    assert clock.slept == [5, 2]


def test_the_waiter_s_own_numbers_hold_unless_others_are_given(clock: Clock) -> None:
    own = Wait.until("EndpointInService", {})
    assert (own.interval, own.deadline - clock.now) == (5, 3600)


def executions(*statuses: str) -> dict[str, Any]:
    return {"MonitoringExecutionSummaries": [{"MonitoringExecutionStatus": status} for status in statuses]}


@pytest.mark.parametrize(
    ("waiter", "response", "state"),
    [
        ("EndpointInService", {"EndpointStatus": "Updating"}, "waiting"),
        ("EndpointInService", {"EndpointStatus": "RollingBack"}, "waiting"),
        ("EndpointInService", {"EndpointStatus": "InService"}, "success"),
        ("EndpointInService", {"EndpointStatus": "OutOfService"}, "failure"),
        ("EndpointDeleted", {"EndpointStatus": "Deleting"}, "waiting"),
        ("EndpointDeleted", {"Error": {"Code": "ValidationException", "Message": "Could not find"}}, "success"),
        ("ProcessingJobFinished", {"ProcessingJobStatus": "InProgress"}, "waiting"),
        ("ProcessingJobFinished", {"ProcessingJobStatus": "Stopping"}, "waiting"),
        ("ProcessingJobFinished", {"ProcessingJobStatus": "Completed"}, "success"),
        ("ProcessingJobFinished", {"ProcessingJobStatus": "Failed"}, "failure"),
        ("ProcessingJobFinished", {"ProcessingJobStatus": "Stopped"}, "failure"),
        ("ScheduleSettled", {"MonitoringScheduleStatus": "Pending"}, "waiting"),
        ("ScheduleSettled", {"MonitoringScheduleStatus": "Stopped"}, "success"),
        ("ScheduleDeleted", {"MonitoringScheduleStatus": "Scheduled"}, "waiting"),
        ("ScheduleDeleted", {"Error": {"Code": "ResourceNotFound"}}, "success"),
        ("ScheduleIdle", executions(), "success"),
        ("ScheduleIdle", executions("Completed", "Failed"), "success"),
        ("ScheduleIdle", executions("Completed", "InProgress"), "waiting"),
        ("ExecutionStarted", executions(), "waiting"),
        ("ExecutionStarted", executions("Pending"), "waiting"),
        ("ExecutionStarted", executions("InProgress"), "success"),
        ("ExecutionStarted", executions("Failed"), "success"),
        ("ExecutionFinished", executions(), "waiting"),
        ("ExecutionFinished", executions("InProgress", "Completed"), "waiting"),
        ("ExecutionFinished", executions("Stopping"), "waiting"),
        ("ExecutionFinished", executions("Completed"), "success"),
        ("ExecutionFinished", executions("CompletedWithViolations", "Failed"), "success"),
        ("ExecutionFinished", executions("Failed"), "failure"),
        ("ExecutionFinished", executions("Stopped"), "failure"),
    ],
)
def test_what_an_answer_means(waiter: str, response: dict[str, Any], state: str) -> None:
    assert Wait.until(waiter, {}).judge(response) == state


@pytest.mark.parametrize(("count", "state"), [(0, "waiting"), (3, "success")])
def test_what_a_listing_means(count: int, state: str) -> None:
    assert Wait.until("ObjectsPresent", {}, service="s3").judge({"KeyCount": count}) == state


def test_answers_are_described_by_status_reason_and_message() -> None:
    wait = Wait.until("ProcessingJobFinished", {})
    failed = {"ProcessingJobStatus": "Failed", "FailureReason": "ClientError: x"}
    assert (
        describe(wait, failed | {"ExitMessage": "Customer Error: y"}) == "Failed - ClientError: x - Customer Error: y"
    )
    assert describe(wait, failed | {"ExitMessage": "Customer Error: x"}) == "Failed - ClientError: x"
    assert describe(Wait.until("ExecutionFinished", {}), executions()) == "no execution yet"


def test_only_changes_are_told() -> None:
    told: list[str] = []
    tell = changes(in_service(), told.append)
    for status in ("Creating", "Creating", "InService"):
        tell(Outcome("waiting", {"EndpointStatus": status}))
    assert told == ["EndpointInService: Creating", "EndpointInService: InService"]

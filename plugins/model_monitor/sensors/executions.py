"""Waiting for a monitoring execution: to start, and to finish."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from model_monitor import names
from model_monitor.errors import ExecutionFailed, NoExecution, WaitTimeout
from model_monitor.failures import why_failed
from model_monitor.hooks.sagemaker import SageMakerHook, executions_since, iso
from model_monitor.links import ConsoleLink, DashboardLink
from model_monitor.names import Kind
from model_monitor.operators.schedule import existing_schedule, expression
from model_monitor.sensors.base import MonitorSensor
from model_monitor.waiting import Outcome, Wait, describe

if TYPE_CHECKING:
    from airflow.sdk import Context


class ExecutionSensor(MonitorSensor[SageMakerHook]):
    """What both sensors share.

    Args:
        kind: `bias` or `explainability`.
    """

    aws_hook_class = SageMakerHook
    operator_extra_links = (DashboardLink(), ConsoleLink())
    service = "sagemaker"

    def __init__(self, *, kind: Kind, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kind = kind

    @property
    def console_path(self) -> str:
        """The schedule's page in SageMaker's console."""
        return f"monitoring-schedules/{names.schedule(self.endpoint, self.kind)}"

    def execute(self, context: Context) -> dict[str, str]:
        schedule = existing_schedule(self.hook, self.endpoint, self.kind)
        wait = self.wait_until(self.request(schedule))
        return self.finish(self.wait_for(wait, self.hook), wait)

    def execute_complete(self, context: Context, event: dict[str, Any], wait: dict[str, Any]) -> dict[str, str]:
        return self.finish(self.resumed(event, wait, self.hook), Wait(**wait))

    def request(self, schedule: dict[str, Any]) -> dict[str, Any]:
        """The request whose first execution is waited for."""
        raise NotImplementedError

    def finish(self, outcome: Outcome, wait: Wait) -> dict[str, str]:
        """What the task answers, or why it fails."""
        raise NotImplementedError

    def answer(self, outcome: Outcome) -> dict[str, str]:
        """The execution in brief."""
        summary = outcome.response["MonitoringExecutionSummaries"][0]
        return {
            "schedule": summary["MonitoringScheduleName"],
            "scheduled": iso(summary["ScheduledTime"]),
            "created": iso(summary["CreationTime"]),
            "status": summary["MonitoringExecutionStatus"],
        }

    def no_execution(self) -> NoExecution:
        """The error for a schedule that has not executed, told by its state."""
        schedule = existing_schedule(self.hook, self.endpoint, self.kind)
        return NoExecution(
            f"The schedule {schedule['MonitoringScheduleName']} ({expression(schedule)}, "
            f"{schedule['MonitoringScheduleStatus']}) has not started any execution since "
            f"{iso(schedule['CreationTime'])}. Hourly schedules start up to 20 minutes after the hour; a stopped one "
            "does not start at all."
        )


class ExecutionStartedSensor(ExecutionSensor):
    """Wait until the schedule has started an execution: one that is no longer Pending.

    Args:
        schedule: what CreateScheduleOperator answered; executions from its `since` on count. Unless given, those of the
            schedule since it was created. Executions of an earlier schedule of that name never count.
    """

    template_fields: Sequence[str] = aws_template_fields("schedule")
    waiter = "ExecutionStarted"

    def __init__(self, *, schedule: dict[str, str] | str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.schedule = schedule

    def request(self, schedule: dict[str, Any]) -> dict[str, Any]:
        since = self.schedule["since"] if isinstance(self.schedule, dict) else schedule["CreationTime"]
        return executions_since(schedule["MonitoringScheduleName"], since, newest=True)

    def finish(self, outcome: Outcome, wait: Wait) -> dict[str, str]:
        if outcome.state == "success":
            return self.answer(outcome)
        if outcome.response.get("MonitoringExecutionSummaries"):
            raise WaitTimeout(f"The execution of {wait.request['MonitoringScheduleName']} stays Pending")
        raise self.no_execution()


class ExecutionFinishedSensor(ExecutionSensor):
    """Wait until an execution has finished: Completed or CompletedWithViolations; fail with the reason otherwise.

    Args:
        execution: what ExecutionStartedSensor answered; the schedule's newest execution unless given.
    """

    template_fields: Sequence[str] = aws_template_fields("execution")
    waiter = "ExecutionFinished"

    def __init__(self, *, execution: dict[str, str] | str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.execution = execution

    def request(self, schedule: dict[str, Any]) -> dict[str, Any]:
        name = schedule["MonitoringScheduleName"]
        if isinstance(self.execution, dict):
            return executions_since(name, self.execution["created"], newest=False)
        return executions_since(name, schedule["CreationTime"], newest=True)

    def finish(self, outcome: Outcome, wait: Wait) -> dict[str, str]:
        if outcome.state == "success":
            return self.answer(outcome)
        summaries = outcome.response.get("MonitoringExecutionSummaries")
        if not summaries:
            raise self.no_execution()
        if outcome.state == "deadline":
            raise WaitTimeout(
                f"The execution of {wait.request['MonitoringScheduleName']} did not finish in time: "
                f"{describe(wait, outcome.response)}"
            )
        raise ExecutionFailed(
            why_failed(self.hook, self.storage, self.logs, self.endpoint, self.kind, summaries[0], self.log)
        )

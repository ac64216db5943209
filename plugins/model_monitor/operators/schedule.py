"""Monitoring schedules: what a monitor runs, and when."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields
from airflow.sdk.exceptions import AirflowSkipException

from model_monitor import names, requests, sources
from model_monitor.config import MonitoredEndpoint
from model_monitor.errors import NoBaseline, NoExecution, ResourceConflict, WaitTimeout
from model_monitor.hooks.sagemaker import SCHEDULE, ResourceType, SageMakerHook, executions_since, iso
from model_monitor.links import ConsoleLink, DashboardLink
from model_monitor.names import Kind
from model_monitor.operators.base import MonitorOperator, asked_for
from model_monitor.operators.baseline import find_baseline
from model_monitor.waiting import Wait, describe

if TYPE_CHECKING:
    from airflow.sdk import Context

When = Literal["hourly", "now"]


class MonitorDefinitionOperator(MonitorOperator):
    """What creating a job definition and creating its schedule have in common: they mean the same definition.

    Args:
        endpoint: what is monitored.
        kind: `bias` or `explainability`.
        schedule: `hourly` runs on the configured cron expression, `now` once, on the configured window until now.
        compare: `baseline` compares with the constraints of the endpoint's baselining job; `none` only measures; an
            s3:// address compares with the `analysis.json` there.
    """

    template_fields: Sequence[str] = aws_template_fields("schedule", "compare")

    def __init__(
        self, *, kind: Kind, schedule: When | str = "hourly", compare: str = "baseline", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.kind = kind
        self.schedule = schedule
        self.compare = compare

    def analysis(self) -> dict[str, Any]:
        """The analysis configuration of the model in force."""
        return sources.monitor_analysis(self.endpoint, self.kind, self.model_in_force.name)

    def definition(self) -> dict[str, Any]:
        """The request that makes the job definition."""
        return requests.create_job_definition(
            self.endpoint, self.kind, self.analysis(), self._baseline(), once=self.schedule == "now"
        )

    def make_definition(self) -> str:
        """Have the job definition, and its analysis configuration where it expects it; returns its name."""
        request = self.definition()
        name = str(request["JobDefinitionName"])
        config = requests.config_uri(self.kind, request)
        self.storage.put(config, json.dumps(self.analysis()))
        made = self.hook.ensure(ResourceType.job_definition(self.kind), request)
        self.log.info("Job definition %s: %s, analysis configuration %s", name, made, config)
        return name

    def _baseline(self) -> str | None:
        if self.compare == "none":
            return None
        if self.compare != "baseline":
            return self.compare
        if self.endpoint.monitoring.baselines == "airflow":
            return names.baseline_constraints(self.endpoint, self.kind)
        job = find_baseline(self.hook, self.endpoint, self.kind, self.model_in_force.name)
        if job is None:
            raise NoBaseline(
                f"There is no {self.kind} baselining job for the model and data of '{self.endpoint.name}' as they are "
                f"now. Run {self.endpoint.name}.deploy, or monitor without comparing."
            )
        return job


class CreateJobDefinitionOperator(MonitorDefinitionOperator):
    """Upload the monitor's analysis configuration and create its job definition."""

    def execute(self, context: Context) -> str:
        return self.make_definition()


class CreateScheduleOperator(MonitorDefinitionOperator):
    """Create the monitoring schedule, or bring the one that is there to what is asked for.

    A schedule that runs the same thing is adopted, and started if it was stopped; one that runs something else is
    updated. `now` schedules run once, so each DAG run makes its own.
    """

    operator_extra_links = (DashboardLink(), ConsoleLink())

    @property
    def console_path(self) -> str:
        """The schedule's page in SageMaker's console."""
        return f"monitoring-schedules/{names.schedule(self.endpoint, self.kind)}"

    def execute(self, context: Context) -> dict[str, str]:
        definition = self.definition()["JobDefinitionName"]
        request = requests.create_monitoring_schedule(self.endpoint, self.kind, definition, self._window())
        if self.schedule == "now":
            tag = request["Tags"][0]
            tag["Value"] = names.fingerprint(tag["Value"], context["run_id"])
        since = self.bring_about(request)
        return {"schedule": request["MonitoringScheduleName"], "definition": definition, "since": since}

    def _window(self) -> requests.Window | None:
        monitoring = self.endpoint.monitoring
        return (monitoring.start_time_offset, monitoring.end_time_offset) if self.schedule == "now" else None

    def bring_about(self, request: dict[str, Any]) -> str:
        """Have the schedule that the request makes; returns since when it is as it is now."""
        name = request["MonitoringScheduleName"]
        found = owned_schedule(self.hook, self.endpoint, self.kind)
        if found is None:
            return self._create(request)
        fingerprint = self.hook.tags(found["MonitoringScheduleArn"]).get(names.FINGERPRINT_TAG)
        if fingerprint == request["Tags"][0]["Value"]:
            if found["MonitoringScheduleStatus"] != "Stopped" or self.schedule == "now":
                self.log.info("Schedule %s runs this already: %s", name, found["MonitoringScheduleStatus"])
                return iso(found["CreationTime"])
            self.hook.call("start_monitoring_schedule", MonitoringScheduleName=name)
            self.log.info("Started schedule %s again", name)
        elif "NOW" in {expression(found), expression(request)}:
            self.log.info("Replacing schedule %s (%s)", name, expression(found))
            delete_schedule(self.hook, found, self.endpoint)
            return self._create(request)
        else:
            self.hook.call(
                "update_monitoring_schedule",
                MonitoringScheduleName=name,
                MonitoringScheduleConfig=request["MonitoringScheduleConfig"],
            )
            self.hook.call("add_tags", ResourceArn=found["MonitoringScheduleArn"], Tags=request["Tags"])
            self.log.info("Updated schedule %s to %s", name, request["MonitoringScheduleConfig"])
        return iso(settled(self.hook, name)["LastModifiedTime"])

    def _create(self, request: dict[str, Any]) -> str:
        self.hook.ensure(SCHEDULE, request)
        found = settled(self.hook, request["MonitoringScheduleName"])
        self.log.info("Created schedule %s: %s", request["MonitoringScheduleName"], expression(found))
        return iso(found["CreationTime"])


class FollowModelOperator(CreateScheduleOperator):
    """Move a running schedule to a job definition of the model in force and its baseline.

    A monitor that does not recur by now, or is stopped, is left alone: `<endpoint>.monitor` makes what it needs when
    somebody starts it again. What the schedule compares with, it goes on comparing with.

    Args:
        endpoint: what is monitored.
        kind: `bias` or `explainability`.
    """

    def execute(self, context: Context) -> dict[str, str]:
        found = owned_schedule(self.hook, self.endpoint, self.kind)
        name = names.schedule(self.endpoint, self.kind)
        if found is None or found["MonitoringScheduleStatus"] == "Stopped" or expression(found) == "NOW":
            raise AirflowSkipException(f"There is no running schedule {name} to be moved to the model in force")
        self.compare = self._compares(found["MonitoringScheduleConfig"]["MonitoringJobDefinitionName"])
        definition = self.make_definition()
        request = requests.create_monitoring_schedule(self.endpoint, self.kind, definition)
        return {"schedule": name, "definition": definition, "since": self.bring_about(request)}

    def _compares(self, definition: str) -> str:
        """What a job definition compares with, as `compare` says it."""
        described = self.hook.call(requests.definition_call(self.kind, "describe"), JobDefinitionName=definition)
        baseline = described.get(f"{requests.MONITORING_TYPE[self.kind]}BaselineConfig", {})
        if "ConstraintsResource" in baseline:
            return str(baseline["ConstraintsResource"]["S3Uri"])
        return "baseline" if "BaseliningJobName" in baseline else "none"


class StopScheduleOperator(MonitorOperator):
    """Stop a schedule: no further executions; a running one goes on.

    Args:
        endpoint: what is monitored.
        kind: `bias` or `explainability`.
        when: whether to do so at all; the task is skipped otherwise.
    """

    template_fields: Sequence[str] = aws_template_fields("when")

    def __init__(self, *, kind: Kind, when: bool | str = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kind = kind
        self.when = when

    def execute(self, context: Context) -> str:
        if not asked_for(self.when):
            raise AirflowSkipException("The schedule is to go on")
        found = existing_schedule(self.hook, self.endpoint, self.kind)
        return stop_schedule(self.hook, found)


class StartScheduleOperator(MonitorOperator):
    """Start a stopped schedule again.

    Args:
        endpoint: what is monitored.
        kind: `bias` or `explainability`.
    """

    def __init__(self, *, kind: Kind, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kind = kind

    def execute(self, context: Context) -> str:
        found = existing_schedule(self.hook, self.endpoint, self.kind)
        name = found["MonitoringScheduleName"]
        if settled(self.hook, name)["MonitoringScheduleStatus"] != "Scheduled":
            self.hook.call("start_monitoring_schedule", MonitoringScheduleName=name)
        return settled(self.hook, name)["MonitoringScheduleStatus"]


def expression(schedule: dict[str, Any]) -> str:
    """When a schedule runs: its cron expression, or `NOW`."""
    return schedule["MonitoringScheduleConfig"].get("ScheduleConfig", {}).get("ScheduleExpression", "")


def owned_schedule(hook: SageMakerHook, endpoint: MonitoredEndpoint, kind: Kind) -> dict[str, Any] | None:
    """The endpoint's schedule, described.

    Raises:
        ResourceConflict: when somebody else's has the name.
    """
    name = names.schedule(endpoint, kind)
    found = hook.schedule(name)
    if found is not None and not hook.owned(found["MonitoringScheduleArn"], endpoint):
        raise ResourceConflict(
            f"A monitoring schedule '{name}' exists and was not made by this project (its tag {names.ENDPOINT_TAG} is "
            "missing). Delete it, or give the endpoint another name in its YAML."
        )
    return found


def existing_schedule(hook: SageMakerHook, endpoint: MonitoredEndpoint, kind: Kind) -> dict[str, Any]:
    """The endpoint's schedule, described.

    Raises:
        NoExecution: when there is none.
    """
    found = owned_schedule(hook, endpoint, kind)
    if found is None:
        raise NoExecution(
            f"There is no monitoring schedule '{names.schedule(endpoint, kind)}'. {endpoint.name}.monitor creates it."
        )
    return found


def settled(hook: SageMakerHook, name: str) -> dict[str, Any]:
    """The schedule once it has left Pending, which takes some seconds after each change."""
    wait = Wait.until("ScheduleSettled", {"MonitoringScheduleName": name})
    outcome = hook.wait(wait)
    if outcome.state == "deadline":
        raise WaitTimeout(f"Schedule {name} stays in between: {describe(wait, outcome.response)}")
    return outcome.response


def stop_schedule(hook: SageMakerHook, found: dict[str, Any]) -> str:
    """Stop a schedule if it is not; returns its status."""
    name = found["MonitoringScheduleName"]
    status = settled(hook, name)["MonitoringScheduleStatus"]
    if status == "Scheduled":
        hook.call("stop_monitoring_schedule", MonitoringScheduleName=name)
        status = settled(hook, name)["MonitoringScheduleStatus"]
    return status


def idle_request(found: dict[str, Any]) -> dict[str, Any]:
    """ListMonitoringExecutions for the newest executions of a schedule as it is now."""
    return executions_since(found["MonitoringScheduleName"], found["CreationTime"], newest=True)


def delete_schedule(hook: SageMakerHook, found: dict[str, Any], endpoint: MonitoredEndpoint) -> None:
    """Stop a schedule, await its running execution, delete it, and see it gone."""
    name = found["MonitoringScheduleName"]
    stop_schedule(hook, found)
    idle = Wait.until("ScheduleIdle", idle_request(found), timeout=endpoint.monitoring.max_runtime_seconds)
    if hook.wait(idle).state == "deadline":
        raise WaitTimeout(f"Schedule {name} still has a running execution, so it cannot be deleted")
    remove_schedule(hook, name)


def remove_schedule(hook: SageMakerHook, name: str) -> None:
    """Delete a stopped, idle schedule and see it gone."""
    hook.delete("delete_monitoring_schedule", MonitoringScheduleName=name)
    if hook.wait(Wait.until("ScheduleDeleted", {"MonitoringScheduleName": name})).state == "deadline":
        raise WaitTimeout(f"Schedule {name} was deleted and is still there")

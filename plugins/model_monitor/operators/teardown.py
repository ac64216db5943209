"""Taking down what was deployed, in the order that works; captured data and reports stay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from model_monitor import requests
from model_monitor.deferring import Waits, deferrable_by_default
from model_monitor.errors import EndpointFailed, ResourceConflict, WaitTimeout
from model_monitor.names import ENDPOINT_TAG, Kind
from model_monitor.operators.base import MonitorOperator
from model_monitor.operators.schedule import idle_request, owned_schedule, remove_schedule, stop_schedule
from model_monitor.operators.shadow import delete_shadows
from model_monitor.waiting import Outcome, Wait, describe

if TYPE_CHECKING:
    from airflow.sdk import Context


class DeleteMonitorOperator(Waits, MonitorOperator):
    """Stop a monitor's schedule, await its running execution, delete the schedule and its job definitions.

    Args:
        endpoint: what is monitored.
        kind: `bias` or `explainability`.
        deferrable: wait for the running execution in the triggerer.
    """

    def __init__(self, *, kind: Kind, deferrable: bool = deferrable_by_default(), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kind = kind
        self.deferrable = deferrable

    def execute(self, context: Context) -> list[str]:
        found = owned_schedule(self.hook, self.endpoint, self.kind)
        if found is None:
            return self._delete_definitions()
        name = found["MonitoringScheduleName"]
        self.log.info("Schedule %s: %s", name, stop_schedule(self.hook, found))
        wait = Wait.until("ScheduleIdle", idle_request(found), timeout=self.endpoint.monitoring.max_runtime_seconds)
        return self._finish(self.wait_for(wait, self.hook, name=name), wait, name)

    def execute_complete(self, context: Context, event: dict[str, Any], wait: dict[str, Any], name: str) -> list[str]:
        return self._finish(self.resumed(event, wait, self.hook), Wait(**wait), name)

    def _finish(self, outcome: Outcome, wait: Wait, name: str) -> list[str]:
        if outcome.state == "deadline":
            raise WaitTimeout(
                f"The execution of {name} that is running did not end in time: {describe(wait, outcome.response)}"
            )
        remove_schedule(self.hook, name)
        self.log.info("Deleted schedule %s", name)
        return [name, *self._delete_definitions()]

    def _delete_definitions(self) -> list[str]:
        definitions = self.hook.named_after(
            self.endpoint,
            requests.definition_call(self.kind, "list"),
            "JobDefinitionSummaries",
            "MonitoringJobDefinitionArn",
            "MonitoringJobDefinitionName",
        )
        for definition in definitions:
            self.hook.delete(requests.definition_call(self.kind, "delete"), JobDefinitionName=definition)
            self.log.info("Deleted job definition %s", definition)
        return definitions


class DeleteEndpointOperator(Waits, MonitorOperator):
    """Delete the endpoint and wait until it is gone.

    Args:
        endpoint: what to delete.
        deferrable: wait in the triggerer.
    """

    def __init__(self, *, deferrable: bool = deferrable_by_default(), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.deferrable = deferrable

    def execute(self, context: Context) -> str | None:
        name = self.endpoint.name
        found = self.hook.endpoint(name)
        if found is None:
            self.log.info("There is no endpoint %s", name)
            return None
        if not self.hook.owned(found["EndpointArn"], self.endpoint):
            raise ResourceConflict(
                f"The endpoint '{name}' was not made by this project (no tag {ENDPOINT_TAG}); it stays."
            )
        if found["EndpointStatus"] in {"Creating", "Updating", "SystemUpdating", "RollingBack"}:
            self.hook.wait(Wait.until("EndpointInService", {"EndpointName": name}))
        if found["EndpointStatus"] != "Deleting":
            self.hook.delete("delete_endpoint", EndpointName=name)
        wait = Wait.until("EndpointDeleted", {"EndpointName": name})
        return self._finish(self.wait_for(wait, self.hook), wait)

    def execute_complete(self, context: Context, event: dict[str, Any], wait: dict[str, Any]) -> str:
        return self._finish(self.resumed(event, wait, self.hook), Wait(**wait))

    def _finish(self, outcome: Outcome, wait: Wait) -> str:
        said = describe(wait, outcome.response)
        if outcome.state == "deadline":
            raise WaitTimeout(f"The endpoint {self.endpoint.name} was not gone in time: {said}")
        if outcome.state == "failure":
            raise EndpointFailed(f"The endpoint {self.endpoint.name} could not be deleted: {said}")
        self.log.info("Deleted endpoint %s; its captures stay", self.endpoint.name)
        return self.endpoint.name


class DeleteShadowEndpointsOperator(MonitorOperator):
    """Delete the shadow endpoints that runs of `<endpoint>.windows` and baselines have left behind, if any."""

    def execute(self, context: Context) -> list[str]:
        found = delete_shadows(self.hook, self.endpoint)
        for name in found:
            self.log.info("Deleted shadow endpoint %s", name)
        return found


class DeleteEndpointConfigsOperator(MonitorOperator):
    """Delete the endpoint's configurations, also those that earlier deployments left behind."""

    def execute(self, context: Context) -> list[str]:
        found = self.hook.named_after(
            self.endpoint, "list_endpoint_configs", "EndpointConfigs", "EndpointConfigArn", "EndpointConfigName"
        )
        for name in found:
            self.hook.delete("delete_endpoint_config", EndpointConfigName=name)
            self.log.info("Deleted endpoint configuration %s", name)
        return found


class DeleteModelsOperator(MonitorOperator):
    """Delete the endpoint's models, also those that earlier deployments left behind."""

    def execute(self, context: Context) -> list[str]:
        found = self.hook.named_after(self.endpoint, "list_models", "Models", "ModelArn", "ModelName")
        for name in found:
            self.hook.delete("delete_model", ModelName=name)
            self.log.info("Deleted model %s", name)
        return found

"""Shadow endpoints: the endpoint's model, without data capture, for the requests of an analysis."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from model_monitor import names, requests
from model_monitor.config import MonitoredEndpoint
from model_monitor.deferring import Waits, deferrable_by_default
from model_monitor.errors import EndpointFailed, WaitTimeout
from model_monitor.hooks.sagemaker import ENDPOINT, ENDPOINT_CONFIG, MODEL, SageMakerHook
from model_monitor.links import ConsoleLink, DashboardLink
from model_monitor.operators.base import MonitorOperator
from model_monitor.waiting import Outcome, Wait, describe

if TYPE_CHECKING:
    from airflow.sdk import Context

BASELINE = "baseline"
LONGEST_LIFE = timedelta(hours=24)


class CreateShadowEndpointOperator(Waits, MonitorOperator):
    """Have an endpoint that answers an analysis' requests and captures none; wait until it is in service.

    What an earlier try made is taken; one that has failed is made anew. Shadow endpoints of this endpoint that are more
    than a day old have lost the run that was to delete them, and are deleted.

    Args:
        endpoint: whose model is to answer. Where its `windows.model.endpoint` names an existing endpoint, that one is.
        purpose: what it is for, which its name follows from: the same purpose has the same shadow endpoint.
        deferrable: wait in the triggerer.
    """

    template_fields: Sequence[str] = aws_template_fields("purpose")
    operator_extra_links = (DashboardLink(), ConsoleLink())

    def __init__(self, *, purpose: str, deferrable: bool = deferrable_by_default(), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.purpose = purpose
        self.deferrable = deferrable

    @property
    def console_path(self) -> str:
        """The endpoint's page in SageMaker's console."""
        return f"endpoints/{self._name}"

    @property
    def _name(self) -> str:
        return self.endpoint.windows.model.endpoint or names.shadow_endpoint(self.endpoint, self.purpose)

    def execute(self, context: Context) -> str:
        name = self._name
        if self.endpoint.windows.model.endpoint is None:
            self._delete_orphans()
            self._create(name)
        elif self.hook.endpoint(name) is None:
            raise EndpointFailed(
                f"There is no endpoint '{name}', which windows.model.endpoint of '{self.endpoint.name}' names. Deploy "
                "it, or leave the key out to have a shadow endpoint made for each window."
            )
        wait = Wait.until("EndpointInService", {"EndpointName": name})
        return self._finish(self.wait_for(wait, self.hook), wait)

    def execute_complete(self, context: Context, event: dict[str, Any], wait: dict[str, Any]) -> str:
        return self._finish(self.resumed(event, wait, self.hook), Wait(**wait))

    def _delete_orphans(self) -> None:
        before = self.storage.time(self.endpoint.bucket) - LONGEST_LIFE
        for orphan in delete_shadows(self.hook, self.endpoint, CreationTimeBefore=before):
            self.log.warning("Deleted %s, which an earlier run had left behind", orphan)

    def _create(self, name: str) -> None:
        found = self.hook.endpoint(name)
        if found is not None and found["EndpointStatus"] in {"Failed", "Deleting", "OutOfService"}:
            self.log.warning("%s is %s: making it anew", name, found["EndpointStatus"])
            delete_shadow(self.hook, name)
        model = self.model_in_force.name
        self.hook.ensure(MODEL, requests.create_model(self.endpoint, self.model_in_force.archive))
        self.hook.ensure(ENDPOINT_CONFIG, requests.create_shadow_config(self.endpoint, name, model))
        made = self.hook.ensure(ENDPOINT, requests.create_shadow_endpoint(self.endpoint, name))
        self.log.info("Shadow endpoint %s of the model %s: %s", name, model, made)

    def _finish(self, outcome: Outcome, wait: Wait) -> str:
        name, said = str(wait.request["EndpointName"]), describe(wait, outcome.response)
        if outcome.state == "success":
            return name
        if self.endpoint.windows.model.endpoint is None:
            delete_shadow(self.hook, name)
        error = WaitTimeout if outcome.state == "deadline" else EndpointFailed
        raise error(
            f"The endpoint {name} is not in service: {said}. Its log: CloudWatch Logs, /aws/sagemaker/Endpoints/{name}"
        )


class DeleteShadowEndpointOperator(MonitorOperator):
    """Delete a shadow endpoint and its configuration; nothing to do where none was made.

    Args:
        endpoint: whose model answered.
        purpose: as for CreateShadowEndpointOperator.
    """

    template_fields: Sequence[str] = aws_template_fields("purpose")

    def __init__(self, *, purpose: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.purpose = purpose

    def execute(self, context: Context) -> None:
        name = names.shadow_endpoint(self.endpoint, self.purpose)
        if delete_shadow(self.hook, name):
            self.log.info("Deleted the shadow endpoint %s", name)


def delete_shadows(hook: SageMakerHook, endpoint: MonitoredEndpoint, **filters: Any) -> list[str]:
    """Delete the endpoint's shadow endpoints, all or those that ListEndpoints finds with these filters."""
    prefix = names.shadow_prefix(endpoint)
    found = hook.named_after(endpoint, "list_endpoints", "Endpoints", "EndpointArn", "EndpointName", **filters)
    shadows = [name for name in found if name.startswith(prefix)]
    for name in shadows:
        delete_shadow(hook, name)
    return shadows


def delete_shadow(hook: SageMakerHook, name: str) -> bool:
    """Delete a shadow endpoint, see it gone, then delete its configuration; False when there was no such endpoint.

    Raises:
        WaitTimeout: when it is still there.
    """
    found = hook.endpoint(name)
    if found is not None:
        if found["EndpointStatus"] in {"Creating", "Updating", "SystemUpdating", "RollingBack"}:
            hook.wait(Wait.until("EndpointInService", {"EndpointName": name}))
        if found["EndpointStatus"] != "Deleting":
            hook.delete("delete_endpoint", EndpointName=name)
        wait = Wait.until("EndpointDeleted", {"EndpointName": name}, interval=1)
        outcome = hook.wait(wait)
        if outcome.state != "success":
            raise WaitTimeout(f"The shadow endpoint {name} is not gone: {describe(wait, outcome.response)}")
    hook.delete("delete_endpoint_config", EndpointConfigName=name)
    return found is not None

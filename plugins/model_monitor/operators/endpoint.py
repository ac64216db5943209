"""Deploying: model, endpoint configuration with data capture, endpoint."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from model_monitor import names, requests
from model_monitor.deferring import Waits, deferrable_by_default
from model_monitor.errors import EndpointFailed, ResourceConflict, WaitTimeout
from model_monitor.hooks.sagemaker import ENDPOINT_CONFIG, MODEL
from model_monitor.lineage import flows
from model_monitor.lineage.task import Traced
from model_monitor.lineage.values import Flow
from model_monitor.links import ConsoleLink, DashboardLink
from model_monitor.operators.base import MonitorOperator
from model_monitor.waiting import Outcome, Wait, describe

if TYPE_CHECKING:
    from airflow.sdk import Context, XComArg


class ModelOperator(MonitorOperator):
    """What the steps from an archive to an endpoint have in common: which model they are about.

    Args:
        endpoint: what to deploy.
        candidate: what RetrainOperator or ApproveModelOperator answered; the model in force unless given.
    """

    template_fields: Sequence[str] = aws_template_fields("candidate")

    def __init__(self, *, candidate: dict[str, Any] | XComArg | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.candidate = candidate

    @property
    def archive(self) -> str:
        """The fingerprint of the model's archive."""
        return str(self.candidate["archive"]) if isinstance(self.candidate, dict) else self.model_in_force.archive

    def endpoint_config(self) -> dict[str, Any]:
        """The request that makes the endpoint configuration of the model."""
        return requests.create_endpoint_config(self.endpoint, requests.model_name(self.endpoint, self.archive))


class CreateModelOperator(ModelOperator):
    """Create the model of the uploaded archive. Its name follows from its content: a changed archive is a new one.

    Args:
        endpoint: what to deploy.
        candidate: as for ModelOperator.
    """

    operator_extra_links = (DashboardLink(), ConsoleLink())

    def execute(self, context: Context) -> str:
        request = requests.create_model(self.endpoint, self.archive)
        made = self.hook.ensure(MODEL, request)
        self.console_path = f"models/{request['ModelName']}"
        self.log.info("Model %s: %s, served by %s", request["ModelName"], made, request["PrimaryContainer"]["Image"])
        return request["ModelName"]


class CreateEndpointConfigOperator(ModelOperator):
    """Create the endpoint configuration, with data capture. A changed one gets a new name; AWS never changes them.

    Args:
        endpoint: what to deploy.
        candidate: as for ModelOperator.
    """

    operator_extra_links = (DashboardLink(), ConsoleLink())

    def execute(self, context: Context) -> str:
        request = self.endpoint_config()
        made = self.hook.ensure(ENDPOINT_CONFIG, request)
        self.console_path = f"endpointConfig/{request['EndpointConfigName']}"
        captures = request["DataCaptureConfig"]["DestinationS3Uri"]
        self.log.info("Endpoint configuration %s: %s, captures to %s", request["EndpointConfigName"], made, captures)
        return request["EndpointConfigName"]


class DeployEndpointOperator(Waits, Traced, ModelOperator):
    """Create the endpoint, or move it to a changed configuration, and wait until it is in service.

    Args:
        endpoint: what to deploy.
        candidate: as for ModelOperator.
        timeout: seconds to wait for it; the waiter's hour unless given.
        deferrable: wait in the triggerer.
    """

    operator_extra_links = (DashboardLink(), ConsoleLink())

    def __init__(
        self,
        *,
        timeout: float | None = None,
        deferrable: bool = deferrable_by_default(),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.timeout = timeout
        self.deferrable = deferrable
        self.arn: str | None = None

    @property
    def console_path(self) -> str:
        """The endpoint's page in SageMaker's console."""
        return f"endpoints/{self.endpoint.name}"

    def flow(self) -> Flow:
        return Flow() if self.arn is None else flows.deployment(self.endpoint, self.archive, self.arn)

    def execute(self, context: Context) -> dict[str, str]:
        config = self.endpoint_config()["EndpointConfigName"]
        self._deploy(config)
        wait = Wait.until("EndpointInService", {"EndpointName": self.endpoint.name}, timeout=self.timeout)
        return self._finish(self.wait_for(wait, self.hook, config=config), wait, config)

    def execute_complete(
        self, context: Context, event: dict[str, Any], wait: dict[str, Any], config: str
    ) -> dict[str, str]:
        return self._finish(self.resumed(event, wait, self.hook), Wait(**wait), config)

    def _deploy(self, config: str) -> None:
        request = requests.create_endpoint(self.endpoint, config)
        name = request["EndpointName"]
        found = self.hook.endpoint(name)
        if found is not None and not self.hook.owned(found["EndpointArn"], self.endpoint):
            raise ResourceConflict(
                f"An endpoint '{name}' exists and was not made by this project (its tag {names.ENDPOINT_TAG} is "
                "missing). Delete it, or give the endpoint another name in its YAML."
            )
        if found is not None and found["EndpointStatus"] == "Failed":
            self.log.warning("Endpoint %s has failed (%s): making it anew", name, found.get("FailureReason"))
            self.hook.delete("delete_endpoint", EndpointName=name)
            self.hook.wait(Wait.until("EndpointDeleted", {"EndpointName": name}))
            found = None
        if found is None:
            self.hook.call("create_endpoint", **request)
            self.log.info("Creating endpoint %s", name)
        elif found["EndpointConfigName"] == config:
            self.log.info("Endpoint %s has this configuration already: %s", name, found["EndpointStatus"])
        else:
            self.hook.wait(Wait.until("EndpointInService", {"EndpointName": name}))
            self.hook.call("update_endpoint", **requests.update_endpoint(self.endpoint, config))
            self.log.info("Moving endpoint %s from %s to %s", name, found["EndpointConfigName"], config)

    def _finish(self, outcome: Outcome, wait: Wait, config: str) -> dict[str, str]:
        name, said = self.endpoint.name, describe(wait, outcome.response)
        if outcome.state == "deadline":
            raise WaitTimeout(f"Endpoint {name} was not in service in time: {said}")
        if outcome.state == "failure":
            raise EndpointFailed(f"Endpoint {name}: {said}. Its log: CloudWatch Logs, /aws/sagemaker/Endpoints/{name}")
        if outcome.response["EndpointConfigName"] != config:
            raise EndpointFailed(
                f"Endpoint {name} went back to {outcome.response['EndpointConfigName']}, as {config} did not come into "
                f"service: {said}. Its log: CloudWatch Logs, /aws/sagemaker/Endpoints/{name}"
            )
        self.arn = outcome.response["EndpointArn"]
        return {"endpoint": name, "endpoint_config": config, "status": "InService"}

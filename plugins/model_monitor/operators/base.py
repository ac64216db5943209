"""What all operators share: the endpoint they are about, and hooks on its connection."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from airflow.providers.amazon.aws.operators.base_aws import AwsBaseOperator
from airflow.sdk import BaseOperatorLink

from model_monitor.config import MonitoredEndpoint
from model_monitor.errors import InputError
from model_monitor.hooks.cloudwatch import CloudWatchHook
from model_monitor.hooks.logs import LogsHook
from model_monitor.hooks.s3 import StorageHook
from model_monitor.hooks.sagemaker import SageMakerHook
from model_monitor.links import DashboardLink
from model_monitor.model_in_force import ModelInForce, model_in_force


class EndpointTask:
    """Hooks for operators and sensors, all on the same connection and region."""

    _hook_parameters: dict[str, Any]

    @cached_property
    def storage(self) -> StorageHook:
        """S3."""
        return StorageHook(**self._hook_parameters)

    @cached_property
    def cloudwatch(self) -> CloudWatchHook:
        """CloudWatch's metrics and alarms."""
        return CloudWatchHook(**self._hook_parameters)

    @cached_property
    def logs(self) -> LogsHook:
        """CloudWatch Logs."""
        return LogsHook(**self._hook_parameters)


class MonitorOperator(EndpointTask, AwsBaseOperator[SageMakerHook]):
    """One step in the life of a monitored endpoint.

    Args:
        endpoint: what the step is about; connection and region are its own unless given.
    """

    aws_hook_class = SageMakerHook
    operator_extra_links: Collection[BaseOperatorLink] = (DashboardLink(),)
    ui_color = "#e8f4ee"

    def __init__(self, *, endpoint: MonitoredEndpoint, **kwargs: Any) -> None:
        super().__init__(**{**connection_of(endpoint), **kwargs})
        self.endpoint = endpoint

    @cached_property
    def model_in_force(self) -> ModelInForce:
        """The endpoint's model: that of the YAML's archive, or one that was approved in its place."""
        return model_in_force(self.endpoint, self.storage)


def connection_of(endpoint: MonitoredEndpoint) -> dict[str, Any]:
    """The connection arguments of the Amazon provider's bases."""
    return {"aws_conn_id": endpoint.aws_conn_id, "region_name": endpoint.region}


def asked_for(when: bool | str) -> bool:
    """What a task's `when` comes to: templates answer texts where a DAG does not render them as Python's own values."""
    return str(when).lower() != "false"


@contextmanager
def scratch_folder(endpoint: MonitoredEndpoint, prefix: str) -> Iterator[Path]:
    """A folder for a task's files, gone afterwards; in `windows.scratch` where the YAML names one.

    Raises:
        InputError: when it cannot be made there.
    """
    place = endpoint.windows.scratch
    try:
        folder = tempfile.TemporaryDirectory(prefix=prefix, dir=place)
    except OSError as error:
        where = f"windows.scratch of '{endpoint.name}', {place}," if place else "The folder for temporary files"
        raise InputError(
            f"{where} cannot be written to: {error.strerror}. It must be there on every worker."
        ) from error
    with folder as name:
        yield Path(name)

"""Artificial traffic: rows of a file, sent to the endpoint one by one."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields
from airflow.sdk.exceptions import AirflowSkipException
from botocore.exceptions import ClientError

from model_monitor import names, requests, sources
from model_monitor.config import MonitoredEndpoint
from model_monitor.errors import EndpointFailed, InputError
from model_monitor.hooks.runtime import RuntimeHook
from model_monitor.hooks.sagemaker import iso
from model_monitor.lineage import flows
from model_monitor.lineage.task import Traced
from model_monitor.lineage.values import Flow
from model_monitor.links import ConsoleLink, DashboardLink, FolderLink
from model_monitor.operators.base import MonitorOperator

if TYPE_CHECKING:
    from airflow.sdk import Context

PROGRESS_SECONDS = 5.0
SHOWN_PREDICTIONS = 5


class SendTrafficOperator(Traced, MonitorOperator):
    """Send rows of a file to the endpoint at a steady rate, with the progress in the log.

    Args:
        endpoint: where to send them.
        file: a CSV of model inputs without header; the endpoint's `data.test` unless given. Relative to the project.
        count: how many requests to send; the file starts again when it is at its end. One pass unless given.
        inference_ids: give the request of each row the row's number, from 0, as its inference id, which ground truth is
            joined by.
        requests_per_second: the rate; the endpoint's `traffic.requests_per_second` unless given.
        skip_unless_in_service: skip, instead of failing, while the endpoint is not in service.
    """

    template_fields: Sequence[str] = aws_template_fields("file", "count", "inference_ids", "requests_per_second")
    operator_extra_links = (DashboardLink(), ConsoleLink(), FolderLink())

    def __init__(
        self,
        *,
        endpoint: MonitoredEndpoint,
        file: str | None = None,
        count: int | str | None = None,
        inference_ids: bool | str = True,
        requests_per_second: float | str | None = None,
        skip_unless_in_service: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(endpoint=endpoint, **kwargs)
        self.file = file
        self.count = count
        self.inference_ids = inference_ids
        self.requests_per_second = requests_per_second
        self.skip_unless_in_service = skip_unless_in_service
        self.killed = False
        self.arn = ""
        self.sent = 0

    @cached_property
    def runtime(self) -> RuntimeHook:
        """The endpoint's own side."""
        return RuntimeHook(**self._hook_parameters)

    @property
    def console_path(self) -> str:
        """The endpoint's page in SageMaker's console."""
        return f"endpoints/{self.endpoint.name}"

    @property
    def s3_folder(self) -> str:
        """Where what is sent is captured."""
        return names.captures(self.endpoint)

    @property
    def path(self) -> Path:
        """The file whose rows are sent."""
        return self.endpoint.path(self.file or self.endpoint.data.test)

    def flow(self) -> Flow:
        if not self.sent:
            return Flow()
        return flows.traffic(self.endpoint, str(self.path.absolute()), self.arn, self.sent)

    def execute(self, context: Context) -> dict[str, Any]:
        started = self._check_in_service()
        file = self.path
        rows = sources.traffic_rows(file)
        count = len(rows) if self.count is None else int(self.count)
        if count == 0:
            raise AirflowSkipException("No requests were asked for")
        rate = float(self.requests_per_second or self.endpoint.traffic.requests_per_second)
        with_ids = str(self.inference_ids).lower() != "false"
        predictions: list[str] = []
        self.sent = 0
        begin = shown = time.monotonic()
        while self.sent < count and not self.killed:
            number = self.sent % len(rows)
            prediction = self._invoke(rows[number], str(number) if with_ids else None, f"{file}: row {number}")
            self.sent += 1
            if self.sent <= SHOWN_PREDICTIONS:
                self.log.info("Row %d -> %s", number, prediction)
                predictions.append(prediction)
            if time.monotonic() - shown >= PROGRESS_SECONDS:
                shown = time.monotonic()
                self.log.info("%d of %d requests sent", self.sent, count)
            time.sleep(max(0.0, begin + self.sent / rate - time.monotonic()))
        self.log.info("Sent %d requests to %s in %.0f s", self.sent, self.endpoint.name, time.monotonic() - begin)
        return {"sent": self.sent, "since": started, "first_predictions": predictions}

    def on_kill(self) -> None:
        self.killed = True

    def _check_in_service(self) -> str:
        found = self.hook.endpoint(self.endpoint.name)
        status = "missing" if found is None else found["EndpointStatus"]
        if found is None or status not in {"InService", "Updating", "SystemUpdating"}:
            reason = (
                f"The endpoint {self.endpoint.name} is not in service ({status}); {self.endpoint.name}.deploy makes it"
            )
            # Airflow shows the reason of a skip only in a folded part of the log.
            self.log.warning(reason)
            raise AirflowSkipException(reason) if self.skip_unless_in_service else EndpointFailed(reason)
        self.arn = found["EndpointArn"]
        return iso(self.storage.time(self.endpoint.bucket))

    def _invoke(self, row: str, inference_id: str | None, where: str) -> str:
        try:
            return self.runtime.invoke(**requests.invoke_endpoint(self.endpoint, row, inference_id)).decode().strip()
        except ClientError as error:
            if error.response["Error"]["Code"] not in {"ModelError", "ValidationError"}:
                raise
            # An endpoint that is deleted meanwhile refuses every row.
            self._check_in_service()
            raise InputError(
                f"{where} ('{row[:60]}…') was refused by the endpoint {self.endpoint.name}: "
                f"{error.response['Error'].get('Message', error)}"
            ) from error


def ids_of_rows(rows: Sequence[str], count: int | None = None) -> list[str]:
    """The inference ids that one pass over these rows uses."""
    return [str(number) for number in islice(range(len(rows)), count)]

"""Ground truth: the labels that turned out to be right, for the hours of a data interval."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from model_monitor import labels, names, records, sources
from model_monitor.lineage import flows
from model_monitor.lineage.task import Traced
from model_monitor.lineage.values import Flow
from model_monitor.links import DashboardLink, FolderLink
from model_monitor.operators.base import MonitorOperator
from model_monitor.operators.traffic import ids_of_rows

if TYPE_CHECKING:
    from airflow.sdk import Context


class UploadGroundTruthOperator(Traced, MonitorOperator):
    """Upload ground truth for each hour that the run's data interval touches.

    Labels come from the endpoint's `ground_truth.source`, for the inference ids that a pass of traffic uses. A run
    without data interval, as one by hand is, means the hour that the service's clock shows. Where there is no ground
    truth at all yet, the hour before is covered too. Equal runs write equal files.

    Args:
        endpoint: whose ground truth.
        inference_ids: the ids to ask labels for; those of the rows of `data.test` unless given.
    """

    operator_extra_links = (DashboardLink(), FolderLink())

    def __init__(self, *, inference_ids: Sequence[str] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.inference_ids = inference_ids
        self.uploaded: list[str] = []
        self.labels = 0

    @property
    def s3_folder(self) -> str:
        """Where ground truth lies."""
        return names.ground_truth(self.endpoint)

    def flow(self) -> Flow:
        return flows.ground_truth(self.endpoint, self.uploaded, self.labels) if self.uploaded else Flow()

    def execute(self, context: Context) -> list[str]:
        endpoint = self.endpoint
        inference_ids = self.inference_ids
        if inference_ids is None:
            inference_ids = ids_of_rows(sources.traffic_rows(endpoint.path(endpoint.data.test)))
        found = labels.labels(endpoint.ground_truth, inference_ids)
        self.log.info(
            "Labels for %d of %d inference ids from %s", len(found), len(inference_ids), endpoint.ground_truth.source
        )
        self.labels, self.uploaded = len(found), []
        content = records.ground_truth_lines(found)
        for hour in self._hours(context):
            self._upload(hour, content)
        return self.uploaded

    def _hours(self, context: Context) -> list[datetime]:
        run = context["dag_run"]
        if run.run_type == "manual" or run.data_interval_start is None or run.data_interval_end is None:
            now = self.storage.time(self.endpoint.bucket)
            hours = list(names.hours(now, now))
        else:
            hours = list(names.hours(run.data_interval_start, run.data_interval_end))
        if not self.storage.list(f"{names.ground_truth(self.endpoint)}/", limit=1):
            hours.insert(0, hours[0] - timedelta(hours=1))
        return hours

    def _upload(self, hour: datetime, content: str) -> None:
        uri = self.storage.put(names.ground_truth_file(self.endpoint, hour), content)
        self.uploaded.append(uri)
        self.log.info("Uploaded %d records to %s", self.labels, uri)

"""`<endpoint>.ground_truth`: the labels that the bias monitor compares predictions with."""

from __future__ import annotations

from airflow.sdk import DAG, CronDataIntervalTimetable

from model_monitor.config import MonitoredEndpoint, load_endpoints
from model_monitor.dag_settings import settings
from model_monitor.operators.ground_truth import UploadGroundTruthOperator

DOC = """
### Ground truth of {name}

Hourly: uploads labels for the hours of the run's data interval. Labels come from `{source}`, for the inference ids that
`{name}.traffic` uses. A run by hand covers the hour it is started in; the first run also covers the hour before.
"""


def ground_truth(endpoint: MonitoredEndpoint) -> None:
    with DAG(
        **settings(endpoint, "ground_truth"),
        description=f"Upload labels for {endpoint.name}",
        doc_md=DOC.format(name=endpoint.name, source=endpoint.ground_truth.source),
        schedule=CronDataIntervalTimetable("0 * * * *", timezone="UTC"),
    ):
        UploadGroundTruthOperator(task_id="upload_ground_truth", endpoint=endpoint)


for monitored in load_endpoints():
    ground_truth(monitored)

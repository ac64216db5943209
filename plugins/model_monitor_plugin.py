"""What Airflow loads: the links from tasks to reports and to SageMaker's console."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin

from model_monitor.links import ConsoleLink, DashboardLink, FolderLink, ReportLink


class ModelMonitorPlugin(AirflowPlugin):
    """Links of this package's operators."""

    name = "model_monitor"
    operator_extra_links = [DashboardLink(), ReportLink(), ConsoleLink(), FolderLink()]

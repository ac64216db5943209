"""What Airflow loads: the links from tasks, and the dashboard with its places in Airflow's UI."""

from __future__ import annotations

from typing import Any

from airflow.plugins_manager import AirflowPlugin

from model_monitor.dashboard import addresses
from model_monitor.links import ConsoleLink, DashboardLink, FolderLink, ReportLink, below_airflow

ICON = below_airflow(addresses.static("icon.svg"))
PLACES = {
    "nav": addresses.overview(),
    "dag": addresses.of_dag("{DAG_ID}"),
    "dag_run": addresses.of_run("{DAG_ID}", "{RUN_ID}"),
    "task": addresses.of_task("{DAG_ID}", "{TASK_ID}"),
    "task_instance": addresses.of_task_instance("{DAG_ID}", "{RUN_ID}", "{TASK_ID}"),
}


class Dashboard:
    """The dashboard's application, made when Airflow's API server asks for it: other processes never import FastAPI."""

    def __get__(self, plugin: Any, owner: type) -> list[dict[str, Any]]:
        from model_monitor.dashboard.app import application

        return [{"app": application(), "url_prefix": addresses.PREFIX, "name": "Model monitor"}]


def view(destination: str, address: str) -> dict[str, Any]:
    """The dashboard as a part of one kind of Airflow's pages; their own is a frame."""
    route = "model-monitor" if destination == "nav" else f"model-monitor-{destination.replace('_', '-')}"
    return {
        # The navigation has room for one short word.
        "name": "Models" if destination == "nav" else "Model monitor",
        "href": below_airflow(address),
        "destination": destination,
        "url_route": route,
        "nav_top_level": destination == "nav",
        "icon": ICON,
    }


class ModelMonitorPlugin(AirflowPlugin):
    """Links of this package's operators, and the dashboard."""

    name = "model_monitor"
    operator_extra_links = [DashboardLink(), ReportLink(), ConsoleLink(), FolderLink()]
    fastapi_apps: Any = Dashboard()
    external_views = [view(destination, address) for destination, address in PLACES.items()]

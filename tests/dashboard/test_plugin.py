"""Loading the plugin costs tasks and schedulers next to nothing, and its places are those that Airflow knows."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import get_args

from airflow.api_fastapi.core_api.datamodels.plugins import BaseDestinationLiteral, ExternalViewResponse
from fastapi import FastAPI

from model_monitor.dashboard import addresses
from model_monitor_plugin import ModelMonitorPlugin

LOADED = """
import sys
import airflow.plugins_manager
before = set(sys.modules)
import model_monitor_plugin
model_monitor_plugin.ModelMonitorPlugin.external_views
model_monitor_plugin.ModelMonitorPlugin().operator_extra_links
print(*sorted(set(sys.modules) - before))
"""


def test_only_the_api_server_imports_the_dashboard() -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run([sys.executable, "-c", LOADED], env=environment, capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    assert "model_monitor_plugin" in loaded
    for name in ("model_monitor.dashboard.app", "fastapi", "plotly", "numpy", "pandas", "model_monitor.history"):
        assert name not in loaded


def test_the_application_is_mounted_where_the_addresses_are() -> None:
    (mounted,) = ModelMonitorPlugin().fastapi_apps
    assert isinstance(mounted["app"], FastAPI)
    assert mounted["url_prefix"] == addresses.PREFIX


def test_views_are_on_all_pages_that_a_dag_has() -> None:
    views = [ExternalViewResponse.model_validate(view) for view in ModelMonitorPlugin.external_views]
    assert {view.destination for view in views} == set(get_args(BaseDestinationLiteral)) - {"base"}
    assert len({view.url_route for view in views}) == len(views)
    for view in views:
        # Relative to the UI's <base>, which has the path that Airflow may be below.
        assert view.href.startswith("model-monitor/")
        assert view.icon == "model-monitor/static/icon.svg"

"""The plugin as Airflow loads it: in a process of its own, from the plugins folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]


def test_only_the_plugin_is_loaded_and_the_package_keeps_its_name() -> None:
    script = """
from airflow import plugins_manager
print([plugin.name for plugin in plugins_manager._get_plugins()[0] if plugin.name == "model_monitor"])
print(plugins_manager.get_import_errors())
print(sorted(link.name for link in plugins_manager.get_operator_extra_links()))
import config, names
"""
    environment = os.environ | {
        "PYTHONPATH": str(PROJECT / "plugins"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT / "plugins"),
    }
    ran = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True)
    assert ran.stdout.splitlines()[-3:] == [
        "['model_monitor']",
        "{}",
        "['Dashboard', 'Report', 'S3 console', 'SageMaker console']",
    ], ran.stderr
    # Airflow enters files of the plugins folder into sys.modules by their bare names, unless .airflowignore forbids it.
    assert "No module named 'config'" in ran.stderr

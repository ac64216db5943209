"""Shows broken endpoint files in Airflow, as an import error of this file, while the other endpoints' DAGs load."""

from __future__ import annotations

from model_monitor.config import load_endpoints
from model_monitor.errors import ConfigError

if errors := load_endpoints().errors:
    raise ConfigError("\n".join(str(error) for error in errors))

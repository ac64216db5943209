"""The YAML's section on reports that look back on many windows."""

from __future__ import annotations

from pydantic import Field

from model_monitor.config.types import Section
from model_monitor.config.windows import Cron


class Reports(Section):
    """When both monitors' windows since the last report are reported on; by hand unless there is a schedule."""

    schedule: Cron | None = Field(
        default=None, description="a cron expression of five fields in UTC, such as '0 6 * * 1' for Mondays"
    )

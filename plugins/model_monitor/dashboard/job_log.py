"""What a job of the managed service wrote: the end of its log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from botocore.exceptions import BotoCoreError, ClientError

from model_monitor.config import MonitoredEndpoint
from model_monitor.errors import MonitorError
from model_monitor.history.model import Execution
from model_monitor.history.reader import History
from model_monitor.history.registry import logs_of
from model_monitor.hooks.logs import PROCESSING_JOBS
from model_monitor.names import Kind

LINES = 1000


@dataclass(frozen=True)
class JobLog:
    """The last lines of a job; `cut` tells that there may be more before them."""

    execution: Execution
    job: str
    lines: list[str]
    group: ClassVar[str] = PROCESSING_JOBS

    @property
    def cut(self) -> bool:
        """Whether the log may begin earlier."""
        return len(self.lines) == LINES


def job_log(endpoint: MonitoredEndpoint, history: History, kind: Kind, window: str) -> JobLog | None:
    """The log of the job that judged a window; None where the managed service ran none.

    Raises:
        MonitorError: when the logs cannot be read.
    """
    execution = history.execution(kind, window)
    if execution is None or execution.job is None:
        return None
    try:
        return JobLog(execution, execution.job, logs_of(endpoint).tail(execution.job, LINES))
    except (ClientError, BotoCoreError) as problem:
        raise MonitorError(f"CloudWatch Logs, {PROCESSING_JOBS}: {problem}") from problem

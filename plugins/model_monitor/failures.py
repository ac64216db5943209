"""Windows that could not be judged: why, in words, and the verdict that stands for them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from model_monitor import names
from model_monitor.config import MonitoredEndpoint
from model_monitor.durations import duration
from model_monitor.hooks.sagemaker import SageMakerHook, iso
from model_monitor.names import Kind

if TYPE_CHECKING:
    from airflow.sdk.types import Logger

    from model_monitor.hooks.logs import LogsHook
    from model_monitor.hooks.s3 import StorageHook

FAILED = ("Failed", "Stopped")
NO_DATA = "Job inputs had no data"


def failed_verdict(
    endpoint: MonitoredEndpoint, kind: Kind, scheduled: datetime, status: str, reason: str, report: str
) -> dict[str, Any]:
    """A verdict as `model_monitor.verdicts` has it, with a `reason` in the place of findings.

    Args:
        status: `Failed` or `Stopped`.
        report: the address of the folder that holds the report where there is one.
    """
    return {
        "endpoint": endpoint.name,
        "kind": kind,
        "schedule": names.schedule(endpoint, kind),
        "scheduled": iso(scheduled),
        "status": status,
        "reason": reason,
        "report": report,
        "files": [],
        "violations": [],
    }


def why_failed(
    hook: SageMakerHook,
    storage: StorageHook,
    logs: LogsHook,
    endpoint: MonitoredEndpoint,
    kind: Kind,
    summary: dict[str, Any],
    log: Logger,
) -> str:
    """Why an execution failed, and what there was where it found no data; its job's last lines go to the log."""
    told = [
        f"The execution of {summary['MonitoringScheduleName']} scheduled for {iso(summary['ScheduledTime'])} "
        f"ended as {summary['MonitoringExecutionStatus']}: {summary.get('FailureReason', 'no reason given')}."
    ]
    job = str(summary.get("ProcessingJobArn", "")).rpartition("/")[2]
    described = hook.processing_job(job) if job else None
    if described is not None:
        for key in ("FailureReason", "ExitMessage"):
            # Both say the same, after a prefix of their own such as "Customer Error: ".
            if described.get(key) and described[key].rpartition("Error: ")[2] not in told[0]:
                told.append(f"{key} of the job {job}: {described[key]}")
        for line in logs.tail(job):
            log.info("[%s] %s", job, line)
        told.append(f"All of its log is in CloudWatch Logs, /aws/sagemaker/ProcessingJobs, {job}.")
    if NO_DATA in summary.get("FailureReason", ""):
        told += _what_is_there(storage, endpoint, kind, summary["ScheduledTime"])
    return "\n".join(told)


def _what_is_there(storage: StorageHook, endpoint: MonitoredEndpoint, kind: Kind, scheduled: datetime) -> list[str]:
    monitoring = endpoint.monitoring
    start, end = (scheduled + duration(to) for to in (monitoring.start_time_offset, monitoring.end_time_offset))
    told = []
    for what, folder in (("Captures", names.captures), ("Ground truth", names.ground_truth)):
        if what == "Ground truth" and kind != "bias":
            continue
        for hour in names.hours(start, end):
            uri = folder(endpoint, hour)
            told.append(f"{what}: {len(storage.list(f'{uri}/')) or 'no'} files in {uri}")
    return [*told, f"{endpoint.name}.traffic makes captures; {endpoint.name}.ground_truth uploads labels."]

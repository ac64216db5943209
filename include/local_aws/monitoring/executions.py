"""Monitoring executions: one firing of a schedule, from its window of data to its verdict.

An execution is a document of the kind "monitoring-execution", shaped as `MonitoringExecutionSummary`. It is Pending
until its first job is made, InProgress while the ground-truth merge and the analysis run, and ends as Completed,
CompletedWithViolations, Failed or Stopped.
"""

from __future__ import annotations

import logging
import math
import secrets
import threading
import time
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from local_aws.control.job_definitions import find_definition
from local_aws.errors import AwsError
from local_aws.hosting.endpoint_states import capture_folders, earlier_capture_folders
from local_aws.jobs import job_files
from local_aws.jobs.processing import INTERNAL_ERROR
from local_aws.monitoring.monitoring_jobs import MonitoringRun, merge_job, monitoring_job
from local_aws.monitoring.schedule_expressions import Window
from local_aws.store import Document, scoped

if TYPE_CHECKING:
    from local_aws.aws import LocalAws

log = logging.getLogger(__name__)

KIND = "monitoring-execution"
TERMINAL = frozenset({"Completed", "CompletedWithViolations", "Failed", "Stopped"})
NO_DATA = "Job inputs had no data"
LEFT_BY_RESTART = "InternalServerError: local_aws was stopped while the execution ran"
MISSED = (
    "InternalServerError: local_aws was not running when this execution was due; the hour is not analysed afterwards"
)
VIOLATIONS = "CompletedWithViolations"

Folders = list[tuple[str, str]]


class _Ended(Exception):
    """The execution is over before its analysis is."""

    def __init__(self, status: str, reason: str | None) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


@dataclass(frozen=True)
class _Begun:
    """An execution that has its data: where it is kept, what asked for it, and the folders of its window."""

    region: str
    key: str
    schedule: Document
    run: MonitoringRun
    captures: Folders
    labels: Folders


class Executions:
    """The executions of this AWS."""

    def __init__(self, aws: LocalAws) -> None:
        self._aws = aws
        self._merging: WeakValueDictionary[str, threading.Lock] = WeakValueDictionary()
        self._merging_lock = threading.Lock()
        self._threads: set[threading.Thread] = set()
        self._stopping = threading.Event()

    def start(self) -> None:
        """Executions that an earlier process left running have failed."""
        for execution in self._aws.store.list(KIND):
            if execution["MonitoringExecutionStatus"] not in TERMINAL:
                self._change(execution["Key"], MonitoringExecutionStatus="Failed", FailureReason=LEFT_BY_RESTART)

    def stop(self) -> None:
        """Begin no further job; executions end with those that they wait for."""
        self._stopping.set()

    def join(self) -> None:
        """Wait until all that were begun are over."""
        for thread in list(self._threads):
            thread.join()

    def of_region(self, region: str) -> list[Document]:
        """The executions of all schedules, oldest first; one whose job is being stopped is Stopping."""
        return [self._seen(region, execution) for execution in self._aws.store.list(KIND, scoped(region, ""))]

    def running(self, region: str, schedule: str) -> list[Document]:
        """A schedule's executions that are not over."""
        return [item for item in self._of(region, schedule) if item["MonitoringExecutionStatus"] not in TERMINAL]

    def of_schedule(self, region: str, schedule: Document) -> list[Document]:
        """The executions of a schedule, oldest first, without those of an earlier one of its name."""
        found = self._of(region, schedule["MonitoringScheduleName"])
        return [item for item in found if item["ScheduleIdentity"] == schedule["Identity"]]

    def last(self, region: str, schedule: Document) -> Document | None:
        """The newest execution of a schedule."""
        return next(iter(self.of_schedule(region, schedule)[-1:]), None)

    def record_missed(self, region: str, schedule: Document, scheduled: datetime) -> None:
        """Tell of an execution that was not begun, for nobody was there to begin it."""
        self._insert(region, schedule, scheduled, secrets.token_hex(12), "Failed", MISSED)

    def begin(self, region: str, schedule: Document, scheduled: datetime, window: Window) -> None:
        """Start an execution; which data it looks at is settled when this returns, the rest happens in a thread."""
        identity = secrets.token_hex(12)
        name = schedule["MonitoringScheduleName"]
        key = self._insert(region, schedule, scheduled, identity, "Pending")
        try:
            self._aws.captures.flush()
            run = self._run_of(region, schedule, scheduled, window, identity)
            begun = _Begun(region, key, schedule, run, *self._data(region, run))
        except Exception as error:
            self._end(key, _end_of(error, key))
            return
        thread = threading.Thread(
            target=self._execute,
            args=(self._aws.work.begin(f"monitoring execution {key}"), begun),
            name=f"execution-{name}",
            daemon=True,
        )
        self._threads.add(thread)
        thread.start()

    def _insert(
        self,
        region: str,
        schedule: Document,
        scheduled: datetime,
        identity: str,
        status: str,
        reason: str | None = None,
    ) -> str:
        name = schedule["MonitoringScheduleName"]
        key = scoped(region, f"{name}/{identity}")
        now = self._aws.clock.timestamp()
        execution = {
            "Key": key,
            "ScheduleIdentity": schedule["Identity"],
            "MonitoringScheduleName": name,
            "ScheduledTime": scheduled.timestamp(),
            "CreationTime": now,
            "LastModifiedTime": now,
            "MonitoringExecutionStatus": status,
            "FailureReason": reason,
            "EndpointName": schedule["EndpointName"],
            "MonitoringJobDefinitionName": schedule["MonitoringJobDefinitionName"],
            "MonitoringType": schedule["MonitoringType"],
        }
        self._aws.store.insert(KIND, key, execution)
        return key

    def _run_of(
        self, region: str, schedule: Document, scheduled: datetime, window: Window, identity: str
    ) -> MonitoringRun:
        name = schedule["MonitoringJobDefinitionName"]
        definition = find_definition(self._aws, schedule["MonitoringType"], region, name)
        if definition is None:
            raise _Ended("Failed", f"ClientError: Could not find job definition with name: {name}")
        return MonitoringRun(
            monitoring_type=schedule["MonitoringType"],
            schedule=schedule["MonitoringScheduleName"],
            definition=definition,
            scheduled=scheduled,
            window=window,
            identity=identity,
            captures=self._capture_folders(region, schedule["EndpointName"]),
        )

    def _capture_folders(self, region: str, endpoint: str) -> tuple[str, ...]:
        """Where the endpoint's captures lie, for each variant that it has or had."""
        document = self._aws.store.get("endpoint", scoped(region, endpoint))
        if document is None:
            return ()
        earlier = [folder for folder in earlier_capture_folders(document) if self._still_there(region, folder)]
        return (*capture_folders(document), *earlier)

    def _still_there(self, region: str, folder: str) -> bool:
        try:
            return job_files.has_objects(self._aws.s3(region), folder)
        except job_files.TransferError as error:
            log.warning("Captures of what was served before are left out: %s", error)
            return False

    def _data(self, region: str, run: MonitoringRun) -> tuple[Folders, Folders]:
        """The hours of the window that hold captures, and those that hold ground truth."""
        captures = self._with_objects(region, run.capture_folders())
        labels = self._with_objects(region, run.ground_truth_folders()) if run.needs_ground_truth else []
        if not captures or (run.needs_ground_truth and not labels):
            raise _Ended("Failed", NO_DATA)
        return captures, labels

    def _execute(self, work: int, begun: _Begun) -> None:
        try:
            constraints = self._constraints(begun.region, begun.run)
            if begun.run.needs_ground_truth:
                with self._merge_lock(begun.run):
                    job = self._merge_and_analyse(begun, constraints)
            else:
                job = self._analyse(begun, begun.captures, constraints, begun.run.max_runtime)
            ended = _Ended(_status(job), job.get("FailureReason"))
        except Exception as error:
            ended = _end_of(error, begun.key)
        self._end(begun.key, ended)
        self._threads.discard(threading.current_thread())
        self._aws.work.end(work)

    def _merge_lock(self, run: MonitoringRun) -> threading.Lock:
        """Merges into one folder are done one after the other; the lock is gone when nobody waits for it."""
        with self._merging_lock:
            return self._merging.setdefault(f"{run.merge_folder}/{run.endpoint}", threading.Lock())

    def _constraints(self, region: str, run: MonitoringRun) -> str | None:
        """Where the baseline's constraints lie, once the baselining job is over; None without a baseline."""
        config = run.definition.get(f"{run.monitoring_type}BaselineConfig") or {}
        if "ConstraintsResource" in config and config["ConstraintsResource"].get("S3Uri"):
            return str(config["ConstraintsResource"]["S3Uri"])
        name = config.get("BaseliningJobName")
        if name is None:
            return None
        job = self._aws.jobs.wait(region, name)
        if job["ProcessingJobStatus"] != "Completed":
            reason = job.get("FailureReason") or "it was stopped"
            raise _Ended("Failed", f"ClientError: Baselining job {name} has no constraints, {reason}")
        outputs = job["ProcessingOutputConfig"]["Outputs"]
        return f"{outputs[0]['S3Output']['S3Uri'].rstrip('/')}/analysis.json"

    def _merge_and_analyse(self, begun: _Begun, constraints: str | None) -> Document:
        """Merge, then analyse what this merge made: what an earlier one left in the same hours would count twice."""
        run, s3 = begun.run, self._aws.s3(begun.region)
        began = time.monotonic()
        folders = run.merged_folders()
        for folder, _ in folders:
            job_files.remove(s3, folder, job_files.keys(s3, folder))
        job = self._job(begun, merge_job(run, begun.captures, begun.labels))
        if job["ProcessingJobStatus"] != "Completed":
            return job
        merged = self._with_objects(begun.region, folders)
        if not merged:
            raise _Ended("Failed", NO_DATA)
        remaining = run.max_runtime - math.floor(time.monotonic() - began)
        if remaining < 1:
            raise _Ended("Stopped", f"The merge took all of the {run.max_runtime} seconds that the execution has")
        return self._analyse(begun, merged, constraints, remaining)

    def _analyse(self, begun: _Begun, data: Folders, constraints: str | None, remaining_seconds: int) -> Document:
        run, s3 = begun.run, self._aws.s3(begun.region)
        job_files.remove(s3, run.report_folder, job_files.keys(s3, run.report_folder))
        return self._job(begun, monitoring_job(run, data, constraints, remaining_seconds))

    def _job(self, begun: _Begun, request: dict[str, Any]) -> Document:
        if self._stopping.is_set():
            raise _Ended("Failed", LEFT_BY_RESTART)
        job = self._aws.jobs.submit(begun.region, request, begun.schedule["MonitoringScheduleArn"])
        self._change(begun.key, MonitoringExecutionStatus="InProgress", ProcessingJobArn=job["ProcessingJobArn"])
        return self._aws.jobs.wait(begun.region, request["ProcessingJobName"])

    def _with_objects(self, region: str, folders: Folders) -> Folders:
        s3 = self._aws.s3(region)
        return [folder for folder in folders if job_files.has_objects(s3, folder[0])]

    def _of(self, region: str, schedule: str) -> list[Document]:
        found = self._aws.store.list(KIND, scoped(region, f"{schedule}/"))
        return [self._seen(region, execution) for execution in found]

    def _seen(self, region: str, execution: Document) -> Document:
        if execution["MonitoringExecutionStatus"] != "InProgress":
            return execution
        job = self._aws.jobs.describe(region, execution["ProcessingJobArn"].rsplit("/", 1)[-1])
        if job["ProcessingJobStatus"] != "Stopping":
            return execution
        return {**execution, "MonitoringExecutionStatus": "Stopping"}

    def _end(self, key: str, ended: _Ended) -> None:
        self._change(key, MonitoringExecutionStatus=ended.status, FailureReason=ended.reason)

    def _change(self, key: str, **members: Any) -> None:
        def change(execution: Document) -> None:
            execution.update(members, LastModifiedTime=self._aws.clock.timestamp())

        self._aws.store.update_at_last(KIND, key, change, self._stopping)


def _end_of(error: Exception, key: str) -> _Ended:
    if isinstance(error, _Ended):
        return error
    if isinstance(error, AwsError):
        return _Ended("Failed", f"ClientError: {error.message}")
    if isinstance(error, job_files.TransferError):
        return _Ended("Failed", str(error))
    log.error("Monitoring execution %s failed inside local_aws.", key, exc_info=error)
    return _Ended("Failed", INTERNAL_ERROR)


def _status(job: Document) -> str:
    status = str(job["ProcessingJobStatus"])
    if status == "Completed" and (job.get("ExitMessage") or "").startswith(VIOLATIONS):
        return VIOLATIONS
    return status

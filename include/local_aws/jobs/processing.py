"""Processing jobs: queued, as many at a time as the limits say, stopped when asked, honest about a restart.

A job is a document of the kind "processing-job": what `CreateProcessingJob` got and
what `DescribeProcessingJob` answers.
"""

from __future__ import annotations

import logging
import shutil
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from local_aws.errors import AwsError, resource_in_use, validation_error
from local_aws.jobs.job_process import StopRequest
from local_aws.jobs.job_run import SCRATCH, Result, run_job
from local_aws.launching.launcher import launcher
from local_aws.store import AlreadyExists, Document, scoped

if TYPE_CHECKING:
    from local_aws.aws import LocalAws

log = logging.getLogger(__name__)

KIND = "processing-job"
TERMINAL = frozenset({"Completed", "Failed", "Stopped"})
LEFT_BY_RESTART = "InternalServerError: local_aws was stopped while the job ran; start the job again"
LEFT_IN_QUEUE = "InternalServerError: local_aws was stopped before the job began; start the job again"
INTERNAL_ERROR = (
    "InternalServerError: We encountered an internal error; the log of local_aws says more. Please try again."
)


@dataclass
class _Handle:
    work: int
    stop: StopRequest = field(default_factory=StopRequest)
    over: threading.Event = field(default_factory=threading.Event)
    future: Future[None] | None = None


class ProcessingJobs:
    """The jobs of this AWS."""

    def __init__(self, aws: LocalAws) -> None:
        self._aws = aws
        self._at_a_time = launcher().limits.jobs_at_a_time
        self._pool = ThreadPoolExecutor(self._at_a_time, thread_name_prefix="job")
        self._handles: dict[str, _Handle] = {}
        self._lock = threading.Lock()
        self._closing = threading.Event()

    def start(self) -> None:
        """Jobs that an earlier process left running have failed; their files are of no more use."""
        shutil.rmtree(self._aws.data_dir / SCRATCH, ignore_errors=True)
        for job in self._aws.store.list(KIND):
            if job["ProcessingJobStatus"] not in TERMINAL:
                self._close(scoped(job["Region"], job["ProcessingJobName"]), _left_by_restart(job))

    def stop(self) -> None:
        """Stop all jobs and wait for their ends."""
        with self._lock:
            handles = dict(self._handles)
        self._closing.set()
        for key, handle in handles.items():
            handle.stop.make()
            if handle.future is not None and handle.future.cancel():
                self._close(key, Result("Failed", LEFT_IN_QUEUE))
        self._pool.shutdown()

    def submit(self, region: str, request: dict[str, Any], schedule_arn: str | None = None) -> Document:
        """Take a job in; it runs as soon as there is a place for it. Until then it has no ProcessingStartTime.

        Raises:
            AwsError: ResourceInUse, when there is a job of that name.
        """
        name = request["ProcessingJobName"]
        key = scoped(region, name)
        arn = self._aws.arn(region, f"processing-job/{name}")
        now = self._aws.clock.timestamp()
        job = {
            **{member: value for member, value in request.items() if member != "Tags"},
            "ProcessingJobArn": arn,
            "ProcessingJobStatus": "InProgress",
            "CreationTime": now,
            "LastModifiedTime": now,
            "MonitoringScheduleArn": schedule_arn,
            "Region": region,
        }
        # Under the lock, so that whoever finds the job to stop it finds its handle too.
        with self._lock:
            try:
                self._aws.store.insert(KIND, key, job)
            except AlreadyExists as error:
                raise resource_in_use(
                    f"Job name must be unique within an AWS account and region, and a processing job with "
                    f"this name already exists ({arn})"
                ) from error
            handle = self._handles[key] = _Handle(self._aws.work.begin(f"processing job {key}"))
            handle.future = self._pool.submit(self._run, key, job, handle)
        return job

    def describe(self, region: str, name: str) -> Document:
        """The job.

        Raises:
            AwsError: there is none of that name.
        """
        job = self._aws.store.get(KIND, scoped(region, name))
        if job is None:
            raise could_not_find(self._aws, region, name)
        return job

    def queue(self) -> dict[str, Any]:
        """What runs and what waits for its turn, as `<region>/<name>`, the oldest first."""
        with self._lock:
            handles = [(key, handle.future) for key, handle in self._handles.items() if handle.future is not None]
        return {
            "at_a_time": self._at_a_time,
            "running": [key for key, future in handles if future.running()],
            "queued": [key for key, future in handles if not (future.running() or future.done())],
        }

    def request_stop(self, region: str, name: str) -> None:
        """Ask a job to stop: it is Stopping until its program has ended, then Stopped.

        Raises:
            AwsError: there is none of that name, or it is over.
        """
        key = scoped(region, name)

        def stopping(job: Document) -> None:
            if job["ProcessingJobStatus"] in TERMINAL:
                raise validation_error(
                    f"The request was rejected because the processing job is in status {job['ProcessingJobStatus']}."
                )
            job["ProcessingJobStatus"] = "Stopping"
            job["LastModifiedTime"] = self._aws.clock.timestamp()

        if self._aws.store.update(KIND, key, stopping) is None:
            raise could_not_find(self._aws, region, name)
        with self._lock:
            handle = self._handles.get(key)
        if handle is None:
            return
        handle.stop.make()
        if handle.future is not None and handle.future.cancel():
            self._close(key, Result("Stopped"))

    def wait(self, region: str, name: str) -> Document:
        """The job once it is over."""
        with self._lock:
            handle = self._handles.get(scoped(region, name))
        if handle is not None:
            handle.over.wait()
        return self.describe(region, name)

    def _run(self, key: str, job: Document, handle: _Handle) -> None:
        try:
            result = run_job(self._aws, job, handle.stop, started=lambda: self._started(key))
        except Exception:
            log.exception("Processing job %s failed inside local_aws.", key)
            result = Result("Failed", INTERNAL_ERROR)
        if result.status == "Stopped" and self._closing.is_set():
            result = Result("Failed", LEFT_BY_RESTART)
        self._close(key, result)

    def _started(self, key: str) -> None:
        def change(job: Document) -> None:
            job["ProcessingStartTime"] = job["LastModifiedTime"] = self._aws.clock.timestamp()

        self._aws.store.update(KIND, key, change)

    def _close(self, key: str, result: Result) -> None:
        def change(job: Document) -> None:
            job["ProcessingJobStatus"] = result.status
            job["FailureReason"] = result.failure_reason
            job["ExitMessage"] = result.exit_message
            job["ProcessingEndTime"] = job["LastModifiedTime"] = self._aws.clock.timestamp()

        self._aws.store.update_at_last(KIND, key, change, self._closing)
        with self._lock:
            handle = self._handles.pop(key, None)
        if handle is not None:
            handle.over.set()
            self._aws.work.end(handle.work)


def could_not_find(aws: LocalAws, region: str, name: str) -> AwsError:
    """What is answered about a job that does not exist; the modelled ResourceNotFound is not what SageMaker sends."""
    return validation_error(
        f"Could not find requested job with name: {name} ({aws.arn(region, f'processing-job/{name}')})"
    )


def _left_by_restart(job: Document) -> Result:
    """How a job ended that was not over when the server was stopped; one that was being stopped is."""
    if job["ProcessingJobStatus"] == "Stopping":
        return Result("Stopped")
    return Result("Failed", LEFT_BY_RESTART if "ProcessingStartTime" in job else LEFT_IN_QUEUE)

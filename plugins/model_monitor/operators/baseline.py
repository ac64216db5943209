"""Baselining: a processing job on the validation data set, whose result is what monitors compare with."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from model_monitor import names, requests, sources
from model_monitor.config import MonitoredEndpoint
from model_monitor.dashboard import addresses
from model_monitor.deferring import Waits, deferrable_by_default
from model_monitor.earlier_baselines import keep_replaced
from model_monitor.errors import JobFailed, WaitTimeout
from model_monitor.hooks.sagemaker import PROCESSING_JOB, SageMakerHook
from model_monitor.lineage import flows
from model_monitor.lineage.task import Traced
from model_monitor.lineage.values import Flow
from model_monitor.links import ConsoleLink, DashboardLink, FolderLink, ReportLink
from model_monitor.names import Kind
from model_monitor.operators.base import MonitorOperator
from model_monitor.results import Summary, summarise
from model_monitor.triggers.waiter import ProcessingJobTrigger
from model_monitor.waiting import Outcome, Wait, describe

if TYPE_CHECKING:
    from airflow.sdk import Context

# For instances to start and results to be uploaded, beside the runtime that the job is allowed.
OVERHEAD_SECONDS = 900


class BaselineOperator(Waits, Traced, MonitorOperator):
    """Run the baselining job of one monitor, wait for it and show the constraints that it suggests.

    The same model, data and settings make the same job: if it has completed, its result is taken; if it runs, it is
    waited for; if it failed, the next attempt is made.

    Args:
        endpoint: what to baseline.
        kind: `bias` or `explainability`.
        deferrable: wait in the triggerer.
    """

    operator_extra_links = (DashboardLink(), ReportLink(), ConsoleLink(), FolderLink())
    trigger_class = ProcessingJobTrigger

    def __init__(self, *, kind: Kind, deferrable: bool = deferrable_by_default(), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kind = kind
        self.deferrable = deferrable
        self.job: str | None = None
        self.described: dict[str, Any] = {}

    @property
    def console_path(self) -> str:
        """The job's page in SageMaker's console, from its start on."""
        return f"processing-jobs/{self.job}" if self.job else ""

    @property
    def dashboard_url(self) -> str:
        """The baseline's page in the dashboard."""
        return addresses.baseline(self.endpoint.name, self.kind)

    def flow(self) -> Flow:
        if not self.described:
            return Flow()
        inputs = {one["InputName"]: one["S3Input"]["S3Uri"] for one in self.described["ProcessingInputs"]}
        return flows.baseline(
            self.endpoint,
            self.kind,
            inputs["dataset"],
            sources.headers(self.endpoint),
            self.model_in_force.archive,
            job=self.described["ProcessingJobArn"],
        )

    def execute(self, context: Context) -> dict[str, Any]:
        self.job = self._start()
        wait = Wait.until(
            "ProcessingJobFinished",
            requests.by_name("processing_job", self.job),
            timeout=self.endpoint.monitoring.max_runtime_seconds + OVERHEAD_SECONDS,
        )
        return self._finish(self.wait_for(wait, self.hook), wait)

    def execute_complete(self, context: Context, event: dict[str, Any], wait: dict[str, Any]) -> dict[str, Any]:
        self.job = wait["request"]["ProcessingJobName"]
        return self._finish(self.resumed(event, wait, self.hook), Wait(**wait))

    def on_kill(self) -> None:
        if self.job:
            self.log.warning("Stopping the processing job %s", self.job)
            self.hook.stop_processing_job(self.job)

    def _start(self) -> str:
        model = self.model_in_force.name
        analysis = json.dumps(sources.baseline_analysis(self.endpoint, self.kind, model))
        config = names.baseline_analysis_config(self.endpoint, self.kind)
        for request, found in attempts(self.hook, self.endpoint, self.kind, model):
            job = request["ProcessingJobName"]
            if found is None:
                keep_replaced(self.storage, self.endpoint, self.kind)
                self.storage.put(config, analysis)
                self.hook.ensure(PROCESSING_JOB, request)
                self.log.info("Started the baselining job %s", job)
                return job
            status = found["ProcessingJobStatus"]
            # All jobs of a kind write to one place: another job's configuration there means another job's result.
            if status == "InProgress" or (status == "Completed" and self.storage.read(config) == analysis.encode()):
                self.log.info("The baselining job %s is %s: taking it", job, status)
                return job
        raise AssertionError("attempts() never ends by itself")

    def _finish(self, outcome: Outcome, wait: Wait) -> dict[str, Any]:
        said = describe(wait, outcome.response)
        if outcome.state == "deadline":
            self.on_kill()
            raise WaitTimeout(f"The baselining job {self.job} did not end in time and was stopped: {said}")
        if outcome.state == "failure":
            for line in self.logs.tail(str(self.job)):
                self.log.info("[%s] %s", self.job, line)
            raise JobFailed(
                f"The baselining job {self.job} ended as {said}. The end of its log is above; all of it is in "
                f"CloudWatch Logs, /aws/sagemaker/ProcessingJobs, {self.job}"
            )
        self.described = outcome.response
        constraints = names.baseline_constraints(self.endpoint, self.kind)
        summary = self._summary(constraints)
        self.log.info("Suggested constraints, %s:\n%s", constraints, summary.text)
        self.report_url = addresses.baseline_file(self.endpoint.name, self.kind)
        self.s3_folder = names.baseline_output(self.endpoint, self.kind)
        return {"job": self.job, "constraints": constraints, **summary.values}

    def _summary(self, constraints: str) -> Summary:
        content = self.storage.read(constraints)
        if content is None:
            raise JobFailed(f"The baselining job {self.job} completed and left no {constraints}")
        return summarise(json.loads(content))


def attempts(
    hook: SageMakerHook, endpoint: MonitoredEndpoint, kind: Kind, model: str
) -> Iterator[tuple[dict[str, Any], dict[str, Any] | None]]:
    """The baselining jobs that the model and the endpoint's files ask for, with what is there of each; the last is not
    made yet.
    """
    number = 0
    while True:
        number += 1
        request = sources.baselining_job(endpoint, kind, model, number)
        found = hook.processing_job(request["ProcessingJobName"])
        yield request, found
        if found is None:
            return


def find_baseline(hook: SageMakerHook, endpoint: MonitoredEndpoint, kind: Kind, model: str) -> str | None:
    """The newest baselining job for the model and the endpoint's files as they are, that has completed or still can."""
    usable = [
        request["ProcessingJobName"]
        for request, found in attempts(hook, endpoint, kind, model)
        if found is not None and found["ProcessingJobStatus"] in {"Completed", "InProgress"}
    ]
    return usable[-1] if usable else None

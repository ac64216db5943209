"""The verdict on an execution: its reports, its violations, in a few numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from model_monitor import names, requests
from model_monitor.errors import NoExecution
from model_monitor.failures import FAILED, failed_verdict, why_failed
from model_monitor.hooks.sagemaker import executions_since, iso
from model_monitor.lineage import flows
from model_monitor.lineage.task import Traced
from model_monitor.lineage.values import Flow
from model_monitor.links import ConsoleLink, DashboardLink, FolderLink, LinksToExecution, ReportLink
from model_monitor.names import Kind
from model_monitor.operators.base import MonitorOperator
from model_monitor.operators.schedule import existing_schedule
from model_monitor.verdicts import ReportFiles, delivered, read_report, verdict_on

if TYPE_CHECKING:
    from airflow.sdk import Context


class VerdictOperator(LinksToExecution, Traced, MonitorOperator):
    """List an execution's report files and read its violations into a small verdict.

    An execution that failed has a verdict, too: a `reason` in the place of findings.

    Args:
        endpoint: what is monitored.
        kind: `bias` or `explainability`.
        execution: what the sensors answered; the schedule's newest execution unless given.
        fail_on_violations: fail the task when there are violations.
    """

    template_fields: Sequence[str] = aws_template_fields("execution", "fail_on_violations")
    operator_extra_links = (DashboardLink(), ReportLink(), ConsoleLink(), FolderLink())

    def __init__(
        self,
        *,
        kind: Kind,
        execution: dict[str, str] | str | None = None,
        fail_on_violations: bool | str = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.kind = kind
        self.execution = execution
        self.fail_on_violations = fail_on_violations
        self.job: dict[str, Any] = {}
        self.report: ReportFiles | None = None

    def flow(self) -> Flow:
        return Flow() if self.report is None else flows.managed(self.endpoint, self.kind, self.report, self.job)

    def execute(self, context: Context) -> dict[str, Any]:
        schedule = existing_schedule(self.hook, self.endpoint, self.kind)
        summary = self._summary(schedule)
        if summary["MonitoringExecutionStatus"] in FAILED:
            return self._failed(summary)
        job = str(summary.get("ProcessingJobArn", "")).rpartition("/")[2]
        described = self.hook.processing_job(job) if job else None
        if described is None:
            raise NoExecution(
                f"The execution of {summary['MonitoringScheduleName']} is {summary['MonitoringExecutionStatus']} and "
                f"has no processing job, so there is no report: {summary.get('FailureReason', 'no reason given')}."
            )
        report = described["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"].rstrip("/")
        self.link_to(report)
        self.console_path = f"processing-jobs/{job}"
        self.job = described
        self.report = read_report(
            self.storage,
            report,
            status=summary["MonitoringExecutionStatus"],
            baseline=names.baseline_constraints(self.endpoint, self.kind) if self._compares(schedule) else None,
        )
        scheduled = iso(summary["ScheduledTime"])
        verdict = verdict_on(self.report, self.endpoint, self.kind, scheduled=scheduled, log=self.log)
        return delivered(verdict, context, self.fail_on_violations)

    def _failed(self, summary: dict[str, Any]) -> dict[str, Any]:
        why = why_failed(self.hook, self.storage, self.logs, self.endpoint, self.kind, summary, self.log)
        self.log.warning(why)
        scheduled = summary["ScheduledTime"]
        report = names.report_folder(self.endpoint, self.kind, names.hour_path(scheduled))
        self.link_to(report)
        return failed_verdict(self.endpoint, self.kind, scheduled, summary["MonitoringExecutionStatus"], why, report)

    def _compares(self, schedule: dict[str, Any]) -> bool:
        """Whether the schedule's job definition has constraints, or is gone and did not say."""
        name = schedule["MonitoringScheduleConfig"]["MonitoringJobDefinitionName"]
        definition = self.hook.find(requests.definition_call(self.kind, "describe"), JobDefinitionName=name)
        return definition is None or f"{requests.MONITORING_TYPE[self.kind]}BaselineConfig" in definition

    def _summary(self, schedule: dict[str, Any]) -> dict[str, Any]:
        name = schedule["MonitoringScheduleName"]
        if isinstance(self.execution, dict):
            request = executions_since(name, self.execution["created"], newest=False)
        else:
            request = executions_since(name, schedule["CreationTime"], newest=True)
        found = self.hook.execution(request)
        if found is None:
            raise NoExecution(f"The schedule {name} has not started any execution yet.")
        return found

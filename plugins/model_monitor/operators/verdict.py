"""The verdict on an execution: its reports, its violations, in a few numbers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from model_monitor import names
from model_monitor.errors import NoExecution, ViolationsFound
from model_monitor.hooks.sagemaker import executions_since, iso
from model_monitor.links import ConsoleLink, ReportLink
from model_monitor.names import Kind
from model_monitor.operators.base import MonitorOperator
from model_monitor.operators.schedule import existing_schedule
from model_monitor.results import bias_table, summarise, violation_lines, violation_rows

if TYPE_CHECKING:
    from airflow.sdk import Context


class VerdictOperator(MonitorOperator):
    """List an execution's report files and read its violations into a small verdict.

    Args:
        endpoint: what is monitored.
        kind: `bias` or `explainability`.
        execution: what the sensors answered; the schedule's newest execution unless given.
        fail_on_violations: fail the task when there are violations.
    """

    template_fields: Sequence[str] = aws_template_fields("execution", "fail_on_violations")
    operator_extra_links = (ReportLink(), ConsoleLink())

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

    def execute(self, context: Context) -> dict[str, Any]:
        summary = self._summary()
        job = str(summary.get("ProcessingJobArn", "")).rpartition("/")[2]
        described = self.hook.processing_job(job) if job else None
        if described is None:
            raise NoExecution(
                f"The execution of {summary['MonitoringScheduleName']} is {summary['MonitoringExecutionStatus']} and "
                f"has no processing job, so there is no report: {summary.get('FailureReason', 'no reason given')}."
            )
        report = described["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"].rstrip("/")
        verdict = self._verdict(summary, report)
        self.report_url = self.storage.page(f"{report}/report.html")
        self.console_path = f"processing-jobs/{job}"
        if str(self.fail_on_violations).lower() == "true" and verdict["violations"]:
            context["ti"].xcom_push(key="return_value", value=verdict)
            raise ViolationsFound(
                f"{len(verdict['violations'])} violations in {verdict['schedule']}, report {report}/report.html:\n"
                f"{violation_lines(verdict['violations'])}"
            )
        return verdict

    def _summary(self) -> dict[str, Any]:
        schedule = existing_schedule(self.hook, self.endpoint, self.kind)
        name = schedule["MonitoringScheduleName"]
        if isinstance(self.execution, dict):
            request = executions_since(name, self.execution["created"], newest=False)
        else:
            request = executions_since(name, schedule["CreationTime"], newest=True)
        found = self.hook.execution(request)
        if found is None:
            raise NoExecution(f"The schedule {name} has not started any execution yet.")
        return found

    def _verdict(self, summary: dict[str, Any], report: str) -> dict[str, Any]:
        files = self.storage.list(f"{report}/")
        analysis = self._json(f"{report}/analysis.json") or {}
        baseline = self._json(names.baseline_constraints(self.endpoint, self.kind))
        found: list[dict[str, Any]] = []
        if summary["MonitoringExecutionStatus"] == "CompletedWithViolations":
            # An earlier execution of the same hour can have left its own file in the folder.
            found = (self._json(f"{report}/constraint_violations.json") or {}).get("violations", [])
        verdict = {
            "endpoint": self.endpoint.name,
            "kind": self.kind,
            "schedule": summary["MonitoringScheduleName"],
            "scheduled": iso(summary["ScheduledTime"]),
            "status": summary["MonitoringExecutionStatus"],
            "report": report,
            "files": [file.removeprefix(f"{report}/") for file in files],
            "violations": violation_rows(found, analysis, baseline),
        }
        for file in files:
            self.log.info("Report file: %s", file)
        if self.kind == "explainability":
            verdict |= self._attributions(analysis, baseline)
        else:
            self.log.info("Metrics beside their baseline:\n%s", bias_table(analysis, baseline, found))
        tell = self.log.warning if found else self.log.info
        tell("%s: %s, %d violations", verdict["schedule"], verdict["status"], len(found))
        return verdict

    def _attributions(self, analysis: dict[str, Any], baseline: dict[str, Any] | None) -> dict[str, Any]:
        in_brief = summarise(analysis)
        self.log.info("Features with the greatest attribution:\n%s", in_brief.text)
        if not analysis or not baseline:
            return in_brief.values
        scores = _ndcg(analysis, baseline)
        for label, score in scores.items():
            self.log.info("%s: NDCG %.4f with the baseline; a violation below 0.90", label, score)
        return {**in_brief.values, "ndcg": scores}

    def _json(self, uri: str) -> dict[str, Any] | None:
        content = self.storage.read(uri)
        return None if content is None else json.loads(content)


def _ndcg(analysis: dict[str, Any], baseline: dict[str, Any]) -> dict[str, float]:
    from model_monitor.analysis.drift import attribution_ndcg

    return attribution_ndcg(analysis, baseline)

"""The verdict on a report folder, whoever filled it: its files, its violations, in a few numbers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from model_monitor import names
from model_monitor.config import MonitoredEndpoint
from model_monitor.errors import ViolationsFound
from model_monitor.hooks.s3 import StorageHook
from model_monitor.names import Kind
from model_monitor.results import bias_table, summarise, violation_lines, violation_rows

if TYPE_CHECKING:
    from airflow.sdk import Context
    from airflow.sdk.types import Logger

COMPLETED, VIOLATED = "Completed", "CompletedWithViolations"
ANALYSIS, VIOLATIONS, UNCERTAINTY = "analysis.json", "constraint_violations.json", "uncertainty.json"


@dataclass(frozen=True)
class ReportFiles:
    """A report folder as a verdict needs it.

    Args:
        uri: the folder's address.
        status: `Completed` or `CompletedWithViolations`.
        files: the names of its files.
        size: their bytes.
        analysis: `analysis.json`; empty where there is none.
        violations: those of `constraint_violations.json`, where the status says that there are any.
        baseline: the address of what was compared with; None where nothing was.
        constraints: what lies there.
    """

    uri: str
    status: str
    files: tuple[str, ...]
    size: int
    analysis: dict[str, Any]
    violations: list[dict[str, Any]]
    baseline: str | None
    constraints: dict[str, Any] | None


def read_report(storage: StorageHook, uri: str, *, status: str, baseline: str | None) -> ReportFiles:
    """The report folder at an address; arguments as those of ReportFiles."""
    there = list(storage.objects(f"{uri}/"))
    found: list[dict[str, Any]] = []
    if status == VIOLATED:
        # An earlier execution of the same hour can have left its own file in the folder.
        found = (_json(storage, f"{uri}/{VIOLATIONS}") or {}).get("violations", [])
    return ReportFiles(
        uri,
        status,
        files=tuple(one.uri.removeprefix(f"{uri}/") for one in there),
        size=sum(one.size for one in there),
        analysis=_json(storage, f"{uri}/{ANALYSIS}") or {},
        violations=found,
        baseline=baseline,
        constraints=_json(storage, baseline) if baseline else None,
    )


def verdict_on(
    report: ReportFiles, endpoint: MonitoredEndpoint, kind: Kind, *, scheduled: str, log: Logger
) -> dict[str, Any]:
    """The verdict, small enough for XCom; the log gets the numbers beside their baseline."""
    analysis, constraints, found = report.analysis, report.constraints, report.violations
    verdict = {
        "endpoint": endpoint.name,
        "kind": kind,
        "schedule": names.schedule(endpoint, kind),
        "scheduled": scheduled,
        "status": report.status,
        "report": report.uri,
        "files": list(report.files),
        "compared": report.baseline is not None,
        "violations": violation_rows(found, analysis, constraints),
    }
    for file in report.files:
        log.info("Report file: %s/%s", report.uri, file)
    if kind == "explainability":
        verdict |= _attributions(analysis, constraints, log)
    else:
        log.info("Metrics beside their baseline:\n%s", bias_table(analysis, constraints, found))
    tell = log.warning if found else log.info
    tell("%s: %s, %d violations", verdict["schedule"], report.status, len(found))
    return verdict


def delivered(verdict: dict[str, Any], context: Context, fail_on_violations: bool | str) -> dict[str, Any]:
    """The verdict as a task's answer.

    Raises:
        ViolationsFound: when there are violations and the task is to fail on them; the verdict is in XCom all the same.
    """
    if str(fail_on_violations).lower() == "true" and verdict["violations"]:
        context["ti"].xcom_push(key="return_value", value=verdict)
        raise ViolationsFound(
            f"{len(verdict['violations'])} violations in {verdict['schedule']}, report {verdict['report']}/report.html:"
            f"\n{violation_lines(verdict['violations'])}"
        )
    return verdict


def _attributions(analysis: dict[str, Any], baseline: dict[str, Any] | None, log: Logger) -> dict[str, Any]:
    from model_monitor.analysis.drift import attribution_ndcg

    in_brief = summarise(analysis)
    log.info("Features with the greatest attribution:\n%s", in_brief.text)
    if not analysis or not baseline:
        return in_brief.values
    scores = attribution_ndcg(analysis, baseline)
    for label, score in scores.items():
        log.info("%s: NDCG %.4f with the baseline; a violation below 0.90", label, score)
    return {**in_brief.values, "ndcg": scores}


def _json(storage: StorageHook, uri: str) -> dict[str, Any] | None:
    content = storage.read(uri)
    return None if content is None else json.loads(content)

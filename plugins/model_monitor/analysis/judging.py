"""An analysis judged against its baseline, and the files and the message that say so."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from model_monitor.analysis import drift, report
from model_monitor.analysis.config import ReportConfig
from model_monitor.analysis.interval_rule import Intervals, judge, uncertainty_document
from model_monitor.analysis.persistence import JudgedWindow
from model_monitor.analysis.serialise import dumps

log = logging.getLogger(__name__)

ANALYSIS, VIOLATIONS, UNCERTAINTY = "analysis.json", "constraint_violations.json", "uncertainty.json"


@dataclass(frozen=True)
class Subject:
    """What an analysis is about, for the head of its report; `is_baseline` if windows will be compared with it."""

    records: int
    endpoint: str | None = None
    schedule: str | None = None
    window: tuple[str, str] | None = None
    is_baseline: bool = False

    def facts(self) -> dict[str, str]:
        """What is known, by name."""
        facts = {
            "Records": f"{self.records:,}",
            "Endpoint": self.endpoint,
            "Schedule": self.schedule,
            "Window": " – ".join(self.window) if self.window else None,
        }
        return {name: value for name, value in facts.items() if value}


def compare(analysis: Mapping[str, Any], baseline: Mapping[str, Any] | None) -> report.Comparison:
    """The analysis beside its baseline, by Clarify's rules; None stands for nothing to compare with.

    Raises:
        AnalysisError: when the two have nothing in common, or explain different features.
    """
    if baseline is None:
        log.info("No baseline constraints: nothing to compare with")
        return report.Comparison()
    drift.check_comparable(analysis, baseline)
    scores = drift.attribution_ndcg(analysis, baseline)
    if scores:
        log.info("Feature attribution drift (NDCG) by label: %s", scores)
    violations = [*drift.bias_violations(analysis, baseline), *drift.attribution_violations(scores)]
    return report.Comparison(baseline, tuple(violations), scores)


def compare_by_intervals(
    analysis: Mapping[str, Any],
    baseline: Mapping[str, Any],
    intervals: Intervals,
    *,
    scheduled: str,
    earlier: Sequence[JudgedWindow],
    violating: int,
) -> report.Comparison:
    """The analysis beside its baseline, by the interval rule: violations only where the verdict is red.

    The arguments are those of `interval_rule.judge`.

    Raises:
        AnalysisError: as `compare`.
    """
    by_points = compare(analysis, baseline)
    found = judge(
        analysis, baseline, by_points.ndcg, intervals, scheduled=scheduled, earlier=earlier, violating=violating
    )
    log.info(
        "Interval rule: %d violations, %d not certain. %s",
        len(found.violations),
        len(found.unconfirmed),
        found.persistence.explained(),
    )
    violations = tuple(found.violations) if found.persistence.red else ()
    return replace(by_points, violations=violations, uncertainty=found)


def result_files(
    analysis: Mapping[str, Any], comparison: report.Comparison, subject: Subject, asked: ReportConfig | None
) -> dict[str, str]:
    """The content of a report folder's files by name; violations have a file only where there are some, intervals where
    they judged."""
    page = asked or ReportConfig()
    files = {ANALYSIS: dumps(analysis)}
    if comparison.violations:
        files[VIOLATIONS] = dumps(drift.violations_document(comparison.violations))
    if comparison.uncertainty is not None and comparison.baseline is not None:
        files[UNCERTAINTY] = dumps(
            uncertainty_document(analysis, comparison.baseline, comparison.ndcg, comparison.uncertainty)
        )
    html = report.render(page.title, analysis, subject.facts(), comparison, is_baseline=subject.is_baseline)
    return files | {f"{page.name}.html": html}


def exit_message(comparison: report.Comparison) -> str:
    """How a monitor's run ended, in the service's words."""
    if comparison.violations:
        return f"CompletedWithViolations: Job completed successfully with {len(comparison.violations)} violations."
    return "Completed: Job completed successfully with no violations."

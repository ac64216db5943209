"""An analysis judged against its baseline, and the files and the message that say so."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from model_monitor.analysis import drift, report
from model_monitor.analysis.config import ReportConfig
from model_monitor.analysis.serialise import dumps

log = logging.getLogger(__name__)

ANALYSIS, VIOLATIONS = "analysis.json", "constraint_violations.json"


@dataclass(frozen=True)
class Subject:
    """What an analysis is about, for the head of its report."""

    records: int
    endpoint: str | None = None
    schedule: str | None = None
    window: tuple[str, str] | None = None

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


def result_files(
    analysis: Mapping[str, Any], comparison: report.Comparison, subject: Subject, asked: ReportConfig | None
) -> dict[str, str]:
    """The content of a report folder's files by name; violations have a file only where there are some."""
    page = asked or ReportConfig()
    files = {ANALYSIS: dumps(analysis)}
    if comparison.violations:
        files[VIOLATIONS] = dumps(drift.violations_document(comparison.violations))
    return files | {f"{page.name}.html": report.render(page.title, analysis, subject.facts(), comparison)}


def exit_message(comparison: report.Comparison) -> str:
    """How a monitor's run ended, in the service's words."""
    if comparison.violations:
        return f"CompletedWithViolations: Job completed successfully with {len(comparison.violations)} violations."
    return "Completed: Job completed successfully with no violations."

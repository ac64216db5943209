"""What the page of an execution shows, and that of a baseline: the analysis, its violations, its files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from model_monitor.config import MonitoredEndpoint
from model_monitor.dashboard import bias_charts, explanation_charts, texts
from model_monitor.dashboard.addresses import REPORT
from model_monitor.dashboard.charts import Figure
from model_monitor.dashboard.endpoint_page import unit
from model_monitor.dashboard.explanation_charts import Ranked
from model_monitor.dashboard.series import Place, grouped, place, violated_metrics
from model_monitor.history.model import Baseline, Execution, Explanation, File, Metric, Violation
from model_monitor.history.reader import History
from model_monitor.names import Kind

NEIGHBOURS = timedelta(days=3)


@dataclass(frozen=True)
class Violated:
    """A violation, with the metric or label that it is about where the analysis has it."""

    violation: Violation
    metric: Metric | None
    words: str
    meaning: str

    @property
    def subject(self) -> str:
        """The group or the label."""
        if self.violation.facet is not None:
            return f"{self.violation.facet} {self.violation.group or ''}".strip()
        return self.violation.label or ""


@dataclass(frozen=True)
class BiasTable:
    """One group's metrics, and which of them are violated."""

    metrics: list[Metric]
    charts: list[Figure]
    violated: set[str]

    @property
    def any(self) -> Metric:
        """Any of the metrics, for what all have in common."""
        return self.metrics[0]


@dataclass(frozen=True)
class LabelTable:
    """One label's attributions."""

    explanation: Explanation
    features: list[Ranked]
    bars: Figure
    order: Figure | None


@dataclass(frozen=True)
class ExecutionPage:
    """All of an execution's page but the parts that Airflow's database tells."""

    execution: Execution
    baseline: Baseline | None
    before: Execution | None
    after: Execution | None
    violated: list[Violated]
    groups: list[BiasTable]
    labels: list[LabelTable]

    @property
    def report(self) -> File | None:
        """The report that opens in the page."""
        return next((file for file in self.execution.files if file.name == REPORT), None)


@dataclass(frozen=True)
class BaselinePage:
    """All of a baseline's page."""

    baseline: Baseline
    groups: list[BiasTable]
    labels: list[LabelTable]

    @property
    def report(self) -> File | None:
        """The report that opens in the page."""
        return next((file for file in self.baseline.files if file.name == REPORT), None)


def execution_page(endpoint: MonitoredEndpoint, history: History, kind: Kind, window: str) -> ExecutionPage | None:
    """What is known of an execution; None where there is none of this window."""
    execution = history.execution(kind, window)
    if execution is None:
        return None
    near = history.executions(kind, execution.scheduled - NEIGHBOURS, execution.scheduled + NEIGHBOURS)
    before = [one for one in near if one.scheduled < execution.scheduled]
    after = [one for one in near if one.scheduled > execution.scheduled]
    return ExecutionPage(
        execution,
        history.baseline(kind),
        before[-1] if before else None,
        after[0] if after else None,
        [_violated(entry, execution) for entry in execution.violations],
        _tables(execution.metrics, violated_metrics(execution)),
        [_label(explanation, endpoint) for explanation in execution.explanations],
    )


def baseline_page(endpoint: MonitoredEndpoint, baseline: Baseline) -> BaselinePage:
    """What is known of a baseline."""
    return BaselinePage(
        baseline, _tables(baseline.metrics, set()), [_label(one, endpoint) for one in baseline.explanations]
    )


def _tables(metrics: Sequence[Metric], violated: set[Place]) -> list[BiasTable]:
    tables = []
    for group in grouped(metrics):
        names = {metric.name for metric in group if place(metric) in violated}
        tables.append(BiasTable(group, bias_charts.beside_allowed(group, violated), names))
    return tables


def _label(explanation: Explanation, endpoint: MonitoredEndpoint) -> LabelTable:
    features = explanation_charts.ranked(explanation)
    bars = explanation_charts.attributions(features, unit(endpoint))
    return LabelTable(explanation, features, bars, explanation_charts.order(features))


def _violated(violation: Violation, execution: Execution) -> Violated:
    if violation.facet is None:
        ndcg = next((one.ndcg for one in execution.explanations if one.label == violation.label), None)
        return Violated(violation, None, texts.attribution_violation(violation, ndcg), "")
    wanted = (violation.facet, violation.group, violation.metric)
    metric = next((one for one in execution.metrics if place(one) == wanted), None)
    words = violation.description if metric is None else texts.bias_violation(metric)
    return Violated(violation, metric, words, texts.meaning(violation.metric))

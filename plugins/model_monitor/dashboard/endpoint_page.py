"""What an endpoint's page shows: both monitors over time, traffic and labels, executions."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from model_monitor.config import MonitoredEndpoint
from model_monitor.dashboard import bias_charts, explanation_charts, texts, traffic_charts
from model_monitor.dashboard.charts import Figure
from model_monitor.dashboard.explanation_charts import Ranked
from model_monitor.dashboard.series import Group, Series, groups, violating_first
from model_monitor.history.model import Baseline, Execution, Hour
from model_monitor.history.reader import History
from model_monitor.names import KINDS, Kind

DAYS = (1, 7, 30, 90)
DEFAULT_DAYS = 7
ROWS = 24

AGGREGATED = {"mean_abs": "Mean |SHAP value|", "median": "Median SHAP value", "mean_sq": "Mean squared SHAP value"}


@dataclass(frozen=True)
class Known:
    """What an endpoint's history says of a stretch of time."""

    start: datetime
    end: datetime
    executions: dict[Kind, list[Execution]]
    newest: dict[Kind, Execution | None]
    baselines: dict[Kind, Baseline | None]
    hours: list[Hour]
    service_problem: str | None
    traffic_problem: str | None


@dataclass(frozen=True)
class MetricCard:
    """One bias metric of one group over time."""

    series: Series
    group: Group
    chart: Figure
    undrawn: int

    @property
    def meaning(self) -> str:
        """What it measures."""
        return texts.meaning(self.series.newest.name)


@dataclass(frozen=True)
class Bias:
    """The bias monitor's section."""

    groups: list[Group]
    violating: list[MetricCard]
    others: list[MetricCard]
    intervals: bool


@dataclass(frozen=True)
class Attributions:
    """One label of the explainability monitor's section."""

    label: str
    execution: Execution
    features: list[Ranked]
    bars: Figure
    order: Figure | None
    ndcg: Figure | None
    moved: int


@dataclass
class EndpointPage:
    """All of the page."""

    known: Known
    bias: Bias | None
    labels: list[str]
    attributions: Attributions | None
    traffic: Figure | None
    shared: dict[str, list[Any]] = field(default_factory=dict)

    @property
    def executions(self) -> list[Execution]:
        """Both monitors' executions, the newest first."""
        both = [execution for kind in KINDS for execution in self.known.executions[kind]]
        return sorted(both, key=lambda execution: (execution.scheduled, execution.kind), reverse=True)


def known(history: History, days: int) -> Known:
    """Ask an endpoint's history."""
    end = history.now()
    start = end - timedelta(days=days)
    executions = {kind: history.executions(kind, start) for kind in KINDS}
    return Known(
        start,
        end,
        executions,
        {kind: executions[kind][-1] if executions[kind] else history.newest(kind) for kind in KINDS},
        {kind: history.baseline(kind) for kind in KINDS},
        history.hours(start, end),
        history.service_problem(),
        history.traffic_problem(),
    )


def page(endpoint: MonitoredEndpoint, known: Known, facet: int | None, label: int) -> EndpointPage:
    """Everything that is drawn; `facet` is a group's number, `label` a label's."""
    shared: dict[str, list[Any]] = {"bias_times": bias_charts.times(known.executions["bias"])}
    if known.hours:
        shared["hours"] = traffic_charts.hours_drawn(known.hours)
    labels = _labels(known.executions["explainability"])
    chosen = labels[label] if label < len(labels) else None
    return EndpointPage(
        known,
        _bias(known, facet),
        labels,
        _attributions(endpoint, known, chosen) if chosen is not None else None,
        traffic_charts.traffic(known.hours, known.start, known.end) if any(_counted(known.hours)) else None,
        shared,
    )


def unit(endpoint: MonitoredEndpoint) -> str:
    """What attributions are measured in."""
    scale = "log-odds" if endpoint.explainability.use_logit else "the model's score"
    return f"{AGGREGATED[endpoint.explainability.agg_method]}, in {scale}"


def _bias(known: Known, facet: int | None) -> Bias | None:
    executions = known.executions["bias"]
    found = groups(executions)
    if not found:
        return None
    wanted = found if facet is None or facet >= len(found) else [found[facet]]
    cards = {
        series.key: MetricCard(
            series,
            group,
            bias_charts.over_time(series, executions, known.start, known.end),
            bias_charts.undrawn(series),
        )
        for group in wanted
        for series in group.series
    }
    in_order = [cards[series.key] for series in violating_first(series for one in wanted for series in one.series)]
    return Bias(
        found,
        [card for card in in_order if card.series.violations],
        [card for card in in_order if not card.series.violations],
        any(metric and metric.interval for card in in_order for metric in card.series.metrics),
    )


def _labels(executions: list[Execution]) -> list[str]:
    newest = next((execution for execution in reversed(executions) if execution.explanations), None)
    return [] if newest is None else [one.label for one in newest.explanations]


def _attributions(endpoint: MonitoredEndpoint, known: Known, label: str) -> Attributions | None:
    executions = known.executions["explainability"]
    for execution in reversed(executions):
        for explanation in execution.explanations:
            if explanation.label == label:
                features = explanation_charts.ranked(explanation)
                violated = [label in explanation_charts.violated_labels(one) for one in executions]
                compared = any(one.ndcg is not None for each in executions for one in each.explanations)
                return Attributions(
                    label,
                    execution,
                    features,
                    explanation_charts.attributions(features, unit(endpoint)),
                    explanation_charts.order(features),
                    explanation_charts.ndcg_over_time(label, executions, known.start, known.end, violated)
                    if compared
                    else None,
                    sum(1 for feature in features if feature.moved),
                )
    return None


def _counted(hours: list[Hour]) -> list[bool]:
    return [bool(hour.captured or hour.labelled) for hour in hours]

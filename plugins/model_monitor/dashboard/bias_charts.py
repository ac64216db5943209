"""Charts of bias: a metric over time, and the metrics of one execution beside what is allowed."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from model_monitor.dashboard import charts
from model_monitor.dashboard.charts import Figure
from model_monitor.dashboard.series import Place, Series, place
from model_monitor.history.model import Execution, Metric

TIMES = {"shared": "bias_times"}
"""The scheduled times of the bias monitor's executions, which all of a page's charts share."""


def times(executions: Sequence[Execution]) -> list[str]:
    """What `TIMES` stands for."""
    return [charts.moment(execution.scheduled) for execution in executions]


def over_time(series: Series, executions: Sequence[Execution], start: datetime, end: datetime) -> Figure:
    """A metric's values, its baseline, the range that is allowed, its interval, its violations."""
    metrics = series.metrics
    values = charts.numbers(metric.value if metric else None for metric in metrics)
    data = [*_allowed(metrics, start, end), *_intervals(metrics), *_baseline(metrics, start, end)]
    data.append(charts.line("Value", TIMES, values, charts.VALUE))
    marked = [number for number, violated in enumerate(series.violated) if violated and values[number] is not None]
    if marked:
        x = [charts.moment(executions[number].scheduled) for number in marked]
        data.append(charts.violations(x, [values[number] for number in marked]))
    name = charts.cut(series.newest.name)
    return charts.figure(
        data, charts.layout(210, xaxis=charts.time_axis(start, end, "UTC"), yaxis=charts.axis(name, nticks=6))
    )


def undrawn(series: Series) -> int:
    """How many values are infinite, and so in no chart."""
    return sum(1 for metric in series.metrics if metric and metric.value is not None and math.isinf(metric.value))


def beside_allowed(metrics: Sequence[Metric], violated: Collection[Place]) -> list[Figure]:
    """One group's metrics of one execution: values, intervals and baselines on top of what is allowed.

    Those that reach beyond 1, as only ratios and the like do, have a chart of their own: beside them, differences of
    rates could not be told from 0.
    """
    drawn = [metric for metric in metrics if charts.number(metric.value) is not None]
    wide = [metric for metric in drawn if max(abs(metric.value or 0), abs(metric.baseline or 0)) > 1]
    narrow = [metric for metric in drawn if metric not in wide]
    return [_beside_allowed(some, violated) for some in (narrow, wide) if some]


def _beside_allowed(metrics: Sequence[Metric], violated: Collection[Place]) -> Figure:
    drawn = metrics[::-1]
    rows = _rows(drawn)
    bounded = [metric for metric in drawn if charts.number(metric.allowed) is not None]
    data: list[dict[str, Any]] = [
        {
            "type": "bar",
            "orientation": "h",
            "name": "Allowed",
            "y": _rows(bounded),
            "x": [charts.number(2 * (metric.allowed or 0)) for metric in bounded],
            "base": [charts.number(-(metric.allowed or 0)) for metric in bounded],
            "marker": {"color": charts.ALLOWED},
            "width": 0.62,
            "customdata": [charts.number(metric.allowed) for metric in bounded],
            "hovertemplate": "−%{customdata:.4f} to %{customdata:.4f}",
        },
        {
            "type": "scatter",
            "mode": "markers",
            "name": "Baseline",
            "y": _rows(bounded),
            "x": charts.numbers(metric.baseline for metric in bounded),
            "marker": {"symbol": "line-ns-open", "size": 14, "color": charts.BASELINE, "line": {"width": 2}},
            "hovertemplate": "%{x:.4f}",
        },
    ]
    if not bounded:
        data.clear()
    for name, wanted, symbol, colour in (
        ("Value", False, "circle", charts.VALUE),
        ("Violation", True, "x", charts.VIOLATION),
    ):
        some = [metric for metric in drawn if (place(metric) in violated) is wanted]
        if some:
            data.append(_values(name, some, symbol, colour))
    return charts.figure(
        data,
        charts.layout(
            90 + 26 * len(rows),
            xaxis=charts.axis("Metric's value"),
            yaxis=charts.axis(
                type="category",
                categoryorder="array",
                categoryarray=rows,
                tickvals=rows,
                ticktext=[charts.short(metric.name) for metric in drawn],
                gridcolor=charts.CLEAR,
            ),
            hovermode="y unified",
            showlegend=True,
            barmode="overlay",
        ),
    )


def _rows(metrics: Sequence[Metric]) -> list[str]:
    """What stands above the values beside the mouse; a key of an object to plotly, which `__proto__` cannot be."""
    return [f"{charts.wrapped(metric.name)} " for metric in metrics]


def _values(name: str, metrics: Sequence[Metric], symbol: str, colour: str) -> dict[str, Any]:
    trace: dict[str, Any] = {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "y": _rows(metrics),
        "x": charts.numbers(metric.value for metric in metrics),
        "marker": {"symbol": symbol, "size": 9, "color": colour},
        "hovertemplate": "%{x:.4f}",
    }
    ends = [
        (charts.number(metric.interval.low), charts.number(metric.interval.high)) if metric.interval else (None, None)
        for metric in metrics
    ]
    if any(low is not None or high is not None for low, high in ends):
        values = [metric.value or 0.0 for metric in metrics]
        trace["error_x"] = {
            "type": "data",
            "symmetric": False,
            "array": [
                charts.number(high - value) if high is not None else 0
                for value, (_, high) in zip(values, ends, strict=True)
            ],
            "arrayminus": [
                charts.number(value - low) if low is not None else 0
                for value, (low, _) in zip(values, ends, strict=True)
            ],
            "color": colour,
            "thickness": 1.2,
            "width": 3,
        }
    return trace


def _constant(metrics: Sequence[Metric | None]) -> float | None:
    """The baseline where it never changed."""
    found = {metric.baseline for metric in metrics if metric}
    return charts.number(found.pop()) if len(found) == 1 else None


def _allowed(metrics: Sequence[Metric | None], start: datetime, end: datetime) -> list[dict[str, Any]]:
    constant = _constant(metrics)
    if constant is not None:
        x: Any = [charts.moment(start), charts.moment(end)]
        upper: list[float | None] = [abs(constant)] * 2
    else:
        x, upper = TIMES, charts.numbers(metric.allowed if metric else None for metric in metrics)
    if not any(bound is not None for bound in upper):
        return []
    lower = [None if bound is None else -bound for bound in upper]
    return [
        charts.edge(x, lower, line={"width": 0, "color": charts.CLEAR, "shape": "hvh"}),
        charts.edge(
            x,
            upper,
            line={"width": 0, "color": charts.CLEAR, "shape": "hvh"},
            fill="tonexty",
            fillcolor=charts.ALLOWED,
            name="Allowed",
        ),
    ]


def _baseline(metrics: Sequence[Metric | None], start: datetime, end: datetime) -> list[dict[str, Any]]:
    constant = _constant(metrics)
    drawn = {"mode": "lines", "line": {"color": charts.BASELINE, "width": 1.5, "dash": "dash", "shape": "hvh"}}
    values = charts.numbers(metric.baseline if metric else None for metric in metrics)
    if not any(value is not None for value in values):
        return []
    if constant is None:
        return [charts.line("Baseline", TIMES, values, charts.BASELINE, **drawn)]
    x = [charts.moment(start), charts.moment(end)]
    return [charts.line("Baseline", x, [constant] * 2, charts.BASELINE, **drawn)]


def _intervals(metrics: Sequence[Metric | None]) -> list[dict[str, Any]]:
    intervals = [metric.interval if metric else None for metric in metrics]
    low = charts.numbers(interval.low if interval else None for interval in intervals)
    high = charts.numbers(interval.high if interval else None for interval in intervals)
    if not any(end is not None for end in [*low, *high]):
        return []
    dotted = {"width": 1, "color": charts.INTERVAL}
    shown = {"hoverinfo": "y", "hovertemplate": "%{y:.4f}"}
    return [
        charts.edge(TIMES, low, name="Interval from", line=dotted, **shown),
        charts.edge(TIMES, high, name="Interval to", line=dotted, fill="tonexty", fillcolor=charts.INTERVAL, **shown),
    ]

"""Charts of what the monitors are fed with, and of what they found in brief."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from model_monitor.dashboard import charts
from model_monitor.dashboard.charts import Figure
from model_monitor.dashboard.explanation_charts import NDCG_THRESHOLD
from model_monitor.history.model import Execution, Hour

HALF = timedelta(minutes=30)
MOST_APART = 200
"""Of more hours, bars are too thin for gaps between them."""


def traffic(hours: Sequence[Hour], start: datetime, end: datetime) -> Figure:
    """Captured requests of each hour, those with a label and those without, and the labels that came."""
    x = {"shared": "hours"}
    bar: dict[str, Any] = {"type": "bar", "x": x, "hovertemplate": "%{y:d}"}
    matched = [hour.matched for hour in hours]
    unmatched = [hour.captured if hour.matched is None else hour.unmatched for hour in hours]
    data = [
        {**bar, "name": "Requests with a label", "y": matched, "marker": {"color": charts.VALUE}},
        {
            **bar,
            "name": "Requests without a label",
            "y": unmatched,
            "marker": {"color": charts.SECOND, "pattern": {"shape": "/", "size": 5, "solidity": 0.35}},
        },
        {
            "type": "scatter",
            "mode": "markers",
            "name": "Labels",
            "x": x,
            "y": [hour.labelled for hour in hours],
            "marker": {"symbol": "line-ew-open", "size": 7, "color": charts.INK, "line": {"width": 1.5}},
            "hovertemplate": "%{y:d}",
        },
    ]
    return charts.figure(
        data,
        charts.layout(
            300,
            barmode="stack",
            bargap=0.15 if len(hours) <= MOST_APART else 0,
            showlegend=True,
            xaxis=charts.time_axis(start, end, "Hour, UTC"),
            yaxis=charts.axis("Records an hour", rangemode="tozero"),
        ),
    )


def hours_drawn(hours: Sequence[Hour]) -> list[str]:
    """What the chart's x stands for: the middle of each hour, so that its bar fills it."""
    return [charts.moment(hour.start + HALF) for hour in hours]


def sparkline(executions: Sequence[Execution], kind: str, start: datetime, end: datetime) -> Figure:
    """A monitor's recent windows in a line: violated bias metrics, or the least NDCG."""
    x = [charts.moment(execution.scheduled) for execution in executions]
    if kind == "bias":
        values: list[float | None] = [
            float(len(execution.violations)) if execution.judged else None for execution in executions
        ]
        shape, form, title = {"shape": "hvh"}, "%{y:.0f} violated metrics", None
    else:
        values = [_least_ndcg(execution) for execution in executions]
        shape, form, title = {}, "NDCG %{y:.3f}", NDCG_THRESHOLD
    known = [value for value in values if value is not None]
    value = charts.line(
        "", x, charts.numbers(values), charts.VALUE, hovertemplate=f"%{{x|%d %b %H:%M}}: {form}<extra></extra>"
    )
    value |= {"line": {"color": charts.VALUE, "width": 1.5, **shape}, "marker": {"color": charts.VALUE, "size": 2}}
    data = [value]
    if title is not None:
        threshold = {"color": charts.BASELINE, "width": 1, "dash": "dot"}
        ends = [charts.moment(start), charts.moment(end)]
        data.insert(0, charts.edge(ends, [title] * 2, line=threshold))
    marked = [number for number, one in enumerate(executions) if one.violations and values[number] is not None]
    if marked:
        marks = charts.violations([x[number] for number in marked], [values[number] for number in marked])
        marks.pop("hovertemplate")
        data.append({**marks, "marker": {**marks["marker"], "size": 4, "line": {"width": 0}}, "hoverinfo": "skip"})
    hidden = {"visible": False, "fixedrange": True}
    least, most = (min(known), max(known)) if known else (0.0, 1.0)
    spare = (most - least) * 0.15 or 0.05
    if kind == "bias":
        least, most, spare = 0, max(most, 1), max(most, 1) * 0.12
    layout = charts.layout(
        48,
        xaxis={**hidden, "type": "date", "range": [charts.moment(start), charts.moment(end)]},
        yaxis={**hidden, "range": [least - spare, most + spare]},
        hovermode="closest",
    )
    return charts.figure(data, layout | {"margin": {"l": 2, "r": 2, "t": 2, "b": 2}})


def _least_ndcg(execution: Execution) -> float | None:
    scores = [one.ndcg for one in execution.explanations if one.ndcg is not None]
    return min(scores) if scores else None

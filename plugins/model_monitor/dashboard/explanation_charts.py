"""Charts of attributions: now beside the baseline, who moved in the order, the NDCG over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from model_monitor.dashboard import charts
from model_monitor.dashboard.charts import Figure
from model_monitor.history.model import Execution, Explanation

NDCG_THRESHOLD = 0.9
DRAWN = 15
"""How many features a chart shows; the table below it has all."""


@dataclass(frozen=True)
class Ranked:
    """A feature's attribution and place now, and in the baseline if it is there; the greatest has place 1."""

    feature: str
    value: float
    place: int
    baseline: float | None
    before: int | None

    @property
    def moved(self) -> int | None:
        """How many places it rose; negative where it fell."""
        return None if self.before is None else self.before - self.place


def ranked(explanation: Explanation) -> list[Ranked]:
    """All features, the greatest first; attributions count by magnitude, as the NDCG has it."""
    before = _places(explanation.baseline)
    places = _places(explanation.values)
    return [
        Ranked(feature, explanation.values[feature], place, explanation.baseline.get(feature), before.get(feature))
        for feature, place in places.items()
    ]


def attributions(features: Sequence[Ranked], unit: str) -> Figure:
    """Bars of the greatest attributions beside their baseline."""
    drawn = list(features[:DRAWN])[::-1]
    rows = list(range(len(drawn)))
    bars: dict[str, Any] = {
        "type": "bar",
        "orientation": "h",
        "y": rows,
        "customdata": [charts.wrapped(one.feature) for one in drawn],
        "hovertemplate": "%{customdata}<br>%{x:.4f}",
    }
    data = []
    if any(one.baseline is not None for one in drawn):
        then = charts.numbers(one.baseline for one in drawn)
        data.append({**bars, "name": "Baseline", "x": then, "marker": {"color": charts.BASELINE}})
    now = charts.numbers(one.value for one in drawn)
    data.append({**bars, "name": "Now", "x": now, "marker": {"color": charts.VALUE}})
    return charts.figure(
        data,
        charts.layout(
            110 + 30 * len(drawn),
            xaxis=charts.axis(unit),
            yaxis=_names(drawn),
            hovermode="closest",
            showlegend=True,
            barmode="group",
            bargap=0.3,
            bargroupgap=0.08,
            legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "traceorder": "reversed"},
        ),
    )


def order(features: Sequence[Ranked]) -> Figure | None:
    """The places of the leading features in the baseline and now, one line each; None without a baseline.

    Lines of features that are not among the leading ones on one side end below the last place.
    """
    leading = [one for one in features if one.before is not None and min(one.place, one.before) <= DRAWN]
    if not leading:
        return None
    last = min(DRAWN, len(leading))
    # Those that stay come first: where the mouse finds several lines, it shows the one that was drawn last.
    lines = [_line(one, last) for one in sorted(leading, key=lambda one: max(one.place, one.before or 0) > last)]
    # An axis without a line is not drawn.
    lines[0] |= {"yaxis": "y2"}
    return charts.figure(
        lines,
        charts.layout(
            90 + 26 * last,
            hovermode="closest",
            xaxis=charts.axis(
                tickvals=[0, 1],
                ticktext=["Baseline", "Now"],
                range=[-0.04, 1.04],
                side="top",
                showgrid=False,
                zeroline=False,
                fixedrange=True,
            ),
            yaxis=_order_axis([(one.before or 0, one.feature) for one in leading], last),
            yaxis2=_order_axis([(one.place, one.feature) for one in leading], last, side="right", overlaying="y"),
        ),
    )


def ndcg_over_time(
    label: str, executions: Sequence[Execution], start: datetime, end: datetime, violated: Sequence[bool]
) -> Figure:
    """The agreement of the live order of features with the baseline's, and the least that is allowed."""
    found = [_of(execution, label) for execution in executions]
    x = [charts.moment(execution.scheduled) for execution in executions]
    values = charts.numbers(one.ndcg if one else None for one in found)
    low = charts.numbers(one.interval.low if one and one.interval else None for one in found)
    high = charts.numbers(one.interval.high if one and one.interval else None for one in found)
    ends = [charts.moment(start), charts.moment(end)]
    data: list[dict[str, Any]] = [
        charts.edge(ends, [NDCG_THRESHOLD] * 2),
        charts.edge(ends, [1.0] * 2, fill="tonexty", fillcolor=charts.ALLOWED, name="Allowed"),
    ]
    if any(value is not None for value in low):
        data.append(charts.edge(x, low, name="Interval from", hoverinfo="y", hovertemplate="%{y:.4f}"))
        data.append(
            charts.edge(
                x,
                high,
                name="Interval to",
                fill="tonexty",
                fillcolor=charts.INTERVAL,
                hoverinfo="y",
                hovertemplate="%{y:.4f}",
            )
        )
    threshold = {"color": charts.BASELINE, "width": 1.5, "dash": "dash"}
    data.append(charts.line("Threshold", ends, [NDCG_THRESHOLD] * 2, charts.BASELINE, mode="lines", line=threshold))
    data.append(charts.line("NDCG", x, values, charts.VALUE))
    marked = [number for number, is_so in enumerate(violated) if is_so and values[number] is not None]
    if marked:
        data.append(charts.violations([x[number] for number in marked], [values[number] for number in marked]))
    least = min([NDCG_THRESHOLD, *(value for value in [*values, *low] if value is not None)])
    return charts.figure(
        data,
        charts.layout(
            280,
            xaxis=charts.time_axis(start, end),
            yaxis=charts.axis("NDCG (1: the baseline's order)", range=[least - 0.02, 1.005]),
        ),
    )


def violated_labels(execution: Execution) -> set[str]:
    """The labels whose order of features has drifted."""
    return {entry.label for entry in execution.violations if entry.label is not None}


def _of(execution: Execution, label: str) -> Explanation | None:
    return next((one for one in execution.explanations if one.label == label), None)


def _places(values: Mapping[str, float]) -> dict[str, int]:
    by_size = sorted(values, key=lambda feature: -abs(values[feature]))
    return {feature: place for place, feature in enumerate(by_size, start=1)}


def _names(drawn: Sequence[Ranked]) -> dict[str, Any]:
    rows = list(range(len(drawn)))
    return charts.axis(
        tickvals=rows, ticktext=[charts.short(one.feature) for one in drawn], gridcolor=charts.CLEAR, zeroline=False
    )


def _line(one: Ranked, last: int) -> dict[str, Any]:
    moved, before = one.moved or 0, one.before or 0
    colour = charts.MUTED if moved == 0 else charts.VALUE if moved > 0 else charts.SECOND
    name = charts.wrapped(one.feature)
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": [0, 1],
        "y": [min(before, last + 1), min(one.place, last + 1)],
        "line": {"color": colour, "width": 1 if moved == 0 else 2},
        "marker": {"color": colour, "size": 8, "symbol": _arrow(moved)},
        "customdata": [f"{name}<br>place {before} in the baseline, {one.place} now"] * 2,
        "hovertemplate": "%{customdata}<extra></extra>",
    }


def _order_axis(places: Sequence[tuple[int, str]], last: int, **more: Any) -> dict[str, Any]:
    shown = sorted(place for place in places if place[0] <= last)
    names = {place: f"{charts.short(feature, 18)} {place}" for place, feature in shown}
    if any(place > last for place, _ in places):
        names[last + 1] = f"below {last}"
    return charts.axis(
        tickvals=list(names),
        ticktext=list(names.values()),
        range=[last + 1.3, 0.5],
        showgrid=False,
        zeroline=False,
        fixedrange=True,
        **more,
    )


def _arrow(moved: int) -> str:
    if moved == 0:
        return "circle"
    return "triangle-up" if moved > 0 else "triangle-down"

"""Figures are plain values: what they draw, and that nothing in them is taken for anything else."""

from __future__ import annotations

import json
from datetime import timedelta
from math import inf, nan

import pytest

from model_monitor.dashboard import bias_charts, charts, explanation_charts, traffic_charts
from model_monitor.dashboard.series import groups, violating_first
from model_monitor.history.model import Explanation, Hour, Interval
from tests.dashboard.past import HOUR, NOW, bias, explained, metric

START = NOW - timedelta(days=1)


def traces(figure: charts.Figure) -> dict[str, dict]:
    return {trace.get("name", str(number)): trace for number, trace in enumerate(figure["data"])}


def test_a_metric_over_time_has_its_baseline_allowed_range_and_violations() -> None:
    bad = metric(0.5)
    executions = [bias(NOW - 3 * HOUR, metric(0.1)), bias(NOW - 2 * HOUR, bad, violated=(bad,))]
    (group,) = groups(executions)
    drawn = traces(bias_charts.over_time(group.series[0], executions, START, NOW))
    assert drawn["Value"]["x"] == {"shared": "bias_times"}
    assert bias_charts.times(executions) == ["2026-11-22T09:00", "2026-11-22T10:00"]
    assert drawn["Value"]["y"] == [0.1, 0.5]
    assert drawn["Baseline"]["y"] == [0.2, 0.2]
    assert drawn["Baseline"]["x"] == ["2026-11-21T12:00", "2026-11-22T12:00"]
    assert drawn["Allowed"]["y"] == [0.2, 0.2]
    assert drawn["0"]["y"] == [-0.2, -0.2]
    assert drawn["Allowed"]["fill"] == "tonexty"
    assert (drawn["Violation"]["x"], drawn["Violation"]["y"]) == (["2026-11-22T10:00"], [0.5])
    assert drawn["Violation"]["marker"]["symbol"] == "x"


def test_a_baseline_that_was_made_anew_changes_with_its_windows() -> None:
    executions = [bias(NOW - 2 * HOUR, metric(baseline=-0.2)), bias(NOW - HOUR, metric(baseline=0.3))]
    drawn = traces(bias_charts.over_time(groups(executions)[0].series[0], executions, START, NOW))
    assert drawn["Baseline"]["y"] == [-0.2, 0.3]
    assert drawn["Allowed"]["y"] == [0.2, 0.3]


def test_intervals_are_drawn_where_there_are_any() -> None:
    executions = [bias(NOW - HOUR, metric(interval=Interval(0.05, inf)))]
    drawn = traces(bias_charts.over_time(groups(executions)[0].series[0], executions, START, NOW))
    assert (drawn["Interval from"]["y"], drawn["Interval to"]["y"]) == ([0.05], [None])


def test_windows_that_were_not_judged_are_gaps() -> None:
    executions = [bias(NOW - 3 * HOUR, metric(0.1)), bias(NOW - 2 * HOUR), bias(NOW - HOUR, metric(0.3))]
    drawn = traces(bias_charts.over_time(groups(executions)[0].series[0], executions, START, NOW))
    assert drawn["Value"]["y"] == [0.1, None, 0.3]
    assert "connectgaps" not in drawn["Value"]


def test_intervals_that_change_their_text_stay_one_group_and_categories_stay_themselves() -> None:
    executions = [
        bias(NOW - 2 * HOUR, metric(group="(3, 80]"), metric(facet="Plan", group="a"), metric(facet="Plan", group="b")),
        bias(
            NOW - HOUR,
            metric(group="(3, 90]"),
            metric(0.7, facet="Plan", group="b", position=0),
            metric(facet="Plan", group="a", position=1),
        ),
    ]
    found = {(group.facet, group.text): group.series[0] for group in groups(executions)}
    assert set(found) == {("Age", "(3, 90]"), ("Plan", "a"), ("Plan", "b")}
    values = [one.value for one in found["Plan", "b"].metrics if one]
    assert values == [0.1, 0.7]


def test_the_last_to_be_violated_come_first() -> None:
    often, now, never = (metric(name=name) for name in ("often", "now", "never"))
    executions = [
        bias(NOW - 3 * HOUR, often, now, never, violated=(often,)),
        bias(NOW - 2 * HOUR, often, now, never, violated=(often,)),
        bias(NOW - HOUR, often, now, never, violated=(now,)),
    ]
    in_order = violating_first(groups(executions)[0].series)
    assert [series.newest.name for series in in_order] == ["now", "often", "never"]


def test_one_execution_shows_values_within_what_is_allowed() -> None:
    bad, wide = metric(-0.4, interval=Interval(-0.5, -0.3)), metric(3.0, name="DI", baseline=1.2)
    figure, beyond = bias_charts.beside_allowed(
        [bad, metric(0.1, name="RD"), wide, metric(None, name="CDDPL")], {(bad.facet, bad.group, bad.name)}
    )
    drawn = traces(figure)
    assert drawn["Allowed"]["y"] == ["RD ", "DPPL "]
    assert (drawn["Allowed"]["base"], drawn["Allowed"]["x"]) == ([-0.2, -0.2], [0.4, 0.4])
    assert (drawn["Value"]["y"], drawn["Value"]["x"]) == (["RD "], [0.1])
    assert (drawn["Violation"]["y"], drawn["Violation"]["x"]) == (["DPPL "], [-0.4])
    assert drawn["Violation"]["error_x"]["array"] == [pytest.approx(0.1)]
    assert traces(beyond)["Value"]["y"] == ["DI "]


def test_a_baseline_alone_has_nothing_that_is_allowed() -> None:
    (figure,) = bias_charts.beside_allowed([metric(baseline=None)], set())
    assert list(traces(figure)) == ["Value"]


def test_features_are_ranked_by_magnitude_now_and_then() -> None:
    found = explanation_charts.ranked(Explanation("label0", 0, {"a": -3.0, "b": 1.0, "new": 2.0}, {"b": 5.0, "a": 1.0}))
    assert [(one.feature, one.place, one.before, one.moved) for one in found] == [
        ("a", 1, 2, 1),
        ("new", 2, None, None),
        ("b", 3, 1, -2),
    ]


def test_only_leading_features_are_drawn_and_lines_that_leave_them_end_below() -> None:
    before = {f"f{number}": 100.0 - number for number in range(40)}
    now = dict(before) | {"f0": 1.0}
    features = explanation_charts.ranked(Explanation("label0", 0, now, before))
    bars = explanation_charts.attributions(features, "unit")
    assert [len(trace["y"]) for trace in bars["data"]] == [15, 15]
    assert bars["data"][1]["customdata"][-1] == "f1"
    order = explanation_charts.order(features)
    assert order is not None
    (left,) = [trace for trace in order["data"] if "f0<br>" in trace["customdata"][0]]
    assert left["y"] == [1, 16]
    assert left["customdata"][0] == "f0<br>place 1 in the baseline, 40 now"
    assert order["layout"]["yaxis2"]["ticktext"][-1] == "below 15"
    assert explanation_charts.order(explanation_charts.ranked(Explanation("label0", 0, now))) is None


def test_the_ndcg_has_its_threshold() -> None:
    executions = [explained(NOW - 2 * HOUR, 0.95), explained(NOW - HOUR, 0.5)]
    drawn = traces(explanation_charts.ndcg_over_time("label0", executions, START, NOW, [False, True]))
    assert drawn["Threshold"]["y"] == [0.9, 0.9]
    assert drawn["NDCG"]["y"] == [0.95, 0.5]
    assert drawn["Violation"]["y"] == [0.5]


def test_traffic_counts_requests_with_and_without_labels() -> None:
    hours = [Hour(NOW - 2 * HOUR, 10, 8, 7), Hour(NOW - HOUR, 10, None, None)]
    drawn = traces(traffic_charts.traffic(hours, START, NOW))
    assert drawn["Requests with a label"]["y"] == [7, None]
    assert drawn["Requests without a label"]["y"] == [3, 10]
    assert drawn["Labels"]["y"] == [8, None]
    assert traffic_charts.hours_drawn(hours) == ["2026-11-22T10:30", "2026-11-22T11:30"]


@pytest.mark.parametrize("value", [inf, -inf, nan, None])
def test_what_json_has_no_word_for_is_left_out(value: float | None) -> None:
    assert charts.numbers([value, 0.123456789]) == [None, 0.123457]
    executions = [bias(NOW - HOUR, metric(value, baseline=value))]
    figure = bias_charts.over_time(groups(executions)[0].series[0], executions, START, NOW)
    json.dumps(figure, allow_nan=False)


def test_texts_are_escaped_for_plotly() -> None:
    assert charts.text("<b>&amp;") == "&lt;b&gt;&amp;amp;"
    assert charts.short("<" * 30) == "&lt;" * 25 + "…"
    assert charts.wrapped("<" * 61) == "&lt;" * 60 + "<br>&lt;"

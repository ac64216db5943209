from __future__ import annotations

from typing import Any

from model_monitor.results import aligned, bias_table, summarise, violation_lines, violation_rows


def bias(interval: str, **metrics: Any) -> dict[str, Any]:
    entries = [{"name": name, "description": name, "value": value} for name, value in metrics.items()]
    facets = {"Age": [{"value_or_threshold": interval, "metrics": entries}]}
    return {"post_training_bias_metrics": {"label": "Left", "facets": facets}}


ATTRIBUTIONS = {
    "explanations": {
        "kernel_shap": {
            "label0": {
                "global_shap_values": {"a": 0.1, "b": -0.5, "c": 0.3, "d": 0, "e": 0.2, "f": 0.01},
                "expected_value": 0.25,
            }
        }
    }
}


def violation(metric: str, facet_value: str) -> dict[str, str]:
    return {"facet": "Age", "facet_value": facet_value, "metric_name": metric, "description": f"{metric} is worse"}


def test_bias_metrics_are_shown_by_facet_and_infinities_stay_clarify_s_strings_as_values() -> None:
    summary = summarise(bias("(100, 232]", DI=1.31723, TE="Infinity", CDDPL=None))
    assert summary.values == {"metrics": {"Age (100, 232]": {"DI": 1.31723, "TE": "Infinity", "CDDPL": None}}}
    assert [line.split() for line in summary.text.splitlines()] == [
        ["Age", "(100,", "232]:", "DI", "1.3172"],
        ["Age", "(100,", "232]:", "TE", "inf"],
        ["Age", "(100,", "232]:", "CDDPL", "-"],
    ]


def test_the_features_that_matter_most_come_first_whatever_their_sign() -> None:
    values = summarise(ATTRIBUTIONS).values
    assert [item["feature"] for item in values["top_features"]["label0"]] == ["b", "c", "e", "a", "f"]
    assert values["expected_value"] == {"label0": 0.25}


def test_violations_stand_beside_the_baseline_although_intervals_end_elsewhere() -> None:
    rows = violation_rows([violation("DI", "(100, 232]")], bias("(100, 232]", DI=1.5), bias("(100, 225]", DI=0.9))
    assert rows == [
        {
            "metric": "DI",
            "description": "DI is worse",
            "facet": "Age",
            "position": 0,
            "facet_value": "(100, 232]",
            "value": 1.5,
            "baseline": 0.9,
        }
    ]
    assert violation_lines(rows) == "Age (100, 232]: DI 1.5000, baseline 0.9000"


def groups(**impacts: Any) -> dict[str, Any]:
    entries = [
        {"value_or_threshold": group, "metrics": [{"name": "DI", "description": "…", "value": value}]}
        for group, value in impacts.items()
    ]
    return {"post_training_bias_metrics": {"facets": {"Age": entries}}}


def test_categories_are_matched_by_value_wherever_they_stand() -> None:
    live, baseline = groups(young=1.5, old="-Infinity"), groups(old="Infinity", young=0.9)
    rows = violation_rows([violation("DI", "young"), violation("DI", "old")], live, baseline)
    assert [(row["value"], row["baseline"]) for row in rows] == [(1.5, 0.9), ("-Infinity", "Infinity")]


def test_the_table_shows_every_metric_and_marks_violations() -> None:
    live, baseline = bias("(1, 5]", DI=1.5, AD=0.1, CDDPL=None), bias("(1, 7]", DI=0.9, AD=-0.1)
    shown = bias_table(live, baseline, [violation("DI", "(1, 5]")]).splitlines()
    assert shown[0] == "post training bias metrics: Age (1, 5]"
    assert [line.split() for line in shown[3:]] == [
        ["DI", "1.5000", "0.9000", "violation"],
        ["AD", "0.1000", "-0.1000"],
        ["CDDPL", "-", "-"],
    ]


def test_numbers_stand_to_the_right_in_columns() -> None:
    assert aligned(["name", "value"], [["a", "1.5"], ["long name", "-10.25"]]) == (
        "name        value\n---------  ------\na             1.5\nlong name  -10.25"
    )


def test_attribution_drift_says_both_numbers_itself() -> None:
    drift = {
        "label": "label0",
        "metric_name": "shap",
        "description": "Feature attribution drift 0.76 exceeds threshold 0.9",
    }
    rows = violation_rows([drift], ATTRIBUTIONS, ATTRIBUTIONS)
    assert violation_lines(rows) == "label0: Feature attribution drift 0.76 exceeds threshold 0.9"


def test_no_violations_make_no_rows() -> None:
    assert violation_rows([], ATTRIBUTIONS, None) == []


def test_a_violation_that_the_analysis_does_not_have_keeps_its_group() -> None:
    rows = violation_rows([violation("DI", "(100, 232]")], bias("(100, 225]", DI=1.5), None)
    assert rows == [
        {
            "metric": "DI",
            "description": "DI is worse",
            "facet": "Age",
            "position": None,
            "facet_value": "(100, 232]",
            "value": None,
            "baseline": None,
        }
    ]
    assert violation_lines(rows) == "Age (100, 232]: DI -, baseline -"

from __future__ import annotations

from typing import Any

from model_monitor.results import summarise, table, violation_rows


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


def test_bias_metrics_are_shown_by_facet_and_what_is_not_finite_as_clarify_writes_it() -> None:
    summary = summarise(bias("(100, 232]", DI=1.31723, TE="Infinity", CDDPL=None))
    assert summary.values == {"metrics": {"Age (100, 232]": {"DI": 1.31723, "TE": "Infinity", "CDDPL": None}}}
    assert [line.split() for line in summary.text.splitlines()] == [
        ["Age", "(100,", "232]:", "DI", "1.31723"],
        ["Age", "(100,", "232]:", "TE", "Infinity"],
        ["Age", "(100,", "232]:", "CDDPL", "None"],
    ]


def test_the_features_that_matter_most_come_first_whatever_their_sign() -> None:
    values = summarise(ATTRIBUTIONS).values
    assert [item["feature"] for item in values["top_features"]["label0"]] == ["b", "c", "e", "a", "f"]
    assert values["expected_value"] == {"label0": 0.25}


def test_violations_stand_beside_the_baseline_although_intervals_end_elsewhere() -> None:
    rows = violation_rows(
        {"violations": [violation("DI", "(100, 232]")]}, bias("(100, 232]", DI=1.5), bias("(100, 225]", DI=0.9)
    )
    assert rows == [
        {
            "metric": "DI",
            "description": "DI is worse",
            "facet": "Age",
            "facet_value": "(100, 232]",
            "value": 1.5,
            "baseline": 0.9,
        }
    ]
    assert table(rows).split() == ["Age:", "DI", "1.5", "baseline", "0.9"]


def test_attribution_drift_says_both_numbers_itself() -> None:
    drift = {
        "label": "label0",
        "metric_name": "shap",
        "description": "Feature attribution drift 0.76 exceeds threshold 0.9",
    }
    rows = violation_rows({"violations": [drift]}, ATTRIBUTIONS, ATTRIBUTIONS)
    assert table(rows).strip() == "label0: Feature attribution drift 0.76 exceeds threshold 0.9"


def test_no_violations_file_means_no_violations() -> None:
    assert violation_rows(None, ATTRIBUTIONS, None) == []

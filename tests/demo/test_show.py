"""What the demo prints of results."""

from __future__ import annotations

from datetime import UTC, datetime

from demo import show
from demo.results import Verdict
from model_monitor.records import Capture, Payload

MOMENT = datetime(2026, 11, 22, 10, tzinfo=UTC)


def capture(row: str, answer: str) -> Capture:
    return Capture("event", MOMENT, Payload(row, "CSV"), Payload(answer, "CSV"))


def bias(accuracy: float, impact: float | str) -> dict:
    metrics = [
        {"name": "AD", "description": "Accuracy Difference (AD)", "value": accuracy},
        {"name": "CDDPL", "description": "…", "value": None, "error": "Group variable is empty or not provided"},
        {"name": "DI", "description": "Disparate Impact (DI)", "value": impact},
    ]
    facets = {"Account Length": [{"value_or_threshold": "(100, 232]", "metrics": metrics}]}
    return {"post_training_bias_metrics": {"label": "Churn", "facets": facets, "label_value_or_threshold": "1"}}


def shap(**values: float) -> dict:
    return {"explanations": {"kernel_shap": {"label0": {"global_shap_values": values, "expected_value": 0.125}}}}


def verdict(analysis: dict, *violated: str) -> Verdict:
    violations = [{"facet": "Account Length", "facet_value": "(100, 232]", "metric_name": name} for name in violated]
    return Verdict("bias", "CompletedWithViolations", "…", "s3://b/r", [], analysis, violations)


def test_predictions_are_matched_by_row_and_the_newest_counts() -> None:
    captures = [capture("1,2\n", "0.1"), capture("3,4", "0.5"), capture("1,2", "0.91234")]
    lines = show.predictions(captures, ["1,2", "5,6"], ["a", "b"], ["b"]).splitlines()
    assert [line.split() for line in lines[2:]] == [["1", "2", "0.9123"], ["2", "6", "not", "captured"]]


def test_suggested_bias_constraints_name_the_facet_and_every_metric() -> None:
    assert show.bias_constraints(bias(0.034, "Infinity")).splitlines() == [
        "post training bias metrics: Account Length (100, 232]",
        "  AD 0.0340   CDDPL -   DI inf",
    ]


def test_a_bias_verdict_sets_values_beside_baselines_and_marks_violations() -> None:
    shown = show.bias_verdict(verdict(bias(-0.2, 1.3), "AD"), bias(0.034, 1.4)).splitlines()
    assert shown[0] == "post training bias metrics: Account Length (100, 232]"
    assert shown[3].split() == ["AD", "-0.2000", "0.0340", "violation"]
    assert shown[5].split() == ["DI", "1.3000", "1.4000"]


def test_attributions_come_strongest_first() -> None:
    shown = show.attributions(shap(few=0.01, day=-0.5, calls=0.2), shap(few=0.02, day=0.4, calls=0.1), top=2)
    assert shown.splitlines()[0] == "label0: expected value 0.1250"
    assert [line.split() for line in shown.splitlines()[3:]] == [
        ["day", "-0.5000", "0.4000"],
        ["calls", "0.2000", "0.1000"],
    ]


def test_drift_is_the_published_score_of_the_published_example() -> None:
    live, baseline = shap(SAT=0.05, GPA=0.5, rank=0.7), shap(SAT=0.7, GPA=0.5, rank=0.05)
    assert show.drift(verdict(live), baseline).startswith("label0: NDCG 0.687")

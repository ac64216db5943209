"""What result files say: values, baselines, verdicts, and what is wrong with them."""

from __future__ import annotations

import json
import math
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from model_monitor import names
from model_monitor.earlier_baselines import keep_replaced
from model_monitor.history.executions import RESULT_BYTES
from model_monitor.history.model import Execution, Interval, Violation
from tests.history.stored import HOSTILE, Place, bias, explained, violations
from tests.running_aws import Running

WINDOW = "2026/11/22/10"
SINCE = datetime(2026, 11, 20, tzinfo=UTC)


def only(place: Place, kind: Any = "bias") -> Execution:
    (execution,) = place.history.executions(kind, SINCE)
    return execution


def test_a_window_with_its_values_beside_the_baseline(place: Place) -> None:
    place.baseline("bias", bias({"(40, 90]": {"AD": -0.1, "DI": 1.2, "CDDPL": None}}))
    found = bias({"(40, 87]": {"AD": 0.3, "DI": "Infinity", "CDDPL": None}})
    place.report("bias", WINDOW, analysis=found, constraint_violations=violations(("Age", "(40, 87]", "AD")))

    execution = only(place)
    assert (execution.window, execution.state, execution.problem) == (WINDOW, "CompletedWithViolations", None)
    due = datetime(2026, 11, 22, 10, tzinfo=UTC)
    assert (execution.scheduled, execution.start, execution.end) == (due, due - timedelta(hours=1), due)
    assert [file.name for file in execution.files] == ["analysis.json", "constraint_violations.json", "report.html"]
    difference, impact, disparity = execution.metrics
    assert (difference.facet, difference.position, difference.group) == ("Age", 0, "(40, 87]")
    assert (difference.value, difference.baseline, difference.allowed) == (0.3, -0.1, 0.1)
    assert (difference.verdict, difference.description) == ("violation", "AD in words")
    assert (impact.value, impact.baseline, impact.verdict) == (math.inf, 1.2, "ok")
    assert (disparity.value, disparity.error, disparity.verdict) == (None, "Cannot be computed", None)
    assert execution.violations == (Violation("AD", "bias_drift_check", "AD is worse", "Age", "(40, 87]"),)


def test_a_baseline_says_nothing_of_windows_judged_before_it_was_made(place: Place, aws: Running) -> None:
    """As after a new model: they were compared with the baseline of the one before."""
    place.baseline("bias", bias({"a": {"AD": 0.3, "DI": 1.0}}))
    worse = violations(("Age", "a", "AD"))
    place.report("bias", WINDOW, analysis=bias({"a": {"AD": 0.4, "DI": 1.0}}), constraint_violations=worse)
    assert only(place).metrics[0].baseline == 0.3
    aws.advance(5)
    place.baseline("bias", bias({"a": {"AD": 0.9, "DI": 0.1}}))
    place.report("bias", "2026/11/22/11", analysis=bias({"a": {"AD": 0.8, "DI": 1.0}}))
    place.later(60)

    before, after = place.history.executions("bias", SINCE)
    assert (before.baseline_replaced, after.baseline_replaced) == (True, False)
    assert [(metric.baseline, metric.verdict) for metric in before.metrics] == [(None, "violation"), (None, "ok")]
    assert [(metric.baseline, metric.verdict) for metric in after.metrics] == [(0.9, "ok"), (0.1, "ok")]
    baseline = place.history.baseline("bias")
    assert baseline is not None
    assert baseline.made is not None
    assert before.files[0].modified < baseline.made


def test_windows_stand_beside_the_baseline_of_their_time(place: Place, aws: Running) -> None:
    for number, value in enumerate((0.1, 0.2, 0.3)):
        aws.advance(5)
        kept = keep_replaced(place.storage, place.endpoint, "bias")
        assert (kept is not None) == (number > 0)
        place.baseline("bias", bias({"a": {"AD": value}}))
        aws.advance(5)
        place.report("bias", f"2026/11/22/1{number}", analysis=bias({"a": {"AD": 0.5}}))
    found = place.history.executions("bias", SINCE)
    assert [execution.metrics[0].baseline for execution in found] == [0.1, 0.2, 0.3]
    assert not any(execution.baseline_replaced for execution in found)


def test_a_baseline_that_replaces_another_shows_on_windows_that_are_known(place: Place, aws: Running) -> None:
    place.baseline("bias", bias({"a": {"AD": 0.1}}))
    place.report("bias", WINDOW, analysis=bias({"a": {"AD": 0.5}}))
    assert only(place).metrics[0].baseline == 0.1
    aws.advance(5)
    kept = keep_replaced(place.storage, place.endpoint, "bias")
    place.baseline("bias", bias({"a": {"AD": 0.9}}))
    place.later(60)
    assert only(place).metrics[0].baseline == 0.1
    place.put(kept, "no JSON")
    place.later(60)
    assert (only(place).metrics[0].baseline, only(place).baseline_replaced) == (None, True)


@pytest.mark.parametrize("name", ["notes.txt", "2026-11-22.json", "../x.json", "2026-11-22T10:00:00Z/a.json"])
def test_other_files_beside_earlier_baselines_are_not_read(place: Place, aws: Running, name: str) -> None:
    place.put(f"{names.earlier_baselines(place.endpoint, 'bias')}/{name}", bias({"a": {"AD": 0.7}}))
    place.baseline("bias", bias({"a": {"AD": 0.1}}))
    place.report("bias", WINDOW, analysis=bias({"a": {"AD": 0.5}}))
    assert only(place).metrics[0].baseline == 0.1


def test_orders_explained_before_the_baseline_was_made_have_no_ndcg(place: Place, aws: Running) -> None:
    place.report("explainability", WINDOW, analysis=explained({"Age": 1.0, "Income": 2.0}))
    aws.advance(5)
    place.baseline("explainability", explained({"Age": 2.0, "Income": 1.0}))
    (explanation,) = only(place, "explainability").explanations
    assert (explanation.baseline, explanation.ndcg, explanation.verdict) == ({}, None, "ok")


def test_both_sections_are_read_and_text_groups_are_matched_by_their_text(place: Place) -> None:
    before = bias({"red": {"DPL": 0.1}, "blue": {"DPL": 0.2}}, section="pre_training_bias_metrics")
    now = bias({"blue": {"DPL": 0.5}, "green": {"DPL": 0.6}}, section="pre_training_bias_metrics")
    place.baseline("bias", before)
    place.report("bias", WINDOW, analysis=now | bias({"red": {"AD": 0.1}}))
    found = {(metric.section, metric.group): metric.baseline for metric in only(place).metrics}
    assert found == {
        ("post_training_bias_metrics", "red"): None,
        ("pre_training_bias_metrics", "blue"): 0.2,
        ("pre_training_bias_metrics", "green"): None,
    }


def test_explanations_with_the_order_s_ndcg(place: Place) -> None:
    place.baseline("explainability", explained({"Age": 3.0, "Income": 2.0, "Visits": 1.0}))
    place.report(
        "explainability", WINDOW, analysis=explained({"Age": 0.1, "Income": 0.2, "Visits": 0.3}, expected=0.25)
    )
    (explanation,) = only(place, "explainability").explanations
    gains, discounts = [1.0, 2.0, 3.0], [1 / math.log2(2), 1 / math.log2(3), 1 / math.log2(4)]
    ideal = sum(gain * discount for gain, discount in zip(reversed(gains), discounts, strict=True))
    expected = sum(gain * discount for gain, discount in zip(gains, discounts, strict=True)) / ideal
    assert explanation.ndcg == pytest.approx(expected)
    assert explanation.values == {"Age": 0.1, "Income": 0.2, "Visits": 0.3}
    assert explanation.baseline == {"Age": 3.0, "Income": 2.0, "Visits": 1.0}
    assert (explanation.label, explanation.expected_value, explanation.verdict) == ("label0", 0.25, "ok")


def test_a_label_among_the_violations_violates(place: Place) -> None:
    place.baseline("explainability", explained({"Age": 3.0, "Income": 0.0}))
    entry = {"label": "label0", "metric_name": "shap", "constraint_check_type": "c", "description": "0.63 exceeds 0.9"}
    place.report(
        "explainability",
        WINDOW,
        analysis=explained({"Age": 0.0, "Income": 3.0}),
        constraint_violations={"violations": [entry]},
    )
    execution = only(place, "explainability")
    assert execution.explanations[0].verdict == "violation"
    assert execution.violations == (Violation("shap", "c", "0.63 exceeds 0.9", label="label0"),)


def test_intervals_and_verdicts_are_those_of_the_interval_rule(place: Place) -> None:
    place.baseline("bias", bias({"(40, 90]": {"AD": 0.1, "DI": 1.0, "RD": 0.1}}))
    found = [
        {"facet": "Age", "facet_value": "(40, 87]", "metric_name": name, "low": low, "high": high, "verdict": verdict}
        for name, low, high, verdict in (
            ("AD", 0.05, 0.6, "not certain"),
            ("DI", 2.0, "Infinity", "violation"),
            ("RD", None, None, "ok"),
        )
    ]
    analysis = bias({"(40, 87]": {"AD": 0.3, "DI": 3.0, "RD": 0.01}})
    place.report("bias", WINDOW, analysis=analysis, uncertainty={"rule": "interval", "bias": found, "ndcg": []})
    execution = only(place)
    # One window of several that are needed for a red verdict: it violates, and the verdict is not red.
    assert execution.state == "Completed"
    assert [(metric.interval, metric.verdict) for metric in execution.metrics] == [
        (Interval(0.05, 0.6), "not certain"),
        (Interval(2.0, math.inf), "violation"),
        (None, "ok"),
    ]


def test_the_interval_of_an_ndcg(place: Place) -> None:
    place.baseline("explainability", explained({"Age": 3.0, "Income": 1.0}))
    entry = {"label": "label0", "value": 0.8, "low": 0.7, "high": 0.95, "verdict": "not certain"}
    analysis = explained({"Age": 1.0, "Income": 3.0})
    place.report("explainability", WINDOW, analysis=analysis, uncertainty={"bias": [], "ndcg": [entry]})
    (explanation,) = only(place, "explainability").explanations
    assert (explanation.interval, explanation.verdict) == (Interval(0.7, 0.95), "not certain")


def test_names_are_what_they_are(place: Place) -> None:
    place.baseline("explainability", explained({HOSTILE: 1.0, "constructor": 2.0, "": 3.0}))
    place.report("explainability", WINDOW, analysis=explained({HOSTILE: 1.0, "constructor": 2.0, "": 3.0}))
    place.baseline("bias", bias({HOSTILE: {"AD": 0.1}}, facet=HOSTILE))
    place.report("bias", WINDOW, analysis=bias({HOSTILE: {"AD": 0.2}}, facet=HOSTILE))
    (explanation,) = only(place, "explainability").explanations
    assert list(explanation.values) == [HOSTILE, "constructor", ""]
    assert explanation.ndcg == 1.0
    (metric,) = only(place).metrics
    assert (metric.facet, metric.group, metric.baseline) == (HOSTILE, HOSTILE, 0.1)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("{", "analysis.json: Invalid JSON"),
        (b"\xff\xfe", "analysis.json: Invalid JSON"),
        ("[" * 100_000, "analysis.json: Invalid JSON"),
        ("[]", "analysis.json: Input should be an object"),
        ("{}", "analysis.json holds neither bias metrics nor explanations"),
        (bias({"a": {"AD": "high"}}), "facets.Age.0.metrics.0.value: Input should be a valid number"),
        (bias({"a": {"AD": True}}), "facets.Age.0.metrics.0.value: Input should be a valid number"),
        (json.dumps(bias({"a": {"AD": 10**400}})), "facets.Age.0.metrics.0.value: Input should be a valid number"),
        ({"post_training_bias_metrics": {"facets": {"Age": {}}}}, "facets.Age: Input should be a valid"),
        (bias({"a": {"AD": "x"}}, facet=HOSTILE), "Input should be a valid number"),
        (explained({"Age": math.inf}), "global_shap_values.Age: Input should be a finite number"),
        ({"explanations": {"kernel_shap": {"label0": {"expected_value": 1}}}}, "global_shap_values: Field required"),
    ],
)
def test_what_cannot_be_read_is_told_and_hides_nothing(place: Place, content: Any, problem: str) -> None:
    place.report("bias", WINDOW, analysis=content)
    place.report("bias", "2026/11/22/11", analysis=bias({"a": {"AD": 0.1}}))
    broken, good = place.history.executions("bias", SINCE)
    assert broken.problem is not None
    assert problem in broken.problem
    assert len(broken.problem) < 700
    assert not broken.judged
    assert (good.problem, good.judged) == (None, True)


def test_what_is_no_number_is_no_value(place: Place) -> None:
    place.report("bias", WINDOW, analysis=bias({"a": {"AD": math.nan, "DI": -math.inf}}))
    assert [metric.value for metric in only(place).metrics] == [None, -math.inf]


def test_a_file_that_is_too_large_is_not_read(place: Place) -> None:
    place.report("bias", WINDOW, analysis=b" " * (RESULT_BYTES + 1))
    execution = only(place)
    assert execution.problem == "analysis.json has 4,194,305 bytes; more than 4,194,304 are not read"
    assert not execution.judged


def test_violations_that_cannot_be_read_are_violations_all_the_same(place: Place) -> None:
    place.report("bias", WINDOW, analysis=bias({"a": {"AD": 0.1}}), constraint_violations='{"violations": 3}')
    execution = only(place)
    assert execution.state == "CompletedWithViolations"
    assert execution.problem == "constraint_violations.json: violations: Input should be a valid array"
    assert execution.judged


def test_an_empty_list_of_violations_is_none(place: Place) -> None:
    place.report("bias", WINDOW, analysis=bias({"a": {"AD": 0.1}}), constraint_violations=violations())
    assert (only(place).state, only(place).violations) == ("Completed", ())


def test_a_folder_without_an_analysis_says_so(place: Place) -> None:
    place.report("bias", WINDOW)
    assert only(place).problem == "There is no analysis.json in its folder"


def test_features_that_differ_from_the_baseline_s_give_no_ndcg(place: Place) -> None:
    place.baseline("explainability", explained({"Age": 1.0, "Income": 2.0}))
    place.report("explainability", WINDOW, analysis=explained({"Age": 1.0, "Visits": 2.0}))
    execution = only(place, "explainability")
    assert execution.explanations[0].ndcg is None
    assert execution.explanations[0].verdict is None
    assert execution.problem is not None
    assert "Baseline and analysis explain different features: Income, Visits" in execution.problem


def test_values_beyond_all_bounds_give_no_ndcg(place: Place) -> None:
    place.baseline("explainability", explained({"Age": 1e308, "Income": 1.7e308}))
    place.report("explainability", WINDOW, analysis=explained({"Age": 1.0, "Income": 2.0}))
    execution = only(place, "explainability")
    assert execution.explanations[0].ndcg is None
    assert execution.problem == "Shapley values are too large for an NDCG"


def test_a_baseline_with_its_files(place: Place) -> None:
    assert place.history.baseline("bias") is None
    place.later(60)
    place.baseline("bias", bias({"(40, 90]": {"AD": -0.1}}))
    baseline = place.history.baseline("bias")
    assert baseline is not None
    assert [file.name for file in baseline.files] == ["analysis.json", "report.html"]
    assert (baseline.metrics[0].value, baseline.metrics[0].baseline, baseline.problem) == (-0.1, None, None)


def test_a_baseline_that_cannot_be_read_compares_nothing(place: Place) -> None:
    place.baseline("bias", "{")
    place.report("bias", WINDOW, analysis=bias({"a": {"AD": 0.1}}))
    baseline = place.history.baseline("bias")
    assert baseline is not None
    assert str(baseline.problem).startswith("analysis.json: Invalid JSON")
    assert (only(place).metrics[0].baseline, only(place).metrics[0].verdict) == (None, None)


def test_a_file_of_very_many_groups_is_read_at_once(place: Place) -> None:
    groups = {str(number): {"AD": 0.1} for number in range(20_000)}
    place.baseline("bias", bias(groups))
    place.report("bias", WINDOW, analysis=bias(groups))
    started = time.process_time()
    assert len(only(place).metrics) == 20_000
    assert time.process_time() - started < 10


def test_files_of_a_folder_are_read_by_their_listed_names_only(place: Place) -> None:
    place.report("bias", WINDOW, analysis=bias({"a": {"AD": 0.1}}))
    place.report("bias", "2026/11/22/11", analysis=bias({"a": {"AD": 0.1}}))
    place.put(f"{names.report_folder(place.endpoint, 'bias', WINDOW)}/explanations_shap/out.csv", "1,2")
    read = place.history.read
    assert read("bias", WINDOW, "report.html") == b"<html>bias 2026/11/22/10</html>"
    assert read("bias", WINDOW, "explanations_shap/out.csv") == b"1,2"
    for window, file in (
        (WINDOW, "../11/report.html"),
        (WINDOW, "./report.html"),
        (WINDOW, "explanations_shap"),
        (WINDOW, ""),
        ("2026/11/22", "11/report.html"),
        ("2026/11/22/10/../11", "report.html"),
        ("2026/13/22/10", "report.html"),
        ("2026/11/22/12", "report.html"),
    ):
        assert read("bias", window, file) is None
    assert place.history.read_baseline("bias", "report.html") is None
    place.baseline("bias", bias({"a": {"AD": 0.1}}))
    assert place.history.read_baseline("bias", "report.html") == b"<html>baseline</html>"
    assert place.history.read_baseline("bias", "../model_explainability/report.html") is None

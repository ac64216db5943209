"""PutMetricAlarm bodies, as CloudWatch's service model has them, on what analyses say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from model_monitor.alarm_requests import Watch, is_met, watches_of
from model_monitor.analysis.cloudwatch import MetricSource, bias_metrics, explainability_metrics
from model_monitor.config import MonitoredEndpoint, load_endpoint
from model_monitor.errors import InputError, NoBaseline
from model_monitor.names import Kind

CHURN = load_endpoint(Path(__file__).parents[1] / "include" / "endpoints" / "churn.yaml")
TOPICS = [f"arn:aws:sns:us-west-2:123456789012:{name}" for name in ("drift", "ml")]
DPPL = {"metric": "DPPL", "below": -0.1}


def configured(alarms: dict[str, Any], **sections: dict[str, Any]) -> MonitoredEndpoint:
    content = CHURN.model_dump() | {"alarms": alarms}
    for section, values in sections.items():
        content[section] = content[section] | values
    return MonitoredEndpoint.model_validate(content)


def watches(endpoint: MonitoredEndpoint, kind: Kind = "bias") -> dict[str, Watch]:
    return {watch.side: watch for watch in watches_of(endpoint, kind)}


def bias(*groups: tuple[str, float | None], facet: str = "Account Length", metric: str = "DPPL") -> dict[str, Any]:
    """An analysis of a facet's groups: their texts, and what one metric came to."""
    entries = [
        {"value_or_threshold": text, "metrics": [{"name": metric, "description": metric, "value": value}]}
        for text, value in groups
    ]
    report = {"label": "Churn", "label_value_or_threshold": "1", "facets": {facet: entries}}
    return {"pre_training_bias_metrics" if metric == "DPL" else "post_training_bias_metrics": report}


def attributions(expected: float = 0.02, **features: float) -> dict[str, Any]:
    label = {"global_shap_values": features, "expected_value": expected}
    return {"explanations": {"kernel_shap": {"label0": label}}}


def dimensions(request: dict[str, Any]) -> dict[str, str]:
    return {each["Name"]: each["Value"] for each in request["Dimensions"]}


def test_a_request_says_all_that_cloudwatch_needs() -> None:
    several = {**DPPL, "violating_windows": 2, "of_windows": 3, "treat_missing": "ignore"}
    watch = watches(configured({"topics": TOPICS[:1], "bias": [several]}))["below"]
    metric = watch.metric([bias(("(100, 193]", -0.3))])
    assert metric is not None
    request = watch.request(metric, None)
    shape = botocore.session.get_session().get_service_model("cloudwatch").operation_model("PutMetricAlarm").input_shape
    assert ParamValidator().validate(request, shape).generate_report() == ""
    assert request | {"AlarmDescription": ""} == {
        "AlarmName": "churn-bias-DPPL-below",
        "AlarmDescription": "",
        "Namespace": "aws/sagemaker/Endpoints/bias-metrics",
        "MetricName": "bias_metric_DPPL",
        "Dimensions": [
            {"Name": "Endpoint", "Value": "churn"},
            {"Name": "MonitoringSchedule", "Value": "churn-bias"},
            {"Name": "BiasStage", "Value": "Post-Training"},
            {"Name": "Label", "Value": "Churn"},
            {"Name": "LabelValue", "Value": "1"},
            {"Name": "Facet", "Value": "Account Length"},
            {"Name": "FacetValue", "Value": "(100, 193]"},
        ],
        "Statistic": "Average",
        "Period": 3600,
        "EvaluationPeriods": 3,
        "DatapointsToAlarm": 2,
        "ComparisonOperator": "LessThanThreshold",
        "Threshold": -0.1,
        "TreatMissingData": "ignore",
        "AlarmActions": TOPICS[:1],
        "OKActions": TOPICS[:1],
        "Tags": [{"Key": "model-monitor:endpoint", "Value": "churn"}],
    }
    assert "alarms.bias.0" in request["AlarmDescription"]
    assert "193" not in request["AlarmDescription"]


@pytest.mark.parametrize(("metric", "value"), [("DPPL", -0.3), ("DPL", 0.2)])
def test_metrics_are_those_that_are_published(metric: str, value: float) -> None:
    watch = watches(configured({"bias": [{"metric": metric, "above": 0}]}))["above"]
    analysis = bias(("(100, 193]", value), metric=metric)
    (published,) = bias_metrics(analysis, MetricSource("churn", "churn-bias", "2026-11-27T06:00:00Z"))
    assert shown(watch.metric([analysis])) == shown(published)


def test_features_are_those_that_are_published() -> None:
    alarms = {"explainability": [{"feature": "Day Mins é", "below": 0}, {"expected_value": True, "above": 0}]}
    endpoint = configured(alarms)
    analysis = attributions(**{"Day Mins é": 0.1})
    published = explainability_metrics(analysis, MetricSource("churn", "churn-explain", "2026-11-27T06:00:00Z"))
    found = [watch.metric([analysis]) for watch in watches_of(endpoint, "explainability")]
    assert list(map(shown, found)) == list(map(shown, published))


def shown(metric: dict[str, Any] | None) -> tuple[str, str, list[dict[str, str]]]:
    """Namespace, name and dimensions of PutMetricData or PutMetricAlarm."""
    assert metric is not None
    datum = metric["MetricData"][0] if "MetricData" in metric else metric
    return metric["Namespace"], datum["MetricName"], datum["Dimensions"]


def test_a_text_that_changes_is_only_another_dimension() -> None:
    watch = watches(configured({"bias": [DPPL]}))["below"]
    first, second = (watch.metric([bias((text, -0.3))]) for text in ("(100, 193]", "(100, 225]"))
    assert first is not None
    assert second is not None
    before, after = watch.request(first, None), watch.request(second, None)
    assert {key for key in before if before[key] != after[key]} == {"Dimensions"}
    assert dimensions(after)["FacetValue"] == "(100, 225]"


def test_the_newest_analysis_that_has_the_metric_counts() -> None:
    watch = watches(configured({"bias": [DPPL]}))["below"]
    found = watch.metric([bias(("x", 0.1), facet="Age"), bias(("(100, 193]", None)), bias(("(100, 225]", 0.1))])
    assert found is not None
    assert dimensions(found)["FacetValue"] == "(100, 193]", "also where it could not be computed"
    assert watch.metric([]) is None


def test_groups_are_found_by_their_place_or_by_their_value() -> None:
    facets = [{"name": "Age", "values_or_threshold": [30]}, {"name": "Age", "values_or_threshold": [60]}]
    by_place = watches(configured({"bias": [{**DPPL, "group": 60}]}, bias={"facets": facets}))["below"]
    found = by_place.metric([bias(("(30, 90]", 0.1), ("(60, 90]", 0.2), facet="Age")])
    assert found is not None
    assert dimensions(found)["FacetValue"] == "(60, 90]"
    by_value = watches(configured({"bias": [{**DPPL, "group": 1}]}, bias={"facets": [{"name": "Plan"}]}))["below"]
    found = by_value.metric([bias(("0", 0.1), ("1", 0.2), facet="Plan")])
    assert found is not None
    assert dimensions(found)["FacetValue"] == "1"
    assert by_value.metric([bias(("0", 0.1), facet="Plan")]) is None


@pytest.mark.parametrize(("value", "limit"), [(-0.2, 0.3), (0.2, 0.3), (0.0, 0.0)])
def test_beyond_the_baseline_is_farther_from_zero(value: float, limit: float) -> None:
    sides = watches(configured({"bias": [{"metric": "DPPL", "beyond_baseline_times": 1.5}]}))
    baseline = bias(("(100, 223]", value))
    metric = sides["above"].metric([baseline])
    assert metric is not None
    found = {side: watch.request(metric, baseline)["Threshold"] for side, watch in sides.items()}
    assert found == pytest.approx({"above": limit, "below": -limit})
    operators = {side: watch.request(metric, baseline)["ComparisonOperator"] for side, watch in sides.items()}
    assert operators == {"above": "GreaterThanThreshold", "below": "LessThanThreshold"}


@pytest.mark.parametrize(
    ("baseline", "why"),
    [(None, "not there"), (bias(("(100, 223]", None)), "not there"), (bias(("(100, 223]", float("inf"))), "infinite")],
)
def test_a_multiple_of_nothing_is_refused(baseline: dict[str, Any] | None, why: str) -> None:
    watch = watches(configured({"bias": [{"metric": "DPPL", "beyond_baseline_times": 1}]}))["above"]
    metric = watch.metric([bias(("(100, 193]", 0.1))])
    assert metric is not None
    with pytest.raises(NoBaseline, match=rf"alarms\.bias\.0: .* is {why}\. Run churn\.deploy"):
        watch.request(metric, baseline)


def test_a_label_that_is_not_explained_is_told_with_those_that_are() -> None:
    watch = watches(configured({"explainability": [{"feature": "a", "label": "x", "above": 1}]}), "explainability")
    with pytest.raises(InputError, match=r"alarms\.explainability\.0\.label: 'x' is not explained; .* label0"):
        watch["above"].metric([attributions(a=0.1)])


def test_an_alarm_s_own_topics_go_before() -> None:
    alarms = {"topics": TOPICS[:1], "bias": [{**DPPL, "topics": TOPICS[1:]}, {**DPPL, "name": "silent", "topics": []}]}
    metric = {"Namespace": "n", "MetricName": "m", "Dimensions": []}
    found = [watch.request(metric, None)["AlarmActions"] for watch in watches_of(configured(alarms), "bias")]
    assert found == [TOPICS[1:], []]


def test_what_cloudwatch_tells_in_another_order_is_the_same() -> None:
    watch = watches(configured({"topics": TOPICS, "bias": [DPPL]}))["below"]
    metric = watch.metric([bias(("(100, 193]", -0.3))])
    assert metric is not None
    request = watch.request(metric, None)
    told = request | {"Dimensions": request["Dimensions"][::-1], "AlarmActions": TOPICS[::-1], "StateValue": "OK"}
    told.pop("Tags")
    assert is_met(request, told)
    assert not is_met(request | {"Threshold": -0.2}, told)
    assert not is_met(request | {"AlarmActions": []}, told)
    assert not is_met(request, told | {"Dimensions": told["Dimensions"][1:]})


def test_an_earlier_window_is_carried_over_only_to_another_text() -> None:
    watch = watches(configured({"bias": [DPPL]}))["below"]
    metric = watch.metric([bias(("(100, 193]", -0.3))])
    assert metric is not None
    moment = "2026-11-27T05:00:00Z"
    carried = watch.carried(bias(("(100, 225]", -0.2)), moment, metric)
    assert carried is not None
    assert carried["MetricData"] == [
        {"MetricName": metric["MetricName"], "Dimensions": metric["Dimensions"], "Timestamp": moment, "Value": -0.2}
    ]
    assert watch.carried(bias(("(100, 193]", -0.2)), moment, metric) is None
    assert watch.carried(bias(("(100, 225]", None)), moment, metric) is None

"""Metrics in the namespaces and dimensions that the service documents."""

from __future__ import annotations

import math
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from model_monitor.analysis.cloudwatch import MetricSource, bias_metrics, explainability_metrics

SOURCE = MetricSource("churn", "churn-bias", "2026-11-22T10:00:00Z")


def section(**metrics: Any) -> dict[str, Any]:
    entry = {
        "value_or_threshold": "(100, 232]",
        "metrics": [{"name": name, "description": name, "value": value} for name, value in metrics.items()],
    }
    return {"label": "Churn", "facets": {"Account Length": [entry]}, "label_value_or_threshold": "1"}


def test_a_bias_metric() -> None:
    lines = list(bias_metrics({"pre_training_bias_metrics": section(CI=0.25)}, SOURCE))

    assert lines == [
        {
            "Namespace": "aws/sagemaker/Endpoints/bias-metrics",
            "MetricData": [
                {
                    "MetricName": "bias_metric_CI",
                    "Dimensions": [
                        {"Name": "Endpoint", "Value": "churn"},
                        {"Name": "MonitoringSchedule", "Value": "churn-bias"},
                        {"Name": "BiasStage", "Value": "Pre-training"},
                        {"Name": "Label", "Value": "Churn"},
                        {"Name": "LabelValue", "Value": "1"},
                        {"Name": "Facet", "Value": "Account Length"},
                        {"Name": "FacetValue", "Value": "(100, 232]"},
                    ],
                    "Timestamp": "2026-11-22T10:00:00Z",
                    "Value": 0.25,
                }
            ],
        }
    ]


def test_infinite_metrics_have_the_largest_number_and_null_ones_are_left_out() -> None:
    analysis = {"post_training_bias_metrics": section(TE=math.inf, DCA=-math.inf, CDDPL=None, FT=0.0)}

    values = {
        line["MetricData"][0]["MetricName"]: line["MetricData"][0]["Value"] for line in bias_metrics(analysis, SOURCE)
    }

    assert values == {"bias_metric_TE": 2.348543e108, "bias_metric_DCA": -2.348543e108, "bias_metric_FT": 0.0}


def test_attributions_and_expected_value() -> None:
    explained = {"label0": {"global_shap_values": {"Day Mins": 0.04}, "expected_value": 0.01}}

    lines = list(explainability_metrics({"explanations": {"kernel_shap": explained}}, SOURCE))

    found = [
        (
            line["Namespace"],
            line["MetricData"][0]["MetricName"],
            line["MetricData"][0]["Value"],
            {dimension["Name"]: dimension["Value"] for dimension in line["MetricData"][0]["Dimensions"]},
        )
        for line in lines
    ]
    common = {
        "Endpoint": "churn", "MonitoringSchedule": "churn-bias", "ExplainabilityMethod": "KernelShap", "Label": "label0"
    }  # fmt: skip
    namespace = "aws/sagemaker/Endpoints/explainability-metrics"
    assert found == [
        (namespace, "feature_Day Mins", 0.04, common | {"ValueType": "GlobalShapValues"}),
        (namespace, "ExpectedValue", 0.01, common | {"ValueType": "ExpectedValue"}),
    ]


def test_batch_transform_has_namespaces_of_its_own_and_no_endpoint() -> None:
    source = MetricSource(None, "churn-bias", "2026-11-22T10:00:00Z")

    (line,) = bias_metrics({"pre_training_bias_metrics": section(CI=0.25)}, source)

    assert line["Namespace"] == "aws/sagemaker/ModelMonitoring/bias-metrics"
    assert line["MetricData"][0]["Dimensions"][0] == {"Name": "MonitoringSchedule", "Value": "churn-bias"}


def test_a_line_is_a_whole_put_metric_data_request() -> None:
    client = boto3.client("cloudwatch", region_name="us-west-2", aws_access_key_id="x", aws_secret_access_key="x")
    (line,) = bias_metrics({"pre_training_bias_metrics": section(CI=0.25)}, SOURCE)

    with Stubber(client) as stub:
        stub.add_response("put_metric_data", {}, line)
        client.put_metric_data(**line)
        stub.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("name", "dimension"),
    [
        ("", "-"),
        (" \n", "-"),
        (":age", "age"),
        ("âge\nin years", "\\xe2ge in years"),
        ("x" * 2000, "x" * 1024),
    ],
)
def test_names_from_data_become_what_cloudwatch_takes(name: str, dimension: str) -> None:
    report = section(CI=0.25)
    report["facets"] = {name: report["facets"]["Account Length"]}
    (line,) = bias_metrics({"pre_training_bias_metrics": report}, SOURCE)

    found = {one["Name"]: one["Value"] for one in line["MetricData"][0]["Dimensions"]}
    assert found["Facet"] == dimension


def test_a_long_feature_name_is_cut_to_what_cloudwatch_takes() -> None:
    explained = {"label0": {"global_shap_values": {"x" * 500: 0.5}, "expected_value": 0.1}}
    first, _ = explainability_metrics({"explanations": {"kernel_shap": explained}}, SOURCE)

    assert first["MetricData"][0]["MetricName"] == "feature_" + "x" * 247

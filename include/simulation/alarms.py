"""CloudWatch alarms on what the monitors publish."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from model_monitor import names
from model_monitor.analysis.cloudwatch import MetricSource, bias_metrics, explainability_metrics
from model_monitor.config import MonitoredEndpoint


def alarms_of(
    endpoint: MonitoredEndpoint, bias: Mapping[str, Any], explanations: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """An alarm on the difference in positive predictions, and one on the feature that decides most.

    The arguments are the baselines' `analysis.json`.
    """
    source = MetricSource(endpoint.name, names.schedule(endpoint, "bias"), "")
    (difference,) = (line for line in bias_metrics(bias, source) if _name(line) == "bias_metric_DPPL")
    source = MetricSource(endpoint.name, names.schedule(endpoint, "explainability"), "")
    features = [line for line in explainability_metrics(explanations, source) if _name(line).startswith("feature_")]
    strongest = max(features, key=_value)
    return [
        {
            "name": f"{endpoint.name}-more-predicted-to-leave",
            "metric": _metric(difference),
            "comparison": "LessThanThreshold",
            "threshold": -0.1,
        },
        {
            "name": f"{endpoint.name}-strongest-reason-is-gone",
            "metric": _metric(strongest),
            "comparison": "LessThanThreshold",
            "threshold": _value(strongest) / 2,
        },
    ]


def _metric(line: Mapping[str, Any]) -> dict[str, Any]:
    (datum,) = line["MetricData"]
    return {"Namespace": line["Namespace"], "MetricName": datum["MetricName"], "Dimensions": datum["Dimensions"]}


def _name(line: Mapping[str, Any]) -> str:
    return str(line["MetricData"][0]["MetricName"])


def _value(line: Mapping[str, Any]) -> float:
    return float(line["MetricData"][0]["Value"])

"""An analysis as CloudWatch metrics: lines that `put_metric_data(**line)` takes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from model_monitor.analysis.serialise import number

INFINITE = 2.348543e108
"""What Clarify publishes for an infinite metric; CloudWatch's largest number."""

EXPECTED_VALUE = "ExpectedValue"
LONGEST_NAME, LONGEST_DIMENSION = 255, 1024

_STAGES = {"pre_training_bias_metrics": "Pre-training", "post_training_bias_metrics": "Post-Training"}


@dataclass(frozen=True)
class MetricSource:
    """Whose metrics these are. Without an endpoint, as for batch transform, other namespaces apply."""

    endpoint: str | None
    schedule: str
    timestamp: str

    def line(self, kind: str, name: str, value: float, dimensions: Mapping[str, str]) -> dict[str, Any]:
        """One value of a metric in the shape of PutMetricData's arguments."""
        return self.value(self.metric(kind, name, dimensions), value)

    def value(self, metric: Mapping[str, Any], value: float) -> dict[str, Any]:
        """One value of what `metric` answers, as `line` has it."""
        published = math.copysign(INFINITE, value) if math.isinf(value) else value
        datum = {key: metric[key] for key in ("MetricName", "Dimensions")}
        return {
            "Namespace": metric["Namespace"],
            "MetricData": [{**datum, "Timestamp": self.timestamp, "Value": published}],
        }

    def metric(self, kind: str, name: str, dimensions: Mapping[str, str]) -> dict[str, Any]:
        """What a metric is known by, in the shape of PutMetricAlarm's arguments."""
        base = "aws/sagemaker/Endpoints" if self.endpoint else "aws/sagemaker/ModelMonitoring"
        own = {"Endpoint": self.endpoint} if self.endpoint else {}
        everything = own | {"MonitoringSchedule": self.schedule} | dict(dimensions)
        return {
            "Namespace": f"{base}/{kind}-metrics",
            "MetricName": _allowed(name, LONGEST_NAME),
            "Dimensions": [
                {"Name": key, "Value": _allowed(text, LONGEST_DIMENSION)} for key, text in everything.items()
            ],
        }


def _allowed(text: str, longest: int) -> str:
    """What CloudWatch takes as a name or a dimension's value: printable ASCII, not blank, no colon in front."""
    line = "".join(character if character.isprintable() else " " for character in text)
    plain = line.encode("ascii", "backslashreplace").decode()
    return plain.lstrip(" :")[:longest].rstrip() or "-"


def metrics(analysis: Mapping[str, Any], source: MetricSource) -> Iterator[dict[str, Any]]:
    """Every metric of an analysis."""
    yield from bias_metrics(analysis, source)
    yield from explainability_metrics(analysis, source)


def bias_metrics(analysis: Mapping[str, Any], source: MetricSource) -> Iterator[dict[str, Any]]:
    """`bias_metric_<name>` for every metric that has a value.

    Source: SageMaker, "CloudWatch Metrics for Bias Drift Analysis".
    """
    for group in bias_groups(analysis):
        for name, value in group.values.items():
            yield source.line("bias", bias_metric(name), value, group.dimensions)


@dataclass(frozen=True)
class BiasGroup:
    """A facet's group in a stage, whose names and `position` are those of `analysis.json`; `values` has what can be
    published."""

    section: str
    facet: str
    position: int
    text: str
    dimensions: Mapping[str, str]
    names: frozenset[str]
    values: Mapping[str, float]


def bias_groups(analysis: Mapping[str, Any]) -> Iterator[BiasGroup]:
    """Every group of every facet, pre-training ones first."""
    for section, stage in _STAGES.items():
        report = analysis.get(section, {})
        for facet, entries in report.get("facets", {}).items():
            for position, entry in enumerate(entries):
                text = str(entry["value_or_threshold"])
                dimensions = {
                    "BiasStage": stage,
                    "Label": str(report["label"]),
                    "LabelValue": str(report["label_value_or_threshold"]),
                    "Facet": facet,
                    "FacetValue": text,
                }
                read = {metric["name"]: number(metric["value"]) for metric in entry["metrics"]}
                values = {name: value for name, value in read.items() if value is not None and not math.isnan(value)}
                yield BiasGroup(section, facet, position, text, dimensions, frozenset(read), values)


def bias_metric(name: str) -> str:
    """What a bias metric such as `DPPL` is published as."""
    return f"bias_metric_{name}"


def explainability_metrics(analysis: Mapping[str, Any], source: MetricSource) -> Iterator[dict[str, Any]]:
    """`feature_<name>` and `ExpectedValue` for every label.

    Source: SageMaker, "CloudWatch Metrics for Feature Attribution Drift".
    """
    for label, explained in analysis.get("explanations", {}).get("kernel_shap", {}).items():
        for feature, value in explained["global_shap_values"].items():
            yield source.line("explainability", feature_metric(feature), float(value), feature_dimensions(label))
        expected = float(explained["expected_value"])
        yield source.line("explainability", EXPECTED_VALUE, expected, expected_value_dimensions(label))


def feature_metric(feature: str) -> str:
    """What a feature's global Shapley value is published as."""
    return f"feature_{feature}"


def feature_dimensions(label: str) -> dict[str, str]:
    """The dimensions of a label's global Shapley values."""
    return {"ExplainabilityMethod": "KernelShap", "Label": str(label), "ValueType": "GlobalShapValues"}


def expected_value_dimensions(label: str) -> dict[str, str]:
    """The dimensions of a label's expected value."""
    return feature_dimensions(label) | {"ValueType": "ExpectedValue"}

"""An analysis as CloudWatch metrics: lines that `put_metric_data(**line)` takes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from model_monitor.analysis.serialise import number

INFINITE = 2.348543e108
"""What Clarify publishes for an infinite metric; CloudWatch's largest number."""

LONGEST_NAME, LONGEST_DIMENSION = 255, 1024

_STAGES = {"pre_training_bias_metrics": "Pre-training", "post_training_bias_metrics": "Post-Training"}


@dataclass(frozen=True)
class MetricSource:
    """Whose metrics these are. Without an endpoint, as for batch transform, other namespaces apply."""

    endpoint: str | None
    schedule: str
    timestamp: str

    def line(self, kind: str, name: str, value: float, dimensions: Mapping[str, str]) -> dict[str, Any]:
        """One metric in the shape of PutMetricData's arguments."""
        base = "aws/sagemaker/Endpoints" if self.endpoint else "aws/sagemaker/ModelMonitoring"
        own = {"Endpoint": self.endpoint} if self.endpoint else {}
        everything = own | {"MonitoringSchedule": self.schedule} | dict(dimensions)
        return {
            "Namespace": f"{base}/{kind}-metrics",
            "MetricData": [
                {
                    "MetricName": _allowed(name, LONGEST_NAME),
                    "Dimensions": [
                        {"Name": key, "Value": _allowed(text, LONGEST_DIMENSION)} for key, text in everything.items()
                    ],
                    "Timestamp": self.timestamp,
                    "Value": math.copysign(INFINITE, value) if math.isinf(value) else value,
                }
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
    for section, stage in _STAGES.items():
        report = analysis.get(section, {})
        for facet, entries in report.get("facets", {}).items():
            for entry in entries:
                dimensions = {
                    "BiasStage": stage,
                    "Label": str(report["label"]),
                    "LabelValue": str(report["label_value_or_threshold"]),
                    "Facet": facet,
                    "FacetValue": str(entry["value_or_threshold"]),
                }
                for metric in entry["metrics"]:
                    value = number(metric["value"])
                    if value is not None and not math.isnan(value):
                        yield source.line("bias", f"bias_metric_{metric['name']}", value, dimensions)


def explainability_metrics(analysis: Mapping[str, Any], source: MetricSource) -> Iterator[dict[str, Any]]:
    """`feature_<name>` and `ExpectedValue` for every label.

    Source: SageMaker, "CloudWatch Metrics for Feature Attribution Drift".
    """
    for label, explained in analysis.get("explanations", {}).get("kernel_shap", {}).items():
        dimensions = {"ExplainabilityMethod": "KernelShap", "Label": str(label)}
        values = dimensions | {"ValueType": "GlobalShapValues"}
        for feature, value in explained["global_shap_values"].items():
            yield source.line("explainability", f"feature_{feature}", float(value), values)
        expected = dimensions | {"ValueType": "ExpectedValue"}
        yield source.line("explainability", "ExpectedValue", float(explained["expected_value"]), expected)

"""Reading `analysis.json` and `constraint_violations.json`: the few numbers that a log line or a verdict shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

TOP_FEATURES = 5


@dataclass(frozen=True)
class Summary:
    """An analysis in brief: as values small enough for XCom, and as lines to read."""

    values: dict[str, Any]
    text: str


@dataclass(frozen=True)
class BiasMetric:
    """One bias metric; a value that is not finite is Clarify's string, one that cannot be computed is None."""

    section: str
    facet: str
    position: int
    facet_value: str
    name: str
    value: float | str | None

    @property
    def key(self) -> tuple[str, str, int, str]:
        """What it is matched with the baseline by; intervals end at each data set's maximum, so not by their text."""
        return self.section, self.facet, self.position, self.name


def bias_metrics(analysis: Mapping[str, Any]) -> Iterator[BiasMetric]:
    """Every bias metric, post-training ones first."""
    for section in ("post_training_bias_metrics", "pre_training_bias_metrics"):
        for facet, entries in analysis.get(section, {}).get("facets", {}).items():
            for position, entry in enumerate(entries):
                for metric in entry["metrics"]:
                    yield BiasMetric(
                        section, facet, position, entry["value_or_threshold"], metric["name"], metric["value"]
                    )


def top_features(analysis: Mapping[str, Any], label: str, count: int = TOP_FEATURES) -> list[dict[str, Any]]:
    """The features with the greatest global attribution, the greatest first."""
    values = analysis["explanations"]["kernel_shap"][label]["global_shap_values"]
    best = sorted(values.items(), key=lambda item: abs(item[1]), reverse=True)[:count]
    return [{"feature": feature, "value": value} for feature, value in best]


def summarise(analysis: Mapping[str, Any]) -> Summary:
    """Bias metrics by facet, top features by label: whatever the analysis holds."""
    values: dict[str, Any] = {}
    lines: list[str] = []
    metrics: dict[str, dict[str, Any]] = {}
    for metric in bias_metrics(analysis):
        metrics.setdefault(f"{metric.facet} {metric.facet_value}", {})[metric.name] = metric.value
    if metrics:
        values["metrics"] = metrics
    for facet, found in metrics.items():
        lines += [f"  {facet}: {name:6} {_shown(value)}" for name, value in found.items()]
    for label, explanation in analysis.get("explanations", {}).get("kernel_shap", {}).items():
        top = top_features(analysis, label)
        values.setdefault("top_features", {})[label] = top
        values.setdefault("expected_value", {})[label] = explanation["expected_value"]
        lines += [f"  {label}: {item['feature']:24} {_shown(item['value'])}" for item in top]
        lines.append(f"  {label}: {'expected value':24} {_shown(explanation['expected_value'])}")
    return Summary(values, "\n".join(lines))


def violation_rows(
    violations: Mapping[str, Any] | None, analysis: Mapping[str, Any], baseline: Mapping[str, Any] | None
) -> list[dict[str, Any]]:
    """Violations with the metric's value now and in the baseline; for attributions the description says both."""
    then = {metric.key: metric.value for metric in bias_metrics(baseline or {})}
    rows = []
    for violation in (violations or {}).get("violations", []):
        row = {"metric": violation["metric_name"], "description": violation["description"]}
        if "facet" in violation:
            wanted = (violation["facet"], violation["facet_value"], violation["metric_name"])
            for metric in bias_metrics(analysis):
                if (metric.facet, metric.facet_value, metric.name) == wanted:
                    row |= {"facet": metric.facet, "facet_value": metric.facet_value}
                    row |= {"value": metric.value, "baseline": then.get(metric.key)}
        else:
            row["label"] = violation.get("label")
        rows.append(row)
    return rows


def table(rows: list[dict[str, Any]]) -> str:
    """Violations as lines of text."""
    lines = []
    for row in rows:
        if "facet" in row:
            lines.append(
                f"  {row['facet']}: {row['metric']:6} {_shown(row['value']):>12}  baseline {_shown(row['baseline'])}"
            )
        else:
            lines.append(f"  {row['label']}: {row['description']}")
    return "\n".join(lines)


def _shown(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, int | float) else str(value)

"""Reading `analysis.json` and `constraint_violations.json`: the few numbers that a log line or a verdict shows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

TOP_FEATURES = 5


@dataclass(frozen=True)
class Summary:
    """An analysis in brief: as values small enough for XCom, and as lines to read."""

    values: dict[str, Any]
    text: str


@dataclass(frozen=True)
class BiasMetric:
    """One bias metric; a value that is not finite is Clarify's string, one that cannot be computed is None.

    `position` is the group's among those of its facet: the text of an interval changes with the data.
    """

    section: str
    facet: str
    position: int
    facet_value: str
    name: str
    value: float | str | None
    baseline: float | str | None


def standing(group: str, position: int) -> int | str:
    """What stays of a facet's group while its text or its place changes: a category's value, an interval's place.

    Categories come in the order in which the data show them; an interval ends at the largest value of the data.
    """
    return position if group.startswith("(") else group


def bias_metrics(analysis: Mapping[str, Any], baseline: Mapping[str, Any] | None = None) -> Iterator[BiasMetric]:
    """Every bias metric beside its baseline, matched as the monitor matches them; post-training ones first."""
    from model_monitor.analysis.drift import SECTIONS, baseline_values

    for section in SECTIONS:
        before = baseline_values(analysis, baseline or {}, section)
        for facet, entries in analysis.get(section, {}).get("facets", {}).items():
            for position, entry in enumerate(entries):
                for metric in entry["metrics"]:
                    then = _serialised(before.get((facet, position, metric["name"])))
                    group = entry["value_or_threshold"]
                    yield BiasMetric(section, facet, position, group, metric["name"], metric["value"], then)


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
        lines += [f"  {facet}: {name:6} {shown(value)}" for name, value in found.items()]
    for label, explanation in analysis.get("explanations", {}).get("kernel_shap", {}).items():
        top = top_features(analysis, label)
        values.setdefault("top_features", {})[label] = top
        values.setdefault("expected_value", {})[label] = explanation["expected_value"]
        lines += [f"  {label}: {item['feature']:24} {shown(item['value'])}" for item in top]
        lines.append(f"  {label}: {'expected value':24} {shown(explanation['expected_value'])}")
    return Summary(values, "\n".join(lines))


def violation_rows(
    violations: Iterable[Mapping[str, Any]], analysis: Mapping[str, Any], baseline: Mapping[str, Any] | None
) -> list[dict[str, Any]]:
    """A file's violations, each with its value now and in the baseline; for attributions the description says both.

    Place and values of a bias metric are None where the analysis does not have it.
    """
    rows = []
    for violation in violations:
        row = {"metric": violation["metric_name"], "description": violation["description"]}
        if "facet" in violation:
            wanted = (violation["facet"], violation["facet_value"], violation["metric_name"])
            row |= {"facet": wanted[0], "position": None, "facet_value": wanted[1], "value": None, "baseline": None}
            for metric in bias_metrics(analysis, baseline):
                if (metric.facet, metric.facet_value, metric.name) == wanted:
                    row |= {"position": metric.position, "value": metric.value, "baseline": metric.baseline}
        else:
            row["label"] = violation.get("label")
        rows.append(row)
    return rows


def bias_table(
    analysis: Mapping[str, Any], baseline: Mapping[str, Any] | None, violations: Iterable[Mapping[str, Any]]
) -> str:
    """Every facet with its metrics beside their baseline, and a file's violations marked."""
    violated = {(entry.get("facet"), entry.get("facet_value"), entry["metric_name"]) for entry in violations}
    groups: dict[str, list[list[str]]] = {}
    for metric in bias_metrics(analysis, baseline):
        mark = "violation" if (metric.facet, metric.facet_value, metric.name) in violated else ""
        title = f"{metric.section.replace('_', ' ')}: {metric.facet} {metric.facet_value}"
        groups.setdefault(title, []).append([metric.name, shown(metric.value), shown(metric.baseline), mark])
    header = ["metric", "value", "baseline", ""]
    return "\n".join(f"{title}\n{aligned(header, rows)}" for title, rows in groups.items())


def violation_lines(rows: Iterable[Mapping[str, Any]]) -> str:
    """Violations alone, one to a line."""
    return "\n".join(
        f"{row['facet']} {row['facet_value']}: {row['metric']} {shown(row['value'])}, baseline {shown(row['baseline'])}"
        if "facet" in row
        else f"{row['label']}: {row['description']}"
        for row in rows
    )


def aligned(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Cells in columns as wide as their widest one; numbers to the right."""
    widths = [max(len(line[column]) for line in [header, *rows]) for column in range(len(header))]
    numeric = [bool(rows) and all(_numeric(row[column]) for row in rows) for column in range(len(header))]

    def line(cells: Sequence[str]) -> str:
        return "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(cells, widths, numeric, strict=True)
        ).rstrip()

    return "\n".join([line(header), "  ".join("-" * width for width in widths), *map(line, rows)])


def shown(value: float | str | None) -> str:
    """A metric's value as read from `analysis.json`, with four decimals."""
    return "-" if value is None else f"{float(value):.4f}"


def _serialised(value: float | None) -> float | str | None:
    return value if value is None or isfinite(value) else str(value).replace("inf", "Infinity")


def _numeric(cell: str) -> bool:
    return cell in {"-", "inf", "-inf"} or cell.replace(".", "", 1).removeprefix("-").isdigit()

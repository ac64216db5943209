"""What the demo prints of the flow's results, as text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from demo.results import Verdict
from model_monitor.analysis.drift import attribution_ndcg, baseline_values
from model_monitor.analysis.serialise import number
from model_monitor.records import Capture

SECTIONS = ("post_training_bias_metrics", "pre_training_bias_metrics")


def predictions(captures: Iterable[Capture], rows: Sequence[str], inputs: Sequence[str], columns: Sequence[str]) -> str:
    """The model's newest answer to each of the given rows; `columns` are the model inputs shown beside it."""
    answers = {
        capture.input.data.strip(): capture.output.data.strip()
        for capture in captures
        if capture.input is not None and capture.output is not None
    }
    body = []
    for position, row in enumerate(rows, 1):
        values = dict(zip(inputs, row.strip().split(","), strict=True))
        answer = answers.get(row.strip())
        score = f"{float(answer):.4f}" if answer is not None else "not captured"
        body.append([str(position), *(values[column] for column in columns), score])
    return table(["row", *columns, "score"], body)


def bias_constraints(analysis: dict[str, Any]) -> str:
    """Every facet of a bias baseline with its metrics, several to a line."""
    lines = []
    for section in SECTIONS:
        for facet, entries in analysis.get(section, {}).get("facets", {}).items():
            for entry in entries:
                lines.append(f"{section.replace('_', ' ')}: {facet} {entry['value_or_threshold']}")
                values = [f"{metric['name']} {_short(metric['value'])}" for metric in entry["metrics"]]
                lines += [f"  {'   '.join(values[start : start + 7])}" for start in range(0, len(values), 7)]
    return "\n".join(lines)


def attributions(analysis: dict[str, Any], baseline: dict[str, Any] | None = None, top: int = 8) -> str:
    """The features that decide most, by mean absolute SHAP value, beside their baseline when there is one."""
    before = _global_values(baseline or {})
    lines = []
    for label, explained in analysis.get("explanations", {}).get("kernel_shap", {}).items():
        values: dict[str, float] = explained["global_shap_values"]
        strongest = sorted(values, key=lambda name: -abs(values[name]))[:top]
        header = ["feature", "SHAP", *(["baseline"] if baseline else [])]
        rows = [
            [name, _short(values[name]), *([_short(before.get(label, {}).get(name))] if baseline else [])]
            for name in strongest
        ]
        lines.append(f"{label}: expected value {_short(explained['expected_value'])}\n{table(header, rows)}")
    return "\n".join(lines)


def bias_verdict(verdict: Verdict, baseline: dict[str, Any]) -> str:
    """Every facet of an execution: its metrics beside their baseline, violations marked."""
    violated = {
        (violation["facet"], violation["facet_value"], violation["metric_name"]) for violation in verdict.violations
    }
    parts = []
    for section in SECTIONS:
        constraints = baseline_values(verdict.analysis, baseline, section)
        for facet, entries in verdict.analysis.get(section, {}).get("facets", {}).items():
            for position, entry in enumerate(entries):
                group = entry["value_or_threshold"]
                rows = [
                    [
                        metric["name"],
                        _short(metric["value"]),
                        _short(constraints.get((facet, position, metric["name"]))),
                        "violation" if (facet, group, metric["name"]) in violated else "",
                    ]
                    for metric in entry["metrics"]
                ]
                parts.append(f"{section.replace('_', ' ')}: {facet} {group}")
                parts.append(table(["metric", "value", "baseline", ""], rows))
    return "\n".join(parts)


def drift(verdict: Verdict, baseline: dict[str, Any]) -> str:
    """How well the live ranking of features agrees with the baseline's."""
    scores = attribution_ndcg(verdict.analysis, baseline)
    return "\n".join(f"{label}: NDCG {score:.4f} (a violation below 0.90)" for label, score in scores.items())


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their widest cell; numbers to the right."""
    widths = [max(len(line[column]) for line in [header, *rows]) for column in range(len(header))]
    numeric = [bool(rows) and all(_numeric(row[column]) for row in rows) for column in range(len(header))]

    def line(cells: Sequence[str]) -> str:
        return "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(cells, widths, numeric, strict=True)
        ).rstrip()

    return "\n".join([line(header), "  ".join("-" * width for width in widths), *map(line, rows)])


def _global_values(analysis: dict[str, Any]) -> dict[str, dict[str, float]]:
    labels = analysis.get("explanations", {}).get("kernel_shap", {})
    return {label: explained["global_shap_values"] for label, explained in labels.items()}


def _short(value: Any) -> str:
    parsed = number(value) if value is not None else None
    return "-" if parsed is None else f"{parsed:.4f}"


def _numeric(cell: str) -> bool:
    return cell in {"-", "inf", "-inf"} or cell.replace(".", "", 1).removeprefix("-").isdigit()

"""What the demo prints of the flow's results, as text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from demo.results import Verdict
from model_monitor.analysis.drift import SECTIONS, attribution_ndcg
from model_monitor.records import Capture
from model_monitor.results import aligned, bias_table, shown


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
    return aligned(["row", *columns, "score"], body)


def bias_constraints(analysis: dict[str, Any]) -> str:
    """Every facet of a bias baseline with its metrics, several to a line."""
    lines = []
    for section in SECTIONS:
        for facet, entries in analysis.get(section, {}).get("facets", {}).items():
            for entry in entries:
                lines.append(f"{section.replace('_', ' ')}: {facet} {entry['value_or_threshold']}")
                values = [f"{metric['name']} {shown(metric['value'])}" for metric in entry["metrics"]]
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
            [name, shown(values[name]), *([shown(before.get(label, {}).get(name))] if baseline else [])]
            for name in strongest
        ]
        lines.append(f"{label}: expected value {shown(explained['expected_value'])}\n{aligned(header, rows)}")
    return "\n".join(lines)


def bias_verdict(verdict: Verdict, baseline: dict[str, Any]) -> str:
    """Every facet of an execution: its metrics beside their baseline, violations marked."""
    return bias_table(verdict.analysis, baseline, verdict.violations)


def drift(verdict: Verdict, baseline: dict[str, Any]) -> str:
    """How well the live ranking of features agrees with the baseline's."""
    scores = attribution_ndcg(verdict.analysis, baseline)
    return "\n".join(f"{label}: NDCG {score:.4f} (a violation below 0.90)" for label, score in scores.items())


def _global_values(analysis: dict[str, Any]) -> dict[str, dict[str, float]]:
    labels = analysis.get("explanations", {}).get("kernel_shap", {})
    return {label: explained["global_shap_values"] for label, explained in labels.items()}

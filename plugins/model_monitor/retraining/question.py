"""What a human is asked before a model is replaced, in Markdown: why, what is better, what either answer does.

Everything that comes from data is escaped: names of features and groups, violations, the retraining function's words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from model_monitor import requests, windows
from model_monitor.config import MonitoredEndpoint
from model_monitor.dashboard import addresses
from model_monitor.links import below_airflow
from model_monitor.markdown import escaped, table
from model_monitor.results import shown
from model_monitor.retraining.notice import compared
from model_monitor.retraining.occasion import Judged

MOST_VIOLATIONS = 10
MARKS = {"better": "better", "worse": "**worse**", "same": "same", "": ""}


def question(endpoint: MonitoredEndpoint, verdicts: Sequence[Judged], candidate: Mapping[str, Any]) -> str:
    """The text of the request for approval.

    Args:
        verdicts: what the candidate was trained for; none after a run by hand.
        candidate: what RetrainOperator answered.
    """
    return "\n\n".join(
        [
            f"A candidate for the endpoint **{escaped(endpoint.name)}** was trained; it is not in service.",
            "### Why",
            *(_why(endpoint, verdicts) if verdicts else ["Somebody started this run by hand."]),
            "### Old and new",
            *_figures(candidate["figures"]),
            *([escaped(candidate["remark"])] if candidate["remark"] else []),
            f"Trained with {candidate['files']} files of labelled requests from {candidate['since']} to "
            f"{candidate['until']}.",
            "### What your answer does",
            *_answers(endpoint, candidate),
            f"[{escaped(endpoint.name)} in the dashboard]({below_airflow(addresses.endpoint(endpoint.name))})",
        ]
    )


def _why(endpoint: MonitoredEndpoint, verdicts: Sequence[Judged]) -> Iterator[str]:
    for judged in verdicts:
        window = judged.folder(endpoint)
        name = judged.kind.capitalize()
        if window is not None:
            page = below_airflow(addresses.execution(endpoint.name, judged.kind, window))
            report = below_airflow(addresses.execution_file(endpoint.name, judged.kind, window))
            name = f"[{name}]({page}) ([report]({report}))"
        yield f"{name}, {windows.shown(judged.start)} – {windows.shown(judged.end)}:"
        lines = [f"- {_violation(row)}" for row in judged.violations[:MOST_VIOLATIONS]]
        if (more := len(judged.violations) - MOST_VIOLATIONS) > 0:
            lines.append(f"- and {more} more")
        yield "\n".join(lines)


def _violation(row: Mapping[str, Any]) -> str:
    from model_monitor.analysis.bias_metrics import DESCRIPTIONS
    from model_monitor.analysis.report_texts import MEANINGS

    metric = str(row.get("metric", ""))
    if "facet" not in row:
        label = f"{escaped(row['label'])}: " if row.get("label") else ""
        return label + escaped(row.get("description", metric))
    group = escaped(f"{row['facet']} {row.get('facet_value', '')}")
    values = f"{_value(row.get('value'))}, at the baseline {_value(row.get('baseline'))}"
    return f"**{group}**: {escaped(DESCRIPTIONS.get(metric, metric))} is {values}. {escaped(MEANINGS.get(metric, ''))}"


def _value(value: Any) -> str:
    try:
        return escaped(shown(value))
    except (TypeError, ValueError):
        return escaped(value)


def _figures(figures: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not figures:
        yield "The retraining function gave no figures to compare by."
        return
    rows = [
        [escaped(one["name"]), escaped(shown(one["old"])), escaped(shown(one["new"])), MARKS[compared(one)]]
        for one in figures
    ]
    yield table(["", "In force", "Candidate", ""], rows)


def _answers(endpoint: MonitoredEndpoint, candidate: Mapping[str, Any]) -> Iterator[str]:
    retraining = endpoint.retraining
    assert retraining is not None
    new, old = (requests.model_name(endpoint, candidate[key]) for key in ("archive", "replaces"))
    yield (
        f"- **Approve**: the endpoint moves from the model `{old}` to `{new}`, both baselines are made anew, and "
        "running monitoring schedules follow. The approved model stays until another is approved or the YAML's archive "
        "changes.\n"
        f"- **Reject**: nothing is replaced, and nobody is asked again about windows that begin within "
        f"{escaped(retraining.pause_after_rejection)}. The candidate stays registered.\n"
        f"- **No answer** within {escaped(retraining.approval_timeout)}: as Reject."
    )

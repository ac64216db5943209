"""What a message says, in plain words: who, which window, since when, which violations, where to look, what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from model_monitor import names
from model_monitor.alerts.airflow_links import Links, airflow_links
from model_monitor.alerts.decision import Message
from model_monitor.alerts.outcome import violation_key
from model_monitor.config import MonitoredEndpoint
from model_monitor.dashboard import addresses
from model_monitor.durations import duration
from model_monitor.names import Kind
from model_monitor.results import shown as number
from model_monitor.windows import Window, moment

MOST_VIOLATIONS = 10
LONGEST_NAME = 120


@dataclass(frozen=True)
class Finding:
    """A violation: what it is about, its value beside the baseline's, what the metric means, what to do."""

    title: str
    numbers: str
    meaning: str
    action: str
    new: bool


@dataclass(frozen=True)
class Letter:
    """A message before it is put into a channel's own form; texts are plain, and whatever the data made them.

    The subject alone has no names from the data, as some channels make links of what looks like an address there.
    """

    subject: str
    summary: tuple[str, ...]
    findings: tuple[Finding, ...]
    more: int
    links: Links
    steps: tuple[str, ...]


def letter(endpoint: MonitoredEndpoint, kind: Kind, message: Message, verdict: Mapping[str, Any], base: str) -> Letter:
    """A message as a letter.

    Args:
        verdict: that of the window that the message is about.
        base: where browsers reach Airflow, as in `[api] base_url`; without it there are no links.
    """
    rows = verdict["violations"] if message.event in ("violating", "more") else []
    # What is new comes first, for only so many are shown.
    ordered = sorted(rows, key=lambda row: violation_key(row) not in message.new)
    findings = tuple(_finding(row, verdict, message) for row in ordered[:MOST_VIOLATIONS])
    return Letter(
        f"{endpoint.name} {kind}: {_subject(message, verdict)}",
        tuple(_summary(endpoint, kind, message, verdict)),
        findings,
        len(rows) - len(findings),
        airflow_links(base, _pages(endpoint, kind, verdict)),
        _steps(endpoint, message),
    )


def _subject(message: Message, verdict: Mapping[str, Any]) -> str:
    if message.event == "violating":
        return _counted(len(verdict["violations"]), "violation")
    if message.event == "more":
        return _counted(len(message.new), "new violation")
    if message.event == "failing":
        return "cannot judge"
    if message.event == "judging":
        return "judges again, with violations as before" if message.violating_since else "judges again"
    return "fine again"


def _summary(endpoint: MonitoredEndpoint, kind: Kind, message: Message, verdict: Mapping[str, Any]) -> list[str]:
    monitor = f"The {kind} monitor of {endpoint.name}"
    window = _window(endpoint, verdict)
    since = _moment(message.since)
    count = _counted(len(verdict["violations"]), "violation")
    several = message.of > 1
    if message.event == "violating":
        told = [f"{monitor} found {count} in the window {window}."]
        if several:
            told.append(f"{message.counted} of the last {message.of} windows violate, the first of them due {since}.")
        return told
    if message.event == "more":
        new = _counted(len(message.new), "of them is new", "of them are new")
        return [f"{monitor} found {count} in the window {window}; {new}.", f"It has found some since {since}."]
    if message.event == "fine":
        told = [f"{monitor} found no violation in the window {window}. It had found some since {since}."]
        return [*told, f"None of the last {message.of} windows violates."] if several else told
    if message.event == "failing":
        told = [f"{monitor} could not judge the window {window}: {verdict['reason']}"]
        told.append(f"Nothing is known of {_SUBJECTS[kind]} since {since}.")
        if several:
            told.append(f"{message.counted} of the last {message.of} windows could not be judged.")
        if message.violating_since:
            told.append(f"Before, it found violations, since {_moment(message.violating_since)}.")
        return told
    told = [f"{monitor} judges again, in the window {window}. It could not since {since}."]
    if message.violating_since:
        told.append(f"It finds violations, as it has since {_moment(message.violating_since)}, and no new ones.")
    else:
        told.append(f"It found {count if verdict['violations'] else 'no violation'}.")
    return told


_SUBJECTS: dict[Kind, str] = {
    "bias": "the bias of the model",
    "explainability": "what the model's predictions rest on",
}


def _finding(row: Mapping[str, Any], verdict: Mapping[str, Any], message: Message) -> Finding:
    from model_monitor.analysis.report_actions import ACTIONS, NDCG_ACTION, NDCG_MEANING
    from model_monitor.analysis.report_texts import MEANINGS

    new = message.event == "more" and violation_key(row) in message.new
    metric = row["metric"]
    if "facet" in row:
        title = f"{metric} of {short(row['facet'])} {short(str(row['facet_value']))}"
        numbers = row["description"]
        if row["position"] is not None:
            numbers = f"{number(row['value'])}, at the baseline {number(row['baseline'])}"
        return Finding(title, numbers, MEANINGS.get(metric, ""), ACTIONS.get(metric, ""), new)
    label = str(row.get("label") or "")
    scores = verdict.get("ndcg", {})
    numbers = f"{number(scores[label])}, a violation below 0.90" if label in scores else row["description"]
    return Finding(f"NDCG of {short(label)}", numbers, NDCG_MEANING, NDCG_ACTION, new)


def _pages(endpoint: MonitoredEndpoint, kind: Kind, verdict: Mapping[str, Any]) -> list[tuple[str, str]]:
    folders = f"{names.report_folders(endpoint, kind)}/"
    if not verdict["report"].startswith(folders):
        return []
    window = verdict["report"].removeprefix(folders)
    pages = [("Execution", addresses.execution(endpoint.name, kind, window))]
    if addresses.REPORT in verdict["files"]:
        pages.append(("Report", addresses.execution_file(endpoint.name, kind, window)))
    pages.append(("Over time", addresses.endpoint(endpoint.name)))
    return pages


def _steps(endpoint: MonitoredEndpoint, message: Message) -> tuple[str, ...]:
    from model_monitor.analysis.report_actions import FIRST_STEPS

    if message.event in ("violating", "more"):
        return FIRST_STEPS
    if message.event == "failing":
        return (
            "Is there traffic, and are there labels for it? The dashboard shows both by the hour.",
            f"Run {endpoint.name}.preflight: it says what does not fit, in the definition or in the account.",
            "Read the end of the job's log: the execution's page, or the failed task, leads there.",
        )
    return ()


def _window(endpoint: MonitoredEndpoint, verdict: Mapping[str, Any]) -> str:
    if "window" in verdict:
        window = Window.from_dict(verdict["window"])
        start, end = window.start, window.end
    else:
        due = moment(verdict["scheduled"])
        start = due + duration(endpoint.monitoring.start_time_offset)
        end = due + duration(endpoint.monitoring.end_time_offset)
    same_day = f"{start:%Y-%m-%d}" == f"{end:%Y-%m-%d}"
    return f"{start:%Y-%m-%d %H:%M} – {end:{'%H:%M' if same_day else '%Y-%m-%d %H:%M'}} UTC"


def _moment(text: str) -> str:
    return f"{moment(text):%Y-%m-%d %H:%M} UTC"


def _counted(count: int, one: str, many: str | None = None) -> str:
    return f"{count} {one if count == 1 else many or f'{one}s'}"


def short(text: str) -> str:
    """A name from the data on one line, cut where it is too long to read."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_NAME else f"{line[: LONGEST_NAME - 1]}…"

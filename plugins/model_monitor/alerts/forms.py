"""A letter in the form of each channel: plain text, HTML, Slack's mark-up. Whatever the data says stays text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from model_monitor.alerts.letter import Letter

LONGEST_SUBJECT = 100
SLACK = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def subject(letter: Letter) -> str:
    """One line of ASCII of at most 100 characters, which is what SNS takes."""
    line = " ".join(letter.subject.encode("ascii", "replace").decode().split())
    return line if len(line) <= LONGEST_SUBJECT else f"{line[: LONGEST_SUBJECT - 3]}..."


def plain(letter: Letter) -> str:
    """Text for SNS and for logs."""
    blocks = ["\n".join(letter.summary)]
    if letter.links:
        blocks.append("\n".join(f"{text}: {url}" for text, url in letter.links))
    for finding in letter.findings:
        mark = " (new)" if finding.new else ""
        lines = [f"{finding.title}{mark}: {finding.numbers}", finding.meaning, finding.action]
        blocks.append("\n  ".join(filter(None, lines)))
    if letter.more:
        blocks.append(f"And {letter.more} more.")
    if letter.steps:
        blocks.append("\n".join(["What to do:", *(f"{number}. {step}" for number, step in enumerate(letter.steps, 1))]))
    return "\n\n".join(blocks)


def html(letter: Letter) -> str:
    """The body of an e-mail."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("email.html.j2").render(letter=letter)


def slack(letter: Letter) -> str:
    """Slack's mark-up; escaped as Slack asks for, so that no text mentions anybody or hides where a link leads.

    Slack makes a link of an address that stands in a text as it is, as readers of mail do; it shows where it leads.
    Source: Slack, "Formatting text for app surfaces".
    """
    blocks = [f"*{_escaped(letter.subject)}*\n" + "\n".join(map(_escaped, letter.summary))]
    if letter.links:
        blocks.append(" · ".join(f"<{_escaped(url)}|{_escaped(text)}>" for text, url in letter.links))
    for finding in letter.findings:
        mark = " (new)" if finding.new else ""
        lines = [f"• *{_escaped(finding.title)}*{mark}: {_escaped(finding.numbers)}", _escaped(finding.meaning)]
        blocks.append("\n    ".join(filter(None, lines)))
    if letter.more:
        blocks.append(f"And {letter.more} more.")
    return "\n".join(blocks)


def _escaped(text: str) -> str:
    return text.translate(SLACK)

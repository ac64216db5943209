"""A letter in the form of each channel: plain text, HTML, Slack's mark-up. Whatever the data says stays text."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from model_monitor.alerts.letter import Finding, Letter

LONGEST_SUBJECT = 100
LONGEST_SECTION = 3000
MOST_BLOCKS = 50
LONGEST_BLOCKS = 9000
"""Characters of a message in Slack. It does not say how many it takes in all; it refuses messages from some 11,000 on.
Source: github.com/slackapi/bolt-js, issues 2509 and 2867.
"""

CUT = "… (cut)"
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


def slack(letter: Letter) -> list[dict[str, Any]]:
    """Slack's blocks; escaped as Slack asks for, so that no text mentions anybody or hides where a link leads.

    Names in the data can be addresses; `verbatim` keeps Slack from making links of them, while those in its mark-up
    still are. Findings that Slack would not take any more are counted with those that the letter leaves out.
    Source: Slack, "Text object" and "Formatting text for app surfaces".
    """
    links = " · ".join(f"<{_escaped(url)}|{_escaped(text)}>" for text, url in letter.links)
    head = [f"*{_escaped(letter.subject)}*", *map(_escaped, letter.summary), links]
    texts = [_cut(text) for text in head if text]
    room = LONGEST_BLOCKS - sum(map(len, texts))
    more = letter.more + len(letter.findings)
    for text in map(_cut, map(_slack_finding, letter.findings)):
        room -= len(text)
        if room < 0 or len(texts) == MOST_BLOCKS - 1:
            break
        texts.append(text)
        more -= 1
    if more:
        texts.append(f"And {more} more.")
    return [{"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}} for text in texts]


def slack_notification(letter: Letter) -> str:
    """What Slack shows of a message where it shows no blocks; it would make links of names, and a subject has none."""
    return _escaped(subject(letter))


def _slack_finding(finding: Finding) -> str:
    mark = " (new)" if finding.new else ""
    lines = [f"• *{_escaped(finding.title)}*{mark}: {_escaped(finding.numbers)}", _escaped(finding.meaning)]
    return "\n    ".join(filter(None, lines))


def _escaped(text: str) -> str:
    return text.translate(SLACK)


def _cut(escaped: str) -> str:
    """What fits into a section, without the half of an escape at its end."""
    if len(escaped) <= LONGEST_SECTION:
        return escaped
    return re.sub(r"&[a-z]*$", "", escaped[: LONGEST_SECTION - len(CUT)]) + CUT

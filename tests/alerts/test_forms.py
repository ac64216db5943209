"""Messages in the forms of their channels, within what those take."""

from __future__ import annotations

from dataclasses import replace

import pytest

from model_monitor.alerts import forms
from model_monitor.alerts.letter import Finding, Letter

FINDING = Finding("DI of Age", "0.4, at the baseline 0.8", "What it means.", "What to do.", False)
LETTER = Letter("churn bias: 1 violation", ("It was found.",), (FINDING,), 0, (("Report", "https://a.example/r"),), ())


def texts(letter: Letter) -> list[str]:
    return [block["text"]["text"] for block in forms.slack(letter)]


def test_slack_has_a_section_for_each_thing() -> None:
    assert texts(replace(LETTER, more=4)) == [
        "*churn bias: 1 violation*",
        "It was found.",
        "<https://a.example/r|Report>",
        "• *DI of Age*: 0.4, at the baseline 0.8\n    What it means.",
        "And 4 more.",
    ]
    assert "" not in texts(replace(LETTER, links=()))


@pytest.mark.parametrize("before", range(6))
def test_what_slack_takes_no_more_of_is_cut_and_says_so(before: int) -> None:
    long = "x" * before + "<&>" * 3000
    _, cut, following, links, finding = texts(replace(LETTER, summary=(long, "Since when.")))
    assert 2980 < len(cut) <= forms.LONGEST_SECTION
    assert cut.endswith(";… (cut)")
    assert (following, links) == ("Since when.", "<https://a.example/r|Report>")
    assert finding.startswith("• *DI of Age*")


def test_findings_that_slack_would_not_take_are_counted() -> None:
    many = texts(replace(LETTER, findings=(FINDING,) * 60, more=5))
    assert len(many) == forms.MOST_BLOCKS
    assert many[-1] == "And 19 more."
    long = replace(FINDING, numbers="<" * 1000)
    few = texts(replace(LETTER, findings=(long,) * 10, more=5))
    assert sum(map(len, few)) <= forms.LONGEST_BLOCKS + len(few[-1])
    assert (len(few), few[-1]) == (6, "And 13 more.")


def test_a_notification_of_slack_s_is_the_subject() -> None:
    assert forms.slack_notification(LETTER) == "churn bias: 1 violation"

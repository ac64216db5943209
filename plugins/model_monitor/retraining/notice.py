"""The message, through the channels of `alerts`, that a candidate waits for an answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from model_monitor.alerts.airflow_links import airflow_links
from model_monitor.alerts.channels import channels, why_not_told
from model_monitor.alerts.letter import Finding, Letter
from model_monitor.config import MonitoredEndpoint
from model_monitor.dashboard import addresses
from model_monitor.results import shown
from model_monitor.retraining.occasion import Judged

if TYPE_CHECKING:
    from airflow.sdk.types import Logger

WORDS = {"better": "The candidate is better.", "worse": "The candidate is worse.", "same": "", "": ""}


def compared(figure: Mapping[str, Any]) -> str:
    """Whether the candidate is `better`, `worse` or the `same`, to four decimals; empty where that is not known."""
    old, new, better = figure["old"], figure["new"], figure["better"]
    if old is None or new is None or better is None:
        return ""
    if shown(old) == shown(new):
        return "same"
    return "better" if (new > old) == (better == "higher") else "worse"


def notice(
    endpoint: MonitoredEndpoint, verdicts: Sequence[Judged], candidate: Mapping[str, Any], base: str, page: str
) -> Letter:
    """That somebody is asked, why, and where to answer.

    Args:
        verdicts: what the candidate was trained for.
        candidate: what RetrainOperator answered.
        base: where browsers reach Airflow, as in `[api] base_url`; without it there are no links.
        page: the path of the page to answer on.
    """
    retraining = endpoint.retraining
    assert retraining is not None
    why = [f"{len(judged.violations)} violations of the {judged.kind} monitor" for judged in verdicts]
    figures = candidate["figures"]
    return Letter(
        subject=f"{endpoint.name}: replace the model?",
        summary=(
            f"A candidate for the model of {endpoint.name} was trained, because of "
            f"{' and '.join(why) or 'a run by hand'}. It is not in service.",
            f"Without an answer within {retraining.approval_timeout}, the old model stays.",
        ),
        findings=tuple(
            Finding(one["name"], f"{shown(one['old'])} now, {shown(one['new'])} then", WORDS[compared(one)], "", False)
            for one in figures
        ),
        more=0,
        links=airflow_links(base, [("Answer", page), ("Over time", addresses.endpoint(endpoint.name))]),
        steps=("Read the violations and the figures on the page of the task 'approve'.", "Approve, or reject."),
    )


def send(endpoint: MonitoredEndpoint, letter: Letter, log: Logger) -> list[str]:
    """Tell every channel; answers which took it. A channel that does not is told of in the log, as the question stands
    in Airflow all the same.
    """
    senders = channels(endpoint).items()
    return [channel for channel, tell in senders if why_not_told(channel, tell, letter, log) is None]

"""A test message: people see that alerts reach them before there is anything to tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from model_monitor.alerts.airflow_links import airflow_address, airflow_links
from model_monitor.alerts.channels import channels, why_not_told
from model_monitor.alerts.letter import Letter
from model_monitor.dashboard import addresses
from model_monitor.errors import AlertNotDelivered

if TYPE_CHECKING:
    from airflow.sdk.types import Logger

    from model_monitor.config import MonitoredEndpoint


def try_channels(endpoint: MonitoredEndpoint, log: Logger) -> list[str]:
    """Send a test message through every channel of an endpoint; answers which there are.

    Nothing is kept of it, so that what is told next does not depend on it.

    Raises:
        AlertNotDelivered: when channels did not take theirs: each of them, and why.
    """
    base = airflow_address()
    took, refused = [], []
    for channel, send in channels(endpoint).items():
        if why := why_not_told(channel, send, trial_letter(endpoint, channel, base), log):
            refused.append(why)
        else:
            log.info("%s took a test message", channel)
            took.append(channel)
    if refused:
        raise AlertNotDelivered(
            f"A test message of {endpoint.name} was not taken by: {'; '.join(refused)}. Look at the connection, and at "
            f"alerts in the endpoint's YAML; then try again. Taken by: {', '.join(took) or 'none'}."
        )
    return took


def trial_letter(endpoint: MonitoredEndpoint, channel: str, base: str) -> Letter:
    """What is sent through a channel.

    Args:
        base: where browsers reach Airflow, as in `[api] base_url`; without it there are no links.
    """
    summary = [
        f"This is a test of the channel {channel} of {endpoint.name}. Nothing is wrong, and there is nothing to do.",
        f"Somebody asked for it in {endpoint.name}.preflight. Messages come here when a monitor begins to find "
        "violations or cannot judge, and when that is over.",
    ]
    if not base:
        summary.append(
            "No message has links before [api] base_url is set to the address at which people reach Airflow."
        )
    return Letter(
        subject=f"{endpoint.name}: test message, nothing is wrong",
        summary=tuple(summary),
        findings=(),
        more=0,
        links=airflow_links(base, [("Over time", addresses.endpoint(endpoint.name))]),
        steps=(),
    )

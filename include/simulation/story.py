"""What happens in the week."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from simulation.customers import Customers, Hour

HOURS = 7 * 24
INTERNATIONAL = ["Int'l Plan_no", "Int'l Plan_yes", "Intl Mins", "Intl Calls"]
MORE_MINUTES = 90.0


@dataclass(frozen=True)
class Change:
    """Something that is so from one hour of the week until before another; what is told at both."""

    begins: int
    ends: int
    beginning: str
    end: str
    apply: Callable[[Customers, pd.DataFrame], None]


def _tariff(customers: Customers, inputs: pd.DataFrame) -> None:
    inputs.loc[customers.in_group(inputs), "Day Mins"] += MORE_MINUTES


def _broken_feed(customers: Customers, inputs: pd.DataFrame) -> None:
    for column in INTERNATIONAL:
        inputs[column] = customers.averages[column]


STORY = (
    Change(
        begins=4 * 24 + 8,
        ends=HOURS,
        beginning=f"A new tariff: customers of more than 100 days talk {MORE_MINUTES:.0f} minutes a day more.",
        end="",
        apply=_tariff,
    ),
    Change(
        begins=4 * 24 + 14,
        ends=6 * 24 + 9,
        beginning="The feed of international usage breaks: the model gets averages for plan, minutes and calls.",
        end="The feed of international usage is repaired; the tariff stays.",
        apply=_broken_feed,
    ),
)


def traffic(customers: Customers, number: int, time_of_day: int) -> Hour:
    """The customers of an hour of the week, as they are by then."""
    hour = customers.of_hour(number, time_of_day)
    inputs = hour.inputs.copy()
    for change in STORY:
        if change.begins <= number < change.ends:
            change.apply(customers, inputs)
    return Hour(inputs, hour.labels)


def told(number: int) -> list[str]:
    """What is new in an hour."""
    return [change.beginning for change in STORY if change.begins == number] + [
        change.end for change in STORY if change.ends == number
    ]

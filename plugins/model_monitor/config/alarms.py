"""The YAML's section on CloudWatch alarms: which of the monitors' metrics, beyond which limit, and who is told."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Literal, get_args

from pydantic import Field

from model_monitor.config.alerts import TopicArn
from model_monitor.config.types import Name, Scalar, Section

Direction = Literal["above", "below"]
PostTraining = Literal["AD", "CDDPL", "DAR", "DCA", "DCR", "DI", "DPPL", "DRR", "FT", "GE", "RD", "SD", "TE"]
PreTraining = Literal["CDDL", "CI", "DPL", "JS", "KL", "KS", "LP", "TVD"]
METRIC = (
    f"a bias metric: of predictions {', '.join(get_args(PostTraining))}; of labels {', '.join(get_args(PreTraining))}"
)
LIMIT = "a number, such as -0.1"
TIMES = "a positive multiple of the baseline's value, such as 0.5"
Times = Annotated[float, Field(gt=0, allow_inf_nan=False)]
TOPICS = "at most five ARNs of SNS topics, such as [arn:aws:sns:us-west-2:123456789012:drift]"
Topics = Annotated[list[TopicArn], Field(max_length=5)]

LONGEST_IDENTITY = 100


class Alarm(Section):
    """What alarms on either monitor have in common; a limit on each side makes two alarms."""

    name: Name | None = None
    above: float | None = Field(default=None, allow_inf_nan=False, description=LIMIT)
    below: float | None = Field(default=None, allow_inf_nan=False, description=LIMIT)
    violating_windows: int = Field(default=1, ge=1, le=100)
    of_windows: int = Field(default=1, ge=1, le=100)
    treat_missing: Literal["missing", "ignore", "breaching", "notBreaching"] = "missing"
    topics: Topics | None = Field(default=None, description=TOPICS)

    @property
    def subject(self) -> str:
        """What is watched, for people."""
        raise NotImplementedError

    @property
    def times(self) -> dict[Direction, float]:
        """The sides whose limit is a multiple of the baseline's value."""
        raise NotImplementedError

    @property
    def limits(self) -> dict[Direction, float]:
        """The sides whose limit is a value."""
        given: dict[Direction, float | None] = {"above": self.above, "below": self.below}
        return {side: limit for side, limit in given.items() if limit is not None}

    @property
    def directions(self) -> list[Direction]:
        """The sides that have a limit."""
        return [*self.limits, *self.times]

    @property
    def identity(self) -> str:
        """What the alarm's name tells it by: ASCII letters, digits and hyphens; empty for a subject of none of them."""
        return self.name or re.sub(r"[^A-Za-z0-9]+", "-", self.subject)[:LONGEST_IDENTITY].strip("-")

    def problems(self) -> Iterator[tuple[str, str]]:
        """What is wrong with it by itself: keys, and why."""
        for side in sorted(self.limits.keys() & self.times.keys()):
            yield side, "is given as a value and as a multiple of the baseline's; leave one out"
        if len(self.limits) == 2 and self.limits["below"] >= self.limits["above"]:
            yield "below", f"must be less than above, {self.limits['above']:g} (found {self.limits['below']:g})"
        if self.violating_windows > self.of_windows:
            what = f"{self.violating_windows} of {self.of_windows} windows can never violate; raise of_windows"
            yield "violating_windows", what
        if not self.identity:
            yield "name", f"is missing; '{self.subject}' has no ASCII letter or digit to name the alarm after"


class BiasAlarm(Alarm):
    """An alarm on a bias metric of a facet's group."""

    metric: PostTraining | PreTraining = Field(description=METRIC)
    facet: str | None = None
    group: Scalar | None = Field(
        default=None, description="the value or threshold of one of the facet's groups, such as 100 or 'yes'"
    )
    beyond_baseline_times: Times | None = Field(default=None, description=TIMES)

    @property
    def subject(self) -> str:
        return " ".join(str(part) for part in (self.metric, self.facet, self.group) if part is not None)

    @property
    def times(self) -> dict[Direction, float]:
        beyond = self.beyond_baseline_times
        return {} if beyond is None else {"above": beyond, "below": beyond}

    def problems(self) -> Iterator[tuple[str, str]]:
        yield from super().problems()
        if not self.directions:
            yield "", "has no limit; give above, below or beyond_baseline_times"


class ExplainabilityAlarm(Alarm):
    """An alarm on a feature's global Shapley value, or on the expected value, of a label."""

    feature: str | None = None
    expected_value: bool = False
    label: str = "label0"
    above_baseline_times: Times | None = Field(default=None, description=TIMES)
    below_baseline_times: Times | None = Field(default=None, description=TIMES)

    @property
    def subject(self) -> str:
        what = "expected value" if self.expected_value else str(self.feature)
        return what if self.label == "label0" else f"{what} of {self.label}"

    @property
    def times(self) -> dict[Direction, float]:
        given: dict[Direction, float | None] = {"above": self.above_baseline_times, "below": self.below_baseline_times}
        return {side: times for side, times in given.items() if times is not None}

    def problems(self) -> Iterator[tuple[str, str]]:
        yield from super().problems()
        if not self.directions:
            yield "", "has no limit; give above, below, above_baseline_times or below_baseline_times"
        if (self.feature is None) is not self.expected_value:
            yield "feature", "give the name of a model input, or leave it out with expected_value: true"


class Alarms(Section):
    """CloudWatch alarms on the monitors' metrics; `topics` are told of those that name none of their own."""

    topics: Topics = Field(default=[], description=TOPICS)
    bias: list[BiasAlarm] = []
    explainability: list[ExplainabilityAlarm] = []

    def placed(self) -> Iterator[tuple[str, BiasAlarm | ExplainabilityAlarm]]:
        """Every alarm with its place in the YAML, such as `alarms.bias.0`."""
        sections: tuple[tuple[str, Sequence[BiasAlarm | ExplainabilityAlarm]], ...] = (
            ("bias", self.bias),
            ("explainability", self.explainability),
        )
        for section, alarms in sections:
            for number, alarm in enumerate(alarms):
                yield f"alarms.{section}.{number}", alarm

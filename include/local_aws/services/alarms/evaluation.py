"""Which state data puts a CloudWatch alarm into: pure functions from data and settings to a state and its reason.

Source: CloudWatch, "Using Amazon CloudWatch alarms": evaluation, missing data, premature transitions. An alarm looks at
the latest `EvaluationPeriods` periods that end at a full minute, and at two more when some of them hold no data. How
many more AWS looks at is not published; its examples show two.
"""

from __future__ import annotations

import json
import math
import operator
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

OK, ALARM, INSUFFICIENT = "OK", "ALARM", "INSUFFICIENT_DATA"
EXTRA_PERIODS = 2
MINUTE, HOUR, DAY = 60, 3600, 86400
HIGH_RESOLUTION = 10

COMPARISONS: dict[str, tuple[Callable[[float, float], bool], str]] = {
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
    "GreaterThanThreshold": (operator.gt, "greater than"),
    "LessThanThreshold": (operator.lt, "less than"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
}


@dataclass(frozen=True)
class Samples:
    """What one published datum stands for: a value, or the summary of several."""

    count: float
    total: float
    least: float
    most: float


@dataclass(frozen=True)
class Point:
    """One period's statistic; the moment is the period's start in epoch seconds."""

    moment: float
    value: float


@dataclass(frozen=True)
class Settings:
    """What an alarm compares, and how."""

    statistic: str
    period: int
    evaluation_periods: int
    datapoints: int
    comparison: str
    threshold: float
    treat_missing: str
    skips_low_samples: bool = False

    @property
    def step(self) -> int:
        """Seconds between evaluations: ten for short periods, an hour for alarms over more than a day."""
        if self.period < MINUTE:
            return HIGH_RESOLUTION
        return HOUR if self.period * self.evaluation_periods > DAY else MINUTE

    @property
    def periods_seen(self) -> int:
        """How many periods an evaluation looks at."""
        return self.evaluation_periods + EXTRA_PERIODS

    def breaches(self, value: float) -> bool:
        """Whether a value is on the wrong side of the threshold."""
        return COMPARISONS[self.comparison][0](value, self.threshold)

    def end(self, now: float) -> float:
        """The end of the latest period at a moment."""
        return math.floor(now / self.step) * self.step

    def start(self, now: float) -> float:
        """The start of the oldest period that is looked at."""
        return self.end(now) - self.periods_seen * self.period

    def changes_after(self, moment: float, now: float) -> float:
        """When data of a moment next comes to lie in another period, as seen from now."""
        place = math.ceil((self.end(now) - moment) / self.period)
        return math.floor((moment + max(place, 0) * self.period) / self.step + 1) * self.step


@dataclass(frozen=True)
class Verdict:
    """A state and why."""

    state: str
    reason: str
    data: str


def points_of(data: Iterable[tuple[float, Samples]], settings: Settings, now: float) -> list[Point | None]:
    """The statistic of each period that is looked at, the oldest first; None where there is no data."""
    end = settings.end(now)
    periods: list[list[Samples]] = [[] for _ in range(settings.periods_seen)]
    for moment, samples in data:
        age = math.ceil((end - moment) / settings.period)
        if 1 <= age <= settings.periods_seen:
            periods[-age].append(samples)
    start = settings.start(now)
    return [
        Point(start + number * settings.period, value) if (value := _statistic(samples, settings)) is not None else None
        for number, samples in enumerate(periods)
    ]


def judge(points: Sequence[Point | None], settings: Settings, current: str, now: float) -> Verdict | None:
    """The state that points put an alarm into; None when it keeps the one it has."""
    real = [point for point in points if point is not None]
    needed = settings.evaluation_periods
    considered = real[-needed:]
    breaching = [point for point in considered if settings.breaches(point.value)]
    missing = max(needed - len(real), 0)
    state = _state(points, considered, len(breaching), missing, settings)
    if state is None or state == current:
        return None
    reason = _reason(state, considered, breaching, missing, settings)
    return Verdict(state, reason, _data(considered, settings, now))


def _state(
    points: Sequence[Point | None], considered: list[Point], breaching: int, missing: int, settings: Settings
) -> str | None:
    if missing and settings.treat_missing == "breaching":
        breaching += missing
    if breaching >= settings.datapoints:
        return ALARM
    if not missing or settings.treat_missing in ("breaching", "notBreaching"):
        return OK
    if breaching < len(considered):
        return OK
    if settings.treat_missing == "ignore":
        return None
    oldest = next((len(points) - number for number, point in enumerate(points) if point is not None), 0)
    return ALARM if breaching and oldest >= settings.datapoints else INSUFFICIENT


def _statistic(samples: list[Samples], settings: Settings) -> float | None:
    if not samples:
        return None
    count = sum(sample.count for sample in samples)
    total = sum(sample.total for sample in samples)
    match settings.statistic:
        case "SampleCount":
            return count
        case "Sum":
            return total
        case "Average":
            return total / count if count else None
        case "Minimum":
            return min(sample.least for sample in samples)
        case "Maximum":
            return max(sample.most for sample in samples)
    return _percentile(samples, float(settings.statistic.removeprefix("p")) / 100, settings.skips_low_samples)


def _percentile(samples: list[Samples], share: float, skips_low_samples: bool) -> float | None:
    """The value below which a share of the samples lies, between neighbours in proportion; none for summaries."""
    values = sorted(sample.total for sample in samples if sample.least == sample.most and sample.count == 1)
    enough = 10 / (1 - share) if 0.5 <= share < 1 else 10 / share if 0 < share < 0.5 else 0
    if not values or (skips_low_samples and len(values) < round(enough)):
        return None
    place = share * (len(values) - 1)
    below = math.floor(place)
    above = min(below + 1, len(values) - 1)
    return values[below] + (values[above] - values[below]) * (place - below)


def _reason(state: str, considered: list[Point], breaching: list[Point], missing: int, settings: Settings) -> str:
    if state == INSUFFICIENT:
        unknown = settings.evaluation_periods - len(considered)
        return f"Insufficient Data: {_number(unknown, 'datapoint')} {_were(unknown)} unknown."
    treated = f"{_number(missing, 'missing datapoint')} {_were(missing)} treated as [{_treatment(settings)}]"
    if not considered:
        periods = _number(settings.evaluation_periods, "period")
        return f"Threshold Crossed: no datapoints were received for {periods} and {treated}."
    shown = breaching if state == ALARM else [point for point in considered if point not in breaching]
    listed = ", ".join(f"{point.value} ({_day(point.moment)})" for point in reversed(shown))
    compared = f"{'' if state == ALARM else 'not '}{COMPARISONS[settings.comparison][1]}"
    least = settings.datapoints if state == ALARM else settings.evaluation_periods - settings.datapoints + 1
    also = f" and {treated}" if missing and settings.treat_missing in ("breaching", "notBreaching") else ""
    return (
        f"Threshold Crossed: {len(shown)} out of the last {len(considered)} datapoints [{listed}] "
        f"{_were(len(shown))} {compared} the threshold ({settings.threshold}){also} "
        f"(minimum {_number(least, 'datapoint')} for {'OK -> ALARM' if state == ALARM else 'ALARM -> OK'} transition)."
    )


def _data(considered: list[Point], settings: Settings, now: float) -> str:
    start = {"startDate": instant(considered[0].moment)} if considered else {}
    return json.dumps(
        {
            "version": "1.0",
            "queryDate": instant(now),
            **start,
            "statistic": settings.statistic,
            "period": settings.period,
            "recentDatapoints": [point.value for point in considered],
            "threshold": settings.threshold,
            "evaluatedDatapoints": [
                {"timestamp": instant(point.moment), "value": point.value} for point in reversed(considered)
            ],
        }
    )


def instant(moment: float) -> str:
    """`2019-10-02T17:04:40.985+0000`, as CloudWatch writes moments in JSON."""
    return f"{datetime.fromtimestamp(moment, UTC).isoformat(timespec='milliseconds').removesuffix('+00:00')}+0000"


def _day(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%d/%m/%y %H:%M:%S")


def _number(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _were(count: int) -> str:
    return "was" if count == 1 else "were"


def _treatment(settings: Settings) -> str:
    return {"breaching": "Breaching", "notBreaching": "NonBreaching"}.get(settings.treat_missing, "Missing")

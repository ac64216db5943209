"""Which state data puts an alarm into; the tables are those of CloudWatch's documentation."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from local_aws.services.alarms.evaluation import Point, Samples, Settings, judge, points_of

KEPT = "kept"
TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")
ALARM, OK, NO_DATA = "ALARM", "OK", "INSUFFICIENT_DATA"


def settings(periods: int = 1, datapoints: int = 1, treat_missing: str = "missing", **changes: object) -> Settings:
    return Settings(
        **{
            "statistic": "Average",
            "period": 300,
            "evaluation_periods": periods,
            "datapoints": datapoints,
            "comparison": "GreaterThanThreshold",
            "threshold": 50.0,
            "treat_missing": treat_missing,
            **changes,
        }  # type: ignore[arg-type]
    )


def states(drawn: str, periods: int, datapoints: int) -> tuple[str, ...]:
    """The states for each treatment of missing data: 0 is within the threshold, X is breaching, - is missing."""
    points = [
        None if mark == "-" else Point(number * 300.0, 99.0 if mark == "X" else 1.0)
        for number, mark in enumerate(drawn)
    ]
    verdicts = [judge(points, settings(periods, datapoints, treat), "before", 1500.0) for treat in TREATMENTS]
    return tuple(KEPT if verdict is None else verdict.state for verdict in verdicts)


@pytest.mark.parametrize(
    ("drawn", "expected"),
    [
        ("0-X-X", (OK, OK, OK, OK)),
        ("0----", (OK, OK, OK, OK)),
        ("-----", (NO_DATA, KEPT, ALARM, OK)),
        ("0XX-X", (ALARM, ALARM, ALARM, ALARM)),
        ("----X", (NO_DATA, KEPT, ALARM, OK)),
        ("--X--", (ALARM, KEPT, ALARM, OK)),
        ("X----", (ALARM, KEPT, ALARM, OK)),
    ],
)
def test_three_out_of_three(drawn: str, expected: tuple[str, ...]) -> None:
    assert states(drawn, periods=3, datapoints=3) == expected


@pytest.mark.parametrize(
    ("drawn", "expected"),
    [
        ("0-X-X", (ALARM, ALARM, ALARM, ALARM)),
        ("00X0X", (ALARM, ALARM, ALARM, ALARM)),
        ("0-X--", (OK, OK, ALARM, OK)),
        ("----0", (OK, OK, ALARM, OK)),
        ("----X", (NO_DATA, KEPT, ALARM, OK)),
        ("---X-", (ALARM, KEPT, ALARM, OK)),
    ],
)
def test_two_out_of_three(drawn: str, expected: tuple[str, ...]) -> None:
    assert states(drawn, periods=3, datapoints=2) == expected


@pytest.mark.parametrize(
    ("comparison", "breaching"),
    [
        ("GreaterThanThreshold", [51.0]),
        ("GreaterThanOrEqualToThreshold", [50.0, 51.0]),
        ("LessThanThreshold", [49.0]),
        ("LessThanOrEqualToThreshold", [49.0, 50.0]),
    ],
)
def test_each_comparison_has_its_own_side_of_the_threshold(comparison: str, breaching: list[float]) -> None:
    found = [value for value in (49.0, 50.0, 51.0) if settings(comparison=comparison).breaches(value)]
    assert found == breaching


@pytest.mark.parametrize(
    ("statistic", "value"),
    [
        ("SampleCount", 6.0),
        ("Sum", 30.0),
        ("Average", 5.0),
        ("Minimum", 1.0),
        ("Maximum", 9.0),
        ("p50", 2.0),
        ("p100", 3.0),
        ("p25", 1.5),
    ],
)
def test_statistics_of_values_and_summaries(statistic: str, value: float) -> None:
    data = [(60.0, Samples(1, value, value, value)) for value in (3.0, 1.0, 2.0)]
    data.append((200.0, Samples(count=3, total=24.0, least=7.0, most=9.0)))
    assert points_of(data, settings(statistic=statistic), now=300.0)[-1] == Point(0.0, value)


def test_a_percentile_of_too_few_samples_can_be_skipped() -> None:
    few = [(60.0, Samples(1, 1.0, 1.0, 1.0))]
    assert points_of(few, settings(statistic="p90"), 300.0)[-1] == Point(0.0, 1.0)
    assert points_of(few, settings(statistic="p90", skips_low_samples=True), 300.0)[-1] is None
    enough = [(60.0 + number, Samples(1, 1.0, 1.0, 1.0)) for number in range(100)]
    assert points_of(enough, settings(statistic="p90", skips_low_samples=True), 300.0)[-1] == Point(0.0, 1.0)


def test_periods_end_at_the_last_full_minute_and_slide_with_it() -> None:
    """As documented: at the end of minute 6, a period of five minutes is minutes 2 to 6."""
    data = [(59.0, Samples(1, 1.0, 1.0, 1.0)), (60.0, Samples(1, 2.0, 2.0, 2.0)), (360.0, Samples(1, 9.0, 9.0, 9.0))]
    assert points_of(data, settings(statistic="Sum"), now=419.0)[-2:] == [Point(-240.0, 1.0), Point(60.0, 2.0)]
    assert points_of(data, settings(statistic="Sum"), now=420.0)[-1] == Point(120.0, 9.0)


@pytest.mark.parametrize("now", [0.0, 30.0, 61.0, 359.0, 360.0, 900.0])
@pytest.mark.parametrize("moment", [-5.0, 0.0, 59.0, 60.0, 3000.0])
def test_nothing_changes_before_the_moment_that_is_said(moment: float, now: float) -> None:
    """Judging only at these moments is as good as judging every minute."""
    chosen = settings()

    def place(at: float) -> list[int]:
        points = points_of([(moment, Samples(1, 1.0, 1.0, 1.0))], chosen, at)
        return [number for number, point in enumerate(points) if point]

    change = chosen.changes_after(moment, now)
    assert change > now
    assert change % 60 == 0
    assert all(place(at) == place(now) for at in range(int(now), int(change)))
    gone = moment < chosen.start(now)
    assert gone or place(change) != place(now)


def test_short_periods_are_judged_every_ten_seconds_and_many_days_every_hour() -> None:
    assert settings(period=30).step == 10
    assert settings(period=86400).step == 60
    assert settings(period=86400, periods=2).step == 3600


def test_reasons_read_as_cloudwatch_writes_them() -> None:
    """The texts of the examples in CloudWatch's documentation."""
    queried = datetime(2019, 10, 2, 17, 4, 40, 985000, UTC).timestamp()
    start = datetime(2019, 10, 2, 16, 59, tzinfo=UTC).timestamp()
    raised = judge([None, Point(start, 99.50160229693434), None], settings(), OK, queried)
    assert raised is not None
    assert raised.reason == (
        "Threshold Crossed: 1 out of the last 1 datapoints [99.50160229693434 (02/10/19 16:59:00)] was greater than "
        "the threshold (50.0) (minimum 1 datapoint for OK -> ALARM transition)."
    )
    data = json.loads(raised.data)
    assert data["queryDate"] == "2019-10-02T17:04:40.985+0000"
    assert data["startDate"] == "2019-10-02T16:59:00.000+0000"
    assert data["recentDatapoints"] == [99.50160229693434]
    ended = judge([Point(start, 0.0666851903306472)], settings(), ALARM, queried)
    assert ended is not None
    assert ended.reason == (
        "Threshold Crossed: 1 out of the last 1 datapoints [0.0666851903306472 (02/10/19 16:59:00)] was not greater "
        "than the threshold (50.0) (minimum 1 datapoint for ALARM -> OK transition)."
    )
    silent = judge([None], settings(), OK, queried)
    assert silent is not None
    assert silent.reason == "Insufficient Data: 1 datapoint was unknown."
    assumed = judge([None], settings(treat_missing="breaching"), OK, queried)
    assert assumed is not None
    assert assumed.reason == (
        "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was "
        "treated as [Breaching]."
    )

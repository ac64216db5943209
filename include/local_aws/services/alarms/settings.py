"""What moto's alarms and data say, in the terms that alarms are judged in."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC
from typing import Any

from local_aws.operations import service_model
from local_aws.services.alarms.evaluation import COMPARISONS, MINUTE, Samples, Settings
from local_aws.validation import refusal_of

SHORT_PERIODS = (10, 20, 30)
TREATMENTS = ("breaching", "notBreaching", "ignore", "missing")
PERCENTILE = re.compile(r"p(100|\d{1,2}(\.\d{1,10})?)", re.ASCII)
HOUR = 3600
LONGEST_EVALUATION, LONGEST_OF_SHORT_PERIODS = 7 * 86_400, 86_400
NOT_LOOKED_AT = ("Metrics", "Tags")
NUMBERS: dict[str, Callable[[Any], Any]] = {"integer": int, "double": float}

Metric = tuple[str, str, frozenset[tuple[str, str]]]
"""Namespace, name and dimensions: a metric with other dimensions is another metric."""


def check(parameter: Callable[..., Any]) -> None:
    """Refuse an alarm that could not be judged; `parameter` gives the request's members.

    Raises:
        ValidationError: moto's, which it answers with.
    """
    from moto.cloudwatch.exceptions import ValidationError

    comparison, treatment = parameter("ComparisonOperator"), parameter("TreatMissingData")
    statistic, extended = parameter("Statistic"), parameter("ExtendedStatistic")
    if parameter("Metrics"):
        raise ValidationError(
            "Alarms on Metrics (metric math) are not supported by local_aws: give Namespace, MetricName and Statistic."
        )
    for member in ("ComparisonOperator", "EvaluationPeriods", "MetricName", "Namespace", "Period", "Threshold"):
        if parameter(member) is None:
            raise ValidationError(f"The parameter {member} is required for an alarm on a metric.")
    if (refusal := _refusal_by_model(parameter)) is not None:
        raise ValidationError(refusal)
    period, periods = int(parameter("Period")), int(parameter("EvaluationPeriods"))
    datapoints = int(parameter("DatapointsToAlarm") or periods)
    if comparison not in COMPARISONS:
        raise ValidationError(f"ComparisonOperator {comparison} is not one of {', '.join(COMPARISONS)}.")
    if period not in SHORT_PERIODS and period % MINUTE:
        raise ValidationError(f"Period {period} must be 10, 20, 30 or a multiple of 60.")
    longest = LONGEST_EVALUATION if period >= HOUR else LONGEST_OF_SHORT_PERIODS
    if period * periods > longest:
        raise ValidationError(
            f"Period {period} times EvaluationPeriods {periods} must not be more than {longest} seconds."
        )
    if datapoints > periods:
        raise ValidationError(f"DatapointsToAlarm {datapoints} must be from 1 to EvaluationPeriods, {periods}.")
    if (statistic is None) == (extended is None):
        raise ValidationError("An alarm on a metric has either a Statistic or an ExtendedStatistic.")
    if extended is not None and not PERCENTILE.fullmatch(extended):
        raise ValidationError(
            f"ExtendedStatistic {extended} is not supported by local_aws: give a percentile such as p99.9."
        )
    if treatment not in (None, *TREATMENTS):
        raise ValidationError(f"TreatMissingData {treatment} is not one of {', '.join(TREATMENTS)}.")


def _refusal_by_model(parameter: Callable[..., Any]) -> str | None:
    """What the service model says against a request whose numbers may be text."""
    shape: Any = service_model("cloudwatch").operation_model("PutMetricAlarm").input_shape
    request = {
        name: NUMBERS.get(member.type_name, _as_it_is)(parameter(name))
        for name, member in shape.members.items()
        if member.type_name != "structure" and name not in NOT_LOOKED_AT and parameter(name) is not None
    }
    return refusal_of(shape, request)


def _as_it_is(value: Any) -> Any:
    return value


def settings_of(alarm: Any) -> Settings | None:
    """What an alarm compares; None for one that is not about a single metric."""
    if alarm.rule is not None or alarm.metric_data_queries or alarm.comparison_operator not in COMPARISONS:
        return None
    return Settings(
        statistic=alarm.statistic or alarm.extended_statistic,
        period=int(alarm.period),
        evaluation_periods=int(alarm.evaluation_periods),
        datapoints=int(alarm.datapoints_to_alarm or alarm.evaluation_periods),
        comparison=alarm.comparison_operator,
        threshold=float(alarm.threshold),
        treat_missing=alarm.treat_missing_data or "missing",
        skips_low_samples=alarm.evaluate_low_sample_count_percentile == "ignore",
    )


def metric_of(alarm: Any) -> Metric:
    """The metric that an alarm is about."""
    return alarm.namespace, alarm.metric_name, _dimensions(alarm)


def metric_of_datum(datum: Any) -> Metric:
    """The metric that a datum belongs to."""
    return datum.namespace, datum.name, _dimensions(datum)


def unit_fits(unit: str | None, datum: Any) -> bool:
    """Whether an alarm on a unit looks at a datum; one without a unit looks at all."""
    return unit is None or unit == (datum.unit or "None")


def moment_of(datum: Any) -> float:
    """A datum's timestamp in epoch seconds."""
    moment = datum.timestamp
    return float((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def samples_of(datum: Any) -> Samples:
    """What a datum stands for."""
    if hasattr(datum, "value"):
        return Samples(1, datum.value, datum.value, datum.value)
    return Samples(datum.sample_count, datum.sum, datum.min, datum.max)


def _dimensions(owner: Any) -> frozenset[tuple[str, str]]:
    return frozenset((dimension.name, dimension.value) for dimension in owner.dimensions)

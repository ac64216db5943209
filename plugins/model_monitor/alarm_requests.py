"""From configured alarms to PutMetricAlarm bodies. Pure functions; analyses come in as what `analysis.json` holds.

A facet's interval ends at the largest value of the data, so the text of a group, which is a dimension of its metrics,
can be another in each window. An alarm's name never tells it; its dimensions follow the newest analysis.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from model_monitor import names, windows
from model_monitor.analysis import cloudwatch
from model_monitor.analysis.cloudwatch import BiasGroup, MetricSource
from model_monitor.config import MonitoredEndpoint
from model_monitor.config.alarms import BiasAlarm, Direction, ExplainabilityAlarm
from model_monitor.errors import InputError, NoBaseline
from model_monitor.names import Kind

Body = dict[str, Any]
Analysis = Mapping[str, Any]

COMPARISONS: dict[Direction, str] = {"above": "GreaterThanThreshold", "below": "LessThanThreshold"}
LONGEST_DESCRIPTION = 1024


def watches_of(endpoint: MonitoredEndpoint, kind: Kind) -> Iterator[Watch]:
    """Every alarm that a monitor is to have."""
    if endpoint.alarms is not None:
        for place, alarm in endpoint.alarms.placed():
            for side in alarm.directions:
                watch = Watch(endpoint, place, alarm, side)
                if watch.kind == kind:
                    yield watch


@dataclass(frozen=True)
class Watch:
    """One side of a configured alarm, whose key in the YAML is `place`: one alarm in CloudWatch."""

    endpoint: MonitoredEndpoint
    place: str
    alarm: BiasAlarm | ExplainabilityAlarm
    side: Direction

    @property
    def kind(self) -> Kind:
        """Whose metric it watches."""
        return "bias" if isinstance(self.alarm, BiasAlarm) else "explainability"

    @property
    def name(self) -> str:
        """What it is called in CloudWatch."""
        return names.alarm(self.endpoint, self.kind, self.alarm.identity, self.side)

    def request(self, metric: Body, baseline: Analysis | None) -> Body:
        """PutMetricAlarm on one of `metric`'s answers.

        Raises:
            NoBaseline: when its limit is a multiple of a value that the baseline does not have.
        """
        alarm, endpoint, limit = self.alarm, self.endpoint, self._limit(baseline)
        topics = alarm.topics
        if topics is None and endpoint.alarms is not None:
            topics = endpoint.alarms.topics
        described = (
            f"{alarm.subject} of {endpoint.name} is {self.side} {limit:g}. From {self.place} of its YAML; the "
            "dimensions follow the newest window."
        )
        return {
            "AlarmName": self.name,
            "AlarmDescription": described[:LONGEST_DESCRIPTION],
            **metric,
            "Statistic": "Average",
            "Period": int(windows.period(endpoint).total_seconds()),
            "EvaluationPeriods": alarm.of_windows,
            "DatapointsToAlarm": alarm.violating_windows,
            "ComparisonOperator": COMPARISONS[self.side],
            "Threshold": limit,
            "TreatMissingData": alarm.treat_missing,
            "AlarmActions": list(topics or []),
            "OKActions": list(topics or []),
            "Tags": [{"Key": names.ENDPOINT_TAG, "Value": endpoint.name}],
        }

    def metric(self, analyses: Sequence[Analysis]) -> Body | None:
        """Namespace, name and dimensions in the first analysis that has the metric; None when none has.

        Raises:
            InputError: when features are explained, and not the alarm's.
        """
        return next((metric for one in analyses if (metric := self._metric(one)) is not None), None)

    def value(self, analysis: Analysis) -> float | None:
        """The metric's value; None where it has none."""
        alarm = self.alarm
        if isinstance(alarm, BiasAlarm):
            group = self._group(alarm, analysis)
            return None if group is None else group.values.get(alarm.metric)
        explained = self._explained(alarm, analysis)
        return float(explained["expected_value"] if alarm.feature is None else explained[_VALUES][alarm.feature])

    def carried(self, earlier: Analysis, moment: str, metric: Body) -> Body | None:
        """PutMetricData of an earlier window's value for `metric`; None where that is its own, or it has no value.

        Without it a window whose group had another text would be missing among those that an alarm looks at.
        """
        value = self.value(earlier)
        if value is None or self._metric(earlier) == metric:
            return None
        return self._source(moment).value(metric, value)

    def _metric(self, analysis: Analysis) -> Body | None:
        alarm, source = self.alarm, self._source()
        if isinstance(alarm, BiasAlarm):
            group = self._group(alarm, analysis)
            if group is None:
                return None
            return source.metric(self.kind, cloudwatch.bias_metric(alarm.metric), group.dimensions)
        self._explained(alarm, analysis)
        if alarm.feature is None:
            dimensions = cloudwatch.expected_value_dimensions(alarm.label)
            return source.metric(self.kind, cloudwatch.EXPECTED_VALUE, dimensions)
        dimensions = cloudwatch.feature_dimensions(alarm.label)
        return source.metric(self.kind, cloudwatch.feature_metric(alarm.feature), dimensions)

    def _source(self, moment: str = "") -> MetricSource:
        return MetricSource(self.endpoint.name, names.schedule(self.endpoint, self.kind), moment)

    def _limit(self, baseline: Analysis | None) -> float:
        if self.side in self.alarm.limits:
            return self.alarm.limits[self.side]
        value = None if baseline is None else self.value(baseline)
        if value is None or math.isinf(value):
            raise NoBaseline(
                f"{self.place}: its limit is a multiple of the baseline's {self.alarm.subject}, which is "
                f"{'not there' if value is None else 'infinite'}. Run {self.endpoint.name}.deploy, which makes the "
                "baseline, or give values with above and below."
            )
        times = self.alarm.times[self.side]
        if isinstance(self.alarm, BiasAlarm):
            return times * abs(value) if self.side == "above" else -times * abs(value)
        return times * value

    def _group(self, alarm: BiasAlarm, analysis: Analysis) -> BiasGroup | None:
        """By its text where each of the facet's values is a group, else by its place in `bias.facets`."""
        facets = self.endpoint.bias.facets
        facet = alarm.facet or facets[0].name
        configured = [one.group for one in facets if one.name == facet]
        wanted = None if alarm.group is None else str(alarm.group)
        groups = [one for one in cloudwatch.bias_groups(analysis) if one.facet == facet and alarm.metric in one.names]
        if None in configured:
            return next((one for one in groups if one.text == wanted), None)
        position = 0 if wanted is None else configured.index(wanted)
        return next((one for one in groups if one.position == position), None)

    def _explained(self, alarm: ExplainabilityAlarm, analysis: Analysis) -> Mapping[str, Any]:
        """What is explained of the alarm's label.

        Raises:
            InputError: when the alarm's label or feature is not.
        """
        labels = analysis.get("explanations", {}).get("kernel_shap", {})
        if alarm.label not in labels:
            raise InputError(
                f"{self.place}.label: '{alarm.label}' is not explained; the analysis has {', '.join(labels) or 'none'}"
            )
        explained: Mapping[str, Any] = labels[alarm.label]
        if alarm.feature is not None and alarm.feature not in explained[_VALUES]:
            raise InputError(
                f"{self.place}.feature: '{alarm.feature}' is not explained; the analysis has "
                f"{', '.join(explained[_VALUES])}"
            )
        return explained


_VALUES = "global_shap_values"


def is_met(request: Body, found: Body) -> bool:
    """Whether an alarm as DescribeAlarms tells it is what was asked for.

    Whether it acts at all is left out: people switch that off and on by hand.
    """
    return all(_comparable(found.get(key)) == _comparable(value) for key, value in request.items() if key != "Tags")


def _comparable(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    return sorted(str(sorted(one.items()) if isinstance(one, dict) else one) for one in value)

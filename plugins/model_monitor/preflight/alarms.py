"""Whether what alarms watch is there, and whether CloudWatch lets this project keep them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from model_monitor import windows
from model_monitor.config.alarms import BiasAlarm, ExplainabilityAlarm
from model_monitor.preflight.account import Account, Probe
from model_monitor.preflight.definition import Definition
from model_monitor.preflight.findings import Finding, error, ok, warning

A_DAY = timedelta(days=1)
BY_USE = "cloudwatch:PutMetricAlarm, DeleteAlarms and TagResource"


def check_alarms(definition: Definition) -> Iterator[Finding]:
    """Alarms' features against the model's inputs, and their groups against the values of the validation data set."""
    alarms = definition.endpoint.alarms
    if alarms is None:
        return
    if windows.age(definition.endpoint) >= A_DAY:
        what = "metrics bear the time at which their window began, a day and more before it is judged"
        fix = "CloudWatch shows such metrics two days later, its alarms too late or never. Prefer `alerts`."
        yield warning("alarms", "alarms", what, fix)
    for place, alarm in alarms.placed():
        if isinstance(alarm, ExplainabilityAlarm):
            yield _feature(definition, place, alarm)
        else:
            yield _group(definition, place, alarm)


def check_alarm_permissions(definition: Definition, account: Account) -> Iterator[Finding]:
    """The call that makes nothing."""
    endpoint = definition.endpoint
    if endpoint.alarms is None:
        return
    prefix = f"{endpoint.name}-"
    probe = Probe("cloudwatch:DescribeAlarms", f"{prefix}*", lambda: account.cloudwatch.alarms(prefix))
    yield probe.finding("alarms")
    yield ok("alarms", endpoint.name, f"not tried, as it would make something: {BY_USE}")


def _feature(definition: Definition, place: str, alarm: ExplainabilityAlarm) -> Finding:
    inputs = definition.inputs
    if alarm.feature is None or alarm.feature in inputs:
        return ok("alarms", place, f"watches {alarm.subject}")
    what = f"'{alarm.feature}' is no input of the model"
    return error("alarms", f"{place}.feature", what, f"Name one of {', '.join(inputs)}.")


def _group(definition: Definition, place: str, alarm: BiasAlarm) -> Finding:
    facets = definition.endpoint.bias.facets
    facet = alarm.facet or facets[0].name
    listed = any(one.group is not None for one in facets if one.name == facet)
    if listed or facet not in definition.inputs:
        return ok("alarms", place, f"watches {alarm.subject}")
    values = sorted(set(map(str, definition.validation.features[facet].dropna())))
    if str(alarm.group) in values:
        return ok("alarms", place, f"watches {alarm.subject}")
    what = f"the validation data set's {facet} is never {alarm.group}"
    return warning("alarms", f"{place}.group", what, f"Give a value that occurs, such as {', '.join(values[:5])}.")

"""Whether alarms fit the rest of an endpoint's configuration, and what CloudWatch looks at."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from model_monitor import windows
from model_monitor.config.alarms import Alarm, BiasAlarm, ExplainabilityAlarm

if TYPE_CHECKING:
    from model_monitor.config import MonitoredEndpoint

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)


def problems(endpoint: MonitoredEndpoint) -> Iterator[str]:
    """What is wrong with an endpoint's alarms: a line for each, which names the key and what is allowed."""
    if endpoint.alarms is None:
        return
    if not endpoint.monitoring.publish_cloudwatch_metrics:
        yield "alarms: watch what monitoring.publish_cloudwatch_metrics publishes, and that is false"
    yield from _of_age(endpoint)
    yield from _of_topics("alarms.topics", endpoint.alarms.topics, endpoint.region)
    taken: dict[str, str] = {}
    for where, alarm in endpoint.alarms.placed():
        for key, what in alarm.problems():
            yield f"{where}{key and f'.{key}'}: {what}"
        yield from _of_topics(f"{where}.topics", alarm.topics or [], endpoint.region)
        yield from _of_count(endpoint, alarm, where)
        if isinstance(alarm, BiasAlarm):
            yield from _of_group(endpoint, alarm, where)
        else:
            yield from _of_feature(endpoint, alarm, where)
        section = where.rpartition(".")[0]
        for first in {taken.setdefault(f"{section}{alarm.identity}{side}", where) for side in alarm.directions}:
            if first != where:
                yield f"{where}.name: would be that of {first}, '{alarm.identity}'; give one of them another"


def _of_age(endpoint: MonitoredEndpoint) -> Iterator[str]:
    """CloudWatch looks at the last periods until now; metrics have to lie in them when they are published."""
    age, period = windows.age(endpoint), windows.period(endpoint)
    if age > period:
        yield (
            f"alarms: metrics bear the time at which their window began, here {_told(age)} before it is judged, and "
            f"windows come every {_told(period)}. CloudWatch does not look back that far; leave alarms out for such "
            "windows"
        )


def _of_count(endpoint: MonitoredEndpoint, alarm: Alarm, where: str) -> Iterator[str]:
    period = windows.period(endpoint)
    longest = WEEK if period >= HOUR else DAY
    if alarm.of_windows * period > longest:
        yield (
            f"{where}.of_windows: with windows every {_told(period)} at most {longest // period}, as CloudWatch looks "
            f"no further back than {_told(longest)} (found {alarm.of_windows})"
        )


def _of_topics(where: str, topics: list[str], region: str) -> Iterator[str]:
    for number, topic in enumerate(topics):
        if (there := topic.split(":")[3]) != region:
            yield f"{where}.{number}: lies in {there}; CloudWatch tells topics of its own region, {region}"


def _of_group(endpoint: MonitoredEndpoint, alarm: BiasAlarm, where: str) -> Iterator[str]:
    facets = endpoint.bias.facets
    known = list(dict.fromkeys(facet.name for facet in facets))
    if alarm.facet is None and len(known) > 1:
        yield f"{where}.facet: is missing; one of {', '.join(known)}"
        return
    if alarm.facet is not None and alarm.facet not in known:
        yield f"{where}.facet: is none of bias.facets: {', '.join(known)} (found '{alarm.facet}')"
        return
    groups = [facet.group for facet in facets if facet.name == (alarm.facet or known[0])]
    if alarm.group is None and groups != [None] and len(groups) == 1:
        return
    if alarm.group is None:
        shown = ", ".join(group or "any of its values" for group in groups)
        yield f"{where}.group: is missing, as the facet has several groups; one of {shown}"
    elif None not in groups and str(alarm.group) not in groups:
        yield f"{where}.group: is none of the facet's: {', '.join(map(str, groups))} (found {alarm.group!r})"


def _of_feature(endpoint: MonitoredEndpoint, alarm: ExplainabilityAlarm, where: str) -> Iterator[str]:
    headers = endpoint.data.headers
    if alarm.feature is None or headers is None:
        return
    features = [name for name in headers if name != endpoint.data.label]
    if alarm.feature not in features:
        yield f"{where}.feature: is none of data.headers: {', '.join(features)} (found '{alarm.feature}')"


def _told(span: timedelta) -> str:
    """`7 days`, `25 hours`, `15 minutes`."""
    minutes = span // timedelta(minutes=1)
    size, unit = next((size, unit) for size, unit in ((1440, "day"), (60, "hour"), (1, "minute")) if not minutes % size)
    return f"{minutes // size} {unit}{'' if minutes == size else 's'}"

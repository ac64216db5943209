"""CloudWatch alarms that change state.

Moto keeps alarms and metrics; here alarms are judged: when data comes in, and when time moves data from one period to
another, on the server's clock. An alarm's state and history are a document of the kind "alarm"; moto's alarm shows it.
A change of state is an event on the default bus, and a notification to the topics that the alarm names.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from local_aws.clock import Alarm as Wake
from local_aws.errors import AwsError
from local_aws.services.alarms import settings as alarm_settings
from local_aws.services.alarms.evaluation import INSUFFICIENT, Samples, Settings, Verdict, judge, points_of
from local_aws.services.alarms.history import AlarmHistory, asked_for
from local_aws.services.alarms.messages import announce
from local_aws.services.moto_hooks import Hooks
from local_aws.store import Document, scoped

if TYPE_CHECKING:
    from local_aws.aws import LocalAws

log = logging.getLogger(__name__)

KIND = "alarm"
UNCHECKED = "Unchecked: Initial alarm creation"


@dataclass
class _Watch:
    """An alarm that is judged, and the data that it may still look at, by their moments in epoch seconds."""

    region: str
    name: str
    settings: Settings
    unit: str | None
    data: list[tuple[float, Samples]] = field(default_factory=list)
    wake: Wake | None = None


class Alarms:
    """The alarms of all regions."""

    def __init__(self, aws: LocalAws) -> None:
        self._aws = aws
        self._hooks = Hooks()
        self._lock = threading.RLock()
        self._watches: dict[tuple[str, str], _Watch] = {}
        self._by_metric: dict[tuple[str, alarm_settings.Metric], list[_Watch]] = {}
        self._seen: dict[str, tuple[int, Any]] = {}
        self._history = AlarmHistory(aws)

    def start(self) -> None:
        """Take up the alarms that there are, and hear of everything that is done to them."""
        from moto.cloudwatch.responses import CloudWatchResponse

        self._hooks.around(CloudWatchResponse, "put_metric_alarm", self._putting)
        self._after("put_metric_data", lambda response: self._data_came(response.region))
        self._after("set_alarm_state", lambda response: self._set(response.region, response._get_param("AlarmName")))
        self._after(
            "delete_alarms", lambda response: self._forget(response.region, response._get_param("AlarmNames", []))
        )
        self._hooks.add(CloudWatchResponse, "describe_alarm_history", self._describe_history())
        with self._lock:
            self._drop_states_without_alarm()
            for region, backend in self._backends().items():
                for name in list(backend.alarms):
                    if (region, name) not in self._watches:
                        self._take_up(region, name)

    def stop(self) -> None:
        """Judge no more, and leave moto as it was."""
        self._hooks.undo()
        with self._lock:
            for watch in self._watches.values():
                if watch.wake is not None:
                    watch.wake.cancel()

    def _backends(self) -> dict[str, Any]:
        from moto.cloudwatch.models import cloudwatch_backends

        return dict(cloudwatch_backends[self._aws.account_id])

    def _putting(self, put: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def put_metric_alarm(response: Any) -> Any:
            alarm_settings.check(response._get_param)
            name = response._get_param("AlarmName")
            answer = put(response)
            self._configured(response.region, name)
            return answer

        return put_metric_alarm

    def _after(self, name: str, then: Callable[[Any], None]) -> None:
        """Do something with each request of an operation once it is done."""
        from moto.cloudwatch.responses import CloudWatchResponse

        def around(method: Callable[[Any], Any]) -> Callable[[Any], Any]:
            def call(response: Any) -> Any:
                answer = method(response)
                then(response)
                return answer

            return call

        self._hooks.around(CloudWatchResponse, name, around)

    def _describe_history(self) -> Callable[[Any], Any]:
        from moto.core.exceptions import ServiceException
        from moto.core.responses import ActionResult

        class InvalidNextToken(ServiceException):
            code = "InvalidNextToken"

        def describe_alarm_history(response: Any) -> Any:
            request = response._get_params()
            items = self._history.of(response.region, request.get("AlarmName"))
            try:
                return ActionResult(asked_for(items, request))
            except AwsError as error:
                raise InvalidNextToken(error.message) from error

        return describe_alarm_history

    def _configured(self, region: str, name: str) -> None:
        """An alarm is new or has new settings; one that there was keeps its state."""
        with self._lock:
            known = self._aws.store.get(KIND, scoped(region, name))
            self._unwatch(region, name)
            self._take_up(region, name)
            self._history.add(
                region, name, "ConfigurationUpdate", f'Alarm "{name}" {"updated" if known else "created"}'
            )

    def _take_up(self, region: str, name: str) -> None:
        with self._lock:
            alarm = self._backends()[region].alarms.get(name)
            if alarm is None:
                return
            document = self._aws.store.get(KIND, scoped(region, name))
            if document is None:
                document = self._kept(region, name, INSUFFICIENT, UNCHECKED, "{}")
            _show(alarm, document)
            settings = alarm_settings.settings_of(alarm)
            if settings is None:
                return
            watch = _Watch(region, name, settings, alarm.unit)
            metric = alarm_settings.metric_of(alarm)
            self._data_came(region)
            self._read_seen(watch, metric)
            self._watches[region, name] = watch
            self._by_metric.setdefault((region, metric), []).append(watch)
            self._wake_at(watch, settings.end(self._now()) + settings.step)

    def _kept(self, region: str, name: str, state: str, reason: str, data: str) -> Document:
        """The document of a state that begins now."""
        now = self._now()
        document = {
            "Region": region,
            "AlarmName": name,
            "StateValue": state,
            "StateReason": reason,
            "StateReasonData": data,
            "StateUpdatedTimestamp": now,
            "StateTransitionedTimestamp": now,
        }
        self._aws.store.put(KIND, scoped(region, name), document)
        return document

    def _forget(self, region: str, names: list[str]) -> None:
        with self._lock:
            for name in names:
                self._unwatch(region, name)
                if self._aws.store.delete(KIND, scoped(region, name)):
                    self._history.add(region, name, "ConfigurationUpdate", f'Alarm "{name}" deleted')

    def _unwatch(self, region: str, name: str) -> None:
        watch = self._watches.pop((region, name), None)
        if watch is None:
            return
        if watch.wake is not None:
            watch.wake.cancel()
        for key, watches in list(self._by_metric.items()):
            if watch in watches:
                watches.remove(watch)
                if not watches:
                    del self._by_metric[key]

    def _drop_states_without_alarm(self) -> None:
        backends = self._backends()
        for document in self._aws.store.list(KIND):
            region, name = document["Region"], document["AlarmName"]
            if region not in backends or name not in backends[region].alarms:
                self._aws.store.delete(KIND, scoped(region, name))

    def _set(self, region: str, name: str) -> None:
        """Somebody set an alarm's state by hand: it lasts until the alarm is judged next."""
        with self._lock:
            alarm = self._backends()[region].alarms.get(name)
            document = self._aws.store.get(KIND, scoped(region, name))
            if alarm is None or document is None:
                return
            verdict = Verdict(alarm.state_value, alarm.state_reason, alarm.state_reason_data or "{}")
            _show(alarm, document)
            self._change(region, name, verdict)
            watch = self._watches.get((region, name))
            if watch is not None:
                self._wake_at(watch, watch.settings.end(self._now()) + watch.settings.step)

    def _data_came(self, region: str) -> None:
        with self._lock:
            if not any(key[0] == region for key in self._by_metric):
                self._seen.pop(region, None)
                return
            changed: dict[int, _Watch] = {}
            for datum in self._new_data(region):
                for watch in self._by_metric.get((region, alarm_settings.metric_of_datum(datum)), ()):
                    if self._takes(watch, datum):
                        changed[id(watch)] = watch
            for watch in changed.values():
                self._judge(watch)

    def _new_data(self, region: str) -> list[Any]:
        """What moto got since this was asked for last; everything, when it has thrown away some of what it had."""
        data = list(self._backends()[region].metric_data)
        count, last = self._seen.get(region, (0, None))
        known = count <= len(data) and (count == 0 or data[count - 1] is last)
        self._seen[region] = (len(data), data[-1] if data else None)
        if known:
            return data[count:]
        for watch in self._watches.values():
            if watch.region == region:
                watch.data.clear()
        return data

    def _read_seen(self, watch: _Watch, metric: alarm_settings.Metric) -> None:
        """Give a new watch the data that the others of its region have been given; what is newer comes to all."""
        data = list(self._backends()[watch.region].metric_data)
        if watch.region not in self._seen:
            self._seen[watch.region] = (len(data), data[-1] if data else None)
        for datum in data[: self._seen[watch.region][0]]:
            if alarm_settings.metric_of_datum(datum) == metric:
                self._takes(watch, datum)

    def _takes(self, watch: _Watch, datum: Any) -> bool:
        """Keep a datum that an alarm may look at, now or later."""
        moment = alarm_settings.moment_of(datum)
        if moment < watch.settings.start(self._now()) or not alarm_settings.unit_fits(watch.unit, datum):
            return False
        watch.data.append((moment, alarm_settings.samples_of(datum)))
        return True

    def _judge(self, watch: _Watch) -> None:
        with self._lock:
            if self._watches.get((watch.region, watch.name)) is not watch:
                return
            now, settings = self._now(), watch.settings
            oldest = settings.start(now)
            watch.data = [(moment, samples) for moment, samples in watch.data if moment >= oldest]
            document = self._aws.store.get(KIND, scoped(watch.region, watch.name))
            if document is not None:
                verdict = judge(points_of(watch.data, settings, now), settings, document["StateValue"], now)
                if verdict is not None:
                    self._change(watch.region, watch.name, verdict)
            if watch.data:
                self._wake_at(watch, min(settings.changes_after(moment, now) for moment, _ in watch.data))

    def _change(self, region: str, name: str, verdict: Verdict) -> None:
        alarm = self._backends()[region].alarms.get(name)
        if alarm is None:
            return
        before = self._aws.store.get(KIND, scoped(region, name)) or {}
        after = self._kept(region, name, verdict.state, verdict.reason, verdict.data)
        if before and before["StateValue"] == after["StateValue"]:
            after["StateTransitionedTimestamp"] = before["StateTransitionedTimestamp"]
            self._aws.store.put(KIND, scoped(region, name), after)
            _show(alarm, after)
            return
        _show(alarm, after)
        self._history.state_update(region, name, before, after)
        announce(self._aws, self._history, region, alarm, before, after)

    def _wake_at(self, watch: _Watch, moment: float) -> None:
        if watch.wake is not None:
            watch.wake.cancel()
        watch.wake = self._aws.clock.call_at(datetime.fromtimestamp(moment, UTC), lambda: self._judge(watch))

    def _now(self) -> float:
        return self._aws.clock.timestamp()


def _show(alarm: Any, document: Document) -> None:
    """Let moto's alarm show a state."""
    alarm.state_value = document["StateValue"]
    alarm.state_reason = document["StateReason"]
    alarm.state_reason_data = document["StateReasonData"]
    alarm.state_updated_timestamp = datetime.fromtimestamp(document["StateUpdatedTimestamp"], UTC).replace(tzinfo=None)
    alarm.state_transitioned_timestamp = datetime.fromtimestamp(document["StateTransitionedTimestamp"], UTC).replace(
        tzinfo=None
    )
    alarm.history.clear()

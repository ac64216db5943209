"""CloudWatch alarms on a monitor's metrics: made, kept on the metrics that come, removed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields
from airflow.sdk.exceptions import AirflowSkipException

from model_monitor import names, windows
from model_monitor.alarm_requests import Body, Watch, is_met, watches_of
from model_monitor.errors import InputError, MonitorError, NoBaseline, ResourceConflict
from model_monitor.history.folders import due
from model_monitor.names import ENDPOINT_TAG, Kind
from model_monitor.newest import newest_with
from model_monitor.operators.base import MonitorOperator, asked_for
from model_monitor.verdicts import ANALYSIS
from model_monitor.windows import Window

if TYPE_CHECKING:
    from airflow.sdk import Context


@dataclass(frozen=True)
class Newest:
    """The newest window of the schedule that has an analysis."""

    window: Window
    analysis: dict[str, Any]


class SetAlarmsOperator(MonitorOperator):
    """Bring a monitor's alarms to what the YAML says, on the metrics of the newest window.

    The text of a facet's interval, one of a metric's dimensions, ends at the largest value of a window's data. An alarm
    whose metric has another text by now is put on that; its name and its state stay. One that is as it should be is not
    touched, and own ones that are configured no more are deleted.

    Args:
        endpoint: what is monitored.
        kind: `bias` or `explainability`.
        when: whether to do so at all; the task is skipped otherwise.
    """

    template_fields: Sequence[str] = aws_template_fields("when")

    def __init__(self, *, kind: Kind, when: bool | str = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kind = kind
        self.when = when

    def execute(self, context: Context) -> dict[str, list[str]]:
        if not asked_for(self.when):
            raise AirflowSkipException("There is no new verdict.")
        there = {alarm["AlarmName"]: alarm for alarm in self.cloudwatch.alarms(self._prefix)}
        watches = {watch.name: watch for watch in watches_of(self.endpoint, self.kind)}
        changed: list[str] = []
        wrong: list[MonitorError] = []
        for name, watch in watches.items():
            try:
                if self._bring_about(watch, there.get(name)):
                    changed.append(name)
            except (InputError, NoBaseline, ResourceConflict) as problem:
                wrong.append(problem)
        stale = [alarm for name, alarm in there.items() if name not in watches]
        deleted = delete_own(self, stale)
        if wrong:
            raise type(wrong[0])("\n".join(map(str, wrong)))
        return {"alarms": list(watches), "changed": changed, "deleted": deleted}

    @property
    def _prefix(self) -> str:
        return names.alarm_prefix(self.endpoint, self.kind)

    @cached_property
    def newest(self) -> Newest | None:
        """What the newest window came to; None when there is none yet."""
        root = names.report_folders(self.endpoint, self.kind)
        folder = newest_with(self.storage, root, self.storage.time(self.endpoint.bucket), ANALYSIS)
        found = None if folder is None else due(folder)
        analysis = None if folder is None else self._document(f"{root}/{folder}/{ANALYSIS}")
        if found is None or analysis is None:
            return None
        return Newest(windows.scheduled_at(self.endpoint, found.scheduled), analysis)

    @cached_property
    def baseline(self) -> dict[str, Any] | None:
        """What the monitor compares with; None when there is no baseline."""
        return self._document(names.baseline_constraints(self.endpoint, self.kind))

    def _document(self, uri: str) -> dict[str, Any] | None:
        content = self.storage.read(uri)
        return None if content is None else json.loads(content)

    def _bring_about(self, watch: Watch, there: Body | None) -> bool:
        analyses = [self.newest.analysis] if self.newest else []
        metric = watch.metric(analyses) or watch.metric([self.baseline] if self.baseline else [])
        if metric is None:
            self.log.warning(
                "%s: neither a window nor the baseline has %s, so its alarm is as it was: %s",
                watch.place,
                watch.alarm.subject,
                "there is none" if there is None else there["Dimensions"],
            )
            return False
        request = watch.request(metric, self.baseline if watch.side in watch.alarm.times else None)
        if there is not None and is_met(request, there):
            self.log.info("Alarm %s is as it should be: %s", watch.name, there["StateValue"])
            return False
        if there is not None:
            if not self.cloudwatch.owned(there, self.endpoint):
                raise ResourceConflict(
                    f"An alarm '{watch.name}' exists and was not made by this project (its tag {ENDPOINT_TAG} is "
                    f"missing). Delete it, or give {watch.place} another name."
                )
            # Somebody may have silenced it by hand.
            request["ActionsEnabled"] = there["ActionsEnabled"]
        self._carry(watch, metric)
        self.cloudwatch.call("put_metric_alarm", **request)
        self.log.info("Alarm %s is on %s", watch.name, {each["Name"]: each["Value"] for each in metric["Dimensions"]})
        return True

    def _carry(self, watch: Watch, metric: Body) -> None:
        """Publish for a new text what the windows before, which the alarm looks at too, came to under theirs."""
        if watch.kind != "bias" or self.newest is None:
            return
        for window in islice(windows.before(self.endpoint, self.newest.window), watch.alarm.of_windows - 1):
            report = names.report_folder(self.endpoint, self.kind, window.name)
            analysis = self._document(f"{report}/{ANALYSIS}")
            line = analysis and watch.carried(analysis, windows.shown(window.start), metric)
            if line:
                self.cloudwatch.publish([line])
                self.log.info("Carried %s of the window %s over", watch.alarm.subject, window)


class DeleteAlarmsOperator(MonitorOperator):
    """Delete a monitor's own alarms.

    Args:
        endpoint: what is monitored.
        kind: `bias` or `explainability`.
    """

    def __init__(self, *, kind: Kind, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kind = kind

    def execute(self, context: Context) -> list[str]:
        return delete_own(self, self.cloudwatch.alarms(names.alarm_prefix(self.endpoint, self.kind)))


def delete_own(task: MonitorOperator, alarms: list[Body]) -> list[str]:
    """Delete those that were made for the task's endpoint by this project; returns their names."""
    own = [alarm["AlarmName"] for alarm in alarms if task.cloudwatch.owned(alarm, task.endpoint)]
    task.cloudwatch.delete_alarms(own)
    for name in own:
        task.log.info("Deleted alarm %s", name)
    return own

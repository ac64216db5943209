"""Turns monitoring schedules into executions, at the hours of the server's clock.

A schedule is a document of the kind "monitoring-schedule". Every scheduled one has one alarm: its next hour, plus
a delay that stands for the up to twenty minutes that SageMaker takes. The hour is kept in the document as `NextTime`,
so that the next process knows which hours passed while none ran: they are recorded as failed executions, not made up
for.
"""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from local_aws.clock import Alarm
from local_aws.control.job_definitions import find_definition
from local_aws.monitoring.schedule_expressions import DAILY, NOW, Recurrence, recurrence, window
from local_aws.store import Document, scoped

if TYPE_CHECKING:
    from local_aws.aws import LocalAws

log = logging.getLogger(__name__)

KIND = "monitoring-schedule"
WAITING = ("Scheduled", "Pending")
"""What a schedule may be when its hour comes: it may not have been taken up to the end yet."""
MOST_MISSED = 168
"""Missed hours of a schedule that are recorded at a time, the latest; a week of an hourly one."""


def expression_of(schedule_config: dict[str, Any]) -> str:
    """The schedule's expression; without one it is daily."""
    return str(schedule_config.get("ScheduleExpression", DAILY))


class Scheduler:
    """The alarms of all schedules."""

    def __init__(self, aws: LocalAws, delay: timedelta) -> None:
        self._aws = aws
        self._delay = delay
        self._alarms: dict[str, Alarm] = {}
        self._lock = threading.Lock()

    def start(self) -> None:
        """Take up the schedules that an earlier process left, and record which of their hours it missed."""
        now = self._aws.clock.now()
        for schedule in self._aws.store.list(KIND):
            region, name = schedule["Region"], schedule["MonitoringScheduleName"]
            recurring = _recurrence(schedule)
            following = now
            waiting = schedule["MonitoringScheduleStatus"] in WAITING
            if waiting and recurring is not None and "NextTime" in schedule:
                expected = datetime.fromtimestamp(schedule["NextTime"], UTC)
                following = self._record_missed(region, schedule, recurring, expected, now)
            if schedule["MonitoringScheduleStatus"] == "Pending":
                self._finish_taking_up(region, schedule, recurring)
            elif schedule["MonitoringScheduleStatus"] == "Scheduled" and recurring is not None:
                self._set(region, name, recurring, following)
                self._keep_next(region, name)

    def take_up(self, region: str, name: str) -> None:
        """Make a pending schedule a scheduled one; one for NOW is executed here."""
        schedule = self._schedule(region, name)
        now = self._aws.clock.now()
        self.forget(region, name)
        try:
            recurring = _recurrence(schedule)
            if recurring is None:
                self._begin(region, schedule, now)
            else:
                self._set(region, name, recurring, now)
            self._keep_next(region, name)
            self._status(region, name, "Scheduled")
        except Exception as error:
            log.exception("Monitoring schedule %s could not be taken up.", name)
            self._status(region, name, "Failed", f"InternalServerError: {error}"[:1024])

    def forget(self, region: str, name: str) -> None:
        """Let a schedule fire no more."""
        with self._lock:
            alarm = self._alarms.pop(scoped(region, name), None)
        if alarm is not None:
            alarm.cancel()

    def _finish_taking_up(self, region: str, schedule: Document, recurring: Recurrence | None) -> None:
        """Do what the process before did not come to do; a schedule for NOW is not executed twice."""
        if recurring is None and self._aws.executions.last(region, schedule) is not None:
            self._status(region, schedule["MonitoringScheduleName"], "Scheduled")
        else:
            self.take_up(region, schedule["MonitoringScheduleName"])

    def _set(self, region: str, name: str, recurring: Recurrence, after: datetime) -> None:
        scheduled = recurring.next_after(after)
        alarm = self._aws.clock.call_at(scheduled + self._delay, lambda: self._fire(region, name, scheduled))
        with self._lock:
            before = self._alarms.get(scoped(region, name))
            self._alarms[scoped(region, name)] = alarm
        if before is not None:
            before.cancel()

    def _keep_next(self, region: str, name: str) -> None:
        """Write down when a schedule fires next, if it does."""

        def change(schedule: Document) -> None:
            with self._lock:
                alarm = self._alarms.get(scoped(region, name))
            schedule.pop("NextTime", None)
            if alarm is not None:
                schedule["NextTime"] = (alarm.moment - self._delay).timestamp()

        self._aws.store.update(KIND, scoped(region, name), change)

    def _fire(self, region: str, name: str, scheduled: datetime) -> None:
        schedule = self._aws.store.get(KIND, scoped(region, name))
        recurring = _recurrence(schedule) if schedule is not None else None
        if schedule is None or recurring is None or schedule["MonitoringScheduleStatus"] not in WAITING:
            return
        now = self._aws.clock.now()
        self._set(region, name, recurring, max(scheduled, now - self._delay))
        try:
            self._begin(region, schedule, scheduled)
            self._record_missed(region, schedule, recurring, recurring.next_after(scheduled), now)
        finally:
            # Last, so that an hour whose execution was not begun is found to be missed.
            self._keep_next(region, name)

    def _record_missed(
        self, region: str, schedule: Document, recurring: Recurrence, expected: datetime, now: datetime
    ) -> datetime:
        """Record the hours from `expected` on that are past; the moment after which the next one is due."""
        hours = []
        while expected + self._delay <= now:
            hours.append(expected)
            expected = recurring.next_after(expected)
        begun = {item["ScheduledTime"] for item in self._aws.executions.of_schedule(region, schedule)} if hours else ()
        missed = [hour for hour in hours if hour.timestamp() not in begun]
        if missed:
            log.warning(
                "Monitoring schedule %s missed %d executions, from %s to %s, as local_aws was not running; "
                "%d are recorded.",
                schedule["MonitoringScheduleName"],
                len(missed),
                missed[0].isoformat(),
                missed[-1].isoformat(),
                len(missed[-MOST_MISSED:]),
            )
        for hour in missed[-MOST_MISSED:]:
            self._aws.executions.record_missed(region, schedule, hour)
        return expected - timedelta(seconds=1)

    def _begin(self, region: str, schedule: Document, scheduled: datetime) -> None:
        times = schedule["MonitoringScheduleConfig"].get("ScheduleConfig", {})
        endpoint_input = self._endpoint_input(region, schedule)
        recurring = _recurrence(schedule)
        covered = window(
            scheduled.astimezone(UTC),
            times.get("DataAnalysisStartTime") or endpoint_input.get("StartTimeOffset"),
            times.get("DataAnalysisEndTime") or endpoint_input.get("EndTimeOffset"),
            recurring.period if recurring else timedelta(hours=1),
        )
        self._aws.executions.begin(region, schedule, scheduled, covered)

    def _endpoint_input(self, region: str, schedule: Document) -> dict[str, Any]:
        monitoring_type = schedule["MonitoringType"]
        definition = find_definition(self._aws, monitoring_type, region, schedule["MonitoringJobDefinitionName"])
        return dict(definition[f"{monitoring_type}JobInput"]["EndpointInput"]) if definition else {}

    def _schedule(self, region: str, name: str) -> Document:
        schedule = self._aws.store.get(KIND, scoped(region, name))
        if schedule is None:
            raise KeyError(f"monitoring schedule {name}")
        return schedule

    def _status(self, region: str, name: str, status: str, reason: str | None = None) -> None:
        def change(schedule: Document) -> None:
            schedule["MonitoringScheduleStatus"] = status
            schedule["FailureReason"] = reason
            schedule["LastModifiedTime"] = self._aws.clock.timestamp()

        self._aws.store.update(KIND, scoped(region, name), change)


def _recurrence(schedule: Document) -> Recurrence | None:
    """When it recurs; None when it is for NOW."""
    expression = expression_of(schedule["MonitoringScheduleConfig"].get("ScheduleConfig", {}))
    return None if expression == NOW else recurrence(expression)

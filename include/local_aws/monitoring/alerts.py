"""Monitoring alerts: what the latest executions of a schedule say together.

Every schedule has one alert, a document of the kind "monitoring-alert" shaped as `MonitoringAlertSummary`. After each
execution that reached a verdict it is judged anew: it is InAlert when at least `DatapointsToAlert` of the latest
`EvaluationPeriod` executions found violations, OK otherwise. Executions that failed or were stopped reached none and do
not count. Every change of the status is a document of the kind "monitoring-alert-history".
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from local_aws.monitoring.executions import KIND as EXECUTION
from local_aws.monitoring.executions import VIOLATIONS
from local_aws.monitoring.scheduler import KIND as SCHEDULE
from local_aws.store import Document, scoped

if TYPE_CHECKING:
    from local_aws.aws import LocalAws

KIND = "monitoring-alert"
HISTORY = "monitoring-alert-history"
DEFAULT_NAME = "default-alert"
IN_ALERT, OK = "InAlert", "OK"
VERDICTS = ("Completed", VIOLATIONS)
LONGEST_HISTORY = 1000
"""Changes that are remembered for each schedule."""


class Alerts:
    """The alerts of all schedules; they come and go with their schedules."""

    def __init__(self, aws: LocalAws) -> None:
        self._aws = aws
        aws.store.subscribe(SCHEDULE, self._schedule_changed)
        aws.store.subscribe(EXECUTION, self._execution_changed)

    def start(self) -> None:
        """Make up for what an earlier process did not come to do."""
        schedules = {
            scoped(schedule["Region"], schedule["MonitoringScheduleName"]): schedule
            for schedule in self._aws.store.list(SCHEDULE)
        }
        for alert in self._aws.store.list(KIND):
            key = scoped(alert["Region"], alert["MonitoringScheduleName"])
            if key not in schedules or schedules[key]["Identity"] != alert["ScheduleIdentity"]:
                self._forget(key)
        for key, schedule in schedules.items():
            alert = self._aws.store.get(KIND, key) or self._create(key, schedule)
            verdicts = self._verdicts(key, alert)
            if verdicts and verdicts[-1]["Key"] != alert["JudgedBy"]:
                self._judge(key)

    def _schedule_changed(self, key: str, before: Document | None, after: Document | None) -> None:
        if after is None:
            self._forget(key)
        elif before is None:
            self._create(key, after)

    def _execution_changed(self, key: str, before: Document | None, after: Document | None) -> None:
        if after is None or after["MonitoringExecutionStatus"] not in VERDICTS:
            return
        if before is None or before["MonitoringExecutionStatus"] != after["MonitoringExecutionStatus"]:
            self._judge(key.rpartition("/")[0])

    def _create(self, key: str, schedule: Document) -> Document:
        now = self._aws.clock.timestamp()
        alert = {
            "Region": schedule["Region"],
            "MonitoringScheduleName": schedule["MonitoringScheduleName"],
            "ScheduleIdentity": schedule["Identity"],
            "MonitoringAlertName": DEFAULT_NAME,
            "CreationTime": now,
            "LastModifiedTime": now,
            "AlertStatus": OK,
            "DatapointsToAlert": 1,
            "EvaluationPeriod": 1,
            "Actions": {"ModelDashboardIndicator": {"Enabled": True}},
            "JudgedBy": None,
        }
        self._aws.store.put(KIND, key, alert)
        return alert

    def _forget(self, key: str) -> None:
        self._aws.store.delete(KIND, key)
        for entry in self._aws.store.list(HISTORY, f"{key}/"):
            self._aws.store.delete(HISTORY, entry["Key"])

    def _judge(self, key: str) -> None:
        now = self._aws.clock.timestamp()
        changed = False

        def change(alert: Document) -> None:
            nonlocal changed
            verdicts = self._verdicts(key, alert)
            considered = [verdict["MonitoringExecutionStatus"] for verdict in verdicts[-alert["EvaluationPeriod"] :]]
            status = IN_ALERT if considered.count(VIOLATIONS) >= alert["DatapointsToAlert"] else OK
            changed = status != alert["AlertStatus"]
            if changed:
                alert |= {"AlertStatus": status, "LastModifiedTime": now}
            alert["JudgedBy"] = verdicts[-1]["Key"] if verdicts else None

        alert = self._aws.store.update(KIND, key, change)
        if alert is not None and changed:
            self._remember(key, alert, now)

    def _verdicts(self, key: str, alert: Document) -> list[Document]:
        """The executions that reached one, of this schedule and not of an earlier one of its name, oldest first."""
        return [
            execution
            for execution in self._aws.store.list(EXECUTION, f"{key}/")
            if execution["ScheduleIdentity"] == alert["ScheduleIdentity"]
            and execution["MonitoringExecutionStatus"] in VERDICTS
        ]

    def _remember(self, key: str, alert: Document, now: float) -> None:
        entry = f"{key}/{uuid.uuid4().hex}"
        self._aws.store.insert(
            HISTORY,
            entry,
            {
                "Key": entry,
                "MonitoringScheduleName": alert["MonitoringScheduleName"],
                "MonitoringAlertName": alert["MonitoringAlertName"],
                "CreationTime": now,
                "AlertStatus": alert["AlertStatus"],
            },
        )
        for oldest in self._aws.store.list(HISTORY, f"{key}/")[:-LONGEST_HISTORY]:
            self._aws.store.delete(HISTORY, oldest["Key"])

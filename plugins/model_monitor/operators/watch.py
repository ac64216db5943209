"""News of managed monitors, whose schedules go on without Airflow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow.sdk.bases.skipmixin import SkipMixin

from model_monitor import names
from model_monitor.alerts.outcome import STATES
from model_monitor.alerts.state import Kept
from model_monitor.hooks.sagemaker import executions_since, iso
from model_monitor.names import KINDS, Kind
from model_monitor.operators.base import MonitorOperator
from model_monitor.windows import moment, shown

if TYPE_CHECKING:
    from airflow.sdk import Context

NEWS = "news"
"""The XCom key of what was found, by monitor."""


class LookForNewsOperator(MonitorOperator, SkipMixin):
    """Look at each monitor's newest finished execution; skip what follows for those that have been told of.

    Costs two requests to SageMaker and one to S3 for each monitor. Executions that were stopped are no news to who
    stopped them.

    Args:
        endpoint: what is monitored.
        branches: by monitor, the task that follows where there is news.
    """

    inherits_from_skipmixin = True

    def __init__(self, *, branches: Mapping[Kind, str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.branches = branches

    def execute(self, context: Context) -> None:
        news = {kind: execution for kind in KINDS if (execution := self._news(kind))}
        ti = context["ti"]
        ti.xcom_push(key=NEWS, value=news)
        self.skip_all_except(ti, [self.branches[kind] for kind in news])

    def _news(self, kind: Kind) -> dict[str, str] | None:
        newest = self._newest(kind)
        if newest is None:
            self.log.info("%s has no finished execution.", names.schedule(self.endpoint, kind))
            return None
        execution = {
            "schedule": newest["MonitoringScheduleName"],
            "scheduled": iso(newest["ScheduledTime"]),
            "created": iso(newest["CreationTime"]),
            "status": newest["MonitoringExecutionStatus"],
        }
        scheduled, state = shown(moment(execution["scheduled"])), STATES[execution["status"]]
        told = Kept(self.storage, self.endpoint, kind).read().newest
        if told is not None and (told.scheduled > scheduled or (told.scheduled, told.state) == (scheduled, state)):
            self.log.info("%s: nothing since the window due %s.", execution["schedule"], told.scheduled)
            return None
        self.log.info("%s: news of the window due %s: %s.", execution["schedule"], scheduled, execution["status"])
        return execution

    def _newest(self, kind: Kind) -> dict[str, Any] | None:
        schedule = self.hook.schedule(names.schedule(self.endpoint, kind))
        if schedule is None:
            return None
        request = executions_since(schedule["MonitoringScheduleName"], schedule["CreationTime"], newest=True)
        finished = (
            execution
            for execution in self.hook.executions({**request, "MaxResults": 10})
            if execution["MonitoringExecutionStatus"] in STATES and execution["MonitoringExecutionStatus"] != "Stopped"
        )
        return next(finished, None)

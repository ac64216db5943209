"""News of managed monitors, whose schedules go on without Airflow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airflow.sdk.bases.skipmixin import SkipMixin

from model_monitor import names
from model_monitor.alerts.decision import Rule, kept
from model_monitor.alerts.outcome import STATES, Outcome
from model_monitor.alerts.state import Kept, State
from model_monitor.hooks.sagemaker import executions_since, iso
from model_monitor.names import KINDS, Kind
from model_monitor.operators.base import MonitorOperator
from model_monitor.results import violation_rows
from model_monitor.verdicts import VIOLATED, read_report
from model_monitor.windows import shown

if TYPE_CHECKING:
    from airflow.sdk import Context

NEWS = "news"
"""The XCom key of what was found, by monitor."""


class LookForNewsOperator(MonitorOperator, SkipMixin):
    """Look at each monitor's newest finished execution; skip what follows for those that have been told of.

    Costs two requests to SageMaker and one to S3 for each monitor. Executions that have ended between two looks are
    counted, as far as `of_windows` asks for them, but no news: a later one is. Those that were stopped are no news to
    who stopped them.

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
        finished = self._finished(kind)
        newest = next(finished, None)
        if newest is None:
            self.log.info("%s has no finished execution.", names.schedule(self.endpoint, kind))
            return None
        schedule, scheduled, status = newest["MonitoringScheduleName"], due(newest), newest["MonitoringExecutionStatus"]
        keeper = Kept(self.storage, self.endpoint, kind)
        state = keeper.read()
        if keeper.telling(state):
            self.log.info("%s: another run is telling at the moment.", schedule)
            return None
        # A teller that is there no more was killed before it had told everybody.
        if state.teller is None and state.newest is not None and state.newest.covers(scheduled, status):
            self.log.info("%s: nothing since the window due %s.", schedule, state.newest.scheduled)
            return None
        if not self._count(kind, keeper, state, finished):
            self.log.info("%s: another run has begun to tell.", schedule)
            return None
        self.log.info("%s: news of the window due %s: %s.", schedule, scheduled, status)
        return {
            "schedule": schedule,
            "scheduled": iso(newest["ScheduledTime"]),
            "created": iso(newest["CreationTime"]),
            "status": status,
        }

    def _finished(self, kind: Kind) -> Iterator[dict[str, Any]]:
        """The schedule's executions that are over, the newest first."""
        schedule = self.hook.schedule(names.schedule(self.endpoint, kind))
        if schedule is None:
            return
        request = executions_since(schedule["MonitoringScheduleName"], schedule["CreationTime"], newest=True)
        for execution in self.hook.executions({**request, "MaxResults": 10}):
            status = execution["MonitoringExecutionStatus"]
            if status in STATES and status != "Stopped":
                yield execution

    def _count(self, kind: Kind, keeper: Kept, state: State, earlier: Iterator[dict[str, Any]]) -> bool:
        """Keep what the executions before the newest came to, as far as they were not seen; False if another did."""
        rule = Rule.configured(self.endpoint.alerts)
        windows = state.windows
        for outcome in reversed(list(self._unseen(kind, state, earlier, rule))):
            self.log.info("The window due %s ended between two looks: %s.", outcome.scheduled, outcome.state)
            windows = kept(windows, outcome, rule)
        return windows == state.windows or keeper.write(replace(state, windows=windows))

    def _unseen(self, kind: Kind, state: State, earlier: Iterable[dict[str, Any]], rule: Rule) -> Iterator[Outcome]:
        """As many judged windows, the newest first, as the rule looks at beside the newest, and failed ones between."""
        wanted = rule.of - 1
        executions = iter(earlier)
        while wanted and (execution := next(executions, None)):
            if state.newest is not None and due(execution) <= state.newest.scheduled:
                return
            outcome = self._outcome(kind, execution)
            wanted -= outcome.state != "failed"
            yield outcome

    def _outcome(self, kind: Kind, execution: Mapping[str, Any]) -> Outcome:
        status = execution["MonitoringExecutionStatus"]
        rows: list[dict[str, Any]] = []
        if status == VIOLATED:
            folder = names.report_folder(self.endpoint, kind, names.hour_path(execution["ScheduledTime"]))
            report = read_report(self.storage, folder, status=status, baseline=None)
            rows = violation_rows(report.violations, report.analysis, None)
        reason = execution.get("FailureReason", "")
        return Outcome.of({"scheduled": due(execution), "status": status, "violations": rows, "reason": reason})


def due(execution: Mapping[str, Any]) -> str:
    """When an execution's window was due, as outcomes have it."""
    return shown(execution["ScheduledTime"])

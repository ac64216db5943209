"""Looking back: a report on all windows of a range of time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from model_monitor import names, windows
from model_monitor.dashboard import addresses
from model_monitor.errors import InputError
from model_monitor.lineage import flows
from model_monitor.lineage.task import Traced
from model_monitor.lineage.values import Flow
from model_monitor.links import DashboardLink, FolderLink, ReportLink
from model_monitor.names import Kind
from model_monitor.operators.base import MonitorOperator
from model_monitor.operators.moments import MomentsOperator

if TYPE_CHECKING:
    from airflow.sdk import Context

LAST = timedelta(days=7)


class RangeOperator(MomentsOperator):
    """Say which range the run reports on.

    A scheduled or backfilled run reports on its data interval. A run by hand reports on what its form says: the time
    between two moments, or the last seven days by the service's clock, the hour that has begun included.

    Args:
        endpoint: what is monitored.
        start: the form's first moment, if any.
        end: the form's second moment; both or none.
    """

    otherwise = "the last seven days"

    def execute(self, context: Context) -> dict[str, str]:
        start, end = self._range(context)
        self.log.info("Windows due from %s until before %s", windows.shown(start), windows.shown(end))
        return {"start": windows.shown(start), "end": windows.shown(end)}

    def _range(self, context: Context) -> tuple[datetime, datetime]:
        if asked := self.asked_for():
            return windows.moment(asked[0]), windows.moment(asked[1])
        if interval := self.interval(context):
            return interval[0].astimezone(UTC), interval[1].astimezone(UTC)
        now = self.storage.time(self.endpoint.bucket)
        end = now.replace(minute=0, second=0, microsecond=0) + windows.HOUR
        return end - LAST, end


class ReportRangeOperator(Traced, MonitorOperator):
    """Write the report on a range of one monitor's windows to S3, and tell what became of them in a few numbers.

    The same range has the same address; windows that were judged since then show when the task runs again.

    Args:
        endpoint: what is monitored.
        kind: `bias` or `explainability`.
        moments: what RangeOperator answered.
    """

    template_fields: Sequence[str] = aws_template_fields("moments")
    operator_extra_links = (DashboardLink(), ReportLink(), FolderLink())

    def __init__(self, *, kind: Kind, moments: dict[str, str] | str | None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kind = kind
        self.moments = moments
        self.report = ""

    def flow(self) -> Flow:
        return flows.range_report(self.endpoint, self.kind, self.report) if self.report else Flow()

    def execute(self, context: Context) -> dict[str, Any]:
        from model_monitor.analysis.range_findings import count
        from model_monitor.history.reader import History
        from model_monitor.range_reports import range_of, report_on

        if not isinstance(self.moments, dict):
            raise InputError(f"'{self.moments}' is no range; expected what RangeOperator answered.")
        start, end = (windows.moment(self.moments[key]) for key in ("start", "end"))
        _ = self.storage.conn, self.hook.conn  # The history's threads share clients, and cannot make them.
        history = History(self.endpoint, self.storage, self.hook)
        about = range_of(history, self.kind, start, end)
        counts = count(about.executions, about.missing)
        report = names.range_report(self.endpoint, self.kind, start, end)
        self.storage.put(report, report_on(history, self.kind, about))
        self.report_url = addresses.range_report(self.endpoint.name, self.kind, *self.moments.values())
        self.report = report
        self.s3_folder = report.rpartition("/")[0]
        found = vars(counts)
        self.log.info("Windows: %s", ", ".join(f"{number} {what}" for what, number in found.items()))
        self.log.info("Report: %s", report)
        return {"report": report, **found}

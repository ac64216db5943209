"""A window judged by Airflow: which one it is, and what each of its tasks shares."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields
from airflow.sdk.exceptions import AirflowSkipException

from model_monitor import names, requests, sources, windows
from model_monitor.errors import EmptyWindow, InputError, NoBaseline
from model_monitor.lineage import flows
from model_monitor.lineage.task import Traced
from model_monitor.lineage.values import Data, Flow
from model_monitor.links import DashboardLink, FolderLink, LinksToExecution, ReportLink
from model_monitor.names import Kind
from model_monitor.operators.base import MonitorOperator, scratch_folder
from model_monitor.operators.moments import MomentsOperator
from model_monitor.verdicts import (
    ANALYSIS,
    COMPLETED,
    UNCERTAINTY,
    VIOLATED,
    VIOLATIONS,
    ReportFiles,
    delivered,
    read_report,
    verdict_on,
)
from model_monitor.windows import Window

if TYPE_CHECKING:
    from airflow.sdk import Context

    from model_monitor.analysis.config import AnalysisConfig
    from model_monitor.analysis.dataset_captures import Attributes
    from model_monitor.analysis.interval_rule import Intervals
    from model_monitor.analysis.persistence import JudgedWindow
    from model_monitor.analysis.report import Comparison

CAPTURES, LABELS, MERGED, REPORT = "captures", "ground_truth", "merged", "report"


class WindowOperator(MomentsOperator):
    """Say which window the run judges.

    A scheduled or backfilled run judges the window of its data interval. A run by hand judges what its form says: the
    time between two moments, or the schedule's last window that is over by the service's clock.

    Args:
        endpoint: what is monitored.
        start: the form's first moment, if any.
        end: the form's second moment; both or none.
    """

    otherwise = "the last window that is over"

    def execute(self, context: Context) -> dict[str, str | bool]:
        window = self._window(context)
        self.log.info("Window %s, due %s, reports in …/%s", window, windows.shown(window.scheduled), window.name)
        return window.as_dict()

    def _window(self, context: Context) -> Window:
        if asked := self.asked_for():
            return windows.asked_for(self.endpoint, *asked)
        if interval := self.interval(context):
            return windows.of_interval(self.endpoint, *interval)
        return windows.latest(self.endpoint, self.storage.time(self.endpoint.bucket))


class WindowTask(MonitorOperator):
    """What the tasks that work on a window have in common.

    Args:
        endpoint: what is monitored.
        kind: `bias` or `explainability`.
        window: what WindowOperator answered; the schedule's last window that is over, unless given.
    """

    template_fields: Sequence[str] = aws_template_fields("window")

    def __init__(self, *, kind: Kind, window: dict[str, Any] | str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kind = kind
        self.window = window

    @cached_property
    def judged(self) -> Window:
        """The window."""
        if isinstance(self.window, dict):
            return Window.from_dict(self.window)
        if self.window is not None:
            raise InputError(f"'{self.window}' is no window; expected what WindowOperator answered.")
        return windows.latest(self.endpoint, self.storage.time(self.endpoint.bucket))

    @cached_property
    def attributes(self) -> Attributes:
        """Where things stand in captures, as the platform passes it to a monitoring job."""
        places = requests.places(self.endpoint)
        return {
            "features_attribute": places.get("FeaturesAttribute"),
            "inference_attribute": places.get("InferenceAttribute"),
            "probability_attribute": places.get("ProbabilityAttribute"),
            "ground_truth_attribute": None,
            "exclude_features_attribute": None,
        }

    @cached_property
    def config(self) -> AnalysisConfig:
        """The analysis configuration, the same as a managed monitor's."""
        from model_monitor.analysis.config_file import parse_analysis_config

        analysis = sources.monitor_analysis(self.endpoint, self.kind, self.model_in_force.name)
        return parse_analysis_config(analysis, origin=self.endpoint.name)

    @cached_property
    def seed(self) -> int:
        """What random draws start from: the same for the same window, whoever judges it and when."""
        return int(names.fingerprint(self.endpoint.name, self.kind, self.judged.name), 16)

    def work(self, context: Context) -> str:
        """Where the tasks of this run leave for each other what XCom is too small for."""
        run = names.fingerprint(context["run_id"])
        return names.window_work(self.endpoint, self.kind, f"{self.judged.name}/{run}")

    def empty(self, why: str) -> EmptyWindow | AirflowSkipException:
        """How the task ends when there is nothing to judge: skipped or failed, as `windows.when_empty` says."""
        if self.endpoint.windows.when_empty == "fail":
            return EmptyWindow(why)
        # Airflow shows the reason of a skip only in a folded part of the log.
        self.log.warning(why)
        return AirflowSkipException(why)

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A folder for the window's files, gone afterwards; errors name what lies in it by its address in S3."""
        with scratch_folder(self.endpoint, "window-") as folder:
            root = folder
            addresses = {
                CAPTURES: names.data_capture(self.endpoint),
                LABELS: names.ground_truth(self.endpoint),
                MERGED: names.merged(self.endpoint),
            }
            try:
                yield root
            except InputError as error:
                text = str(error)
                for name, address in addresses.items():
                    text = text.replace(f"{root / name}/", f"{address}/")
                if text == str(error):
                    raise
                raise type(error)(text) from error


class JudgeOperator(LinksToExecution, Traced, WindowTask):
    """What both monitors' judges have in common: the comparison, the report's files, the metrics, the verdict.

    Args:
        endpoint: what is monitored.
        kind: `bias` or `explainability`.
        window: as for WindowTask.
        compare: `baseline` compares with the baseline's constraints; `none` only measures; an s3:// address compares
            with the `analysis.json` there.
        fail_on_violations: fail the task when there are violations.
    """

    template_fields: Sequence[str] = aws_template_fields("window", "compare", "fail_on_violations")
    operator_extra_links = (DashboardLink(), ReportLink(), FolderLink())

    def __init__(self, *, compare: str = "baseline", fail_on_violations: bool | str = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.compare = compare
        self.fail_on_violations = fail_on_violations
        self.read: list[Data] = []
        self.merged: Data | None = None
        self.report: ReportFiles | None = None

    def flow(self) -> Flow:
        if self.report is None:
            return Flow()
        captures, *others = self.read
        columns = tuple(name for name in sources.headers(self.endpoint) if name != self.endpoint.data.label)
        return flows.judged(
            self.endpoint,
            self.kind,
            self.report,
            captures=replace(captures, columns=columns),
            others=others,
            constraints=self.constraints,
            merged=self.merged,
        )

    @property
    def constraints(self) -> str | None:
        """The address of what the window is compared with."""
        if self.compare == "none":
            return None
        return names.baseline_constraints(self.endpoint, self.kind) if self.compare == "baseline" else self.compare

    def baseline(self, scratch: Path) -> dict[str, Any] | None:
        """What the window is compared with."""
        from model_monitor.analysis.baseline import load_baseline

        if self.constraints is None:
            return None
        content = self.storage.read(self.constraints)
        if content is None:
            raise NoBaseline(
                f"There are no constraints at {self.constraints}. Run {self.endpoint.name}.deploy, which makes them, "
                "or judge without comparing."
            )
        file = scratch / "constraints.json"
        file.write_bytes(content)
        return load_baseline(file)

    def compared(
        self, analysis: Mapping[str, Any], baseline: Mapping[str, Any] | None, intervals: Callable[[], Intervals]
    ) -> Comparison:
        """The analysis judged by the rule that the configuration asks for; only `interval` calls `intervals`."""
        from model_monitor.analysis.judging import compare, compare_by_intervals

        rule = self.endpoint.windows.verdict
        if rule.rule == "point" or baseline is None:
            return compare(analysis, baseline)
        return compare_by_intervals(
            analysis,
            baseline,
            intervals(),
            scheduled=windows.shown(self.judged.scheduled),
            earlier=self._earlier(rule.of_windows - 1),
            violating=rule.violating_windows,
        )

    def _earlier(self, count: int) -> list[JudgedWindow]:
        """The schedule's windows before this one, oldest first, with what they were found to be."""
        from model_monitor.analysis.persistence import JudgedWindow

        if not self.judged.regular:
            return []
        before = list(islice(windows.before(self.endpoint, self.judged), count))[::-1]
        return [JudgedWindow(windows.shown(one.scheduled), self._own_violations(one)) for one in before]

    def _own_violations(self, window: Window) -> int | None:
        """How many violations a window has, red or not; None if it was not judged, or only measured."""
        report = names.report_folder(self.endpoint, self.kind, window.name)
        for file in (UNCERTAINTY, VIOLATIONS):
            content = self.storage.read(f"{report}/{file}")
            if content is not None:
                return len(json.loads(content)["violations"])
        return None

    def deliver(
        self, analysis: Mapping[str, Any], comparison: Comparison, records: int, folder: Path, context: Context
    ) -> dict[str, Any]:
        """Bring the report folder in S3 to what this window came to, beside the files that are in `folder` already."""
        from model_monitor.analysis.judging import Subject, result_files

        window, report = self.judged, names.report_folder(self.endpoint, self.kind, self.judged.name)
        schedule = names.schedule(self.endpoint, self.kind)
        moments = (windows.shown(window.start), windows.shown(window.end))
        subject = Subject(records, self.endpoint.name, schedule, moments)
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in result_files(analysis, comparison, subject, self.config.report).items():
            (folder / name).write_text(text, encoding="utf-8")
        if self.storage.read(f"{report}/{ANALYSIS}") == (folder / ANALYSIS).read_bytes():
            self.log.info("The analysis of this window is there already, and the same: %s", report)
        elif self.endpoint.monitoring.publish_cloudwatch_metrics:
            # Before the report, for a task that is killed in between publishes again rather than never.
            self._publish(analysis, schedule, moments[0])
        self.storage.replace(report, folder)
        self.link_to(report)
        status = VIOLATED if comparison.violations else COMPLETED
        self.report = read_report(self.storage, report, status=status, baseline=self.constraints)
        scheduled = windows.shown(window.scheduled)
        verdict = verdict_on(self.report, self.endpoint, self.kind, scheduled=scheduled, log=self.log)
        return delivered({**verdict, "window": window.as_dict()}, context, self.fail_on_violations)

    def _publish(self, analysis: Mapping[str, Any], schedule: str, moment: str) -> None:
        from model_monitor.analysis.cloudwatch import MetricSource, metrics

        count = self.cloudwatch.publish(metrics(analysis, MetricSource(self.endpoint.name, schedule, moment)))
        self.log.info("Published %d metrics to CloudWatch", count)

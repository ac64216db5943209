"""The bias of a window: captures joined with ground truth, counted, judged."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from model_monitor import names, window_data
from model_monitor.errors import AnalysisError
from model_monitor.lineage import flows
from model_monitor.operators.window import CAPTURES, LABELS, MERGED, REPORT, JudgeOperator
from model_monitor.window_data import Found

if TYPE_CHECKING:
    from airflow.sdk import Context

    from model_monitor.analysis.interval_rule import Intervals
    from model_monitor.analysis.relational.bias_window import BiasWindow
    from model_monitor.analysis.relational.engines import Engine
    from model_monitor.analysis.uncertainty import Interval


class JudgeBiasOperator(JudgeOperator):
    """Merge a window's captures with its ground truth, measure the bias, compare, and write the report.

    Writes what a managed execution writes: merged records, `analysis.json`, `constraint_violations.json` if there are
    violations, `report.html`. The same window again writes the same files.

    Args:
        endpoint: what is monitored.
        window: what WindowOperator answered.
        compare: as for JudgeOperator.
        fail_on_violations: fail the task when there are violations.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(kind="bias", **kwargs)

    def execute(self, context: Context) -> dict[str, Any]:
        from model_monitor.analysis.relational.bias_window import bias_window

        endpoint, window = self.endpoint, self.judged
        captured = window_data.captures(self.storage, endpoint, window)
        labelled = window_data.labels(self.storage, endpoint, window)
        if not captured or not labelled:
            raise self.empty(window_data.why_empty(self.storage, endpoint, window, captured, labelled))
        with self.scratch() as scratch:
            baseline = self.baseline(scratch)
            window_data.fetch_captures(self.storage, captured, scratch / CAPTURES, window)
            window_data.fetch(self.storage, labelled, scratch / LABELS)
            with self._engine(scratch) as engine:
                found = bias_window(
                    scratch / CAPTURES,
                    scratch / LABELS,
                    scratch / MERGED,
                    self.config,
                    self.attributes,
                    endpoint.bias.probability_threshold,
                    engine,
                    endpoint.windows.flip_test_records,
                )
            self.log.info("Merge: %s", found.summary)
            if not found.records:
                raise self.empty(
                    window_data.why_empty(self.storage, endpoint, window, captured, labelled, found.summary)
                )
            self.read = [
                flows.found(names.captures(endpoint), captured, found.summary.captures),
                flows.found(names.ground_truth(endpoint), labelled, found.summary.ground_truths),
            ]
            self._keep_merged(captured, scratch / MERGED)
            analysis = {"version": "1.0", **found.sections}
            comparison = self.compared(analysis, baseline, lambda: self._intervals(found))
            return self.deliver(analysis, comparison, found.records, scratch / REPORT, context)

    def _intervals(self, found: BiasWindow) -> Intervals:
        from model_monitor.analysis.interval_rule import Intervals
        from model_monitor.analysis.uncertainty import bias_intervals, flip_interval

        rule = self.endpoint.windows.verdict
        how: dict[str, Any] = {"confidence": rule.confidence, "resamples": rule.resamples, "seed": self.seed}
        methods = [*(self.config.post_training_methods or ()), *(self.config.pre_training_methods or ())]
        intervals: dict[tuple[str, int], dict[str, Interval]] = {}
        for facet, groups in found.facets.items():
            for position, group in enumerate(groups):
                own = intervals[facet, position] = bias_intervals(group.counts, methods, **how)
                try:
                    own["FT"] = flip_interval(group.flips(), **how)
                except AnalysisError as error:
                    self.log.info("No interval for FT of %s %s: %s", facet, group.shown, error)
        return Intervals(**how, bias=intervals)

    def _engine(self, scratch: Path) -> Engine:
        from model_monitor.analysis.relational import engines

        own = self.endpoint.windows
        if own.engine == "pyspark":
            return engines.SparkEngine(own.spark)
        return engines.DuckDbEngine(own.memory_mb, scratch / "spill")

    def _keep_merged(self, captured: list[Found], merged: Path) -> None:
        """Merged records of whole hours lie where a managed execution leaves them."""
        folders = dict.fromkeys(Path(one.path).parent for one in captured if self.judged.covers(one.hour))
        for folder in folders:
            self.storage.replace(f"{names.merged(self.endpoint)}/{folder}", merged / folder)
        if folders:
            self.merged = flows.merged(self.endpoint, [f"{names.merged(self.endpoint)}/{one}" for one in folders])

"""The explainability of a window: captures in shards, each explained by a task of its own, then judged together."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from model_monitor import names, window_data
from model_monitor.errors import InputError
from model_monitor.lineage import flows
from model_monitor.model_calls import MEBIBYTE, predictor_of
from model_monitor.operators.shadow import delete_shadow
from model_monitor.operators.window import CAPTURES, REPORT, JudgeOperator, WindowTask
from model_monitor.window_data import Found

if TYPE_CHECKING:
    from airflow.sdk import Context

    from model_monitor.analysis.config import ShapConfig
    from model_monitor.analysis.interval_rule import Intervals
    from model_monitor.analysis.shards import Shard

PLAN, SHARD, EXPLANATIONS = "plan.json", "shard.zip", "explanations_shap"


class ExplainabilityTask(WindowTask):
    """What the tasks of a window's explainability have in common.

    Args:
        endpoint: what is monitored.
        window: what WindowOperator answered.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(kind="explainability", **kwargs)

    @cached_property
    def shap(self) -> ShapConfig:
        """SHAP's settings; draws start from the window unless the configuration has a seed."""
        shap = self.config.shap
        assert shap is not None
        return shap if shap.seed is not None else replace(shap, seed=self.seed)

    def shap_of(self, plan: dict[str, Any]) -> ShapConfig:
        """SHAP's settings with the baseline that all shards share."""
        if plan["baseline"] is None:
            return self.shap
        return replace(self.shap, baseline=tuple(tuple(row) for row in plan["baseline"]))

    def plan(self, context: Context) -> dict[str, Any]:
        """What PlanShardsOperator left.

        Raises:
            InputError: when it is gone, as it is when the run has ended.
        """
        content = self.storage.read(f"{self.work(context)}/{PLAN}")
        if content is None:
            raise InputError(
                f"The plan of this run is gone from {self.work(context)}: the run had ended. Clear the run from its "
                "task 'plan' on, not this task alone."
            )
        found: dict[str, Any] = json.loads(content)
        return found

    def shard_uri(self, context: Context, shard: int) -> str:
        """Where a shard's attributions lie."""
        return f"{self.work(context)}/{shard:05}-{SHARD}"

    def files(self, scratch: Path, captured: Sequence[Found]) -> list[Path]:
        """The fetched files that hold records."""
        return [file for one in captured if (file := scratch / CAPTURES / one.path).exists()]

    def why_empty(self, captured: Sequence[Found]) -> str:
        """Why there is nothing to explain, with these capture files in the window's hours."""
        return window_data.why_empty(self.storage, self.endpoint, self.judged, captured, None)

    def fetch(self, uri: str) -> bytes:
        """What lies at an address that the configuration names."""
        content = self.storage.read(uri)
        if content is None:
            raise InputError(f"{uri}, which explainability.baseline names: there is no such object")
        return content


class PlanShardsOperator(ExplainabilityTask):
    """Divide a window's captures into shards, and settle what all of them compare with.

    Answers the shards' numbers, for dynamic task mapping; which files each has lies in S3.

    Args:
        endpoint: what is monitored.
        window: what WindowOperator answered.
    """

    def execute(self, context: Context) -> list[int]:
        from model_monitor.analysis.shards import plan_shards

        captured = window_data.captures(self.storage, self.endpoint, self.judged)
        if not captured:
            raise self.empty(self.why_empty(captured))
        size = self.endpoint.windows.shard_mb * MEBIBYTE
        shards = plan_shards([(one.path, one.size) for one in captured], size)
        plan = {"shards": shards, "baseline": self._clusters(captured)}
        self.storage.put(f"{self.work(context)}/{PLAN}", json.dumps(plan))
        self.log.info("%d capture files in %d shards", len(captured), len(shards))
        return list(range(len(shards)))

    def _clusters(self, captured: list[Found]) -> list[list[Any]] | None:
        """The baseline that has to be made of all the window's records; None where the configuration gives one."""
        from model_monitor.analysis.shards import clusters_of

        shap = self.shap
        if shap.baseline is not None:
            return None
        with self.scratch() as scratch:
            window_data.fetch_captures(self.storage, captured, scratch / CAPTURES, self.judged)
            if not (files := self.files(scratch, captured)):
                raise self.empty(self.why_empty(captured))
            return clusters_of(files, self.config, self.attributes, shap)


class ExplainShardOperator(ExplainabilityTask):
    """Explain the records of one shard, and leave their attributions in S3.

    Args:
        endpoint: what is monitored.
        window: what WindowOperator answered.
        model_endpoint: the endpoint that answers SHAP's requests, as CreateShadowEndpointOperator answered.
        shard: the shard's number.
    """

    template_fields: Sequence[str] = aws_template_fields("window", "model_endpoint", "shard")

    def __init__(self, *, model_endpoint: str, shard: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.model_endpoint = model_endpoint
        self.shard = shard

    def execute(self, context: Context) -> None:
        from model_monitor.analysis.shards import explain_shard

        plan = self.plan(context)
        own = set(plan["shards"][self.shard])
        captured = [one for one in window_data.captures(self.storage, self.endpoint, self.judged) if one.path in own]
        with self.scratch() as scratch:
            window_data.fetch_captures(self.storage, captured, scratch / CAPTURES, self.judged)
            output = scratch / SHARD
            found = explain_shard(
                self.files(scratch, captured),
                self.config,
                self.attributes,
                predictor_of(self.endpoint, self.model_endpoint, **self._hook_parameters),
                self.fetch,
                shap=self.shap_of(plan),
                shard=self.shard,
                output=output,
            )
            self.storage.send(output, self.shard_uri(context, self.shard))
        self.log.info("Explained %d records", found.records)


class JudgeExplainabilityOperator(ExplainabilityTask, JudgeOperator):
    """Put the shards' attributions together, compare, and write the report.

    Args:
        endpoint: what is monitored.
        window: what WindowOperator answered.
        compare: as for JudgeOperator.
        fail_on_violations: fail the task when there are violations.
    """

    def execute(self, context: Context) -> dict[str, Any]:
        from model_monitor.analysis.shards import Shard, combine

        plan = self.plan(context)
        with self.scratch() as scratch:
            baseline = self.baseline(scratch)
            shards = []
            for number in range(len(plan["shards"])):
                file = scratch / f"{number:05}-{SHARD}"
                self.storage.download(self.shard_uri(context, number), file)
                shards.append(Shard.open(file))
            if not (records := sum(shard.records for shard in shards)):
                raise self.empty(self.why_empty(window_data.captures(self.storage, self.endpoint, self.judged)))
            files = [f"{names.data_capture(self.endpoint)}/{path}" for paths in plan["shards"] for path in paths]
            self.read = [flows.files(names.captures(self.endpoint), files, rows=records)]
            folder = scratch / REPORT
            section = combine(shards, self.shap_of(plan), folder / EXPLANATIONS)
            analysis = {"version": "1.0", "explanations": section}
            comparison = self.compared(analysis, baseline, lambda: self._intervals(shards, analysis, baseline or {}))
            return self.deliver(analysis, comparison, records, folder, context)

    def _intervals(self, shards: Sequence[Shard], analysis: dict[str, Any], baseline: dict[str, Any]) -> Intervals:
        from model_monitor.analysis.attribution_intervals import ndcg_intervals, resampled_of
        from model_monitor.analysis.interval_rule import Intervals

        rule = self.endpoint.windows.verdict
        parts = (values for shard in shards for values in shard.values())
        resampled = resampled_of(parts, self.shap.agg_method, resamples=rule.resamples, seed=self.seed)
        intervals = ndcg_intervals(resampled, analysis, baseline, confidence=rule.confidence)
        return Intervals(rule.confidence, rule.resamples, self.seed, ndcg=intervals)


class CleanUpWindowOperator(WindowTask):
    """Delete the run's shadow endpoint, and what its tasks left in S3 for each other.

    Args:
        endpoint: what is monitored.
        window: what WindowOperator answered.
        purpose: as for CreateShadowEndpointOperator.
    """

    template_fields: Sequence[str] = aws_template_fields("window", "purpose")

    def __init__(self, *, purpose: str, **kwargs: Any) -> None:
        super().__init__(kind="explainability", **kwargs)
        self.purpose = purpose

    def execute(self, context: Context) -> None:
        name = names.shadow_endpoint(self.endpoint, self.purpose)
        if delete_shadow(self.hook, name):
            self.log.info("Deleted the shadow endpoint %s", name)
        for left in self.storage.list(f"{self.work(context)}/"):
            self.storage.delete(left)

"""Runs of `<endpoint>.windows` without a scheduler: its tasks in their order, as Airflow executes them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from airflow.sdk.exceptions import AirflowSkipException

from model_monitor import windows
from model_monitor.config import MonitoredEndpoint
from model_monitor.operators.shadow import CreateShadowEndpointOperator
from model_monitor.operators.window import WindowOperator
from model_monitor.operators.window_bias import JudgeBiasOperator
from model_monitor.operators.window_explainability import (
    CleanUpWindowOperator,
    ExplainShardOperator,
    JudgeExplainabilityOperator,
    PlanShardsOperator,
)
from model_monitor.windows import Window
from tests.monitored import Run, context, run_task


def scheduled_run(endpoint: MonitoredEndpoint, due: datetime) -> dict[str, Any]:
    """The context of the scheduled run whose data interval ends then."""
    window = windows.scheduled_at(endpoint, due)
    return context(f"scheduled__{due.isoformat()}", Run("scheduled", window.start, window.end))


def window_of(endpoint: MonitoredEndpoint, given: dict[str, Any], window: Window | None) -> Any:
    """The run's window, or one that was asked for."""
    moments = {} if window is None else {"start": windows.shown(window.start), "end": windows.shown(window.end)}
    return run_task(WindowOperator(task_id="window", endpoint=endpoint, **moments), given)


def judge_bias(endpoint: MonitoredEndpoint, given: dict[str, Any], window: Window | None = None, **options: Any) -> Any:
    """The bias half of a run."""
    decided = window_of(endpoint, given, window)
    return run_task(JudgeBiasOperator(task_id="judge", endpoint=endpoint, window=decided, **options), given)


def judge_explainability(
    endpoint: MonitoredEndpoint, given: dict[str, Any], window: Window | None = None, **options: Any
) -> Any:
    """The explainability half of a run; what it cleans up, it cleans up in every case."""
    about: dict[str, Any] = {"endpoint": endpoint, "window": window_of(endpoint, given, window)}
    purpose = given["run_id"]
    try:
        shards = run_task(PlanShardsOperator(task_id="plan", **about), given)
        shadow = CreateShadowEndpointOperator(task_id="shadow", endpoint=endpoint, purpose=purpose)
        name = run_task(shadow, given)
        for shard in shards:
            run_task(ExplainShardOperator(task_id="explain", model_endpoint=name, shard=shard, **about), given)
        return run_task(JudgeExplainabilityOperator(task_id="judge", **about, **options), given)
    finally:
        run_task(CleanUpWindowOperator(task_id="clean_up", purpose=purpose, **about), given)


def skipped(judge: Any, *arguments: Any, **options: Any) -> str:
    """Why a window was skipped."""
    try:
        judge(*arguments, **options)
    except AirflowSkipException as skip:
        return str(skip)
    raise AssertionError("The window was judged.")

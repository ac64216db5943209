"""`<endpoint>.windows`: each run judges one window of captures, in Airflow's own tasks."""

from __future__ import annotations

from typing import Any

from airflow.sdk import DAG, CronDataIntervalTimetable, Param, TaskGroup

from model_monitor import windows
from model_monitor.config import MonitoredEndpoint, load_endpoints
from model_monitor.dag_parts import act_on
from model_monitor.dag_settings import answer_of, settings
from model_monitor.operators.shadow import CreateShadowEndpointOperator
from model_monitor.operators.window import WindowOperator
from model_monitor.operators.window_bias import JudgeBiasOperator
from model_monitor.operators.window_explainability import (
    CleanUpWindowOperator,
    ExplainShardOperator,
    JudgeExplainabilityOperator,
    PlanShardsOperator,
)

DOC = """
### Windows of {name}

Each run judges one window of captured requests with this project's own engine: no managed monitor takes part. It reads
captures and ground truth from S3, and writes what a managed execution writes, to the same places. People are told of
what changed, as `alerts` in the endpoint's YAML says.

* **On schedule**: the window of the run's data interval ({cron}).
* **By hand**: the form's two moments, or the last window that is over.
* **Again**: clear a run, for example when labels came late. The same data gives the same files.
* **The past**: `airflow backfill create --dag-id {name}.windows --from-date … --to-date … --max-active-runs 4`

Needs `{name}.deploy` for the baselines. SHAP's requests go to {answers}.
"""

MOMENT: dict[str, Any] = {"type": ["null", "string"], "format": "date-time"}
PARAMS = {
    "start": Param(None, title="Start", description_md="Of the window to judge; both moments or none.", **MOMENT),
    "end": Param(None, title="End", description_md="The window ends just before it.", **MOMENT),
    "compare": Param(
        "baseline",
        type="string",
        pattern="^(baseline|none|s3://.+)$",
        examples=["baseline", "none"],
        title="Compare",
        description_md="`baseline`: with the baseline's constraints; `none`: only measure; or the s3:// address of "
        "another `analysis.json`.",
    ),
    "fail_on_violations": Param(
        False,
        type="boolean",
        title="Fail on violations",
        description_md="Fail the judging task when there are violations, for alerts that watch for failed runs.",
    ),
}


def answers(endpoint: MonitoredEndpoint) -> str:
    """Who answers SHAP's requests."""
    named = endpoint.windows.model.endpoint
    if named is not None:
        return f"the endpoint `{named}`"
    return "a shadow endpoint, which captures nothing and is deleted at the end of each run"


def windows_of(endpoint: MonitoredEndpoint) -> None:
    with DAG(
        **settings(endpoint, "windows"),
        description=f"Judge the windows of {endpoint.name} in Airflow",
        doc_md=DOC.format(name=endpoint.name, cron=windows.cron(endpoint), answers=answers(endpoint)),
        schedule=CronDataIntervalTimetable(windows.cron(endpoint), timezone="UTC"),
        params=PARAMS,
    ):
        window = WindowOperator(task_id="window", endpoint=endpoint, start="{{ params.start }}", end="{{ params.end }}")
        about: dict[str, Any] = {"endpoint": endpoint, "window": answer_of("window")}
        asked = {"compare": "{{ params.compare }}", "fail_on_violations": "{{ params.fail_on_violations }}"}
        with TaskGroup("bias", tooltip="Merge, count, judge"):
            judge_bias = JudgeBiasOperator(task_id="judge", **about, **asked)
            window >> judge_bias
            act_on(judge_bias, endpoint, "bias", about["window"])
        with TaskGroup("explainability", tooltip="SHAP over shards, then one verdict"):
            plan = PlanShardsOperator(task_id="plan", **about)
            shadow = CreateShadowEndpointOperator(
                task_id="shadow_endpoint", endpoint=endpoint, purpose="{{ run_id }}", deferrable=True
            )
            explain = ExplainShardOperator.partial(
                task_id="explain", model_endpoint=answer_of("explainability.shadow_endpoint"), **about
            ).expand(shard=plan.output)
            judge = JudgeExplainabilityOperator(task_id="judge", **about, **asked)
            clean_up = CleanUpWindowOperator(task_id="clean_up", purpose="{{ run_id }}", **about)
            window >> plan >> shadow >> explain >> judge >> clean_up.as_teardown()
            shadow >> clean_up
            act_on(judge, endpoint, "explainability", about["window"])


for monitored in load_endpoints():
    windows_of(monitored)

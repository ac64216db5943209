"""Alarms follow the verdicts of `<endpoint>.windows`, whatever the run comes to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from model_monitor import names
from model_monitor.config import MonitoredEndpoint
from model_monitor.config.alarms import Alarms, BiasAlarm, ExplainabilityAlarm
from model_monitor.config.windows import Windows
from model_monitor.hooks.s3 import StorageHook
from model_monitor.names import KINDS
from model_monitor.operators.alarms import DeleteAlarmsOperator
from tests.dags.running import an_hour, runs_of
from tests.monitored import run_task
from tests.running_aws import Running


def test_alarms_are_put_on_a_window_whose_run_fails(deployed: MonitoredEndpoint, aws: Running, tmp_path: Path) -> None:
    alarms = Alarms(
        bias=[BiasAlarm(metric="DPPL", below=-0.1)], explainability=[ExplainabilityAlarm(feature="Age", above=9)]
    )
    endpoint = deployed.model_copy(update={"alarms": alarms, "windows": Windows(when_empty="fail")})
    an_hour(endpoint, aws)
    with runs_of("windows", endpoint, tmp_path) as windows:
        ran = windows(fail_on_violations=True)
        assert ran["state"] == "failed"
        assert (ran["tasks"]["bias.judge"], ran["tasks"]["bias.alarms"]) == ("failed", "success")
        assert ran["tasks"]["explainability.alarms"] == "success"
        found = alarms_of(aws, endpoint)
        assert set(found) == {f"{endpoint.name}-bias-DPPL-below", f"{endpoint.name}-explain-Age-above"}
        assert {"Name": "FacetValue", "Value": newest_group(endpoint)} in found[min(found)]["Dimensions"]

        aws.advance(2 * 3600)
        empty = windows()
        assert {empty["tasks"][f"{kind}.alarms"] for kind in KINDS} == {"skipped"}
    for kind in KINDS:
        run_task(DeleteAlarmsOperator(task_id="delete", endpoint=endpoint, kind=kind))
    assert alarms_of(aws, endpoint) == {}


def alarms_of(aws: Running, endpoint: MonitoredEndpoint) -> dict[str, dict[str, Any]]:
    found = aws.client("cloudwatch").describe_alarms(AlarmNamePrefix=f"{endpoint.name}-")["MetricAlarms"]
    return {alarm["AlarmName"]: alarm for alarm in found}


def newest_group(endpoint: MonitoredEndpoint) -> str:
    """The text of the group in the newest report."""
    storage = StorageHook(aws_conn_id=endpoint.aws_conn_id, region_name=endpoint.region)
    reports = [uri for uri in storage.list(names.report_folders(endpoint, "bias")) if uri.endswith("/analysis.json")]
    analysis = json.loads(storage.read(reports[-1]) or b"")
    (group,) = analysis["post_training_bias_metrics"]["facets"]["Age"]
    return str(group["value_or_threshold"])

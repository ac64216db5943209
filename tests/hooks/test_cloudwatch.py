from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from model_monitor.analysis.cloudwatch import MetricSource, metrics
from model_monitor.hooks.cloudwatch import CloudWatchHook
from tests.monitored import monitored_endpoint
from tests.running_aws import Running, new_name

ANALYSIS = {
    "explanations": {
        "kernel_shap": {"label0": {"global_shap_values": {f"f{n}": n / 7 for n in range(1500)}, "expected_value": 0.5}}
    }
}


def test_metrics_arrive_however_many_there_are(aws: Running) -> None:
    hook = CloudWatchHook(region_name="us-west-2")
    moment = aws.now().replace(microsecond=0)
    source = MetricSource("cloudy", "cloudy-explain", moment.isoformat())
    assert hook.publish(metrics(ANALYSIS, source)) == 1501
    dimensions = {
        "Endpoint": "cloudy",
        "MonitoringSchedule": "cloudy-explain",
        "ExplainabilityMethod": "KernelShap",
        "Label": "label0",
        "ValueType": "GlobalShapValues",
    }
    found: dict[str, Any] = aws.client("cloudwatch").get_metric_statistics(
        Namespace="aws/sagemaker/Endpoints/explainability-metrics",
        MetricName="feature_f1499",
        Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
        StartTime=datetime.fromtimestamp(0, UTC),
        EndTime=moment + timedelta(hours=1),
        Period=3600,
        Statistics=["Maximum"],
    )
    assert [point["Maximum"] for point in found["Datapoints"]] == [1499 / 7]


def test_alarms_are_found_by_how_their_names_begin_and_owned_by_their_tag(aws: Running, tmp_path: Path) -> None:
    hook = CloudWatchHook(region_name="us-west-2")
    endpoint = monitored_endpoint(tmp_path, "bucket", new_name("cloudy"))
    settings = {"Namespace": "n", "MetricName": "m", "Statistic": "Average", "Period": 60, "EvaluationPeriods": 1}
    limits = {"ComparisonOperator": "LessThanThreshold", "Threshold": 0.0}
    tag = {"Key": "model-monitor:endpoint", "Value": endpoint.name}
    for name, tags in (("b", [tag]), ("a", []), ("c", [{**tag, "Value": "another"}])):
        hook.call("put_metric_alarm", AlarmName=f"{endpoint.name}-{name}", **settings, **limits, Tags=tags)
    found = hook.alarms(f"{endpoint.name}-")
    assert [alarm["AlarmName"] for alarm in found] == [f"{endpoint.name}-{name}" for name in "abc"]
    assert [hook.owned(alarm, endpoint) for alarm in found] == [False, True, False]
    hook.delete_alarms([f"{endpoint.name}-{name}" for name in ("a", "b", "gone")])
    assert [alarm["AlarmName"] for alarm in hook.alarms(f"{endpoint.name}-")] == [f"{endpoint.name}-c"]

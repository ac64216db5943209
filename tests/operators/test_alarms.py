"""Alarms on windows that Airflow judges, whose groups' texts change with the data."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowSkipException

from model_monitor import names, records, requests, windows
from model_monitor.analysis import cloudwatch
from model_monitor.analysis.cloudwatch import MetricSource
from model_monitor.config import MonitoredEndpoint
from model_monitor.errors import InputError, NoBaseline, ResourceConflict
from model_monitor.hooks.cloudwatch import CloudWatchHook
from model_monitor.hooks.s3 import StorageHook
from model_monitor.names import Kind
from model_monitor.operators.alarms import DeleteAlarmsOperator, SetAlarmsOperator
from model_monitor.windows import Window
from tests.local_aws.subscriber import subscriber
from tests.monitored import run_task
from tests.polling import until
from tests.running_aws import Running
from tests.window_runs import judge_bias, scheduled_run

HOUR = timedelta(hours=1)
OTHERS = [[-1.0, 0, 0, 0]] * 30
NORMAL = [*[0.01] * 29, 2.0]
"""Ages of the group of which the model predicts one to leave."""


def alarmed(endpoint: MonitoredEndpoint, **alarms: Any) -> MonitoredEndpoint:
    """The endpoint with these alarms."""
    return MonitoredEndpoint.model_validate(endpoint.model_dump() | {"alarms": alarms})


def set_alarms(endpoint: MonitoredEndpoint, kind: Kind = "bias") -> dict[str, list[str]]:
    answer: dict[str, list[str]] = run_task(SetAlarmsOperator(task_id="alarms", endpoint=endpoint, kind=kind))
    return answer


def keep_current(endpoint: MonitoredEndpoint, aws: Running) -> None:
    """What a window's run does after its verdict; CloudWatch looks at what was changed within a minute."""
    set_alarms(endpoint)
    aws.advance(60)


def alarms_of(aws: Running, endpoint: MonitoredEndpoint) -> dict[str, dict[str, Any]]:
    found = aws.client("cloudwatch").describe_alarms(AlarmNamePrefix=f"{endpoint.name}-")["MetricAlarms"]
    return {alarm["AlarmName"]: alarm for alarm in found}


def the_alarm(aws: Running, endpoint: MonitoredEndpoint) -> dict[str, Any]:
    (alarm,) = alarms_of(aws, endpoint).values()
    return alarm


def group_of(alarm: dict[str, Any]) -> str:
    return str({each["Name"]: each["Value"] for each in alarm["Dimensions"]}["FacetValue"])


def next_hour(aws: Running) -> datetime:
    """Move the clock to a minute after the next full hour."""
    now = aws.now()
    full = now.replace(minute=0, second=0, microsecond=0) + HOUR
    aws.advance((full - now).total_seconds() + 60, settle=True)
    return full


@pytest.fixture
def empty_hour(aws: Running) -> datetime:
    """An hour that has just begun and of which nothing has been captured."""
    return next_hour(aws)


def live(endpoint: MonitoredEndpoint, aws: Running, ages: Sequence[float]) -> dict[str, Any]:
    """An hour's traffic, half of it of the group, of these ages; judged by Airflow. Answers the verdict."""
    begun = aws.now()
    truths = {}
    for number, row in enumerate([*OTHERS, *([age, 0, 0, 0] for age in ages)]):
        inference_id = f"{uuid.uuid4().hex}-{number}"
        request = requests.invoke_endpoint(endpoint, ",".join(map(str, row)), inference_id)
        aws.client("sagemaker-runtime").invoke_endpoint(**request)
        truths[inference_id] = str(number % 2)
    StorageHook(region_name=endpoint.region).put(
        names.ground_truth_file(endpoint, begun), records.ground_truth_lines(truths)
    )
    due = next_hour(aws)
    verdict: dict[str, Any] = judge_bias(endpoint, scheduled_run(endpoint, due))
    return verdict


def test_an_alarm_lives_on_when_the_interval_s_text_changes(
    deployed: MonitoredEndpoint, aws: Running, empty_hour: datetime
) -> None:
    with subscriber() as (address, received):
        sns = aws.client("sns")
        topic = sns.create_topic(Name=f"drift-{uuid.uuid4().hex[:6]}")["TopicArn"]
        sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=address)
        endpoint = alarmed(deployed, topics=[topic], bias=[{"metric": "DPPL", "below": -0.5, "name": "drift"}])
        assert set_alarms(endpoint)["changed"] == [f"{endpoint.name}-bias-drift-below"]
        baseline = group_of(the_alarm(aws, endpoint))

        live(endpoint, aws, NORMAL)
        keep_current(endpoint, aws)
        normal = the_alarm(aws, endpoint)
        assert (normal["StateValue"], group_of(normal)) == ("OK", "(0.0, 2.0]")
        assert group_of(normal) != baseline

        live(endpoint, aws, [3.0] * 30)
        assert the_alarm(aws, endpoint)["StateValue"] == "OK", "its metric got no data: the text is another"
        keep_current(endpoint, aws)
        assert (the_alarm(aws, endpoint)["StateValue"], group_of(the_alarm(aws, endpoint))) == ("ALARM", "(0.0, 3.0]")

        live(endpoint, aws, [3.0] * 29 + [4.0])
        keep_current(endpoint, aws)
        still = the_alarm(aws, endpoint)
        assert (still["StateValue"], group_of(still)) == ("ALARM", "(0.0, 4.0]")

        live(endpoint, aws, NORMAL)
        keep_current(endpoint, aws)
        assert the_alarm(aws, endpoint)["StateValue"] == "OK"
        # Before these it may have told of a window that another test left.
        told = until(
            lambda: [json.loads(each["Message"]) for each in received],
            lambda found: [message["NewStateValue"] for message in found[-3:]] == ["OK", "ALARM", "OK"],
        )
    assert len(told) <= 4
    assert told[-2]["AlarmName"] == f"{endpoint.name}-bias-drift-below"
    assert "DPPL" in told[-2]["AlarmDescription"]
    assert run_task(DeleteAlarmsOperator(task_id="delete", endpoint=endpoint, kind="bias")) == [told[-2]["AlarmName"]]
    assert alarms_of(aws, endpoint) == {}


def analysis_of(groups: dict[str, float], features: dict[str, float] | None = None) -> dict[str, Any]:
    """An analysis with the DPPL of each of Age's groups, by the groups' texts, or with features' attributions."""
    entries = [
        {"value_or_threshold": text, "metrics": [{"name": "DPPL", "description": "DPPL", "value": value}]}
        for text, value in groups.items()
    ]
    report = {"label": "Left", "label_value_or_threshold": "1", "facets": {"Age": entries}}
    explained = {"kernel_shap": {"label0": {"global_shap_values": features, "expected_value": 0.4}}}
    return {"post_training_bias_metrics": report} | ({"explanations": explained} if features else {})


def judged(endpoint: MonitoredEndpoint, window: Window, analysis: dict[str, Any], kind: Kind = "bias") -> None:
    """What a monitor leaves of a window: its metrics and its analysis."""
    source = MetricSource(endpoint.name, names.schedule(endpoint, kind), windows.shown(window.start))
    CloudWatchHook(region_name=endpoint.region).publish(cloudwatch.metrics(analysis, source))
    report = names.report_folder(endpoint, kind, window.name)
    StorageHook(region_name=endpoint.region).put(f"{report}/analysis.json", json.dumps(analysis))


def baseline(endpoint: MonitoredEndpoint, analysis: dict[str, Any], kind: Kind = "bias") -> None:
    """What a baselining job leaves."""
    StorageHook(region_name=endpoint.region).put(names.baseline_constraints(endpoint, kind), json.dumps(analysis))


def window_after(endpoint: MonitoredEndpoint, aws: Running) -> Window:
    """The schedule's next window; time moves to when it has just been judged."""
    return windows.scheduled_at(endpoint, next_hour(aws))


def updates_of(aws: Running, alarm: str) -> int:
    """How often an alarm was made or changed."""
    history = aws.client("cloudwatch").describe_alarm_history(AlarmName=alarm, HistoryItemType="ConfigurationUpdate")
    return len(history["AlarmHistoryItems"])


def test_windows_of_other_texts_count_among_those_that_an_alarm_looks_at(
    endpoint: MonitoredEndpoint, aws: Running
) -> None:
    two_of_three = {"metric": "DPPL", "below": -0.1, "violating_windows": 2, "of_windows": 3}
    endpoint = alarmed(endpoint, bias=[two_of_three])
    states = []
    for largest, value in ((7, 0.0), (8, 0.0), (9, -0.5), (6, -0.5), (8, 0.0), (5, 0.0)):
        judged(endpoint, window_after(endpoint, aws), analysis_of({f"(0, {largest}]": value}))
        keep_current(endpoint, aws)
        states.append(the_alarm(aws, endpoint)["StateValue"])
    assert states == ["OK", "OK", "OK", "ALARM", "ALARM", "OK"], "of the last three, two are bad twice"


def test_an_alarm_that_is_as_it_should_be_is_not_touched(endpoint: MonitoredEndpoint, aws: Running) -> None:
    topic = f"arn:aws:sns:{endpoint.region}:123456789012:drift"
    endpoint = alarmed(endpoint, topics=[topic], bias=[{"metric": "DPPL", "above": 0.1, "below": -0.1}])
    alarms = [f"{endpoint.name}-bias-DPPL-above", f"{endpoint.name}-bias-DPPL-below"]
    judged(endpoint, window_after(endpoint, aws), analysis_of({"(0, 7]": 0.0}))
    assert set_alarms(endpoint) == {"alarms": alarms, "changed": alarms, "deleted": []}
    judged(endpoint, window_after(endpoint, aws), analysis_of({"(0, 7]": 0.0}))
    assert set_alarms(endpoint) == {"alarms": alarms, "changed": [], "deleted": []}
    assert [updates_of(aws, alarm) for alarm in alarms] == [1, 1]
    judged(endpoint, window_after(endpoint, aws), analysis_of({"(0, 8]": 0.0}))
    assert set_alarms(endpoint)["changed"] == alarms
    assert {group_of(alarm) for alarm in alarms_of(aws, endpoint).values()} == {"(0, 8]"}


def test_alarms_of_others_stay(endpoint: MonitoredEndpoint, aws: Running) -> None:
    baseline(endpoint, analysis_of({"(0, 7]": 0.3}))
    longer = alarmed(endpoint, bias=[{"metric": "DPPL", "below": -0.1}]).model_copy(
        update={"name": f"{endpoint.name}-bias", "prefix": "other"}
    )
    baseline(longer, analysis_of({"(0, 7]": 0.3}))
    set_alarms(longer)
    handmade = f"{endpoint.name}-bias-by-hand"
    settings = {"Namespace": "x", "MetricName": "y", "Statistic": "Average", "Period": 60, "EvaluationPeriods": 1}
    aws.client("cloudwatch").put_metric_alarm(
        AlarmName=handmade, ComparisonOperator="LessThanThreshold", Threshold=0, **settings
    )
    both = alarmed(endpoint, bias=[{"metric": "DPPL", "below": -0.1}, {"metric": "DPPL", "above": 0.1}])
    set_alarms(both)
    one = alarmed(endpoint, bias=[{"metric": "DPPL", "below": -0.1}])
    assert set_alarms(one)["deleted"] == [f"{endpoint.name}-bias-DPPL-above"]
    deleted = run_task(DeleteAlarmsOperator(task_id="delete", endpoint=one, kind="bias"))
    assert deleted == [f"{endpoint.name}-bias-DPPL-below"]
    assert set(alarms_of(aws, endpoint)) == {f"{endpoint.name}-bias-bias-DPPL-below", handmade}


def test_a_name_that_somebody_else_uses_is_refused_and_the_other_alarms_are_set(
    endpoint: MonitoredEndpoint, aws: Running
) -> None:
    baseline(endpoint, analysis_of({"(0, 7]": 0.3}))
    settings = {"Namespace": "x", "MetricName": "y", "Statistic": "Average", "Period": 60, "EvaluationPeriods": 1}
    taken = f"{endpoint.name}-bias-DPPL-below"
    aws.client("cloudwatch").put_metric_alarm(
        AlarmName=taken, ComparisonOperator="LessThanThreshold", Threshold=0, **settings
    )
    endpoint = alarmed(endpoint, bias=[{"metric": "DPPL", "below": -0.1, "above": 0.1}])
    with pytest.raises(ResourceConflict, match=r"(?s)bias-DPPL-below.*alarms\.bias\.0 another name"):
        set_alarms(endpoint)
    assert alarms_of(aws, endpoint)[taken]["MetricName"] == "y"
    assert f"{endpoint.name}-bias-DPPL-above" in alarms_of(aws, endpoint)


def test_before_any_baseline_and_window_there_is_nothing_to_put_an_alarm_on(
    endpoint: MonitoredEndpoint, aws: Running
) -> None:
    endpoint = alarmed(endpoint, bias=[{"metric": "DPPL", "below": -0.1}])
    assert set_alarms(endpoint)["changed"] == []
    assert alarms_of(aws, endpoint) == {}


def test_a_window_without_the_group_leaves_its_alarm_as_it_was(endpoint: MonitoredEndpoint, aws: Running) -> None:
    content = endpoint.model_dump()
    content["bias"]["facets"] = [{"name": "Age"}]
    by_value = MonitoredEndpoint.model_validate(content)
    endpoint = alarmed(by_value, bias=[{"metric": "DPPL", "group": "old", "below": -0.1}])
    judged(endpoint, window_after(endpoint, aws), analysis_of({"young": 0.0, "old": 0.2}))
    assert len(set_alarms(endpoint)["changed"]) == 1
    judged(endpoint, window_after(endpoint, aws), analysis_of({"young": 0.0}))
    assert set_alarms(endpoint)["changed"] == []
    assert group_of(the_alarm(aws, endpoint)) == "old"


def test_a_new_baseline_moves_what_is_measured_by_it(endpoint: MonitoredEndpoint, aws: Running) -> None:
    endpoint = alarmed(endpoint, bias=[{"metric": "DPPL", "beyond_baseline_times": 1.5}])
    judged(endpoint, window_after(endpoint, aws), analysis_of({"(0, 7]": 0.0}))
    with pytest.raises(NoBaseline, match=r"alarms\.bias\.0"):
        set_alarms(endpoint)
    for value in (-0.2, 0.4):
        baseline(endpoint, analysis_of({"(0, 9]": value}))
        set_alarms(endpoint)
        limits = {name.rpartition("-")[2]: alarm["Threshold"] for name, alarm in alarms_of(aws, endpoint).items()}
        assert limits == pytest.approx({"above": 1.5 * abs(value), "below": -1.5 * abs(value)})


def test_what_somebody_has_silenced_stays_silent(endpoint: MonitoredEndpoint, aws: Running) -> None:
    endpoint = alarmed(endpoint, bias=[{"metric": "DPPL", "below": -0.1}])
    judged(endpoint, window_after(endpoint, aws), analysis_of({"(0, 7]": 0.0}))
    (name,) = set_alarms(endpoint)["changed"]
    aws.client("cloudwatch").disable_alarm_actions(AlarmNames=[name])
    assert set_alarms(endpoint)["changed"] == []
    judged(endpoint, window_after(endpoint, aws), analysis_of({"(0, 8]": 0.0}))
    assert set_alarms(endpoint)["changed"] == [name]
    assert the_alarm(aws, endpoint)["ActionsEnabled"] is False


def test_a_window_by_hand_moves_no_alarm(endpoint: MonitoredEndpoint, aws: Running) -> None:
    endpoint = alarmed(endpoint, bias=[{"metric": "DPPL", "below": -0.1}])
    regular = window_after(endpoint, aws)
    judged(endpoint, regular, analysis_of({"(0, 7]": 0.0}))
    later = Window(regular.start, aws.now(), aws.now(), regular=False)
    judged(endpoint, later, analysis_of({"(0, 99]": 0.0}))
    set_alarms(endpoint)
    assert group_of(the_alarm(aws, endpoint)) == "(0, 7]"


def test_an_alarm_on_a_feature(endpoint: MonitoredEndpoint, aws: Running) -> None:
    features = [{"feature": "Age", "below_baseline_times": 0.5}, {"expected_value": True, "above": 0.5}]
    endpoint = alarmed(endpoint, explainability=features)
    baseline(endpoint, analysis_of({}, {"Age": 0.4, "Income": 0.1}), "explainability")
    alarms = [f"{endpoint.name}-explain-Age-below", f"{endpoint.name}-explain-expected-value-above"]
    assert set_alarms(endpoint, "explainability")["alarms"] == alarms
    assert alarms_of(aws, endpoint)[alarms[0]]["Threshold"] == pytest.approx(0.2)
    judged(endpoint, window_after(endpoint, aws), analysis_of({}, {"Age": 0.1, "Income": 0.3}), "explainability")
    states = {name: alarm["StateValue"] for name, alarm in alarms_of(aws, endpoint).items()}
    assert states == {alarms[0]: "ALARM", alarms[1]: "OK"}


def test_a_feature_that_is_not_explained_is_told_with_those_that_are(endpoint: MonitoredEndpoint, aws: Running) -> None:
    features = [{"feature": "Agee", "below": 0.1}, {"feature": "Age", "below": 0.1}]
    endpoint = alarmed(endpoint, explainability=features)
    baseline(endpoint, analysis_of({}, {"Age": 0.4, "Income": 0.1}), "explainability")
    with pytest.raises(InputError, match=r"alarms\.explainability\.0\.feature: 'Agee' is not .*Age, Income"):
        set_alarms(endpoint, "explainability")
    assert list(alarms_of(aws, endpoint)) == [f"{endpoint.name}-explain-Age-below"]


def test_without_a_verdict_nothing_is_set(endpoint: MonitoredEndpoint, aws: Running) -> None:
    endpoint = alarmed(endpoint, bias=[{"metric": "DPPL", "below": -0.1}])
    baseline(endpoint, analysis_of({"(0, 7]": 0.3}))
    about: dict[str, Any] = {"task_id": "alarms", "endpoint": endpoint, "kind": "bias"}
    with pytest.raises(AirflowSkipException):
        run_task(SetAlarmsOperator(when="False", **about))
    assert alarms_of(aws, endpoint) == {}
    assert run_task(SetAlarmsOperator(when="True", **about))["changed"]

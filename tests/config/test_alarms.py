"""The section on alarms, and what it says of mistakes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from model_monitor import names
from model_monitor.alarm_requests import watches_of
from model_monitor.analysis import bias_metrics
from model_monitor.config import MonitoredEndpoint, load_endpoint
from model_monitor.config.alarms import PostTraining, PreTraining
from model_monitor.errors import ConfigError

CHURN = Path(__file__).parents[2] / "include" / "endpoints" / "churn.yaml"
DPPL = {"metric": "DPPL", "below": -0.1}
TOPIC = "arn:aws:sns:us-west-2:123456789012:drift"


def loaded(folder: Path, alarms: dict[str, Any] | None, **sections: dict[str, Any]) -> MonitoredEndpoint:
    """The example with these alarms, and other values in some of its sections."""
    content = yaml.safe_load(CHURN.read_text())
    for section, values in sections.items():
        content[section] = content[section] | values
    file = folder / "churn.yaml"
    file.write_text(yaml.safe_dump(content | {"alarms": alarms}))
    return load_endpoint(file)


def names_of(endpoint: MonitoredEndpoint) -> list[str]:
    return [watch.name for kind in names.KINDS for watch in watches_of(endpoint, kind)]


def test_metrics_are_those_of_the_analysis() -> None:
    assert set(get_args(PreTraining)) == set(bias_metrics.PRE_TRAINING)
    assert set(get_args(PostTraining)) == {*bias_metrics.POST_TRAINING, "FT"}


@pytest.mark.parametrize(
    ("alarms", "expected"),
    [
        ({"bias": [DPPL]}, ["churn-bias-DPPL-below"]),
        ({"bias": [{**DPPL, "facet": "Account Length"}]}, ["churn-bias-DPPL-Account-Length-below"]),
        ({"bias": [DPPL, {**DPPL, "above": 0.1, "name": "wide"}]}, ["DPPL-below", "wide-above", "wide-below"]),
        ({"bias": [{"metric": "DPL", "beyond_baseline_times": 1}]}, ["churn-bias-DPL-above", "churn-bias-DPL-below"]),
        (
            {"explainability": [{"feature": "Int'l Plan_no", "label": "label1", "above_baseline_times": 2}]},
            ["churn-explain-Int-l-Plan-no-of-label1-above"],
        ),
        ({"explainability": [{"expected_value": True, "below": 0}]}, ["churn-explain-expected-value-below"]),
        ({}, []),
        (None, []),
    ],
)
def test_names_come_from_what_is_watched(tmp_path: Path, alarms: dict[str, Any] | None, expected: list[str]) -> None:
    found = names_of(loaded(tmp_path, alarms))
    assert len(found) == len(expected)
    assert all(name.endswith(end) for name, end in zip(found, expected, strict=True))


def test_names_have_room_for_the_longest_feature(tmp_path: Path) -> None:
    longest = {"feature": "a b" * 300, "label": "ü", "above": 1}
    (name,) = names_of(loaded(tmp_path, {"explainability": [longest]}).model_copy(update={"name": "e" * 40}))
    assert len(name) <= 255
    assert name.isascii()


def test_a_facet_of_many_values_has_a_group_by_its_value(tmp_path: Path) -> None:
    facets = {"facets": [{"name": "State"}, {"name": "Age", "values_or_threshold": [30]}]}
    facets["facets"].append({"name": "Age", "values_or_threshold": [60]})
    alarms = [{**DPPL, "facet": "State", "group": "CA"}, {**DPPL, "facet": "Age", "group": 60}]
    assert len(names_of(loaded(tmp_path, {"bias": alarms}, bias=facets))) == 2


MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"bias": [{"metric": "DPPX", "below": 0}]}, r"alarms.bias.0.metric: expected .*DPPL.* of labels CDDL.*'DPPX'"),
    ({"bias": [{"metric": "DPPL"}]}, r"alarms.bias.0: has no limit; give above, below or beyond_baseline_times"),
    ({"bias": [{**DPPL, "facet": "Age"}]}, r"alarms.bias.0.facet: is none of bias.facets: Account Length .*'Age'"),
    ({"bias": [{**DPPL, "group": 99}]}, r"alarms.bias.0.group: is none of the facet's: 100 \(found 99\)"),
    ({"bias": [{**DPPL, "feature": "Age"}]}, r"alarms.bias.0.feature: unknown key; .*allowed here: .*beyond_baseline"),
    ({"bias": [DPPL, DPPL]}, r"alarms.bias.1.name: would be that of alarms.bias.0, 'DPPL'"),
    ({"bias": [{**DPPL, "above": -0.2}]}, r"alarms.bias.0.below: must be less than above, -0.2"),
    ({"bias": [{**DPPL, "beyond_baseline_times": 1}]}, r"alarms.bias.0.below: is given as a value and as a multiple"),
    (
        {"bias": [{**DPPL, "beyond_baseline_times": 0}]},
        r"beyond_baseline_times: expected a positive multiple",
    ),
    ({"bias": [{**DPPL, "violating_windows": 2}]}, r"violating_windows: 2 of 1 windows can never violate; raise of_"),
    ({"bias": [{**DPPL, "treat_missing": "bad"}]}, r"alarms.bias.0.treat_missing: .*'notBreaching' \(found 'bad'\)"),
    ({"bias": [{**DPPL, "below": float("inf")}]}, r"alarms.bias.0.below: expected a number, such as -0.1"),
    ({"explainability": [{"above": 1}]}, r"alarms.explainability.0.feature: give the name of a model input"),
    ({"explainability": [{"feature": "年齢", "above": 1}]}, r"alarms.explainability.0.name: is missing; '年齢' has no"),
    ({"explainability": [{"feature": "Age"}]}, r"explainability.0: has no limit; give .* or below_baseline_times"),
    ({"topics": ["drift"]}, r"alarms.topics: expected at most five ARNs of SNS topics"),
    ({"topics": [TOPIC.replace("us-west-2", "eu-west-1")]}, r"alarms.topics.0: lies in eu-west-1; .* us-west-2"),
    ({"bias": [{**DPPL, "topics": [TOPIC] * 6}]}, r"alarms.bias.0.topics: expected at most five ARNs"),
]


@pytest.mark.parametrize(("alarms", "message"), MISTAKES)
def test_a_mistake_is_named_with_its_key_and_what_is_allowed(
    tmp_path: Path, alarms: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        loaded(tmp_path, alarms)


def test_every_mistake_is_named_with_its_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, {"bias": [{"metric": "DPPL"}], "explainability": [{"feature": "Age"}]})
    assert [line.partition(": ")[0] for line in str(caught.value).splitlines()] == [str(tmp_path / "churn.yaml")] * 2


def test_several_groups_have_to_be_told_apart(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"alarms.bias.0.facet: is missing; one of Age, Plan"):
        loaded(tmp_path, {"bias": [DPPL]}, bias={"facets": [{"name": "Age"}, {"name": "Plan"}]})
    with pytest.raises(ConfigError, match=r"alarms.bias.0.group: is missing, .* any of its values"):
        loaded(tmp_path, {"bias": [DPPL]}, bias={"facets": [{"name": "Plan"}]})
    groups = [{"name": "Age", "values_or_threshold": [value]} for value in (30, 60)]
    with pytest.raises(ConfigError, match=r"alarms.bias.0.group: is missing, .*one of 30, 60"):
        loaded(tmp_path, {"bias": [DPPL]}, bias={"facets": groups})


def test_features_are_looked_up_where_the_yaml_has_them(tmp_path: Path) -> None:
    alarms = {"explainability": [{"feature": "Churn", "above": 1}]}
    with pytest.raises(ConfigError, match=r"alarms.explainability.0.feature: is none of data.headers: Age, Plan \("):
        loaded(tmp_path, alarms, data={"headers": ["Churn", "Age", "Plan"]})


def test_cloudwatch_looks_back_seven_days_at_most(tmp_path: Path) -> None:
    daily = {"cron": "cron(0 1 ? * * *)"}
    eight = {"bias": [{**DPPL, "of_windows": 8}]}
    with pytest.raises(ConfigError, match=r"of_windows: with windows every 1 day at most 7, .*7 days \(found 8\)"):
        loaded(tmp_path, eight, monitoring=daily)
    assert loaded(tmp_path, eight).alarms is not None
    with pytest.raises(ConfigError, match=r"every 15 minutes at most 96, as CloudWatch looks .* than 1 day"):
        loaded(tmp_path, {"bias": [{**DPPL, "of_windows": 97}]}, windows={"schedule": "*/15 * * * *"})


def test_metrics_that_are_old_when_they_come_have_no_alarm(tmp_path: Path) -> None:
    late = {"schedule": "0 * * * *", "start_offset": "-P1D", "end_offset": "-P1D"}
    with pytest.raises(ConfigError, match=r"alarms: metrics bear .*began, here 25 hours before .*every 1 hour\."):
        loaded(tmp_path, {"bias": [DPPL]}, windows=late)
    assert loaded(tmp_path, None, windows=late).alarms is None


def test_metrics_have_to_be_published(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"alarms: watch what monitoring.publish_cloudwatch_metrics publishes"):
        loaded(tmp_path, {"bias": [DPPL]}, monitoring={"publish_cloudwatch_metrics": False})


def test_the_documentation_s_example_is_one(tmp_path: Path) -> None:
    documentation = (CHURN.parents[2] / "docs" / "alerts.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```yaml\nalarms:\n.*?```", documentation, re.DOTALL)
    alarms = yaml.safe_load(example.strip("`").removeprefix("yaml"))["alarms"]
    found = names_of(loaded(tmp_path, alarms))
    assert len(found) == 7
    assert "churn-explain-base-rate-above" in found

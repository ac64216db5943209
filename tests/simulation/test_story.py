"""The simulated week's traffic: normal hours have no violation, changed ones do."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from demo.data import write
from demo.model import booster_of
from model_monitor.analysis.bias_counts import Counts, count
from model_monitor.analysis.bias_metrics import POST_TRAINING, PRE_TRAINING
from model_monitor.config import MonitoredEndpoint, load_endpoint
from model_monitor.errors import AnalysisError
from simulation.__main__ import EXAMPLE
from simulation.customers import Customers, Hour
from simulation.story import HOURS, INTERNATIONAL, STORY, told, traffic

TARIFF, FEED = STORY


@pytest.fixture(scope="module")
def churn(tmp_path_factory: pytest.TempPathFactory) -> MonitoredEndpoint:
    """The example endpoint, on files made for this test."""
    folder = tmp_path_factory.mktemp("churn")
    write(folder)
    endpoint = load_endpoint(EXAMPLE)
    model = endpoint.model.model_copy(update={"archive": str(folder / "model.tar.gz")})
    data = endpoint.data.model_copy(update={"validation": str(folder / "validation-dataset-with-header.csv")})
    return endpoint.model_copy(update={"model": model, "data": data})


@pytest.fixture(scope="module")
def customers(churn: MonitoredEndpoint) -> Customers:
    return Customers(churn)


def metrics(counts: Counts) -> dict[str, float]:
    """Every bias metric that can be computed."""
    found = {}
    for name, metric in {**POST_TRAINING, **PRE_TRAINING}.items():
        try:
            value = metric(counts)
        except AnalysisError:
            continue
        if not np.isnan(value):
            found[name] = value
    return found


def counted(churn: MonitoredEndpoint, inputs: pd.DataFrame, labels: np.ndarray) -> dict[str, float]:
    scores = booster_of(churn.path(churn.model.archive)).inplace_predict(inputs.to_numpy(dtype=float))
    threshold = churn.bias.probability_threshold
    return metrics(count(inputs["Account Length"].to_numpy() > 100, labels == 1, scores > threshold))


def violations(churn: MonitoredEndpoint, hour: Hour) -> set[str]:
    """The metrics that are farther from 0 than the validation data set's."""
    everyone = pd.read_csv(churn.path(churn.data.validation))
    before = counted(churn, everyone.drop(columns="Churn"), everyone["Churn"].to_numpy())
    now = counted(churn, hour.inputs, np.array(hour.labels, dtype=int))
    return {name for name in now.keys() & before.keys() if abs(now[name]) > abs(before[name])}


@pytest.mark.parametrize("number", range(0, TARIFF.begins, 7))
def test_a_normal_hour_is_as_fair_as_the_baseline(churn: MonitoredEndpoint, customers: Customers, number: int) -> None:
    assert violations(churn, traffic(customers, number, number % 24)) == set()


@pytest.mark.parametrize("number", range(TARIFF.begins, HOURS, 7))
def test_the_tariff_is_unfair(churn: MonitoredEndpoint, customers: Customers, number: int) -> None:
    assert {"DPPL", "GE"} <= violations(churn, traffic(customers, number, number % 24))


def test_hours_differ_and_are_the_same_every_time(customers: Customers) -> None:
    first, again, second = (traffic(customers, number, 12) for number in (0, 0, 1))
    pd.testing.assert_frame_equal(first.inputs, again.inputs)
    assert not first.inputs.index.equals(second.inputs.index)
    assert len(traffic(customers, 2, 15).labels) > len(traffic(customers, 2, 3).labels)


def test_the_longest_customer_is_there_in_every_hour(customers: Customers) -> None:
    longest = {traffic(customers, number, 0).inputs["Account Length"].max() for number in range(0, HOURS, 5)}
    assert len(longest) == 1


def test_a_broken_feed_gives_everybody_the_same_and_is_repaired(customers: Customers) -> None:
    for number, different in ((FEED.begins - 1, True), (FEED.begins, False), (FEED.ends - 1, False), (FEED.ends, True)):
        values = traffic(customers, number, 0).inputs[INTERNATIONAL].nunique()
        assert (values > 1).any() == different


def test_changes_are_told_when_they_happen() -> None:
    assert {number: news for number in range(HOURS) if (news := told(number))} == {
        TARIFF.begins: [TARIFF.beginning],
        FEED.begins: [FEED.beginning],
        FEED.ends: [FEED.end],
    }


def test_everything_goes_wrong_on_the_fifth_day() -> None:
    assert {change.begins // 24 for change in STORY} == {4}

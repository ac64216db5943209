"""One history for each endpoint of a process."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from model_monitor.config import MonitoredEndpoint
from model_monitor.errors import MonitorError, Unreachable
from model_monitor.history import registry
from model_monitor.history.registry import RENEWED_SECONDS, Registry
from tests.history.stored import Clock, Place, bias
from tests.running_aws import Running, make_bucket

SINCE = datetime(2026, 11, 20, tzinfo=UTC)


def test_an_endpoint_has_one_history_whoever_asks(endpoint: MonitoredEndpoint) -> None:
    own = Registry()
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: own.history_of(endpoint.model_copy()), range(8)))
    assert len({id(history) for history in found}) == 1


def test_another_configuration_is_another_history(endpoint: MonitoredEndpoint, aws: Running) -> None:
    own = Registry()
    first = own.history_of(endpoint)
    moved = endpoint.model_copy(update={"bucket": make_bucket(aws)})
    second = own.history_of(moved)
    assert second is not first
    assert second.endpoint == moved


def test_histories_read_by_the_endpoint_s_connection(place: Place) -> None:
    place.report("bias", "2026/11/22/10", analysis=bias({"a": {"AD": 0.1}}))
    (execution,) = registry.history_of(place.endpoint).executions("bias", SINCE)
    assert execution.metrics[0].value == 0.1


def test_endpoints_asked_for_longest_ago_are_forgotten(endpoint: MonitoredEndpoint) -> None:
    own = Registry(limit=2)
    first, second, third = (endpoint.model_copy(update={"name": name}) for name in ("one", "two", "three"))
    histories = [own.history_of(one) for one in (first, second)]
    own.history_of(third)
    assert own.history_of(second) is histories[1]
    assert own.history_of(first) is not histories[0]


def test_clients_do_not_wait_as_long_as_tasks_do(endpoint: MonitoredEndpoint) -> None:
    """A page that waits for a server that is gone is no page."""
    hooks = registry._connected(endpoint.aws_conn_id, endpoint.region, 0.0)
    for hook in (hooks.storage, hooks.sagemaker, hooks.logs):
        settings = hook.conn_client_meta.config
        assert (settings.retries["total_max_attempts"], settings.connect_timeout) == (2, 3)


def test_a_connection_that_was_mended_is_read_anew(place: Place, aws: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(url: str) -> None:
        extra = {"endpoint_url": url, "region_name": "us-west-2"}
        connection = {"conn_type": "aws", "login": "tester", "password": "password", "extra": extra}
        monkeypatch.setenv("AIRFLOW_CONN_MENDED", json.dumps(connection))

    place.report("bias", "2026/11/22/10", analysis=bias({"a": {"AD": 0.1}}))
    endpoint, clock = place.endpoint.model_copy(update={"aws_conn_id": "mended"}), Clock()
    own = Registry(clock=clock)
    connect("http://127.0.0.1:9")
    with pytest.raises(Unreachable):
        own.history_of(endpoint).executions("bias", SINCE)

    connect(aws.url)
    own.renew(endpoint)
    with pytest.raises(Unreachable):
        own.history_of(endpoint).executions("bias", SINCE)
    clock.pass_by(RENEWED_SECONDS)
    own.renew(endpoint)
    assert len(own.history_of(endpoint).executions("bias", SINCE)) == 1


@pytest.mark.parametrize(
    ("extra", "problem"),
    [
        ({"profile_name": "nobody"}, "profile"),
        ({"endpoint_url": "nowhere"}, "endpoint"),
        ({"config_kwargs": {"x": 1}}, "x"),
    ],
)
def test_a_connection_that_cannot_be_used_is_told(
    endpoint: MonitoredEndpoint, monkeypatch: pytest.MonkeyPatch, extra: dict[str, Any], problem: str
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_BROKEN", json.dumps({"conn_type": "aws", "extra": extra}))
    with pytest.raises(MonitorError, match=f"connection 'broken' cannot be used: .*{problem}"):
        Registry().history_of(endpoint.model_copy(update={"aws_conn_id": "broken"}))

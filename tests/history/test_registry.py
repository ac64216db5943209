"""One history for each endpoint of a process."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from model_monitor.config import MonitoredEndpoint
from model_monitor.history import registry
from model_monitor.history.registry import Registry
from tests.history.stored import Place, bias
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


def test_endpoints_asked_for_longest_ago_are_forgotten(
    endpoint: MonitoredEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "ENDPOINTS", 2)
    own = Registry()
    first, second, third = (endpoint.model_copy(update={"name": name}) for name in ("one", "two", "three"))
    histories = [own.history_of(one) for one in (first, second)]
    own.history_of(third)
    assert own.history_of(second) is histories[1]
    assert own.history_of(first) is not histories[0]


def test_clients_do_not_wait_as_long_as_tasks_do(endpoint: MonitoredEndpoint) -> None:
    """A page that waits for a server that is gone is no page."""
    own = Registry()
    own.history_of(endpoint)
    ((storage, sagemaker),) = own._hooks.values()
    for hook in (storage, sagemaker):
        settings = hook.conn_client_meta.config
        assert (settings.retries["total_max_attempts"], settings.connect_timeout) == (2, 3)
    assert storage.conn_client_meta.config.s3 == {"addressing_style": "path"}

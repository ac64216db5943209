from __future__ import annotations

import threading
from collections import Counter
from itertools import pairwise
from typing import Any, cast

import pytest

from local_aws.hosting import revival
from local_aws.hosting.model_servers import ModelServer, ModelServerFailed
from local_aws.hosting.revival import Pauses, Revival
from local_aws.hosting.serving import Closed, Serving, ServingTable, Variant
from tests.polling import until

KEY = "us-west-2/churn"


class FakeServer:
    """A model server that lives until it is killed or stopped."""

    def __init__(self) -> None:
        self.alive = True
        self.stopped = threading.Event()

    def stop(self) -> None:
        self.alive = False
        self.stopped.set()


def variant(name: str, weight: float = 1.0, server: FakeServer | None = None) -> Variant:
    settings: dict[str, Any] = {"VariantName": name, "Container": {}, "InitialVariantWeight": weight}
    return Variant(settings, cast(ModelServer, server or FakeServer()))


def serving(*variants: Variant) -> Serving:
    return Serving({item.name: item for item in variants}, None)


def server_of(served: Serving) -> FakeServer:
    [only] = served.variants.values()
    return cast(FakeServer, only.server)


def test_a_server_is_stopped_when_its_last_request_is_answered() -> None:
    table, old, new = ServingTable(), serving(variant("Old")), serving(variant("New"))
    table.replace(KEY, old)
    with table.request(KEY) as first, table.request(KEY) as second:
        assert first is second is old
        assert table.replace(KEY, new) is old
        retirement = threading.Thread(target=old.retire, args=(60,))
        retirement.start()
        with table.request(KEY) as third:
            assert third is new
        assert old.retired.wait(10)
        assert not server_of(old).stopped.is_set()
    retirement.join(10)
    assert server_of(old).stopped.is_set()
    assert not server_of(new).stopped.is_set()


def test_a_request_that_never_ends_does_not_keep_a_server_for_ever() -> None:
    table, old = ServingTable(), serving(variant("Old"))
    table.replace(KEY, old)
    with table.request(KEY):
        old.retire(0.01)
        assert server_of(old).stopped.is_set()


def test_nobody_answers_for_an_endpoint_that_is_not_served_any_more() -> None:
    table, old = ServingTable(), serving(variant("Old"))
    table.replace(KEY, old)
    assert table.remove(KEY) is old
    with table.request(KEY) as found:
        assert found is None
    table.replace(KEY, old)
    assert table.close() == [old]
    with pytest.raises(Closed):
        table.replace(KEY, old)


def test_variants_are_chosen_in_the_proportion_of_their_weights() -> None:
    served = serving(variant("A", 1), variant("B", 3), variant("C", 0))
    chosen = Counter(served.choose().name for _ in range(4000))
    assert set(chosen) == {"A", "B"}
    # 3000 of 4000 within five standard deviations of 27.
    assert abs(chosen["B"] - 3000) < 137


def test_variants_that_all_weigh_nothing_share_the_traffic() -> None:
    served = serving(variant("A", 0), variant("B", 0))
    assert {served.choose().name for _ in range(100)} == {"A", "B"}


def test_what_was_asked_for_last_outweighs_the_configuration() -> None:
    served = serving(variant("A", 1), variant("B", 1))
    served.weigh([{"VariantName": "A", "InitialVariantWeight": 1.0, "DesiredWeight": 0.0}])
    assert {served.choose().name for _ in range(50)} == {"B"}


def test_pauses_grow_to_a_minute() -> None:
    pauses = Pauses()
    taken = [pauses.next() for _ in range(10)]
    assert taken[:4] == [0, 1, 2, 4]
    assert taken[-1] == 60
    assert all(later >= earlier for earlier, later in pairwise(taken))


class Starts:
    """Starts servers; the first ones fail."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.servers: list[FakeServer] = []
        self.tried = 0

    def __call__(self, key: str, wanted: Variant) -> ModelServer:
        assert (key, wanted.name) == (KEY, "Only")
        self.tried += 1
        if self.tried <= self.failures:
            raise ModelServerFailed("not now")
        self.servers.append(FakeServer())
        return cast(ModelServer, self.servers[-1])


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(revival, "LOOK_SECONDS", 0.005)
    monkeypatch.setattr(revival, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(revival, "LONGEST_PAUSE", 0.02)


@pytest.mark.usefixtures("quick")
def test_a_dead_server_is_replaced_however_often_that_fails() -> None:
    table, starts = ServingTable(), Starts(failures=5)
    first = FakeServer()
    served = serving(variant("Only", server=first))
    table.replace(KEY, served)
    watch = Revival(table, starts)
    watch.start()
    try:
        first.alive = False
        until(lambda: server_of(served), lambda found: found is not first)
        assert starts.tried == 6
        assert first.stopped.is_set(), "its folder is removed"
        starts.servers[0].alive = False
        until(lambda: server_of(served), lambda found: found not in (first, starts.servers[0]))
    finally:
        watch.stop()


@pytest.mark.usefixtures("quick")
def test_nothing_is_revived_for_a_deployment_that_is_over() -> None:
    table, starts = ServingTable(), Starts(failures=10**9)
    served = serving(variant("Only"))
    table.replace(KEY, served)
    watch = Revival(table, starts)
    watch.start()
    try:
        server_of(served).alive = False
        until(lambda: starts.tried, lambda tried: tried > 2)
        table.remove(KEY)
        served.retire(0)
        until(lambda: watch.under_way, lambda left: left == 0)
    finally:
        watch.stop()


@pytest.mark.usefixtures("quick")
def test_a_server_that_comes_up_too_late_is_stopped() -> None:
    table, starts, slow = ServingTable(), Starts(failures=0), threading.Event()
    served = serving(variant("Only"))
    table.replace(KEY, served)

    def start(key: str, wanted: Variant) -> ModelServer:
        slow.wait(10)
        return starts(key, wanted)

    watch = Revival(table, start)
    watch.start()
    try:
        server_of(served).alive = False
        until(lambda: watch.under_way, lambda count: count == 1)
        table.remove(KEY)
        served.retire(0)
        slow.set()
        until(lambda: watch.under_way, lambda left: left == 0)
        assert starts.servers[0].stopped.is_set()
    finally:
        watch.stop()

"""Memory with a bound."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from model_monitor.history.kept import Kept


def test_what_was_used_longest_ago_goes_first() -> None:
    kept: Kept[str] = Kept(limit=10)
    for key in ("a", "b", "c"):
        kept.get(key, key.upper, size=3)
    assert kept.get("a", lambda: "found out again", size=3) == "A"
    kept.get("d", lambda: "D", size=3)
    assert [kept.known(key) for key in ("a", "b", "c", "d")] == ["A", None, "C", "D"]
    assert (len(kept), kept.size) == (3, 9)


def test_what_is_larger_than_all_memory_is_answered_and_not_kept() -> None:
    kept: Kept[str] = Kept(limit=10)
    assert kept.get("a", lambda: "A", size=11) == "A"
    assert (kept.known("a"), kept.size) == (None, 0)


def test_what_is_dropped_is_found_out_again() -> None:
    kept: Kept[str] = Kept(limit=10)
    kept.get("a", lambda: "A", size=4)
    kept.drop("a")
    kept.drop("never known")
    assert (len(kept), kept.size) == (0, 0)
    assert kept.get("a", lambda: "found out again", size=3) == "found out again"


def test_several_threads_find_out_once() -> None:
    kept: Kept[int] = Kept(limit=10)
    asked, together = [], threading.Barrier(4)

    def find() -> int:
        asked.append(1)
        return 7

    def get(_: int) -> int:
        together.wait(10)
        return kept.get("key", find)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(get, range(4))) == [7] * 4
    assert len(asked) == 1


def test_an_error_reaches_all_who_wait_and_is_not_kept() -> None:
    kept: Kept[int] = Kept(limit=10)
    begun, go_on = threading.Event(), threading.Event()

    def fail() -> int:
        begun.set()
        go_on.wait(10)
        raise OSError("no")

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(kept.get, "key", fail)
        begun.wait(10)
        second = pool.submit(kept.get, "key", fail)
        go_on.set()
        for future in (first, second):
            with pytest.raises(OSError, match="no"):
                future.result(10)
    assert kept.get("key", lambda: 7) == 7

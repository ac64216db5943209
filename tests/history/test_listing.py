"""What of a long listing is asked for, and when."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from botocore.exceptions import BotoCoreError

from model_monitor.history import listing
from model_monitor.history.listing import FRESH_SECONDS, OLDER_SECONDS, STALE_SECONDS, Listing
from tests.history.stored import Clock


class Source:
    """Keys with values, and what was asked for."""

    def __init__(self, keys: str) -> None:
        self.items = {key: key.upper() for key in keys}
        self.asked: list[tuple[str, str | None]] = []
        self.broken = False

    def ask(self, after: str, up_to: str | None) -> Iterator[tuple[str, str]]:
        self.asked.append((after, up_to))
        if self.broken:
            raise BotoCoreError
        for key, item in sorted(self.items.items()):
            if after < key and (up_to is None or key <= up_to):
                yield key, item


def listed(found: list[str]) -> str:
    return "".join(found)


def test_only_the_end_is_asked_for_again() -> None:
    source, clock = Source("bcdefg"), Clock()
    items = Listing(source.ask, tail=2, clock=clock)
    assert listed(items.since("a")) == "BCDEFG"
    assert listed(items.since("d")) == "EFG"
    assert source.asked == [("a", None)]

    source.items |= {"h": "H", "b": "new B"}
    del source.items["g"]
    clock.pass_by(FRESH_SECONDS)
    assert listed(items.since("a")) == "BCDEFH"
    assert source.asked[1:] == [("e", None)]


def test_the_rest_is_asked_for_beside_after_a_while_and_at_once_when_it_is_stale() -> None:
    source, clock = Source("bcdefg"), Clock()
    items = Listing(source.ask, tail=2, clock=clock)
    items.since("a")
    source.items |= {"b": "(B)", "e": "(E)"}
    del source.items["c"]
    clock.pass_by(OLDER_SECONDS)
    assert listed(items.since("a")) == "BCDEFG"
    items.settle()
    assert listed(items.since("a")) == "(B)D(E)FG"

    source.items["b"] = "((B))"
    clock.pass_by(STALE_SECONDS)
    assert listed(items.since("a")) == "((B))D(E)FG"


def test_what_comes_before_is_asked_for_when_it_is_wanted() -> None:
    source, clock = Source("bcdefg"), Clock()
    items = Listing(source.ask, tail=2, clock=clock)
    assert listed(items.since("e")) == "FG"
    assert listed(items.since("b")) == "CDEFG"
    assert listed(items.since("a")) == "BCDEFG"
    assert source.asked == [("e", None), ("b", "e"), ("a", "b")]


def test_what_is_not_settled_is_asked_for_with_the_end() -> None:
    source, clock = Source("bcdefg"), Clock()
    source.items["c"] = "under way"
    items = Listing(source.ask, tail=2, settled=lambda item: item != "under way", clock=clock)
    items.since("a")
    source.items["c"] = "C"
    clock.pass_by(FRESH_SECONDS)
    assert listed(items.since("a")) == "BCDEFG"


def test_what_was_known_stays_known_when_asking_beside_fails() -> None:
    source, clock = Source("bcdefg"), Clock()
    items = Listing(source.ask, tail=2, fresh=10 * OLDER_SECONDS, clock=clock)
    items.since("a")
    source.broken = True
    clock.pass_by(OLDER_SECONDS)
    assert listed(items.since("a")) == "BCDEFG"
    items.settle()
    assert listed(items.known("a")) == "BCDEFG"
    assert len(source.asked) == 2


def test_an_error_at_the_beginning_is_told_and_asked_past() -> None:
    source = Source("bcd")
    items = Listing(source.ask, clock=Clock())
    source.broken = True
    with pytest.raises(BotoCoreError):
        items.since("a")
    source.broken = False
    assert listed(items.since("a")) == "BCD"


def test_what_is_kept_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "LIMIT", 4)
    source = Source("bcdefg")
    items = Listing(source.ask, tail=2, clock=Clock())
    assert listed(items.since("a")) == "BCDEFG"
    assert listed(items.known("a")) == "DEFG"
    assert listed(items.since("a")) == "BCDEFG"
    assert source.asked == [("a", None), ("a", "c")]

"""Which inputs moved in the order of attributions."""

from __future__ import annotations

import math

import pytest

from model_monitor.analysis.drift import ndcg
from model_monitor.analysis.rank_changes import RankChange, rank_changes, ranks


def test_ranks_go_by_magnitude_and_equal_ones_by_order() -> None:
    assert ranks({"a": 0.1, "b": -0.5, "c": 0.1, "d": 0.2}) == {"b": 1, "d": 2, "a": 3, "c": 4}


def test_a_move_counts_by_discount_and_share() -> None:
    before, now = {"a": 0.6, "b": 0.3, "c": 0.1}, {"a": 0.2, "b": 0.2, "c": 0.6}

    changes = rank_changes(before, now)

    discount = [1.0, 1 / math.log2(3), 0.5]
    assert [(one.name, one.before, one.now) for one in changes] == [("c", 3, 1), ("a", 1, 2), ("b", 2, 3)]
    assert [one.weight for one in changes] == pytest.approx(
        [0.6 * (discount[0] - discount[2]), 0.6 * (discount[0] - discount[1]), 0.3 * (discount[1] - discount[2])]
    )


def test_moves_of_inputs_that_matter_little_come_last() -> None:
    before = {"big": 1.0, "other": 0.9} | {f"tiny{i}": 0.001 + i / 1e6 for i in range(20)}
    now = {"big": 0.9, "other": 1.0} | {f"tiny{i}": 0.001 - i / 1e6 for i in range(20)}
    assert {one.name for one in rank_changes(before, now)[:2]} == {"big", "other"}


def test_the_same_order_has_no_moves() -> None:
    values = {"a": 3.0, "b": -2.0, "c": 0.0}
    assert rank_changes(values, values) == []
    assert rank_changes(values, {name: 2 * value for name, value in values.items()}) == []


def test_without_moves_the_score_is_perfect_and_with_moves_it_is_not() -> None:
    before, now = {"a": 3.0, "b": 2.0, "c": 1.0}, {"a": 1.0, "b": 2.0, "c": 3.0}
    assert rank_changes(before, now)
    assert ndcg(list(before.values()), list(now.values())) < 1


def test_only_inputs_of_both_orders_move() -> None:
    assert rank_changes({}, {"a": 1.0}) == []
    assert rank_changes({"a": 1.0, "gone": 0.5, "b": 0.1}, {"b": 1.0, "new": 0.5, "a": 0.1}) == [
        RankChange("b", 3, 1, pytest.approx(0.625 * 0.5)),
        RankChange("a", 1, 3, pytest.approx(0.625 * 0.5)),
    ]

"""Which inputs moved in the order of attributions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class RankChange:
    """An input's place in two orders, from 1; `weight` says how much its move matters, in [0, 1]."""

    name: str
    before: int
    now: int
    weight: float


def ranks(values: Mapping[str, float]) -> dict[str, int]:
    """Each input's place by magnitude, from 1; equal ones in the order given."""
    return {name: rank for rank, name in enumerate(ranked(values), start=1)}


def ranked(values: Mapping[str, float]) -> list[str]:
    """The inputs, greatest magnitude first; equal ones in the order given."""
    return sorted(values, key=lambda name: -abs(values[name]))


def rank_changes(before: Mapping[str, float], now: Mapping[str, float]) -> list[RankChange]:
    """The inputs of both orders whose place differs, those that matter most first.

    A move counts by what it changes in the NDCG's discount, 1 / log2(1 + rank), times the input's share of all
    attribution, in the order in which that is greater. So moves among inputs that attribute next to nothing come last.
    """
    places_before, places_now = ranks(before), ranks(now)
    total_before, total_now = (math.fsum(map(abs, values.values())) or 1.0 for values in (before, now))
    moved = []
    for name in places_now:
        if name in places_before and places_before[name] != places_now[name]:
            share = max(abs(before[name]) / total_before, abs(now[name]) / total_now)
            shift = abs(_discount(places_now[name]) - _discount(places_before[name]))
            moved.append(RankChange(name, places_before[name], places_now[name], share * shift))
    return sorted(moved, key=lambda change: -change.weight)


def _discount(rank: int) -> float:
    return 1 / math.log2(1 + rank)

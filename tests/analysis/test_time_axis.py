"""Moments on the axis of time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from model_monitor.analysis.time_axis import time_ticks

START = datetime(2026, 11, 20, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("length", "most", "texts"),
    [
        (timedelta(hours=3), 4, ["06:00", "07:00", "08:00", "09:00"]),
        (timedelta(days=1), 5, ["06:00", "12:00", "18:00", "21 Nov", "06:00"]),
        (timedelta(days=7), 8, ["21 Nov", "22 Nov", "23 Nov", "24 Nov", "25 Nov", "26 Nov", "27 Nov"]),
        (timedelta(days=30), 5, ["23 Nov", "30 Nov", "7 Dec", "14 Dec"]),
    ],
)
def test_ticks_are_round_moments(length: timedelta, most: int, texts: list[str]) -> None:
    assert [text for _, text in time_ticks(START, START + length, most)] == texts


@pytest.mark.parametrize("days", [0.01, 0.5, 1, 3, 10, 45, 100, 400, 2000, 20_000])
@pytest.mark.parametrize("most", [3, 6, 12])
def test_there_are_never_too_many(days: float, most: int) -> None:
    ticks = time_ticks(START, START + timedelta(days=days), most)
    assert 1 <= len(ticks) + (days < 0.02) <= most + 2
    assert all(START <= moment <= START + timedelta(days=days) for moment, _ in ticks)


def test_years_are_told_where_there_are_several() -> None:
    assert [text for _, text in time_ticks(START, START + timedelta(days=600), 4)] == [
        "28 Dec 2026",
        "28 Jun 2027",
        "27 Dec 2027",
        "26 Jun 2028",
    ]

"""When enough windows violate."""

from __future__ import annotations

import pytest

from model_monitor.analysis.persistence import JudgedWindow, Persistence


def last(*violations: int | None, needed: int) -> Persistence:
    """Windows due at 01:00, 02:00, …, the last of which is judged now."""
    windows = [JudgedWindow(f"2026-11-22T{hour:02}:00:00Z", found) for hour, found in enumerate(violations, start=1)]
    return Persistence(windows, needed)


@pytest.mark.parametrize(
    ("violations", "needed", "red"),
    [
        ([3], 1, True),
        ([0], 1, False),
        ([0, 0, 1], 1, True),
        ([1, 0, 1], 2, True),
        ([0, 0, 1], 2, False),
        ([1, 1, 0], 2, False),
        ([1, None, 1], 3, False),
        ([1, None, 1], 2, True),
        ([None, None, 1], 2, False),
        ([1, 1, 1], 3, True),
    ],
)
def test_red_is_a_window_that_violates_with_enough_before_it(
    violations: list[int | None], needed: int, red: bool
) -> None:
    assert last(*violations, needed=needed).red is red


@pytest.mark.parametrize(
    ("violations", "needed", "text"),
    [
        ([1], 1, "A window with a violation turns the verdict red."),
        (
            [1, 0, 2],
            2,
            "The verdict turns red when a window violates and, with it, at least 2 of the last 3. This one does, and "
            "it makes 2 of 3.",
        ),
        (
            [None, None, 2],
            2,
            "The verdict turns red when a window violates and, with it, at least 2 of the last 3. This one does, and "
            "it makes 1 of 3; 2 of them were not judged.",
        ),
        (
            [1, 1, 0],
            2,
            "The verdict turns red when a window violates and, with it, at least 2 of the last 3. This window does "
            "not violate.",
        ),
    ],
)
def test_a_reader_is_told_what_was_counted(violations: list[int | None], needed: int, text: str) -> None:
    assert last(*violations, needed=needed).explained() == text


def test_the_document_names_the_windows() -> None:
    assert last(None, 2, needed=2).as_dict() == {
        "violating": 2,
        "of": 2,
        "red": False,
        "windows": [
            {"scheduled": "2026-11-22T01:00:00Z", "violations": None},
            {"scheduled": "2026-11-22T02:00:00Z", "violations": 2},
        ],
    }

"""A window's bias counted by an engine, against reading its records one by one, as a monitoring job does."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.merge import write
from benchmarks.timing import Comparison, best
from model_monitor.analysis.config_file import parse_analysis_config
from model_monitor.analysis.relational.bias_window import bias_window
from model_monitor.analysis.relational.engines import DuckDbEngine

MEMORY_MB = 512
EVERY_RECORD, NO_RECORD = 10**9, 0
CONFIG = parse_analysis_config(
    {
        "headers": ["label", *(f"f{number}" for number in range(69))],
        "label": "label",
        "label_values_or_threshold": [1],
        "facet": [{"name_or_index": "f0", "value_or_threshold": [100]}],
        "probability_threshold": 0.005,
        "methods": {"post_training_bias": {"methods": ["AD", "DPPL", "RD"]}},
    }
)


def analysed(root: Path, flip_test_records: int) -> None:
    with DuckDbEngine(MEMORY_MB, root / "spill") as engine:
        places = (root / "captures", root / "truth", root / "merged")
        bias_window(*places, CONFIG, {}, None, engine, flip_test_records)


def comparisons() -> Iterator[Comparison]:
    """A busy hour and a very busy one, merged and measured without the flip test."""
    for captures in (30_000, 150_000):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            write(root, captures, ids=captures // 10)
            own = best(lambda: analysed(root, NO_RECORD))  # noqa: B023 - called at once
            peer = best(lambda: analysed(root, EVERY_RECORD))  # noqa: B023
            yield Comparison(f"bias of a window, {captures:,} captures, counted", own, "record by record", peer)

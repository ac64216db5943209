"""How times are taken, and where the peers that need an environment of their own live."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
ORACLE_PYTHON = os.environ.get("MODEL_MONITOR_ORACLE") or str(PROJECT / ".venv-oracle" / "bin" / "python")
RUNS = 3


@dataclass(frozen=True)
class Comparison:
    """Our time and a peer's for the same work, in seconds."""

    what: str
    seconds: float
    peer: str
    peer_seconds: float


def best(work: Callable[[], object]) -> float:
    """Seconds of the fastest of three runs."""
    times = []
    for _ in range(RUNS):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)

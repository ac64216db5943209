"""How times are taken, and where the peers that need an environment of their own live."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

PROJECT = Path(__file__).resolve().parents[1]
ORACLE_PYTHON = os.environ.get("MODEL_MONITOR_ORACLE") or str(PROJECT / ".venv-oracle" / "bin" / "python")
RUNS = 3


Unit = Literal["s", "/s", "MB"]


@dataclass(frozen=True)
class Comparison:
    """Our figure and a peer's for the same work: seconds unless said otherwise."""

    what: str
    ours: float
    peer: str
    peers: float
    unit: Unit = "s"

    @property
    def ratio(self) -> float:
        """How many times as good ours is: as fast, as many, or with as little memory."""
        return self.ours / self.peers if self.unit == "/s" else self.peers / self.ours

    def shown(self, value: float) -> str:
        """A figure with its unit."""
        if self.unit == "s":
            return f"{value:.3f} s" if value >= 0.1 else f"{value * 1000:.2f} ms"
        return f"{value:,.0f} {self.unit}"


def best(work: Callable[[], object]) -> float:
    """Seconds of the fastest of three runs."""
    times = []
    for _ in range(RUNS):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)

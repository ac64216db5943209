"""How much of this machine programs may take."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

MEBIBYTE = 2**20


def _cores() -> int:
    return os.cpu_count() or 1


def _half_of_memory() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2


@dataclass(frozen=True)
class Limits:
    """By default as many processing jobs at a time as there are cores, and half of the memory for each program.

    Args:
        jobs_at_a_time: further ones wait for their turn.
        program_memory_bytes: what one job's program, or one model server, may hold in memory.
    """

    jobs_at_a_time: int = field(default_factory=_cores)
    program_memory_bytes: int = field(default_factory=_half_of_memory)

"""What all histories of a process share: memory that is bounded as a whole."""

from __future__ import annotations

from dataclasses import dataclass, field

from model_monitor.history.counting import Count
from model_monitor.history.kept import Kept
from model_monitor.history.model import Execution

CONTENT_BYTES = 64 * 2**20
EXECUTION_BYTES = 128 * 2**20
COUNTED_FILES = 200_000


@dataclass(frozen=True)
class Memory:
    """Result files as they were read, executions as they were understood, lines as they were counted."""

    contents: Kept[bytes] = field(default_factory=lambda: Kept(CONTENT_BYTES))
    executions: Kept[Execution] = field(default_factory=lambda: Kept(EXECUTION_BYTES))
    counts: Kept[Count] = field(default_factory=lambda: Kept(COUNTED_FILES))

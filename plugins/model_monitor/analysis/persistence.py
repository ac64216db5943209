"""When violations persist: a verdict turns red once enough of the last windows violate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class JudgedWindow:
    """When a window was due, and how many violations it has of its own; None if it was not judged."""

    scheduled: str
    violations: int | None

    @property
    def violates(self) -> bool:
        """Whether it counts; a window that was not judged does not."""
        return bool(self.violations)


@dataclass(frozen=True)
class Persistence:
    """The last windows, oldest first and the judged one last, and how many of them have to violate."""

    windows: Sequence[JudgedWindow]
    violating: int

    @property
    def of(self) -> int:
        """How many windows are looked at."""
        return len(self.windows)

    @property
    def counted(self) -> int:
        """How many of them violate."""
        return sum(window.violates for window in self.windows)

    @property
    def red(self) -> bool:
        """Whether the verdict is red: enough windows violate, and the judged one is among them."""
        return self.windows[-1].violates and self.counted >= self.violating

    def explained(self) -> str:
        """What was counted and what follows, for a reader."""
        if self.of == 1:
            return "A window with a violation turns the verdict red."
        rule = (
            f"The verdict turns red when a window violates and, with it, at least {self.violating} of the last "
            f"{self.of}. "
        )
        if not self.windows[-1].violates:
            return f"{rule}This window does not violate."
        unjudged = sum(window.violations is None for window in self.windows)
        without = f"; {unjudged} of them {'was' if unjudged == 1 else 'were'} not judged" if unjudged else ""
        return f"{rule}This one does, and it makes {self.counted} of {self.of}{without}."

    def as_dict(self) -> dict[str, Any]:
        """The rule, what it came to, and the windows, for `uncertainty.json`."""
        return {
            "violating": self.violating,
            "of": self.of,
            "red": self.red,
            "windows": [{"scheduled": one.scheduled, "violations": one.violations} for one in self.windows],
        }

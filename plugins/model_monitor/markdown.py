"""Text that others wrote, for pages in Markdown: it is shown as it is, and nothing in it is markup."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_MARKUP = re.compile(r"([!-/:-@\[-`{-~])")
_LONGEST = 300


def escaped(text: object) -> str:
    """Text with a backslash before all ASCII punctuation, which CommonMark allows, in one line, cut when very long."""
    line = " ".join("".join(one if one.isprintable() else " " for one in str(text)).split())
    return _MARKUP.sub(r"\\\1", line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…")


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are Markdown already."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)

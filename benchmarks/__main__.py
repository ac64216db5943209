"""Times the engine against its peers, in the same run on the same machine: `make bench`.

    python -m benchmarks [bias] [kernel_shap] [merge] [windows] [history] [servers]

The engine's times are the best of three on both sides. A ratio above 1 says how many times as good ours is: as fast, as
many a second, or with as little memory.
"""

from __future__ import annotations

import sys
from importlib import import_module

from benchmarks.timing import Comparison

ALL = ("bias", "kernel_shap", "merge", "windows", "history", "servers")


def main(names: list[str]) -> None:
    """Print the table, a line as soon as it is measured."""
    print(f"{'what':<52}{'ours':>12}{'peer':>12}{'ratio':>8}  peer")
    for name in names or ALL:
        comparisons: list[Comparison] = import_module(f"benchmarks.{name}").comparisons()
        for row in comparisons:
            figures = f"{row.shown(row.ours):>12}{row.shown(row.peers):>12}{row.ratio:>8.1f}"
            print(f"{row.what:<52}{figures}  {row.peer}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])

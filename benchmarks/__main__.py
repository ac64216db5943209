"""Times the engine against its peers, in the same run on the same machine: `make bench`.

    python -m benchmarks [bias] [kernel_shap] [merge]

Times are the best of three on both sides; a ratio above 1 says how many times as fast ours is.
"""

from __future__ import annotations

import sys
from importlib import import_module

from benchmarks.timing import Comparison

ALL = ("bias", "kernel_shap", "merge")


def main(names: list[str]) -> None:
    """Print the table, a line as soon as it is measured."""
    print(f"{'what':<52}{'ours':>11}{'peer':>11}{'ratio':>8}  peer")
    for name in names or ALL:
        comparisons: list[Comparison] = import_module(f"benchmarks.{name}").comparisons()
        for row in comparisons:
            ratio = row.peer_seconds / row.seconds
            print(f"{row.what:<52}{row.seconds:>10.3f}s{row.peer_seconds:>10.3f}s{ratio:>8.1f}  {row.peer}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])

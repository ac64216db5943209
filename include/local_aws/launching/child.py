"""Inside a program's new process: its limits, its surroundings, then the program itself.

`python -m local_aws.launching.child <module> <memory bytes> <nice>` does the same in a fresh interpreter.
"""

from __future__ import annotations

import os
import resource
import runpy
import sys
import traceback

from local_aws.launching.program import OUT_OF_MEMORY


def limit(memory_bytes: int, nice: int) -> None:
    """Limit this process; `memory_bytes` counts what it writes to, not what it maps or shares."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
    if nice:
        os.nice(nice)


def run(module: str) -> int:
    """Run the program and return its exit code."""
    sys.argv = [module]
    try:
        loaded = sys.modules.get(module)
        if loaded is not None and hasattr(loaded, "main"):
            return int(loaded.main() or 0)
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except MemoryError:
        traceback.print_exc()
        return OUT_OF_MEMORY
    return 0


if __name__ == "__main__":
    limit(int(sys.argv[2]), int(sys.argv[3]))
    sys.exit(run(sys.argv[1]))

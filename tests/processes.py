"""The processes that a process started, and what became of them."""

from __future__ import annotations

import subprocess

FORK_SERVER = "local_aws.launching.fork_server"


def programs_of(pid: int) -> set[int]:
    """The programs that a local_aws runs, whether it forked them or started them from nothing."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,pgid="], capture_output=True, text=True, check=True)
    parents = {}
    leaders = set()
    for line in listed.stdout.splitlines():
        own, parent, group = map(int, line.split())
        parents[own] = parent
        if own == group:
            leaders.add(own)
    children = {own for own, parent in parents.items() if parent == pid}
    grandchildren = {own for own, parent in parents.items() if parent in children and own in leaders}
    return grandchildren | {child for child in children if not _is_fork_server(child)}


def alive(pid: int) -> bool:
    """Whether the process runs; one that is over and not yet waited for does not, once all its threads are over."""
    listed = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True)
    state = listed.stdout.strip()
    return bool(state) and (not state.startswith("Z") or "l" in state)


def _is_fork_server(pid: int) -> bool:
    listed = subprocess.run(["ps", "-o", "args=", "-p", str(pid)], capture_output=True, text=True)
    return FORK_SERVER in listed.stdout

"""`python -m local_aws.launching.fork_server <descriptor>`: forks programs that find their modules imported.

Importing numpy, pandas, DuckDB and XGBoost takes a program longer than a small job. This process imports them once and
computes nothing, so that there are no threads of OpenMP, BLAS, Arrow or DuckDB when it forks. Until all is imported it
answers between two imports; a program whose modules are still missing imports them itself. It ends, with all that it
started, when the other end of its socket is closed; and what it started ends with it.
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import importlib
import io
import logging
import os
import select
import signal
import socket
import sys
import threading
import traceback
import warnings
from typing import Any, NoReturn

from local_aws.launching import child, messages

log = logging.getLogger(__name__)

PRELOADED = (
    "numpy",
    "pandas",
    # What is imported when it is first needed otherwise.
    "encodings.idna",
    "pandas.io.formats.csvs",
    "pyarrow.pandas_compat",
    "local_aws.containers.xgboost_server",
    "local_aws.containers.clarify",
    "model_monitor.analysis.report_template",
    "local_aws.containers.groundtruth_merger",
    "boto3",
    "local_aws.containers.sklearn_server",
    "sklearn.ensemble",
    "sklearn.linear_model",
    "sklearn.pipeline",
)
_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG
_OWN_SIGNALS = (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM)


class ForkServer:
    """Forks what it is asked for, and tells how that ended."""

    def __init__(self, control: socket.socket, preloaded: tuple[str, ...] = PRELOADED) -> None:
        self._control = control
        self._to_import = list(preloaded)
        self._running: dict[int, int] = {}
        self._prctl = ctypes.CDLL(None, use_errno=True).prctl

    def serve(self) -> dict[str, Any] | None:
        """Answer until the client is gone; returns what to run in each forked process, None in this one."""
        woken, wake = os.pipe()
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        while True:
            ready, _, _ = select.select([self._control.fileno(), woken], [], [], 0 if self._to_import else None)
            if woken in ready:
                os.read(woken, 4096)
                self._reap()
            if self._control.fileno() in ready:
                received = messages.receive(self._control)
                if received is None:
                    for pid in self._running:
                        _kill_group(pid)
                    return None
                if (program := self._fork(*received)) is not None:
                    os.close(woken)
                    os.close(wake)
                    return program
            if not ready and self._to_import:
                self._import_next()

    def _import_next(self) -> None:
        module = self._to_import.pop(0)
        try:
            importlib.import_module(module)
        except Exception:
            log.exception("%s cannot be imported; a program that needs it will say so itself.", module)
        gc.collect()
        gc.freeze()

    def _fork(self, program: dict[str, Any], descriptors: list[int]) -> dict[str, Any] | None:
        """Fork; returns the program in the new process, None in this one."""
        read, written = os.pipe()
        own = os.getpid()
        try:
            pid = os.fork()
        except OSError as error:
            for descriptor in (read, written, *descriptors):
                os.close(descriptor)
            messages.send(self._control, {"number": program["number"], "error": error.errno})
            return None
        if pid == 0:
            self._begin(own, descriptors)
            os.close(read)
            os.close(written)
            return program
        os.close(written)
        for descriptor in descriptors:
            os.close(descriptor)
        # Nobody may signal the process before it leads its own group.
        os.read(read, 1)
        os.close(read)
        self._running[pid] = program["number"]
        messages.send(self._control, {"number": program["number"], "pid": pid})
        return None

    def _begin(self, parent: int, descriptors: list[int]) -> None:
        """Make the forked process one of its own."""
        signal.set_wakeup_fd(-1)
        for number in _OWN_SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.setsid()
        self._prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
        self._control.close()
        stdin, output = descriptors
        for given, wanted in ((stdin, 0), (output, 1), (output, 2)):
            os.dup2(given, wanted)
        os.close(stdin)
        os.close(output)

    def _reap(self) -> None:
        while (over := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) is not None:
            # Before its number is free for another process.
            _kill_group(over.si_pid)
            _, status = os.waitpid(over.si_pid, 0)
            number = self._running.pop(over.si_pid)
            messages.send(self._control, {"number": number, "exit_code": os.waitstatus_to_exitcode(status)})
            if not self._running:
                return


def run_forked(program: dict[str, Any]) -> NoReturn:
    """Be the program in the process that was forked for it, and end it.

    What the interpreter tears down at its end belongs to the fork server; that would take longer than many a program.
    """
    try:
        exit_code = _run(program)
    except SystemExit as end:
        exit_code = _code_of(end)
    except BaseException:
        traceback.print_exc()
        exit_code = 1
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    os._exit(exit_code & 0xFF)


def _code_of(end: SystemExit) -> int:
    if end.code is None or isinstance(end.code, int):
        return end.code or 0
    print(end.code, file=sys.stderr)
    return 1


def _run(program: dict[str, Any]) -> int:
    os.environ.clear()
    os.environ.update(program["environment"])
    os.chdir(program["folder"])
    for number, name in ((1, "stdout"), (2, "stderr")):
        raw = os.fdopen(number, "wb", buffering=0, closefd=False)
        setattr(sys, name, io.TextIOWrapper(raw, "utf-8", "backslashreplace", write_through=True))
    sys.path[:0] = [place for place in program["environment"].get("PYTHONPATH", "").split(os.pathsep) if place]
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()
    gc.enable()
    child.limit(program["memory_bytes"], program["nice"])
    return child.run(program["module"])


def _kill_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def main() -> NoReturn:
    """Serve; in a forked process, be the program."""
    # From Python 3.12 on, any thread of a library makes fork warn; those here hold no locks.
    warnings.filterwarnings("ignore", message=".*multi-threaded.*fork", category=DeprecationWarning)
    gc.disable()
    program = ForkServer(socket.socket(fileno=int(sys.argv[1]))).serve()
    if program is not None:
        run_forked(program)
    os._exit(0)


if __name__ == "__main__":
    main()

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from local_aws.launching.fork_server import PRELOADED
from local_aws.launching.launcher import Launcher
from local_aws.launching.limits import Limits
from local_aws.launching.program import OUT_OF_MEMORY, Program, RunningProgram
from tests.polling import until
from tests.processes import FORK_SERVER, alive
from tests.running_aws import ROOT

WAIT = "import threading; print('waiting', flush=True); threading.Event().wait()"


@pytest.fixture(scope="module", params=["forked", "spawned"])
def launcher(request: pytest.FixtureRequest) -> Iterator[Launcher]:
    started = Launcher(forks=request.param == "forked")
    yield started
    started.stop()


@pytest.fixture
def forking() -> Iterator[Launcher]:
    started = Launcher(forks=True)
    yield started
    started.stop()


def start(launcher: Launcher, text: str, folder: Path, nice: int = 0) -> RunningProgram:
    (folder / "program.py").write_text(text)
    path = os.pathsep.join([str(folder), str(ROOT / "include"), str(ROOT / "plugins")])
    return launcher.start(Program("program", {"PYTHONPATH": path}, folder, nice))


def said(program: RunningProgram) -> str:
    """All that it says until its end."""
    with program.output as output:
        return output.read().decode()


@pytest.fixture(params=[True, False], ids=["forked", "spawned"])
def small(request: pytest.FixtureRequest) -> Iterator[Launcher]:
    """Gives half a gigabyte to each program."""
    started = Launcher(request.param, Limits(program_memory_bytes=500_000_000))
    yield started
    started.stop()


def test_a_program_that_takes_too_much_memory_ends_with_137(small: Launcher, tmp_path: Path) -> None:
    program = start(small, "kept = bytearray(600_000_000); print('kept')", tmp_path)
    text = said(program)
    assert program.wait(30) == OUT_OF_MEMORY
    assert "MemoryError" in text
    assert "kept\n" not in text


def test_and_within_its_limit_it_goes_on(small: Launcher, tmp_path: Path) -> None:
    program = start(small, "kept = bytearray(100_000_000); print('kept')", tmp_path)
    assert said(program) == "kept\n"
    assert program.wait(30) == 0


@pytest.mark.parametrize("forks", [True, False], ids=["forked", "spawned"])
def test_a_program_finds_no_secret_of_whoever_started_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forks: bool
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret-of-the-shell")
    started = Launcher(forks)
    text = said(start(started, "print(open('/proc/self/environ').read())", tmp_path))
    started.stop()
    assert "PYTHONPATH=" in text
    assert "a-secret-of-the-shell" not in text


def test_a_program_can_be_nice(launcher: Launcher, tmp_path: Path) -> None:
    own = os.getpriority(os.PRIO_PROCESS, 0)
    program = start(launcher, "import os; print(os.getpriority(os.PRIO_PROCESS, 0))", tmp_path, nice=3)
    assert said(program) == f"{own + 3}\n"


def test_a_signal_from_outside_is_its_exit_code(launcher: Launcher, tmp_path: Path) -> None:
    program = start(launcher, WAIT, tmp_path)
    assert program.output.readline() == b"waiting\n"
    assert program.poll() is None
    os.kill(program.pid, signal.SIGSEGV)
    assert program.wait(30) == -signal.SIGSEGV
    program.signal(signal.SIGTERM)
    program.output.close()


def test_who_waits_is_told_once_also_afterwards(launcher: Launcher, tmp_path: Path) -> None:
    program = start(launcher, WAIT, tmp_path)
    told = threading.Event()
    program.when_over(told.set)
    with pytest.raises(TimeoutError, match="still runs"):
        program.wait(0.01)
    assert not told.is_set()
    program.signal(signal.SIGKILL)
    assert told.wait(30)
    again = threading.Event()
    program.when_over(again.set)
    assert again.is_set()
    program.output.close()


def test_its_input_closes_when_its_owner_closes_it(launcher: Launcher, tmp_path: Path) -> None:
    program = start(launcher, "import sys; print(len(sys.stdin.buffer.read()))", tmp_path)
    assert program.poll() is None
    program.close_input()
    assert said(program) == "0\n"
    assert program.wait(30) == 0


def test_many_at_once_keep_their_outputs_and_codes_apart(launcher: Launcher, tmp_path: Path) -> None:
    programs = []
    for number in range(8):
        folder = tmp_path / str(number)
        folder.mkdir()
        programs.append(start(launcher, f"import sys; print('number {number}'); sys.exit({number})", folder))
    assert [said(program) for program in programs] == [f"number {number}\n" for number in range(8)]
    assert [program.wait(30) for program in programs] == list(range(8))


def test_a_forked_program_finds_its_modules_imported(forking: Launcher, tmp_path: Path) -> None:
    forking.warm_up()
    text = "import sys; print('pandas' in sys.modules, 'local_aws.containers.xgboost_server' in sys.modules)"
    until(lambda: said(start(forking, text, tmp_path)), lambda answer: answer == "True True\n")


def test_forked_programs_draw_different_random_numbers(forking: Launcher, tmp_path: Path) -> None:
    text = "import random, numpy; print(random.random(), numpy.random.random())"
    assert said(start(forking, text, tmp_path)) != said(start(forking, text, tmp_path))


def test_a_forked_program_has_no_descriptor_of_its_server(forking: Launcher, tmp_path: Path) -> None:
    other = start(forking, WAIT, tmp_path)
    assert other.output.readline() == b"waiting\n"
    text = "import os; print(sorted(int(fd) for fd in os.listdir('/proc/self/fd'))[:-1])"
    assert said(start(forking, text, tmp_path)) == "[0, 1, 2]\n"
    other.signal(signal.SIGKILL)
    other.output.close()


def test_when_the_fork_server_dies_so_do_its_programs_and_the_next_start_gets_another(
    forking: Launcher, tmp_path: Path
) -> None:
    program = start(forking, WAIT, tmp_path)
    assert program.output.readline() == b"waiting\n"
    server = parent_of(program.pid)
    os.kill(server, signal.SIGKILL)
    assert program.wait(30) == -signal.SIGKILL
    until(lambda: alive(program.pid), lambda running: not running)
    after = start(forking, "import os; print(os.getppid())", tmp_path)
    assert int(said(after)) not in (server, os.getpid())
    program.output.close()


def test_a_fork_server_that_dies_again_and_again_is_given_up(forking: Launcher, tmp_path: Path) -> None:
    for _ in range(3):
        program = start(forking, WAIT, tmp_path)
        assert program.output.readline() == b"waiting\n"
        os.kill(parent_of(program.pid), signal.SIGKILL)
        program.wait(30)
        program.output.close()
    assert said(start(forking, "import os; print(os.getppid())", tmp_path)) == f"{os.getpid()}\n"


def test_where_nothing_more_can_be_started_the_error_says_so(
    forking: Launcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fork server that may not fork, as on a machine full of processes."""
    place = tmp_path / "full"
    place.mkdir()
    (place / "sitecustomize.py").write_text(
        "import errno, os\ndef fork():\n    raise BlockingIOError(errno.EAGAIN, 'full')\nos.fork = fork\n"
    )
    monkeypatch.syspath_prepend(place)
    with pytest.raises(OSError, match="program cannot be started: Resource temporarily unavailable"):
        start(forking, WAIT, tmp_path)


def test_programs_that_are_over_leave_no_descriptor_behind(launcher: Launcher, tmp_path: Path) -> None:
    def run() -> None:
        program = start(launcher, "import os; print(os.getppid())", tmp_path)
        parents.append(int(said(program)))
        program.wait(30)
        program.close_input()

    def left() -> int:
        """How many more descriptors are open than before; other tests' may be closed meanwhile."""
        return max(len(os.listdir(f"/proc/{pid}/fd")) - before for pid, before in at_first.items())

    parents: list[int] = []
    run()
    at_first = {pid: len(os.listdir(f"/proc/{pid}/fd")) for pid in (os.getpid(), parents[0])}
    for _ in range(10):
        run()
    until(left, lambda more: more <= 0)


def test_a_stopped_launcher_leaves_nothing(tmp_path: Path) -> None:
    launcher = Launcher(forks=True)
    program = start(launcher, WAIT, tmp_path)
    server = parent_of(program.pid)
    launcher.stop()
    assert program.wait(30) == -signal.SIGKILL
    until(lambda: alive(program.pid) or alive(server), lambda running: not running)
    program.output.close()


def test_a_start_takes_milliseconds_of_processor_time(forking: Launcher, tmp_path: Path) -> None:
    """A fresh interpreter that imports pandas takes half a second of it."""
    text = "import os, sys; print(os.getppid()); sys.exit('pandas' not in sys.modules)"
    until(lambda: start(forking, text, tmp_path).wait(30), lambda code: code == 0)
    server = psutil.Process(int(said(start(forking, text, tmp_path))))
    before = server.cpu_times()
    for _ in range(10):
        assert start(forking, text, tmp_path).wait(30) == 0
    after = server.cpu_times()
    used = (after.children_user + after.children_system) - (before.children_user + before.children_system)
    assert used / 10 < 0.2


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def test_nothing_has_begun_a_thread_where_programs_are_forked(forking: Launcher, tmp_path: Path) -> None:
    text = f"import sys; print({PRELOADED[-1]!r} in sys.modules)"
    until(lambda: said(start(forking, text, tmp_path)), lambda told: told == "True\n")
    fork_servers = [child for child in psutil.Process().children() if FORK_SERVER in child.cmdline()]
    assert {fork_server.num_threads() for fork_server in fork_servers} == {1}

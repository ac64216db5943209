"""How a job ended, in the words of DescribeProcessingJob."""

from __future__ import annotations

import signal
from collections import deque
from dataclasses import dataclass, field
from typing import Literal

from local_aws.jobs.job_process import Outcome
from local_aws.launching.limits import MEBIBYTE
from local_aws.launching.program import OUT_OF_MEMORY, signal_name

Status = Literal["Completed", "Failed", "Stopped"]

LONGEST_MESSAGE = 1024
CUSTOMER_ERROR = 1
_LAST_LINES = 5
_SIGNAL_EXIT_CODE = 128


@dataclass(frozen=True)
class Result:
    """How a job ended."""

    status: Status
    failure_reason: str | None = None
    exit_message: str | None = None


@dataclass
class LastLines:
    """The end of a program's output."""

    _lines: deque[str] = field(default_factory=lambda: deque(maxlen=_LAST_LINES))

    def add(self, line: str) -> None:
        """Add one line; empty ones say nothing."""
        if line.strip():
            self._lines.append(line.rstrip())

    def __str__(self) -> str:
        return "\n".join(self._lines)


def result_of(outcome: Outcome, message: str | None, output: LastLines, max_seconds: int, memory_bytes: int) -> Result:
    """What a program's end means.

    Args:
        message: what the program left in `/opt/ml/output/message`; None when it left none.
        output: the end of what it said otherwise, which stands for a message that is missing.
    """
    if outcome.end == "stopped":
        return Result("Stopped", exit_message=message)
    if outcome.end == "timed out":
        return Result("Stopped", f"The job took longer than its MaxRuntimeInSeconds, {max_seconds}.", message)
    if outcome.exit_code == 0:
        return Result("Completed", exit_message=message)
    if outcome.exit_code == CUSTOMER_ERROR and message:
        return Result("Failed", f"ClientError: {message.removeprefix('Customer Error: ')}"[:LONGEST_MESSAGE], message)
    return Result("Failed", _failure(outcome.exit_code, message, str(output), memory_bytes), message)


def _failure(exit_code: int, message: str | None, output: str, memory_bytes: int) -> str:
    if exit_code == OUT_OF_MEMORY:
        return (
            "ClientError: Please use an instance type with more memory, or reduce the size of job data processed on an "
            f"instance. The program asked for more than the {memory_bytes // MEBIBYTE} MiB that local_aws gives it; "
            f"its option --program-memory-mb gives more., exit code: {exit_code}"
        )
    told = message or output or "See job logs for more information"
    if exit_code < 0:
        told = f"{_ended_by(-exit_code)} {told}"
        exit_code = _SIGNAL_EXIT_CODE - exit_code
    start, end = "AlgorithmError: ", f", exit code: {exit_code}"
    return f"{start}{told[: LONGEST_MESSAGE - len(start) - len(end)]}{end}"


def _ended_by(number: int) -> str:
    name = signal_name(number)
    if number == signal.SIGKILL:
        return f"The program was ended by {name} from outside, as by a system that runs out of memory."
    return f"The program was ended by {name}."

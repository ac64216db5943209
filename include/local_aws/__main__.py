"""`python -m local_aws --port 5566 --data-dir .local/aws`."""

from __future__ import annotations

import argparse
import logging
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from local_aws.clock import Clock
from local_aws.launching.launcher import launcher
from local_aws.launching.limits import MEBIBYTE, Limits
from local_aws.server import serve


def command_line() -> argparse.ArgumentParser:
    """What can be said on the command line."""
    parser = argparse.ArgumentParser(prog="local_aws", description="An AWS on this machine.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
    parser.add_argument("--port", type=int, default=5566, help="port to listen on; 0 takes a free one")
    parser.add_argument("--data-dir", type=Path, default=Path(".local/aws"), help="where all state is kept")
    parser.add_argument(
        "--clock", choices=["real", "stepped"], default="real", help="stepped time moves by POST /_local/clock"
    )
    parser.add_argument(
        "--start",
        type=_moment,
        metavar="TIME",
        help="where stepped time begins, such as 2026-11-16T00:00:00Z (default: where it stands in the data folder, "
        "or now)",
    )
    parser.add_argument(
        "--schedule-delay-seconds",
        type=float,
        default=0,
        help="how long after the hour monitoring schedules fire; SageMaker takes up to 1200",
    )
    parser.add_argument(
        "--jobs-at-a-time",
        type=_at_least_one,
        metavar="N",
        help="processing jobs that run at once; the others wait (default: as many as there are cores)",
    )
    parser.add_argument(
        "--program-memory-mb",
        type=_at_least_one,
        metavar="MB",
        help="memory for each job and each model server (default: half of this machine's)",
    )
    parser.add_argument(
        "--keys",
        type=Path,
        metavar="FILE",
        help="serve only requests that a key of this file has signed; in the format of ~/.aws/credentials, "
        "readable by its owner alone (default: any key, unchecked)",
    )
    return parser


def _limits(options: argparse.Namespace) -> Limits:
    limits = Limits()
    if options.jobs_at_a_time is not None:
        limits = replace(limits, jobs_at_a_time=options.jobs_at_a_time)
    if options.program_memory_mb is not None:
        limits = replace(limits, program_memory_bytes=options.program_memory_mb * MEBIBYTE)
    return limits


def _at_least_one(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not at least 1")
    return number


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no ISO 8601 time such as 2026-11-16T00:00:00Z") from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _log_by(clock: Clock) -> None:
    """Log to standard error, by the server's time."""
    formatter = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    formatter.converter = lambda seconds: time.gmtime((seconds or 0.0) + clock.seconds_ahead())
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    logging.basicConfig(level=logging.INFO, handlers=[handler])


def main() -> None:
    """Read the command line and serve."""
    parser = command_line()
    options = parser.parse_args()
    if options.start is not None and options.clock != "stepped":
        parser.error("--start is for --clock stepped; the real time starts by itself")
    launcher().limits = _limits(options)
    clock = Clock(stepped=options.clock == "stepped", start=options.start)
    _log_by(clock)
    delay = timedelta(seconds=options.schedule_delay_seconds)
    serve(options.host, options.port, options.data_dir, clock, delay, options.keys)


if __name__ == "__main__":
    main()

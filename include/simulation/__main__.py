"""`python -m simulation`: a week of the example endpoint that ends now, left in the data folder for `make up`."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType

import httpx

from demo.results import Results, Verdict
from model_monitor import names
from model_monitor.config import MonitoredEndpoint, load_endpoint
from model_monitor.names import KINDS, Kind
from simulation.customers import Customers
from simulation.endpoint import SimulatedEndpoint, SimulationFailed
from simulation.story import HOURS, told, traffic
from simulation.timeline import HEADLINE, Timeline, ndcg_of
from stack import processes
from stack.settings import HOST, PROJECT, Folders
from stack.stack import Stack, free_port

EXAMPLE = PROJECT / "include" / "endpoints" / "churn.yaml"
START_SECONDS = 60


def main() -> int:
    """Simulate; 0 when the week is over, 1 when it cannot be simulated, 130 when interrupted."""
    parser = argparse.ArgumentParser(prog="simulation", description="A week of the example endpoint in minutes.")
    parser.add_argument("--data-dir", type=Path, default=Folders().aws, help="where the embedded AWS keeps the week")
    parser.add_argument("--hours", type=int, default=HOURS, help="stop after so many hours")
    parser.add_argument("--fresh", action="store_true", help="set aside what is in the data folder")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, _interrupt)
    began = time.monotonic()
    try:
        make_room(options.data_dir, options.fresh)
        simulate(load_endpoint(EXAMPLE), options.data_dir, options.hours)
    except SimulationFailed as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\nInterrupted: the week in {options.data_dir} is not complete. Begin again with FRESH=1.")
        return 130
    print(f"\nDone in {time.monotonic() - began:.0f} s.")
    return 0


def simulate(endpoint: MonitoredEndpoint, data_dir: Path, hours: int = HOURS) -> Timeline:
    """Deploy, monitor and live through the week that ends with the last full hour; tells it as it goes.

    Raises:
        SimulationFailed: with the reason.
    """
    end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    begin = end - timedelta(hours=HOURS)
    _say(f"A week of the endpoint {endpoint.name}, from {begin:%A %d %B %H:%M} to {end:%A %d %B %H:%M} UTC.\n")
    with _embedded_aws(data_dir, begin) as url:
        there = SimulatedEndpoint(endpoint, url)
        results = Results(endpoint, url)
        for what, do in (
            ("model and endpoint, with data capture", there.deploy),
            ("both baselines", there.baseline),
            ("both monitors, hourly", there.schedule),
        ):
            do()
            _say(f"    {what}")
        baselines = {kind: results.constraints(kind) for kind in KINDS}
        for alarm in there.set_alarms(baselines):
            _say(f"    alarm {alarm}")
        _say(f"\n{HEADLINE}")
        customers, timeline = Customers(endpoint), Timeline()
        for number in range(hours):
            for news in told(number):
                _say(f"                >>> {news}")
            now = there.now()
            hour = traffic(customers, number, now.hour)
            there.live(hour, f"{now:%Y%m%d%H}")
            bias, explainability = _verdict(results, "bias"), _verdict(results, "explainability")
            ndcg = ndcg_of(explainability, baselines["explainability"])
            _say(timeline.hour(now, len(hour.labels), bias, explainability, ndcg))
            for line in timeline.changed_alarms(there.alarms()):
                _say(f"                >>> {line}")
        _tell_end(endpoint, timeline, data_dir)
        return timeline


def _verdict(results: Results, kind: Kind) -> Verdict:
    verdict = results.verdict(kind)
    if verdict is None:
        raise SimulationFailed(f"The {kind} monitor has no execution.")
    return verdict


def _tell_end(endpoint: MonitoredEndpoint, timeline: Timeline, data_dir: Path) -> None:
    _say("\nExecutions")
    for line in timeline.summary():
        _say(f"    {line}")
    _say("\nFirst reports with violations")
    for kind, report in timeline.firsts.items():
        _say(f"    {kind:16} {report}")
    aws = "aws --endpoint-url http://127.0.0.1:5566 --region " + endpoint.region
    _say(
        f"\nAll of it is in {data_dir}. Next:\n"
        "    make up          the endpoint and its schedules live on, by the real time\n"
        f"    {endpoint.name}.traffic    unpause it and {endpoint.name}.ground_truth, or coming hours have no data\n"
        f"    {endpoint.name}.monitor    trigger it for a verdict on the next hour\n"
        f"    {aws} sagemaker list-monitoring-executions \\\n"
        f"        --monitoring-schedule-name {names.schedule(endpoint, 'bias')}"
    )


def make_room(data_dir: Path, fresh: bool) -> None:
    """Refuse a data folder that is in use or holds something, unless that may be set aside."""
    found = Stack.find(Folders())
    if data_dir.resolve() == Folders().aws.resolve() and found is not None and found.alive:
        raise SimulationFailed(f"The stack runs on {data_dir}. `make down` stops it; then begin again.")
    if not data_dir.exists() or not any(data_dir.iterdir()):
        return
    if not fresh:
        raise SimulationFailed(
            f"{data_dir} holds what earlier runs left, and time there does not go back to a week ago. "
            "`make simulate FRESH=1` sets it aside and begins anew."
        )
    aside = data_dir.with_name(f"{data_dir.name}-until-{datetime.now(UTC):%Y-%m-%dT%H-%M-%S}")
    data_dir.rename(aside)
    _say(f"What was in {data_dir} is in {aside} now.\n")


@contextmanager
def _embedded_aws(data_dir: Path, begin: datetime) -> Iterator[str]:
    """A local_aws whose time begins then and moves only when told to."""
    url = f"http://{HOST}:{(port := free_port())}"
    command = [sys.executable, "-m", "local_aws", "--port", str(port), "--data-dir", str(data_dir)]
    program = processes.start(
        "local_aws",
        [*command, "--clock", "stepped", "--start", begin.isoformat()],
        log=data_dir.with_name(f"{data_dir.name}-simulation.log"),
        environment=_environment(),
        folder=PROJECT,
    )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not _answers(url):
            if not program.alive or time.monotonic() > deadline:
                raise SimulationFailed(f"The embedded AWS did not start:\n{program.log_tail()}\nLog: {program.log}")
            time.sleep(0.1)
        yield url
    finally:
        processes.stop([program])


def _environment() -> dict[str, str]:
    """The caller's, without his AWS."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return own | {"PYTHONPATH": os.pathsep.join(str(PROJECT / folder) for folder in ("include", "plugins"))}


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/_local/health", trust_env=False).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def _say(text: str) -> None:
    print(text, flush=True)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())

"""`make demo`: the life of a monitored endpoint, run by Airflow against the embedded AWS, and what comes of it.

Everything shown is read back from Airflow, S3 and SageMaker; everything started is stopped in the end.
"""

from __future__ import annotations

import shutil
import signal
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from types import FrameType
from typing import Any

from demo import show
from demo.airflow_api import AirflowApi
from demo.progress import StepFailed, Terminal, follow
from demo.results import Results
from model_monitor.config import MonitoredEndpoint, load_endpoint
from model_monitor.names import KINDS
from stack.settings import PROJECT, USER, Folders
from stack.stack import Stack, StackError, free_port, up

EXAMPLE = PROJECT / "include" / "endpoints" / "churn.yaml"
PARSING_SECONDS = 90
SHOWN_ROWS = 5
SHOWN_COLUMNS = ("Account Length", "Day Mins", "CustServ Calls", "Int'l Plan_yes")

STEPS: list[tuple[str, str, dict[str, Any]]] = [
    ("deploy", "Deploy the model with data capture, invoke it, and make both baselines", {}),
    ("traffic", "Send traffic with inference ids", {}),
    ("ground_truth", "Upload ground truth for the captured hours", {}),
    ("monitor", "Run both monitors on the captured data", {"schedule": "now"}),
    ("teardown", "Delete everything that costs money; captures and reports stay", {}),
]


class Demo:
    """One pass through all steps on a running stack."""

    def __init__(self, endpoint: MonitoredEndpoint, stack: Stack, terminal: Terminal) -> None:
        assert stack.aws_url is not None
        self.endpoint = endpoint
        self.stack = stack
        self.terminal = terminal
        self.began = datetime.now(UTC).replace(microsecond=0)
        self.api = AirflowApi(stack.ui_url, USER, stack.password)
        self.results = Results(endpoint, stack.aws_url)
        self.baselines: dict[str, dict[str, Any]] = {}
        self.shows: dict[str, Callable[[], None]] = {"deploy": self.show_deployment, "monitor": self.show_verdicts}

    def run(self) -> None:
        """Every step in turn, with what it brought about; DAGs are paused or not as they were found.

        Raises:
            StepFailed: naming the DAG, the task and its log.
        """
        self.await_dags()
        dags = [self.dag(kind) for kind, _, _ in STEPS]
        paused = {dag: self.api.paused(dag) for dag in dags}
        for dag in dags:
            self.settle(dag)
        try:
            for number, (kind, what, conf) in enumerate(STEPS, 1):
                self.terminal.line(f"\n[{number}/{len(STEPS)}] {what} ({self.dag(kind)})")
                self.step(self.dag(kind), conf)
                self.shows.get(kind, lambda: None)()
        finally:
            for dag in dags:
                self.api.pause(dag, paused[dag])

    def dag(self, kind: str) -> str:
        """The id of the endpoint's DAG of a kind."""
        return f"{self.endpoint.name}.{kind}"

    def await_dags(self) -> None:
        """Wait until Airflow has parsed the endpoint's DAGs."""
        wanted = {self.dag(kind) for kind, _, _ in STEPS}
        deadline = time.monotonic() + PARSING_SECONDS
        while missing := wanted - self.api.dags():
            if time.monotonic() > deadline:
                errors = "\n".join(f"{file}:\n{trace}" for file, trace in self.api.import_errors().items())
                raise StepFailed(
                    f"Airflow has not found the DAGs {', '.join(sorted(missing))}.\n{errors or 'No import errors.'}\n"
                    f"Log: {self.stack.folders.logs / 'dag-processor.log'}"
                )
            self.terminal.status("    … Airflow is parsing the DAGs")
            time.sleep(0.5)

    def settle(self, dag: str) -> None:
        """Pause a DAG and end what an interrupted command left of it."""
        self.api.pause(dag, True)
        for run in self.api.unfinished_runs(dag):
            self.api.fail(dag, run)

    def step(self, dag: str, conf: dict[str, Any]) -> None:
        """Run one DAG to its end; it is unpaused for as long as that takes."""
        self.api.pause(dag, False)
        try:
            run = self.api.trigger(dag, conf)
            follow(self.api, dag, run, task_logs=self.stack.folders.task_logs, terminal=self.terminal)
        finally:
            self.api.pause(dag, True)

    def show_deployment(self) -> None:
        """Predictions of the first rows, capture files, suggested constraints."""
        files = self.results.capture_files(self.began)
        rows = self.endpoint.path(self.endpoint.data.test).read_text().splitlines()[:SHOWN_ROWS]
        header = self.endpoint.path(self.endpoint.data.validation).open().readline().strip().split(",")
        inputs = [name for name in header if name != self.endpoint.data.label]
        self.section("Predictions of the first rows, as captured")
        self.block(show.predictions(self.results.captures(files), rows, inputs, SHOWN_COLUMNS))
        self.section(f"Captured requests: {len(files)} file(s)")
        self.block("\n".join(files[-5:]))
        self.baselines = {kind: self.results.constraints(kind) for kind in KINDS}
        self.section("Suggested constraints of the bias monitor")
        self.block(show.bias_constraints(self.baselines["bias"]))
        self.section("Suggested constraints of the explainability monitor")
        self.block(show.attributions(self.baselines["explainability"]))

    def show_verdicts(self) -> None:
        """Both executions' status, numbers, violations and report files."""
        for kind in KINDS:
            verdict = self.results.verdict(kind)
            if verdict is None:
                raise StepFailed(f"The {kind} monitor's schedule has no execution.")
            self.section(f"Verdict of the {kind} monitor: {verdict.status}")
            self.block(verdict.message)
            if kind == "bias":
                self.block(show.bias_verdict(verdict, self.baselines[kind]))
            else:
                self.block(show.drift(verdict, self.baselines[kind]))
                self.block(show.attributions(verdict.analysis, self.baselines[kind]))
            copies = self.stack.folders.reports / self.endpoint.name / kind
            shutil.rmtree(copies, ignore_errors=True)
            self.block(f"Report: {verdict.folder}")
            for copy in self.results.copy(verdict.files, verdict.folder, copies):
                self.block(f"        {copy.relative_to(PROJECT)}")

    def section(self, title: str) -> None:
        """A headline of what was found."""
        self.terminal.line(f"\n    {title}")

    def block(self, text: str) -> None:
        """Some lines, indented."""
        for line in text.splitlines():
            self.terminal.line(f"      {line}")


def main() -> int:
    """Run the demo; 0 when every step worked, 1 when one failed, 130 when interrupted."""
    signal.signal(signal.SIGTERM, _interrupt)
    terminal = Terminal()
    folders = Folders()
    found = Stack.find(folders)
    if found and found.alive:
        terminal.line(
            f"Airflow already runs on {found.ui_url}. `make down` stops it; then `make demo` can start its own."
        )
        return 1
    began = time.monotonic()
    stack: Stack | None = None
    try:
        stack = up(folders, ui_port=free_port(), aws_port=free_port(5566), say=terminal.line)
        Demo(load_endpoint(EXAMPLE), stack, terminal).run()
    except (StackError, StepFailed) as error:
        terminal.line(f"\n{error}")
        return 1
    except KeyboardInterrupt:
        terminal.line("\nInterrupted.")
        return 130
    finally:
        _stop(stack, terminal)
    terminal.line(f"Done in {time.monotonic() - began:.0f} s. `make up` opens Airflow with all of this still there.")
    return 0


def _stop(stack: Stack | None, terminal: Terminal) -> None:
    if stack is None:
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    terminal.line("\nStopping Airflow and the embedded AWS")
    stack.stop()


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())

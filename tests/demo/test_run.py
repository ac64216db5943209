"""The demo's order of things, with Airflow's answers set."""

from __future__ import annotations

from typing import Any

import pytest

from demo.progress import StepFailed
from demo.run import EXAMPLE, STEPS, Demo
from model_monitor.config import load_endpoint


class Api:
    """Airflow's DAGs: which are paused."""

    def __init__(self, **paused: bool) -> None:
        self.state = {f"churn.{kind}": paused.get(kind, False) for kind, _, _ in STEPS}

    def dags(self) -> set[str]:
        return set(self.state)

    def paused(self, dag: str) -> bool:
        return self.state[dag]

    def pause(self, dag: str, paused: bool) -> None:
        self.state[dag] = paused

    def unfinished_runs(self, dag: str) -> list[str]:
        return []


class Terminal:
    def line(self, text: str = "") -> None:
        pass


def test_dags_are_left_paused_or_not_as_they_were_found_also_when_a_step_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    demo = Demo.__new__(Demo)
    demo.endpoint, demo.terminal, demo.shows = load_endpoint(EXAMPLE), Terminal(), {}
    demo.api = api = Api(traffic=True, ground_truth=True)
    found, seen = dict(api.state), []

    def step(dag: str, conf: dict[str, Any]) -> None:
        seen.append((dag, set(api.state.values())))
        if dag == "churn.monitor":
            raise StepFailed("no")

    monkeypatch.setattr(demo, "step", step)
    with pytest.raises(StepFailed):
        demo.run()
    assert seen[0] == ("churn.deploy", {True})
    assert api.state == found

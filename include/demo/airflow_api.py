"""Airflow's REST API, as far as the demo needs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

FINISHED = frozenset({"success", "failed"})
UNFINISHED_RUNS = ("queued", "running")


@dataclass(frozen=True)
class Task:
    """One task instance of a run."""

    name: str
    state: str | None
    try_number: int
    seconds: float | None
    map_index: int = -1

    @property
    def label(self) -> str:
        """Its name, with its place if it is one of several mapped ones."""
        return self.name if self.map_index < 0 else f"{self.name}[{self.map_index}]"


class AirflowApi:
    """A logged-in client. Every call raises httpx.HTTPStatusError when Airflow refuses it."""

    def __init__(self, url: str, user: str, password: str) -> None:
        self._client = httpx.Client(base_url=url, trust_env=False, timeout=30)
        token = self._json("POST", "/auth/token", json={"username": user, "password": password})["access_token"]
        self._client.headers["Authorization"] = f"Bearer {token}"

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def import_errors(self) -> dict[str, str]:
        """The DAG files that cannot be imported, and why."""
        found = self._json("GET", "/api/v2/importErrors")["import_errors"]
        return {str(error["filename"]): str(error["stack_trace"]) for error in found}

    def dags(self) -> set[str]:
        """The ids of all DAGs that Airflow has parsed."""
        return {str(dag["dag_id"]) for dag in self._json("GET", "/api/v2/dags", params={"limit": 100})["dags"]}

    def paused(self, dag: str) -> bool:
        """Whether a DAG is paused."""
        return bool(self._json("GET", f"/api/v2/dags/{dag}")["is_paused"])

    def pause(self, dag: str, paused: bool) -> None:
        """Pause or unpause a DAG."""
        self._json("PATCH", f"/api/v2/dags/{dag}", json={"is_paused": paused})

    def trigger(self, dag: str, conf: Mapping[str, Any]) -> str:
        """Start a run by hand; returns its id."""
        body = {"logical_date": None, "conf": dict(conf)}
        return str(self._json("POST", f"/api/v2/dags/{dag}/dagRuns", json=body)["dag_run_id"])

    def runs(self, dag: str) -> list[dict[str, Any]]:
        """The hundred newest runs of a DAG, as Airflow describes them."""
        query = {"limit": 100, "order_by": "-run_after"}
        found: list[dict[str, Any]] = self._json("GET", f"/api/v2/dags/{dag}/dagRuns", params=query)["dag_runs"]
        return found

    def unfinished_backfills(self, dag: str) -> int:
        """How many backfills of a DAG Airflow has not closed; there can be one at a time."""
        found = self._json("GET", "/api/v2/backfills", params={"dag_id": dag})["backfills"]
        return sum(one["completed_at"] is None for one in found)

    def unfinished_runs(self, dag: str) -> list[str]:
        """The ids of the runs that are queued or running."""
        query = {"state": list(UNFINISHED_RUNS), "limit": 100}
        return [
            str(run["dag_run_id"]) for run in self._json("GET", f"/api/v2/dags/{dag}/dagRuns", params=query)["dag_runs"]
        ]

    def fail(self, dag: str, run: str) -> None:
        """Mark a run as failed, so that it starts no more tasks."""
        self._json("PATCH", f"/api/v2/dags/{dag}/dagRuns/{run}", json={"state": "failed"})

    def run_state(self, dag: str, run: str) -> str:
        """`queued`, `running`, `success` or `failed`."""
        return str(self._json("GET", f"/api/v2/dags/{dag}/dagRuns/{run}")["state"])

    def tasks(self, dag: str, run: str) -> list[Task]:
        """The run's task instances."""
        found = self._json("GET", f"/api/v2/dags/{dag}/dagRuns/{run}/taskInstances", params={"limit": 100})
        return [
            Task(task["task_id"], task["state"], task["try_number"], task["duration"], task["map_index"])
            for task in found["task_instances"]
        ]

    def _json(self, method: str, path: str, **request: Any) -> Any:
        answer = self._client.request(method, path, **request)
        answer.raise_for_status()
        return answer.json()

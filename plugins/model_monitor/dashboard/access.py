"""Who may see which endpoint: whoever may read one of the DAGs that judge it.

Airflow's right to its list of plugins is not asked for: it says nothing of an endpoint's data, and those who look after
a model need not hold it. The right to read a DAG is what decides on its runs' verdicts everywhere else in Airflow.
"""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import Annotated

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.api_fastapi.auth.managers.models.resource_details import AccessView, DagAccessEntity, DagDetails
from airflow.api_fastapi.core_api.security import GetUserDep
from airflow.models.dag import DagModel
from fastapi import Depends, HTTPException

from model_monitor.config import MonitoredEndpoint
from model_monitor.dashboard.configured import configured

JUDGING = ("monitor", "windows")
"""The kinds of DAGs that judge an endpoint."""
TELLING = (*JUDGING, "watch")
"""The kinds of DAGs whose runs have verdicts."""


def judging_dags(endpoint: MonitoredEndpoint) -> list[str]:
    """The ids of the DAGs that judge an endpoint."""
    return [f"{endpoint.name}.{kind}" for kind in JUDGING]


class Reader:
    """Somebody logged in, and what they may read."""

    def __init__(self, user: BaseUser) -> None:
        self.user = user

    def endpoints(self) -> list[MonitoredEndpoint]:
        """Every endpoint they may see."""
        endpoints = list(configured())
        allowed = self._readable(dag for endpoint in endpoints for dag in judging_dags(endpoint))
        return [endpoint for endpoint in endpoints if allowed.intersection(judging_dags(endpoint))]

    def endpoint(self, name: str) -> MonitoredEndpoint:
        """One endpoint; whether it does not exist or may not be seen is not told."""
        for endpoint in configured():
            if endpoint.name == name and self._readable(judging_dags(endpoint)):
                return endpoint
        raise HTTPException(
            HTTPStatus.NOT_FOUND,
            f"There is no endpoint '{name}' whose DAGs you may read. They are {name}.{f' and {name}.'.join(JUDGING)}.",
        )

    def telling_dags(self, endpoint: MonitoredEndpoint) -> list[str]:
        """The DAGs whose runs' verdicts on an endpoint they may read."""
        dags = [f"{endpoint.name}.{kind}" for kind in TELLING]
        return [dag for dag in dags if self.may_read_runs(dag)]

    def may_read_runs(self, dag_id: str) -> bool:
        """Whether they may read a DAG and what its runs came to."""
        return bool(self._readable([dag_id])) and bool(self._readable([dag_id], DagAccessEntity.XCOM))

    def may_read_job_logs(self, endpoint: MonitoredEndpoint) -> bool:
        """Whether they may read what the managed service's jobs wrote: as what the tasks of a DAG that judges wrote."""
        return bool(self._readable(judging_dags(endpoint), DagAccessEntity.TASK_LOGS))

    def may_read_import_errors(self) -> bool:
        """Whether they may read what is wrong with the files that DAGs are made from."""
        return get_auth_manager().is_authorized_view(access_view=AccessView.IMPORT_ERRORS, user=self.user)

    def _readable(self, dags: Iterable[str], part: DagAccessEntity | None = None) -> set[str]:
        ids = list(dags)
        manager, teams = get_auth_manager(), DagModel.get_dag_id_to_team_name_mapping(ids)
        return {
            dag
            for dag in ids
            if manager.is_authorized_dag(
                method="GET", access_entity=part, details=DagDetails(id=dag, team_name=teams.get(dag)), user=self.user
            )
        }


def reader(user: GetUserDep) -> Reader:
    """Whoever asks; anonymous requests are answered 401 before this."""
    return Reader(user)


ReaderDep = Annotated[Reader, Depends(reader)]

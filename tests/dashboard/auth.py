"""Airflow's simple auth manager, for users who may read the DAGs of one endpoint alone, or no logs."""

from __future__ import annotations

from typing import Any

from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager

PREFIX = "only-"
LOGLESS = "logless"


class OwnDags(SimpleAuthManager):
    """A user called `only-<endpoint>` may read this endpoint's DAGs and nothing else, `logless` all but tasks' logs."""

    def is_authorized_dag(self, *, user: Any, details: Any = None, **more: Any) -> bool:
        if user.username == LOGLESS and more.get("access_entity") == DagAccessEntity.TASK_LOGS:
            return False
        if user.username.startswith(PREFIX):
            return details is not None and details.id.rpartition(".")[0] == user.username.removeprefix(PREFIX)
        return super().is_authorized_dag(user=user, details=details, **more)

    def is_authorized_view(self, *, user: Any, **more: Any) -> bool:
        return not user.username.startswith(PREFIX) and super().is_authorized_view(user=user, **more)

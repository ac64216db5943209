"""One history for each endpoint and process, whoever asks."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from airflow.sdk.exceptions import AirflowException
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from model_monitor import names
from model_monitor.config import MonitoredEndpoint
from model_monitor.errors import MonitorError
from model_monitor.history.kept import Kept
from model_monitor.history.memory import Memory
from model_monitor.history.reader import History
from model_monitor.hooks.logs import LogsHook
from model_monitor.hooks.s3 import StorageHook
from model_monitor.hooks.sagemaker import SageMakerHook

ENDPOINTS = 256
RENEWED_SECONDS = 60.0
# Somebody looks at the page that waits; threads of several pages read at once.
IMPATIENT = Config(
    retries={"mode": "standard", "total_max_attempts": 2}, connect_timeout=3, read_timeout=15, max_pool_connections=32
)

Place = tuple[str, str]
"""An Airflow connection and a region."""


@dataclass(frozen=True)
class Hooks:
    """Hooks of one place with their clients, and when they were made by the registry's clock."""

    storage: StorageHook
    sagemaker: SageMakerHook
    logs: LogsHook
    made: float


class Registry:
    """Histories by endpoint, and the clients that they share; the endpoints asked for longest ago are forgotten.

    Args:
        limit: how many endpoints are not.
        clock: seconds that pass.
    """

    def __init__(self, limit: int = ENDPOINTS, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._memory = Memory()
        self._hooks: Kept[Hooks] = Kept(limit)
        self._histories: Kept[History] = Kept(limit)

    def history_of(self, endpoint: MonitoredEndpoint) -> History:
        """The endpoint's history; another one for another configuration.

        Raises:
            MonitorError: when its connection cannot be used.
        """
        return self._histories.get(_key(endpoint), lambda: self._made(endpoint))

    def logs_of(self, endpoint: MonitoredEndpoint) -> LogsHook:
        """The logs of the endpoint's jobs.

        Raises:
            MonitorError: when its connection cannot be used.
        """
        return self._hooks_of(endpoint).logs

    def renew(self, endpoint: MonitoredEndpoint) -> None:
        """Let who asks next read the endpoint's connection anew: somebody may have mended it since it was read.

        Clients that are younger than `RENEWED_SECONDS` stay. What was learnt from files stays in any case.
        """
        place = _place(endpoint)
        hooks = self._hooks.known(place)
        if hooks is not None and self._clock() - hooks.made >= RENEWED_SECONDS:
            self._hooks.drop(place)
        self._histories.drop(_key(endpoint))

    def _made(self, endpoint: MonitoredEndpoint) -> History:
        hooks = self._hooks_of(endpoint)
        return History(endpoint, hooks.storage, hooks.sagemaker, self._memory)

    def _hooks_of(self, endpoint: MonitoredEndpoint) -> Hooks:
        place = _place(endpoint)
        return self._hooks.get(place, lambda: _connected(*place, self._clock()))


def _place(endpoint: MonitoredEndpoint) -> Place:
    return endpoint.aws_conn_id, endpoint.region


def _key(endpoint: MonitoredEndpoint) -> tuple[str, str]:
    return endpoint.name, names.fingerprint(endpoint.model_dump(mode="json"))


def _connected(connection: str, region: str, now: float) -> Hooks:
    """Hooks with their clients, which can be shared by threads, but not made by them."""
    about: dict[str, Any] = {"aws_conn_id": connection, "region_name": region}
    hooks = Hooks(StorageHook(**about), SageMakerHook(**about), LogsHook(**about), now)
    try:
        for hook in (hooks.storage, hooks.sagemaker, hooks.logs):
            hook.defaults = hook.defaults.merge(IMPATIENT)
            _ = hook.conn
    except (AirflowException, BotoCoreError, ClientError, TypeError, ValueError) as problem:
        # boto3 and Airflow complain of a connection's fields in all these ways.
        raise MonitorError(f"The Airflow connection '{connection}' cannot be used: {problem}") from problem
    return hooks


REGISTRY = Registry()
history_of, logs_of, renew = REGISTRY.history_of, REGISTRY.logs_of, REGISTRY.renew

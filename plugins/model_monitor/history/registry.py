"""One history for each endpoint and process, whoever asks."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

from botocore.config import Config

from model_monitor import names
from model_monitor.config import MonitoredEndpoint
from model_monitor.history.memory import Memory
from model_monitor.history.reader import History
from model_monitor.hooks.s3 import StorageHook
from model_monitor.hooks.sagemaker import SageMakerHook

ENDPOINTS = 256
# Somebody looks at the page that waits; threads of several pages read at once.
IMPATIENT = Config(
    retries={"mode": "standard", "total_max_attempts": 2}, connect_timeout=3, read_timeout=15, max_pool_connections=32
)


class Registry:
    """Histories by endpoint, and the clients that they share; the endpoints asked for longest ago are forgotten."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._memory = Memory()
        self._hooks: dict[tuple[str, str], tuple[StorageHook, SageMakerHook]] = {}
        self._histories: OrderedDict[str, tuple[str, History]] = OrderedDict()

    def history_of(self, endpoint: MonitoredEndpoint) -> History:
        """The endpoint's history; a new one where its configuration is another than before."""
        content = names.fingerprint(endpoint.model_dump(mode="json"))
        with self._lock:
            known, history = self._histories.get(endpoint.name, (None, None))
            if history is None or known != content:
                history = History(endpoint, *self._hooks_of(endpoint), self._memory)
                self._histories[endpoint.name] = (content, history)
            self._histories.move_to_end(endpoint.name)
            if len(self._histories) > ENDPOINTS:
                self._histories.popitem(last=False)
            return history

    def _hooks_of(self, endpoint: MonitoredEndpoint) -> tuple[StorageHook, SageMakerHook]:
        place = (endpoint.aws_conn_id, endpoint.region)
        if place not in self._hooks:
            about = {"aws_conn_id": endpoint.aws_conn_id, "region_name": endpoint.region}
            hooks = StorageHook(**about), SageMakerHook(**about)
            for hook in hooks:
                hook.defaults = hook.defaults.merge(IMPATIENT)
                _ = hook.conn  # Clients can be shared by threads, but not made by them.
            self._hooks[place] = hooks
        return self._hooks[place]


history_of = Registry().history_of

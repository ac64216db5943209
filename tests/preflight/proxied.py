"""An endpoint whose connection goes by a proxy that can refuse."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from model_monitor.config import MonitoredEndpoint
from tests.denying_proxy import DenyingProxy, denying
from tests.running_aws import REGION


@contextmanager
def proxied(upstream: str, endpoint: MonitoredEndpoint) -> Iterator[tuple[DenyingProxy, MonitoredEndpoint]]:
    """The proxy, and the endpoint as it is reached by it."""
    with denying(upstream) as proxy, pytest.MonkeyPatch.context() as patch:
        connection = {
            "conn_type": "aws",
            "login": "tester",
            "password": "password",
            "extra": {"endpoint_url": proxy.url, "region_name": REGION},
        }
        patch.setenv("AIRFLOW_CONN_PROXIED", json.dumps(connection))
        yield proxy, endpoint.model_copy(update={"aws_conn_id": "proxied"})

"""An endpoint of which reports lie in S3."""

from __future__ import annotations

from pathlib import Path

import pytest

from model_monitor.config import MonitoredEndpoint
from tests.history.stored import Hooks, Place, hooks_of
from tests.monitored import monitored_endpoint
from tests.running_aws import Running


@pytest.fixture(scope="session")
def hooks(aws: Running, files: Path) -> Hooks:
    """Clients of the shared server."""
    return hooks_of(monitored_endpoint(files, "any-bucket"))


@pytest.fixture
def place(endpoint: MonitoredEndpoint, hooks: Hooks) -> Place:
    """A new endpoint in a bucket of its own, with a history that has learnt nothing."""
    return Place.of(endpoint, hooks)

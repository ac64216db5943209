from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.local_aws.embedded import Embedded, embedded, stub_every_image
from tests.local_aws.monitoring.monitors import DELAY, prepare


@pytest.fixture
def aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Embedded]:
    """A server at ten past an hour; its endpoint `churn` needs no model here."""
    stub_every_image(monkeypatch)
    with embedded(tmp_path / "aws", DELAY) as running:
        prepare(running)
        yield running

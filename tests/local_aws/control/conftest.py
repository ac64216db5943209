"""A server for tests of the control plane, shared by a module's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.local_aws.control.resources import prepare
from tests.local_aws.embedded import Embedded, echo_every_image, embedded, stub_every_image


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    """A server with what `resources.prepare` makes; its jobs and models are stubs."""
    with pytest.MonkeyPatch.context() as patch:
        stub_every_image(patch)
        echo_every_image(patch)
        with embedded(tmp_path_factory.mktemp("control")) as running:
            prepare(running)
            yield running

"""What runs for the pictures: what `make up` left running, or a week and an Airflow of their own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from model_monitor.config import load_endpoint
from simulation.__main__ import EXAMPLE, simulate
from stack import stack
from stack.settings import Folders
from stack.stack import Stack


@contextmanager
def shown() -> Iterator[Stack]:
    """A running Airflow whose embedded AWS holds a week of the example."""
    running = Stack.find(Folders())
    if running is not None and running.alive:
        yield running
        return
    with TemporaryDirectory(prefix="screenshots-") as folder:
        folders = Folders(Path(folder))
        simulate(load_endpoint(EXAMPLE), folders.aws)
        own = stack.up(folders, ui_port=stack.free_port(), aws_port=stack.free_port(), inherited=os.environ)
        try:
            yield own
        finally:
            own.stop()

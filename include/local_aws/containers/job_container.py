"""What a job's program finds in its container."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import threading
import time
from pathlib import Path
from types import FrameType

JOB_CONFIG = "opt/ml/config/processingjobconfig.json"
SECONDS_AHEAD = "PLATFORM_SECONDS_AHEAD"
"""How far the platform's clock is ahead of the machine's."""


def root() -> Path:
    """The folder that stands for "/"."""
    return Path(os.environ["OPT_ML_ROOT"])


def variables(folder: Path) -> dict[str, str]:
    """The job's own environment variables, without those of the machine it runs on."""
    config = json.loads((folder / JOB_CONFIG).read_text(encoding="utf-8"))
    return {str(name): str(value) for name, value in config["Environment"].items()}


def log_to_stdout() -> None:
    """Log as the images do, by the platform's time; the platform forwards it. A stop says what stopped the program."""
    ahead = float(os.environ.get(SECONDS_AHEAD, 0))
    formatter = logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s")
    formatter.converter = lambda seconds: time.gmtime((seconds or 0.0) + ahead)
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter)
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    signal.signal(signal.SIGTERM, _stopped)


def exit_with_parent() -> None:
    """End this program when the platform that started it is gone: its standard input then closes."""
    threading.Thread(target=_wait_for_parent, name="parent", daemon=True).start()


def _wait_for_parent() -> None:
    while os.read(0, 1024):
        continue
    os._exit(1)


def _stopped(number: int, frame: FrameType | None) -> None:
    logging.getLogger(__name__).info("Signal %d received, cleaning up", number)
    sys.exit(128 + number)

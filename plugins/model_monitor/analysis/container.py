"""The file system of a processing container, and how a job in it ends."""

from __future__ import annotations

import logging
import posixpath
from collections.abc import Callable
from pathlib import Path

from model_monitor.errors import InputError

log = logging.getLogger(__name__)

CONFIG = "/opt/ml/processing/input/config/analysis_config.json"
DATA = "/opt/ml/processing/input/data"
OUTPUT = "/opt/ml/processing/output"
MESSAGE = "/opt/ml/output/message"
METRICS = "/opt/ml/output/metrics/cloudwatch/analysis.jsonl"

DONE, CUSTOMER_ERROR, INTERNAL_ERROR = 0, 1, 2

_MAX_MESSAGE = 1024


def below(root: Path, path: str) -> Path:
    """A path of the container, where `root` stands for its `/`; as of a real root, no `..` leads out of it."""
    return root / posixpath.normpath(f"/{path}").lstrip("/")


def files_below(folder: Path, pattern: str = "*") -> list[Path]:
    """The files in a folder and its subfolders that are not empty, by name; a file stands for itself."""
    if folder.is_file():
        return [folder]
    return sorted(file for file in folder.rglob(pattern) if file.is_file() and file.stat().st_size)


def exit_code(root: Path, work: Callable[[], str | None]) -> int:
    """Do the work and say how it ended.

    The message that `work` returns, or the error, goes to `/opt/ml/output/message`, cut to the 1,024 characters that
    SageMaker keeps. Paths in it are as the container sees them.
    """
    try:
        message = work()
    except InputError as error:
        return _failed(root, f"Customer Error: {error}".replace(f"{root}/", "/"), CUSTOMER_ERROR)
    except MemoryError:
        raise  # The platform says how much memory there was.
    except Exception:
        log.exception("The job failed for a reason of its own")
        message = "Internal Error: the job failed for a reason of its own; its log has the traceback."
        return _failed(root, message, INTERNAL_ERROR)
    if message is not None:
        log.info("exit_message: %s", message)
        _leave(root, message)
    return DONE


def _failed(root: Path, message: str, code: int) -> int:
    log.error("exit_message: %s", message)
    _leave(root, message)
    return code


def _leave(root: Path, message: str) -> None:
    file = below(root, MESSAGE)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(message[:_MAX_MESSAGE], encoding="utf-8")

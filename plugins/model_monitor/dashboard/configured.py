"""The configured endpoints, read again only when their files change."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from model_monitor.config import Endpoints, endpoints_folder, load_endpoints


def configured() -> Endpoints:
    """Every endpoint as its file is now, and the errors of those that cannot be read."""
    folder = endpoints_folder()
    files = []
    for file in sorted(folder.glob("*.yaml")):
        status = file.stat()
        files.append((file.name, status.st_mtime_ns, status.st_size))
    return _load(folder, tuple(files))


@lru_cache(maxsize=1)
def _load(folder: Path, files: tuple[tuple[str, int, int], ...]) -> Endpoints:
    return load_endpoints(folder)

"""The newest folder of those that are named by the hour, found with few requests."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from model_monitor.hooks.s3 import StorageHook

LEVELS = 4


def newest_folder(storage: StorageHook, root: str, now: datetime) -> str | None:
    """The last folder `yyyy/mm/dd/hh` below an address, relative to it; None when there is none.

    One request where today has one, two where yesterday has; else one for each level.
    """
    for day in (now, now - timedelta(days=1)):
        path = f"{day:%Y/%m/%d}"
        if hours := storage.folders(f"{root}/{path}"):
            return f"{path}/{hours[-1]}"
    path = ""
    for _ in range(LEVELS):
        folders = [folder for folder in storage.folders(f"{root}/{path}".rstrip("/")) if folder[0].isdigit()]
        if not folders:
            return None
        path = f"{path}/{folders[-1]}".lstrip("/")
    return path

"""The newest folder of those that are named by the hour, found with few requests."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from model_monitor.history.folders import due

if TYPE_CHECKING:
    from model_monitor.hooks.s3 import StorageHook

LEVELS = 4


def newest_files(storage: StorageHook, root: str, now: datetime) -> tuple[str, set[str]] | None:
    """The folder of `newest_folder` and the names of its files, for days of few files: one request less."""
    for day in _last_days(now):
        if files := storage.list(f"{root}/{day}/"):
            folder = files[-1].removeprefix(f"{root}/").rpartition("/")[0]
            return folder, _names(files, f"{root}/{folder}/")
    older = newest_folder(storage, root, now)
    return None if older is None else (older, _names(storage.list(f"{root}/{older}/"), f"{root}/{older}/"))


def newest_folder(storage: StorageHook, root: str, now: datetime) -> str | None:
    """The last folder `yyyy/mm/dd/hh` below an address, relative to it; None when there is none.

    One request where today has one, two where yesterday has; else one for each level.
    """
    for day in _last_days(now):
        if hours := storage.folders(f"{root}/{day}"):
            return f"{day}/{hours[-1]}"
    path = ""
    for _ in range(LEVELS):
        folders = [folder for folder in storage.folders(f"{root}/{path}".rstrip("/")) if folder[0].isdigit()]
        if not folders:
            return None
        path = f"{path}/{folders[-1]}".lstrip("/")
    return path


def newest_with(storage: StorageHook, root: str, now: datetime, name: str) -> str | None:
    """The last folder of a window that the schedule made and that holds a file of that name; None when there is none.

    As many requests as `newest_folder` makes.
    """
    for day in _last_days(now):
        files = [uri.removeprefix(f"{root}/") for uri in storage.list(f"{root}/{day}/")]
        folders = [file.removesuffix(f"/{name}") for file in files if file.endswith(f"/{name}")]
        regular = [folder for folder in folders if (found := due(folder)) is not None and found.start is None]
        if regular:
            return regular[-1]
    older = newest_folder(storage, root, now)
    return older if older is not None and storage.read(f"{root}/{older}/{name}") is not None else None


def _last_days(now: datetime) -> list[str]:
    return [f"{day:%Y/%m/%d}" for day in (now, now - timedelta(days=1))]


def _names(files: list[str], folder: str) -> set[str]:
    return {file.removeprefix(folder) for file in files if file.startswith(folder)}

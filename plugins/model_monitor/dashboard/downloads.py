"""Handing out files that somebody else wrote: nothing in them may act as the user who looks at them."""

from __future__ import annotations

from pathlib import PurePosixPath
from urllib.parse import quote

from fastapi.responses import Response

from model_monitor.dashboard.security_headers import REPORT_POLICY

TYPES = {
    ".json": "application/json",
    ".csv": "text/csv; charset=utf-8",
    ".html": "application/octet-stream",
    ".pdf": "application/pdf",
}


def shown_report(content: bytes) -> Response:
    """A report to look at, in a sandbox of its own."""
    headers = {"content-security-policy": REPORT_POLICY}
    return Response(content, media_type="text/html; charset=utf-8", headers=headers)


def attachment(name: str, content: bytes) -> Response:
    """A file to keep; browsers do not open it."""
    path = PurePosixPath(name)
    plain = "".join(char if char.isascii() and (char.isalnum() or char in "._- ") else "_" for char in path.name)
    disposition = f"attachment; filename=\"{plain or 'file'}\"; filename*=UTF-8''{quote(path.name, safe='')}"
    return Response(
        content,
        media_type=TYPES.get(path.suffix.lower(), "application/octet-stream"),
        headers={"content-disposition": disposition, "content-security-policy": REPORT_POLICY},
    )

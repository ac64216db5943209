"""Requests of web pages, for a server that takes any key: whatever page a browser shows can send them to this machine.

A page of another site can send what an HTML form can, and the browser then names its origin. A page whose own name is
made to lead here ("DNS rebinding") can send and read everything, and the browser then names it as the host.
"""

from __future__ import annotations

import ipaddress
from typing import Any
from urllib.parse import urlsplit

from local_aws.errors import AwsError
from local_aws.publication import is_loopback

Environ = dict[str, Any]


def require_no_foreign_page(environ: Environ, only_here: bool) -> None:
    """Refuse what a page that does not come from this machine sends.

    Args:
        only_here: nobody but this machine can reach the server, so that it has no name that others could know.

    Raises:
        AwsError: 403.
    """
    host = _host(f"//{environ.get('HTTP_HOST', '')}")
    if only_here and host and not _is_private(host):
        raise _refused(f"This server is not called {host}: ask for 127.0.0.1 or localhost.")
    origin = environ.get("HTTP_ORIGIN")
    if origin is not None:
        if _host(origin) != host and not _is_here(_host(origin)):
            raise _refused(f"Pages of {origin} may not send requests here, for no signature is checked; see --keys.")
    elif environ.get("HTTP_SEC_FETCH_SITE") == "cross-site" and not _is_followed_link(environ):
        raise _refused("Pages of another site may not send requests here, for no signature is checked; see --keys.")


def _is_followed_link(environ: Environ) -> bool:
    return environ.get("HTTP_SEC_FETCH_MODE") == "navigate" and environ["REQUEST_METHOD"] in ("GET", "HEAD")


def _host(address: str) -> str:
    try:
        return (urlsplit(address).hostname or "").rstrip(".")
    except ValueError:
        return address


def _is_here(host: str) -> bool:
    return is_loopback(host) or host.endswith(".localhost")


def _is_private(host: str) -> bool:
    """Whether nobody on the internet can make it lead here: an address, or a name of a kind that nobody owns there."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return "." not in host or host.endswith((".localhost", ".internal"))
    return True


def _refused(message: str) -> AwsError:
    return AwsError("AccessDenied", message, 403)

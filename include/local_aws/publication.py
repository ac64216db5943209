"""What is said at the start: what is published where, and to whom."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable


def reach(host: str) -> str:
    """Who can reach an address that is listened on."""
    if is_loopback(host):
        return "this machine only"
    return "every network of this machine" if host in ("", "0.0.0.0", "::") else f"whoever reaches {host}"


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def services_line(url: str, services: Iterable[str], s3_url: str) -> str:
    """Where each service is."""
    elsewhere = "" if s3_url == url else f"; S3 is at {s3_url}"
    return f"Published on {url}: {', '.join(services)}{elsewhere}"


def warning(host: str, keys_are_checked: bool) -> str | None:
    """What whoever starts the server has to know, if anything."""
    if is_loopback(host) or keys_are_checked:
        return None
    return (
        f"WARNING: local_aws listens on {host or '0.0.0.0'}, for {reach(host)}, and takes any key: whoever gets there "
        "can read and change everything in it, and have programs run as this user. Give --keys, or "
        "leave --host out."
    )

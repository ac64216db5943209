"""How the fork server and its client talk: JSON behind its length, file descriptors beside it."""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Sequence
from typing import Any

_LENGTH = struct.Struct("!I")
MOST_DESCRIPTORS = 2


def send(connection: socket.socket, message: dict[str, Any], descriptors: Sequence[int] = ()) -> None:
    """Send one message."""
    content = json.dumps(message).encode()
    header = _LENGTH.pack(len(content))
    if descriptors:
        socket.send_fds(connection, [header], descriptors)
    else:
        connection.sendall(header)
    connection.sendall(content)


def receive(connection: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    """The next message; None when the other side is gone."""
    header, descriptors, _, _ = socket.recv_fds(connection, _LENGTH.size, MOST_DESCRIPTORS)
    header += _exactly(connection, _LENGTH.size - len(header)) if header else b""
    content = _exactly(connection, _LENGTH.unpack(header)[0]) if len(header) == _LENGTH.size else b""
    return (json.loads(content), descriptors) if content else None


def _exactly(connection: socket.socket, count: int) -> bytes:
    """As many bytes; none when the other side is gone before."""
    parts = b""
    while len(parts) < count:
        part = connection.recv(count - len(parts))
        if not part:
            return b""
        parts += part
    return parts

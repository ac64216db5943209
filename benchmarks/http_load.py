"""Load over raw keep-alive connections, so that the clients' own work stays small beside the servers'."""

from __future__ import annotations

import socket
import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

REGION = "us-west-2"
CLIENTS = 8


@dataclass(frozen=True)
class Load:
    """What a load brought: latencies in seconds, sorted, the time that all took, and the server's own CPU time."""

    latencies: list[float]
    seconds: float
    cpu_seconds: float = 0

    def __add__(self, other: Load) -> Load:
        return Load(
            sorted(self.latencies + other.latencies), self.seconds + other.seconds, self.cpu_seconds + other.cpu_seconds
        )

    @property
    def p50(self) -> float:
        return statistics.median(self.latencies)

    @property
    def p95(self) -> float:
        return self.latencies[int(len(self.latencies) * 0.95)]

    @property
    def cpu_each(self) -> float:
        return self.cpu_seconds / len(self.latencies)

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.seconds


class Connection:
    """One connection that is kept, and opened anew when the server closes it, as clients do."""

    def __init__(self, url: str) -> None:
        self._address = urlsplit(url)
        self._buffer = b""
        self._open()

    def ask(self, request: bytes) -> int:
        """Send a request and read the whole answer; returns how long its body is.

        Raises:
            RuntimeError: the answer is an error.
        """
        if self._closed:
            self._open()
        self._socket.sendall(request)
        while (end := self._buffer.find(b"\r\n\r\n")) < 0:
            self._receive()
        head, self._buffer = self._buffer[:end].lower(), self._buffer[end + 4 :]
        length = int(head.partition(b"content-length:")[2].split(b"\r\n", 1)[0] or 0)
        left = length - len(self._buffer)
        if not head.startswith(b"http/1.1 2"):
            raise RuntimeError(f"{head.decode()} {self._buffer.decode(errors='replace')}")
        while left > 0:
            received = self._socket.recv(min(left, 1 << 20))
            if not received:
                raise RuntimeError("The server closed the connection.")
            left -= len(received)
        self._buffer = b""
        if b"connection: close" in head:
            self.close()
        return length

    def close(self) -> None:
        """End it."""
        self._socket.close()
        self._closed = True

    def _open(self) -> None:
        self._socket = socket.create_connection((self._address.hostname, self._address.port), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._closed = False

    def _receive(self) -> None:
        received = self._socket.recv(65536)
        if not received:
            raise RuntimeError("The server closed the connection.")
        self._buffer += received


def request(service: str, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> bytes:
    """A request's bytes; the signature names the service and is not a real one, as neither server checks it."""
    scope = f"test/20260101/{REGION}/{service}/aws4_request"
    given = {
        "Host": "127.0.0.1",
        "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0",
        "Content-Length": str(len(body)),
    } | (headers or {})
    lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + body


def load(url: str, make: Callable[[int], bytes], count: int, clients: int = CLIENTS) -> Load:
    """Send `count` requests, `make(number)` each, over some connections at once."""
    latencies: list[list[float]] = [[] for _ in range(clients)]
    errors: list[BaseException] = []

    def work(client: int) -> None:
        try:
            connection = Connection(url)
            for number in range(client, count, clients):
                sent = make(number)
                started = time.perf_counter()
                connection.ask(sent)
                latencies[client].append(time.perf_counter() - started)
            connection.close()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(client,)) for client in range(clients)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - started
    if errors:
        raise errors[0]
    return Load(sorted(latency for client in latencies for latency in client), seconds)

"""An HTTP server that subscribes to topics."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.local_aws.embedded import Embedded


@contextmanager
def subscriber() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Its address, and the notifications that it got."""
    received: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", received
    finally:
        server.shutdown()
        server.server_close()


def topic_for(aws: Embedded, address: str) -> str:
    """The ARN of a topic that an address subscribes to."""
    sns = aws.client("sns")
    topic: str = sns.create_topic(Name="drift")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=address)
    return topic

"""Who is told: an SMTP server, a Slack, an address that subscribes to an SNS topic; real ones, on this machine."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass
class MailBox:
    """What an SMTP server took; while it is `full` it takes nothing."""

    received: list[EmailMessage] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    full: bool = False

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.full:
            return "452 Insufficient system storage"
        assert isinstance(envelope.content, bytes)
        self.received.append(message_from_bytes(envelope.content, policy=policy.default))  # type: ignore[arg-type]
        self.recipients.append(envelope.rcpt_tos)
        return "250 OK"

    def body(self) -> str:
        """The HTML of the only message."""
        (message,) = self.received
        (body,) = [part.get_content() for part in message.walk() if part.get_content_type() == "text/html"]
        return str(body)


@contextmanager
def mail_server() -> Iterator[tuple[str, MailBox]]:
    """An Airflow connection to an SMTP server, and its mail box."""
    box = MailBox()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    extra = {"disable_ssl": True, "disable_tls": True, "from_email": "monitor@example.com", "retry_limit": 0}
    connection = {"conn_type": "smtp", "host": "127.0.0.1", "port": port, "extra": extra}
    try:
        yield json.dumps(connection), box
    finally:
        controller.stop()


@dataclass
class Posts:
    """What was posted to an HTTP server: paths and JSON; the status and body that it answers with."""

    url: str = ""
    paths: list[str] = field(default_factory=list)
    received: list[dict[str, Any]] = field(default_factory=list)
    status: int = 200
    answer: bytes = b"ok"


@contextmanager
def http_server() -> Iterator[Posts]:
    """An HTTP server that takes JSON."""
    posts = Posts()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if posts.status == 200:
                posts.paths.append(self.path)
                posts.received.append(json.loads(body))
            self.send_response(posts.status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(posts.answer)

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    posts.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield posts
    finally:
        server.shutdown()
        server.server_close()


@dataclass
class Receivers:
    """All that are told."""

    mail: MailBox
    sns: Posts
    slack: Posts

    def counts(self) -> tuple[int, int, int]:
        return len(self.mail.received), len(self.sns.received), len(self.slack.received)


def slack_texts(post: dict[str, Any]) -> list[str]:
    """What Slack shows of a message, none of it with links of Slack's own making; its API takes blocks as JSON."""
    blocks = json.loads(post["blocks"]) if isinstance(post["blocks"], str) else post["blocks"]
    assert {(block["type"], block["text"]["type"], block["text"]["verbatim"]) for block in blocks} == {
        ("section", "mrkdwn", True)
    }
    return [block["text"]["text"] for block in blocks]

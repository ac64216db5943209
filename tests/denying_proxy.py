"""A server in front of a local_aws that refuses chosen operations, as AWS does for an identity without a permission.

    with denying(aws.url) as proxy:
        proxy.deny("s3:PutObject", "sagemaker:CreateModel")
        ...  # clients of `proxy.url`
        proxy.seen  # ["s3:HeadBucket", "s3:PutObject", ...]

Operations are named as botocore names them, after the service's name in IAM; `InvokeEndpoint` is SageMaker's.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import botocore.session

CLOSED = (
    "This operation is in maintenance mode and is not available to new customers. Existing customers are unaffected."
)
"""What AWS answers a new account that asks for Model Monitor or Clarify."""
MANAGED_MONITORING = frozenset(
    f"sagemaker:Create{what}"
    for what in (
        "MonitoringSchedule",
        "DataQualityJobDefinition",
        "ModelQualityJobDefinition",
        "ModelBiasJobDefinition",
        "ModelExplainabilityJobDefinition",
    )
)

_IAM_NAMES = {"monitoring": "cloudwatch"}
_CREDENTIAL = re.compile(r"Credential=[^/]+/\d+/[^/]+/(?P<service>[^/]+)/aws4_request")
_INVOCATION = re.compile(r"/endpoints/(?P<endpoint>[^/]+)/invocations")
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "expect"}


@dataclass
class DenyingProxy:
    """The server's address, what it is to refuse, and which operations came, in order, those that it refused too."""

    url: str
    denied: set[str] = field(default_factory=set)
    closed: set[str] = field(default_factory=set)
    seen: list[str] = field(default_factory=list)

    def deny(self, *operations: str) -> None:
        """From now on, answer these operations with AccessDenied."""
        self.denied.update(operations)

    def close_managed_monitoring(self) -> None:
        """From now on, answer what creates managed monitors as AWS answers an account that is new to them."""
        self.closed.update(MANAGED_MONITORING)

    def reset(self) -> None:
        """Let everything pass, and forget what came."""
        self.denied.clear()
        self.closed.clear()
        self.seen.clear()


@contextmanager
def denying(upstream: str) -> Iterator[DenyingProxy]:
    """A proxy in front of the server at `upstream`; it lets everything pass until it is told otherwise."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    server.proxy = DenyingProxy(f"http://127.0.0.1:{server.server_address[1]}")  # type: ignore[attr-defined]
    server.upstream = urlsplit(upstream).netloc  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server.proxy  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    server: Any

    def _answer(self) -> None:
        body = self._body()
        proxy: DenyingProxy = self.server.proxy
        operation = self._operation(body)
        if operation is not None:
            proxy.seen.append(operation)
            if operation in proxy.denied:
                return self._refuse(operation, None)
            if operation in proxy.closed:
                return self._refuse(operation, CLOSED)
        return self._pass_on(body)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _answer

    def handle_expect_100(self) -> bool:
        """Let the client send its body now, not when it has waited in vain."""
        super().handle_expect_100()
        self.wfile.flush()
        return True

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        chunks = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(chunks)

    def _operation(self, body: bytes) -> str | None:
        signed = _CREDENTIAL.search(self.headers.get("Authorization", "")) or _CREDENTIAL.search(
            self.path.replace("%2F", "/")
        )
        if signed is None:
            return None
        service = signed["service"]
        if target := self.headers.get("X-Amz-Target"):
            name = target.rpartition(".")[2]
        elif service == "s3":
            name = _s3_operation(self.command, self.path, {key.lower() for key in self.headers})
        elif _INVOCATION.fullmatch(urlsplit(self.path).path):
            name = "InvokeEndpoint"
        else:
            name = parse_qs(body.decode())["Action"][0]
        return f"{_IAM_NAMES.get(service, service)}:{name}"

    def _pass_on(self, body: bytes) -> None:
        headers = {key: value for key, value in self.headers.items() if key.lower() not in _HOP_BY_HOP}
        headers["Content-Length"] = str(len(body))
        connection = HTTPConnection(self.server.upstream)
        try:
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        left_out = _HOP_BY_HOP if self.command == "HEAD" else _HOP_BY_HOP | {"content-length"}
        self._send(
            answer.status, {key: value for key, value in answer.getheaders() if key.lower() not in left_out}, content
        )

    def _refuse(self, operation: str, closed: str | None) -> None:
        message = closed or (
            f"User: arn:aws:iam::123456789012:user/tester is not authorized to perform: {operation} "
            f"because no identity-based policy allows the {operation} action"
        )
        service = operation.partition(":")[0]
        if service == "s3":
            content = f"<?xml version='1.0'?><Error><Code>AccessDenied</Code><Message>{message}</Message></Error>"
            return self._send(403, {"Content-Type": "application/xml"}, content.encode())
        if self.headers.get("X-Amz-Target") or _INVOCATION.fullmatch(self.path):
            code = "ValidationException" if closed else "AccessDeniedException"
            content = json.dumps({"__type": code, "message": message})
            headers = {"Content-Type": "application/x-amz-json-1.1", "x-amzn-ErrorType": code}
            return self._send(400, headers, content.encode())
        content = (
            "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>"
            f"<Message>{message}</Message></Error></ErrorResponse>"
        )
        return self._send(403, {"Content-Type": "text/xml"}, content.encode())

    def _send(self, status: int, headers: dict[str, str], content: bytes) -> None:
        self.send_response_only(status)
        for key, value in headers.items():
            self.send_header(key, value)
        if self.command != "HEAD":
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
        else:
            self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: `seen` tells what came."""


class _Shape(NamedTuple):
    """What a request of an operation looks like."""

    operation: str
    method: str
    depth: int
    query: frozenset[str]
    headers: frozenset[str]


@cache
def _s3_shapes() -> list[_Shape]:
    """The requests of all operations of S3, those first that ask for most."""
    service = botocore.session.get_session().get_service_model("s3")
    shapes = []
    for name in service.operation_names:
        operation = service.operation_model(name)
        if operation.deprecated or operation.input_shape is None:
            continue
        query = operation.http["requestUri"].partition("?")[2]
        needed = [operation.input_shape.members[member] for member in operation.input_shape.required_members]
        located: dict[str, set[str]] = {"uri": set(), "querystring": set(), "header": set()}
        for member in needed:
            if member.serialization.get("location") in located:
                located[member.serialization["location"]].add(member.serialization["name"].lower())
        arguments = {part.partition("=")[0].lower() for part in query.split("&") if part} - {"x-id"}
        shapes.append(
            _Shape(
                name,
                operation.http["method"],
                len(located["uri"]),
                frozenset(arguments | located["querystring"]),
                frozenset(located["header"]),
            )
        )
    return sorted(shapes, key=lambda shape: -len(shape.query) - len(shape.headers))


def _s3_operation(method: str, address: str, headers: set[str]) -> str:
    """The operation of a request whose bucket stands in its path."""
    path, _, query = address.partition("?")
    bucket, _, key = path.strip("/").partition("/")
    depth = bool(bucket) + bool(key)
    arguments = {name.lower() for name in parse_qs(query, keep_blank_values=True)}
    return next(
        shape.operation
        for shape in _s3_shapes()
        if (shape.method, shape.depth) == (method, depth) and shape.query <= arguments and shape.headers <= headers
    )

"""What the Clarify image does beside its analysis: how it asks the model, and what it takes from its configuration."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from local_aws.containers.clarify import CONFIG, Model, request_headers
from model_monitor.errors import ModelError


class Handler(BaseHTTPRequestHandler):
    """A model that answers with what it was asked."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        refused = body == b"bad"
        answer = b'{"message":"no such row"}' if refused else json.dumps(dict(self.headers)).encode()
        self.send_response(400 if refused else 200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *arguments: Any) -> None:
        """Nothing on the terminal."""


@pytest.fixture
def url() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/invocations"
    server.shutdown()
    thread.join()
    server.server_close()


def configured(folder: Path, content: str) -> Path:
    file = folder / CONFIG
    file.parent.mkdir(parents=True)
    file.write_text(content)
    return folder


def test_requests_carry_their_types_and_the_custom_attributes(url: str, tmp_path: Path) -> None:
    folder = configured(tmp_path, json.dumps({"predictor": {"model_name": "m", "custom_attributes": "trace=7"}}))
    headers = json.loads(Model(url, request_headers(folder))(b"{}", "application/json", "application/jsonlines"))
    assert headers["Content-Type"] == "application/json"
    assert headers["Accept"] == "application/jsonlines"
    assert headers["X-Amzn-SageMaker-Custom-Attributes"] == "trace=7"
    assert "/sagemaker/aws4_request" in headers["Authorization"]


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"predictor":[]}', '{"predictor":{"custom_attributes":7}}'])
def test_without_custom_attributes_there_is_no_header(tmp_path: Path, content: str) -> None:
    assert request_headers(configured(tmp_path, content)) == {}


def test_what_the_model_says_to_a_request_that_it_refuses(url: str) -> None:
    with pytest.raises(ModelError, match=r"^no such row$"):
        Model(url, {})(b"bad", "text/csv", "text/csv")

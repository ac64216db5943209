"""A model server that tells what it was asked, or behaves as the body says: `sleep:1`, `status:500`, `die`."""

from __future__ import annotations

import json
import os
import signal
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from local_aws.containers.job_container import exit_with_parent


class Echo(BaseHTTPRequestHandler):
    """The container contract."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._answer(200, b"")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        behaviour, _, value = body.partition(":")
        status = 200
        if behaviour == "sleep":
            time.sleep(float(value))
        elif behaviour == "status":
            status = int(value)
        elif behaviour == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        told = {"headers": {name.lower(): text for name, text in self.headers.items()}, "body": body}
        self._answer(status, json.dumps(told).encode())

    def _answer(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", self.headers.get("Accept", "text/plain"))
        self.send_header("Content-Length", str(len(content)))
        self.send_header("X-Amzn-SageMaker-Custom-Attributes", "answer=1")
        self.end_headers()
        self.wfile.write(content)


class Server(ThreadingHTTPServer):
    """Takes many connections at once."""

    request_queue_size = 128


def main() -> None:
    exit_with_parent()
    server = Server(("127.0.0.1", 0), Echo)
    print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()

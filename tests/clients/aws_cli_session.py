"""The AWS CLI, kept loaded: reads the arguments of one command per line, as a JSON list, and answers with JSON.

Runs in the oracle environment, where the project is not importable.
"""

from __future__ import annotations

import io
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from awscli.clidriver import create_clidriver


@contextmanager
def captured(descriptor: int, content: dict[str, str], name: str) -> Iterator[None]:
    """What the process writes to a descriptor meanwhile; some commands write past `sys.stdout`."""
    stream = sys.stdout if descriptor == 1 else sys.stderr
    kept = os.dup(descriptor)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), descriptor)
        try:
            yield
        finally:
            stream.flush()
            os.dup2(kept, descriptor)
            os.close(kept)
            file.seek(0)
            content[name] = file.read().decode()


def main() -> None:
    for line in sys.stdin.buffer:
        command = json.loads(line)
        sys.stdin = io.TextIOWrapper(io.BytesIO(command["stdin"].encode()))
        answer: dict[str, object] = {}
        written: dict[str, str] = {}
        with captured(1, written, "out"), captured(2, written, "err"):
            try:
                answer["code"] = create_clidriver().main(command["arguments"])
            except SystemExit as ended:
                answer["code"] = ended.code
        print(json.dumps(answer | written), flush=True)


if __name__ == "__main__":
    main()

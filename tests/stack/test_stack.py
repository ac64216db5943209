"""Airflow and the embedded AWS, really started and stopped."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import httpx
import psutil
import pytest

from demo.airflow_api import AirflowApi
from stack import stack
from stack.settings import Folders
from stack.stack import Stack, StackError


def test_up_is_healthy_safe_and_stoppable(tmp_path: Path) -> None:
    folders = Folders(tmp_path)
    running = stack.up(
        folders, ui_port=stack.free_port(), aws_port=stack.free_port(), inherited=os.environ, say=lambda text: None
    )
    try:
        family = [
            member
            for program in running.programs
            for member in [psutil.Process(program.pid), *psutil.Process(program.pid).children(recursive=True)]
        ]
        listening = {
            connection.laddr.ip
            for member in family
            for connection in member.net_connections()
            if connection.status == psutil.CONN_LISTEN
        }
        assert listening == {"127.0.0.1"}

        assert httpx.get(f"{running.ui_url}/api/v2/dags").status_code == httpx.codes.UNAUTHORIZED
        with pytest.raises(httpx.HTTPStatusError):
            AirflowApi(running.ui_url, "admin", "admin")
        api = AirflowApi(running.ui_url, "admin", running.password)
        assert api.import_errors() == {}
        api.close()

        assert running.aws_url is not None
        assert httpx.get(f"{running.aws_url}/_local/health").status_code == httpx.codes.OK

        found = Stack.find(folders)
        assert found is not None
        assert found.programs == running.programs
    finally:
        running.stop()
    assert [member for member in family if member.is_running() and member.status() != psutil.STATUS_ZOMBIE] == []
    assert Stack.find(folders) is None


def test_a_taken_port_is_named_before_anything_is_started(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(StackError, match=rf"Port {port} on 127\.0\.0\.1 is taken"):
            stack.up(Folders(tmp_path), ui_port=port, aws_port=None)
    assert Stack.find(Folders(tmp_path)) is None


def test_a_free_port_is_the_preferred_one_if_it_can_be_had() -> None:
    preferred = stack.free_port()
    assert stack.free_port(preferred) == preferred
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", preferred))
        taken.listen()
        assert stack.free_port(preferred) != preferred

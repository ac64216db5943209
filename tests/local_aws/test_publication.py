from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from local_aws.publication import is_loopback, reach, services_line, warning
from tests.running_aws import ROOT


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_nothing_is_warned_of_on_this_machine(host: str) -> None:
    assert is_loopback(host)
    assert reach(host) == "this machine only"
    assert warning(host, keys_are_checked=False) is None


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "10.0.0.5", "build-7"])
def test_an_open_server_without_keys_is_warned_of(host: str) -> None:
    assert not is_loopback(host)
    said = warning(host, keys_are_checked=False)
    assert said
    assert said.startswith("WARNING: local_aws listens on ")
    assert "takes any key" in said
    assert warning(host, keys_are_checked=True) is None


def test_services_are_told_with_their_address() -> None:
    url = "http://127.0.0.1:5566"
    assert services_line(url, ["iam", "sagemaker"], url) == f"Published on {url}: iam, sagemaker"
    assert services_line(url, ["iam"], "http://s3:9000").endswith("; S3 is at http://s3:9000")


def test_the_start_says_what_is_published(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "local_aws", "--port", "0", "--data-dir", str(tmp_path)],
        env=os.environ | {"PYTHONPATH": f"{ROOT / 'plugins'}{os.pathsep}{ROOT / 'include'}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    ready, published = process.stdout.readline(), process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=30)
    assert "reachable from this machine only" in ready
    assert published.startswith("Published on http://127.0.0.1:")
    assert {"s3", "sagemaker", "monitoring", "events"} <= set(published.split(": ", 1)[1].strip().split(", "))
    assert "WARNING" not in errors

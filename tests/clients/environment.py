"""Clients in processes and environments of their own."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

from tests.running_aws import REGION


def client_environment(url: str, **changes: str) -> dict[str, str]:
    """Where AWS is and with which key, and nothing of the developer's own AWS settings and files."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    ours = {
        "AWS_ENDPOINT_URL": url,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "SAGEMAKER_SUPPRESS_V2_WARNING": "1",
    }
    return inherited | ours | changes


def seen_by(command: list[str], url: str) -> dict[str, Any]:
    """What a client's script saw: it ends well, and its last line is JSON."""
    run = subprocess.run(command, env=client_environment(url), capture_output=True, text=True, timeout=600)
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-5000:]
    seen: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return seen

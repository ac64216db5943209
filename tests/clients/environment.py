"""The environment that a client's own process gets."""

from __future__ import annotations

import os

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

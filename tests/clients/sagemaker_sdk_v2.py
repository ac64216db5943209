"""SageMaker's Python SDK v2 at the server of a script's `<url> <data folder>`; imported first, it watches every client.

Runs in the oracle environment, where the project is not importable.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import sagemaker.session

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from strict_responses import complaints, watch_every_client

__all__ = ["DATA", "ROLE", "URL", "complaints"]

watch_every_client()
URL = sys.argv[1]
DATA = Path(sys.argv[2])
ROLE = "arn:aws:iam::123456789012:role/service-role/SageMakerRole"
# The SDK gives its STS client an address of its own and so misses AWS_ENDPOINT_URL.
sagemaker.session.sts_regional_endpoint = lambda region: URL
# The SDK looks after its endpoints every 30 seconds; here they are ready in two.
sleep = time.sleep
time.sleep = lambda seconds: sleep(min(seconds, 0.5))

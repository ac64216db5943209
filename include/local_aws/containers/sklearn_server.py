"""The scikit-learn image: script mode, whose default input turns JSON and CSV into single-precision numbers."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from local_aws.containers import array_payloads, script_server
from local_aws.containers.model_server import serve


def read_numbers(content: str | bytes, content_type: str) -> np.ndarray:
    """The default `input_fn`.

    Raises:
        UnsupportedType: for a content type that is neither JSON, CSV nor NPY.
    """
    values = array_payloads.decode(content, content_type)
    return values.astype(np.float32) if content_type in array_payloads.TEXTS else values


def load(model_folder: Path) -> script_server.Script:
    """The model as its script loads it."""
    return script_server.load(model_folder, read_numbers)


def main() -> int:
    """Serve."""
    return serve(load)


if __name__ == "__main__":
    sys.exit(main())

"""Arrays in and out of a request as SageMaker's inference toolkit has them by default: JSON, CSV, NPY."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np

JSON, CSV, NPY = "application/json", "text/csv", "application/x-npy"
TEXTS = frozenset({JSON, CSV})
"""What a handler gets as text; anything else, as bytes."""


class UnsupportedType(Exception):
    """No default reads or writes a content type."""

    def __init__(self, content_type: str) -> None:
        super().__init__(
            f"Content type {content_type} is not supported by the default handlers, which take {JSON}, {CSV} and "
            f"{NPY}. Implement input_fn to read the request, or output_fn to write the answer."
        )


def decode(content: str | bytes, content_type: str) -> np.ndarray:
    """The array in a request; of a CSV with one row or one column, one dimension.

    Raises:
        UnsupportedType: for another content type.
        ValueError: the content is not what its type says.
    """
    if content_type == NPY:
        # A pickle inside would run code of whoever sends the request.
        loaded: np.ndarray = np.load(io.BytesIO(_as_bytes(content)), allow_pickle=False)
        return loaded
    text = content if isinstance(content, str) else content.decode("utf-8")
    if content_type == JSON:
        return np.array(json.loads(text))
    if content_type == CSV:
        return np.genfromtxt(io.StringIO(text), dtype=None, delimiter=",")
    raise UnsupportedType(content_type)


def encode(values: Any, content_type: str) -> bytes:
    """An array, or what can be one.

    Raises:
        UnsupportedType: for another content type.
    """
    if content_type == JSON:
        return json.dumps(values, default=_plain).encode()
    if content_type == CSV:
        text = io.StringIO()
        np.savetxt(text, values, delimiter=",", fmt="%s")
        return text.getvalue().encode()
    if content_type == NPY:
        buffer = io.BytesIO()
        np.save(buffer, values, allow_pickle=False)
        return buffer.getvalue()
    raise UnsupportedType(content_type)


def _as_bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")

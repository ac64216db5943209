"""Content types of tabular data."""

from __future__ import annotations

from model_monitor.errors import AnalysisError

CSV = "text/csv"
JSON_LINES = "application/jsonlines"
JSON = "application/json"
PARQUET = "application/x-parquet"

OF_ENDPOINTS = (CSV, JSON_LINES, JSON)
"""What models are asked in, and answer in."""


def media_of(content_type: str, key: str) -> str:
    """The one of `OF_ENDPOINTS` that a content type is, its parameters such as a charset left out.

    Raises:
        AnalysisError: for any other one, naming the configuration's `key`.
    """
    media = content_type.split(";")[0].strip().lower()
    if media not in OF_ENDPOINTS:
        raise AnalysisError(
            f"Analysis configuration schema validation error. {key} is {content_type!r}; models are asked and answer "
            f"in {', '.join(OF_ENDPOINTS)} here."
        )
    return media

"""Links in messages to Airflow's pages, as people reach them."""

from __future__ import annotations

from collections.abc import Sequence

from airflow.sdk.configuration import conf

Links = tuple[tuple[str, str], ...]


def airflow_address() -> str:
    """Where browsers reach Airflow, by its setting `[api] base_url`; empty where that is not set."""
    return conf.get("api", "base_url", fallback="") or ""


def airflow_links(base: str, pages: Sequence[tuple[str, str]]) -> Links:
    """Texts and addresses of pages, which come as texts and paths below `base`; none without a base."""
    return tuple((text, f"{base.rstrip('/')}{path}") for text, path in pages) if base else ()

"""The dashboard's own files and plotly.js: compressed once, kept by browsers until they change."""

from __future__ import annotations

import gzip
import hashlib
import re
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

FOLDER = Path(__file__).with_name("static")
TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
PLOTLY = "plotly.min.js"


@dataclass(frozen=True)
class StaticFile:
    """A file as it is sent."""

    content: bytes
    compressed: bytes
    media_type: str
    etag: str


@cache
def names() -> frozenset[str]:
    """The names of all static files."""
    return frozenset({PLOTLY, *(file.name for file in FOLDER.iterdir() if file.suffix in TYPES)})


@cache
def static_file(name: str) -> StaticFile:
    """One of `names`."""
    content = (_plotly() if name == PLOTLY else FOLDER / name).read_bytes()
    digest = hashlib.sha256(content).hexdigest()[:16]
    return StaticFile(content, gzip.compress(content, 6, mtime=0), TYPES[Path(name).suffix], f'"{digest}"')


@cache
def version(name: str) -> str:
    """What makes a file's address change with its content."""
    return static_file(name).etag.strip('"')


@cache
def embedded_style_ids() -> tuple[str, ...]:
    """The ids of `<style>` elements that plotly.js adds as it is loaded, unless the page has elements of these ids.

    They style maps, which the dashboard has none of, and a strict policy refuses them.
    """
    found = re.findall(rb'getElementById\("([0-9a-f]{64})"\)', static_file(PLOTLY).content)
    return tuple(dict.fromkeys(match.decode() for match in found))


def _plotly() -> Path:
    spec = find_spec("plotly")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("plotly is not installed, and the dashboard's plots need its plotly.min.js")
    return Path(spec.submodule_search_locations[0]) / "package_data" / PLOTLY

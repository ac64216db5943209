"""What a container would show and take, for programs that run on the host in its stead."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Mapping
from pathlib import Path

HOST_VARIABLES = ("PYTHON", "LD_", "DYLD_")
"""Variables of these names steer the host's interpreter and loader, so a request cannot set them."""
PASSED_ON = ("PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV")
"""Variables that programs get from this process's environment, and no others."""


class ContainerView:
    """Says texts as a program inside the container would: `root` is "/", and the host's own folders are not named."""

    def __init__(self, root: Path) -> None:
        own = Path(__file__).resolve().parents[2]
        shown = {f"{root}/": "/", str(root): "/", f"{sys.prefix}/": "/usr/", f"{sys.base_prefix}/": "/usr/"}
        self._shown = shown | {f"{own}/": "/opt/program/"}

    def of(self, text: str) -> str:
        """The text with the container's paths."""
        for host, inside in self._shown.items():
            text = text.replace(host, inside)
        return text


def variables_for(asked: Mapping[str, str], own: Mapping[str, str]) -> dict[str, str]:
    """A program's environment: what the request asks for, then our own, which wins."""
    return {name: value for name, value in asked.items() if not name.startswith(HOST_VARIABLES)} | dict(own)


def source_path(module: str) -> str:
    """The `PYTHONPATH` by which a program finds itself and this project's packages, however this process did."""
    names = dict.fromkeys((module.split(".")[0], "local_aws", "model_monitor"))
    specs = (importlib.util.find_spec(name) for name in names)
    places = ([*(spec.submodule_search_locations or []), spec.origin] for spec in specs if spec is not None)
    folders = dict.fromkeys(str(Path(place[0]).resolve().parent) for place in places if place[0])
    return os.pathsep.join(folders)

"""Endpoints from their YAML files; what is wrong with one is told and stops no other."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from pydantic import ValidationError

from model_monitor.config.endpoint import PROJECT, MonitoredEndpoint
from model_monitor.config.errors import explain
from model_monitor.errors import ConfigError

# Every DAG file reads all endpoints' files each time it is parsed; libyaml reads ten times as fast as Python does.
YAML = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Endpoints:
    """Every endpoint that could be loaded, and an error for every file that could not."""

    valid: list[MonitoredEndpoint] = field(default_factory=list)
    errors: list[ConfigError] = field(default_factory=list)

    def __iter__(self) -> Iterator[MonitoredEndpoint]:
        return iter(self.valid)


def endpoints_folder() -> Path:
    """Where the YAML files are: `MODEL_MONITOR_ENDPOINTS`, or `include/endpoints`."""
    return Path(os.environ.get("MODEL_MONITOR_ENDPOINTS") or PROJECT / "include" / "endpoints")


def load_endpoints(folder: Path | None = None) -> Endpoints:
    """Load every `*.yaml` of a folder; one that is broken, or takes another's name or prefix, becomes an error."""
    found = Endpoints()
    taken: dict[str, Path] = {}
    for file in sorted((folder or endpoints_folder()).glob("*.yaml")):
        try:
            endpoint = load_endpoint(file)
            place = f"s3://{endpoint.bucket}/{endpoint.prefix}"
            for key, value in (("name", endpoint.name), ("prefix", place)):
                if value in taken:
                    raise ConfigError(f"{file}: {key}: '{value}' is taken by {taken[value]}")
        except ConfigError as error:
            found.errors.append(error)
        else:
            taken |= {endpoint.name: file, place: file}
            found.valid.append(endpoint)
    return found


def load_endpoint(file: Path) -> MonitoredEndpoint:
    """Load one endpoint's YAML.

    Raises:
        ConfigError: naming the file, each wrong key and what is allowed there.
    """
    try:
        content = yaml.load(file.read_text(encoding="utf-8"), YAML)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{file}: not readable as YAML: {error}") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{file}: expected keys and values such as 'name: churn', found {type(content).__name__}")
    try:
        endpoint = MonitoredEndpoint.model_validate(content)
    except ValidationError as error:
        raise ConfigError("\n".join(f"{file}: {line}" for line in explain(error, MonitoredEndpoint))) from error
    if file.parent.name == "endpoints" and file.parent.parent.name == "include":
        endpoint._project = file.resolve().parents[2]
    return endpoint

"""What requests need to know of an endpoint's own files: fingerprints of content, headers, the mean of the inputs."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from statistics import fmean

from model_monitor import analysis_configs, names, requests
from model_monitor.config import MonitoredEndpoint
from model_monitor.config.monitors import ShapRows
from model_monitor.errors import InputError
from model_monitor.names import Kind


def content(file: Path) -> str:
    """The fingerprint of a file's bytes."""
    with _opened(file) as opened:
        return names.fingerprint(hashlib.file_digest(opened, "sha256").hexdigest())


def archive(endpoint: MonitoredEndpoint) -> str:
    """The fingerprint of the YAML's model archive; which model is in force, `model_in_force` says."""
    return content(endpoint.path(endpoint.model.archive))


def validation_uri(endpoint: MonitoredEndpoint) -> str:
    """Where the validation data set as it is now is uploaded to."""
    return names.baseline_input(endpoint, content(endpoint.path(endpoint.data.validation)))


def headers(endpoint: MonitoredEndpoint) -> list[str]:
    """The columns of the validation data set: as configured, or a CSV's first line.

    Raises:
        InputError: when the label is not among them.
    """
    if endpoint.data.headers is not None:
        return endpoint.data.headers
    file = endpoint.path(endpoint.data.validation)
    found = next(_rows(file), [])
    if endpoint.data.label not in found:
        raise InputError(
            f"{file}: line 1: Headers must contain label. There is no column '{endpoint.data.label}', which is the "
            f"endpoint's data.label; the header begins with {', '.join(found[:3]) or 'nothing'}"
        )
    return found


def shap_baseline(endpoint: MonitoredEndpoint) -> analysis_configs.ShapBaseline:
    """Kernel SHAP's baseline: rows as configured, an address, one row with the mean of each column of `data.test`, or
    None for the data's clusters.

    Raises:
        InputError: naming file, line and column of a value that has no mean.
    """
    configured = endpoint.explainability.baseline
    if isinstance(configured, ShapRows):
        return configured.rows
    if configured == "clusters":
        return None
    if configured != "test_mean":
        return configured
    file = endpoint.path(endpoint.data.test)
    table = [_numbers(file, line, row) for line, row in enumerate(_rows(file), start=1) if row]
    if not table:
        raise InputError(f"{file}: no rows; the SHAP baseline 'test_mean' needs at least one")
    for line, row in enumerate(table, start=1):
        if len(row) != len(table[0]):
            raise InputError(f"{file}: line {line}: {len(row)} columns, where line 1 has {len(table[0])}")
    return [[fmean(column) for column in zip(*table, strict=True)]]


def baseline_analysis(endpoint: MonitoredEndpoint, kind: Kind, model: str) -> requests.Body:
    """The analysis configuration of a baselining job of the model of that name, on the files as they are now."""
    if kind == "bias":
        return analysis_configs.bias_baseline_analysis(endpoint, model, headers(endpoint))
    return analysis_configs.explainability_baseline_analysis(
        endpoint, model, headers(endpoint), shap_baseline(endpoint)
    )


def monitor_analysis(endpoint: MonitoredEndpoint, kind: Kind, model: str) -> requests.Body:
    """The analysis configuration of a monitor of the model of that name, as the files are now."""
    if kind == "bias":
        return analysis_configs.bias_monitor_analysis(endpoint, headers(endpoint))
    return analysis_configs.explainability_monitor_analysis(endpoint, model, headers(endpoint), shap_baseline(endpoint))


def baselining_job(endpoint: MonitoredEndpoint, kind: Kind, model: str, attempt: int = 1) -> requests.Body:
    """CreateProcessingJob for the model of that name and the files as they are now."""
    return requests.create_processing_job(
        endpoint, kind, baseline_analysis(endpoint, kind, model), validation_uri(endpoint), attempt
    )


def traffic_rows(file: Path) -> list[str]:
    """The rows of a file without header, as they are sent to an endpoint.

    Raises:
        InputError: when there are none.
    """
    rows = [line for line in _text(file, "utf-8").splitlines() if line.strip()]
    if not rows:
        raise InputError(f"{file}: no rows to send")
    return rows


def _rows(file: Path) -> Iterator[list[str]]:
    yield from csv.reader(_text(file, "utf-8-sig").splitlines())


def _numbers(file: Path, line: int, row: list[str]) -> list[float]:
    numbers = []
    for column, value in enumerate(row, start=1):
        try:
            numbers.append(float(value))
        except ValueError as error:
            raise InputError(f"{file}: line {line}: column {column}: '{value}' is not a number") from error
    return numbers


def _text(file: Path, encoding: str) -> str:
    with _opened(file) as opened:
        try:
            return opened.read().decode(encoding)
        except UnicodeDecodeError as error:
            raise InputError(
                f"{file}: byte {error.start + 1} is not UTF-8. Is it a text file, saved as UTF-8?"
            ) from error


def _opened(file: Path) -> BufferedReader:
    try:
        return file.open("rb")
    except OSError as error:
        raise InputError(
            f"{file}: cannot be read: {error.strerror}. Is the path in the endpoint's YAML right, and the file made?"
        ) from error

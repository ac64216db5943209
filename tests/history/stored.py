"""Reports, baselines and traffic as they lie in S3, put there by tests."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from model_monitor import names
from model_monitor.config import MonitoredEndpoint
from model_monitor.history.memory import Memory
from model_monitor.history.reader import History
from model_monitor.hooks.s3 import StorageHook
from model_monitor.hooks.sagemaker import SageMakerHook
from model_monitor.names import Kind

HOSTILE = "<script>alert('1')</script> & \"quotes\" \u202e ü 🙂 " + "x" * 500

Values = Mapping[str, float | str | None]


Hooks = tuple[StorageHook, SageMakerHook]


def hooks_of(endpoint: MonitoredEndpoint) -> Hooks:
    """Clients of the server that the endpoint's connection points to."""
    about: dict[str, Any] = {"aws_conn_id": endpoint.aws_conn_id, "region_name": endpoint.region}
    return StorageHook(**about), SageMakerHook(**about)


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds

    def pass_by(self, seconds: float) -> None:
        """Let time pass."""
        self.seconds += seconds


@dataclass
class Place:
    """An endpoint, what lies in its bucket, and its history with the clock by which it grows old."""

    endpoint: MonitoredEndpoint
    storage: StorageHook
    history: History
    clock: Clock

    @classmethod
    def of(cls, endpoint: MonitoredEndpoint, hooks: Hooks, memory: Memory | None = None) -> Place:
        """With a history that has learnt nothing."""
        storage, sagemaker = hooks
        clock = Clock()
        return cls(endpoint, storage, History(endpoint, storage, sagemaker, memory, clock), clock)

    def report(self, kind: Kind, window: str, **files: Any) -> None:
        """Put result files (`analysis`, `constraint_violations`, `uncertainty`: JSON or text), and a page beside."""
        folder = names.report_folder(self.endpoint, kind, window)
        for name, content in files.items():
            self.put(f"{folder}/{name}.json", content)
        self.put(f"{folder}/report.html", f"<html>{kind} {window}</html>")

    def baseline(self, kind: Kind, analysis: Any) -> None:
        """Put a baseline's analysis, and a page beside."""
        self.put(names.baseline_constraints(self.endpoint, kind), analysis)
        self.put(f"{names.baseline_output(self.endpoint, kind)}/report.html", "<html>baseline</html>")

    def put(self, uri: str, content: Any) -> None:
        """Put JSON, or text and bytes as they are."""
        self.storage.put(uri, content if isinstance(content, str | bytes) else json.dumps(content))

    def later(self, seconds: float = 10.0) -> None:
        """Let time pass, so that what lies there is looked at again."""
        self.clock.pass_by(seconds)


def bias(
    groups: Mapping[str, Values], facet: str = "Age", section: str = "post_training_bias_metrics"
) -> dict[str, Any]:
    """A bias analysis: metrics by group of one facet."""
    entries = [
        {
            "value_or_threshold": group,
            "metrics": [
                {"name": name, "description": f"{name} in words", "value": value}
                | ({"error": "Cannot be computed"} if value is None else {})
                for name, value in metrics.items()
            ],
        }
        for group, metrics in groups.items()
    ]
    return {"version": "1.0", section: {"label": "Left", "label_value_or_threshold": "1", "facets": {facet: entries}}}


def explained(values: Mapping[str, float], label: str = "label0", expected: float = 0.5) -> dict[str, Any]:
    """An analysis that explains one label."""
    found = {"global_shap_values": dict(values), "expected_value": expected}
    return {"version": "1.0", "explanations": {"kernel_shap": {label: found}}}


def violations(*entries: tuple[str, str, str]) -> dict[str, Any]:
    """Violations of bias metrics by facet, group and name."""
    return {
        "version": "1.0",
        "violations": [
            {
                "facet": facet,
                "facet_value": group,
                "metric_name": name,
                "constraint_check_type": "bias_drift_check",
                "description": f"{name} is worse",
            }
            for facet, group, name in entries
        ],
    }

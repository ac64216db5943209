"""A processing container's file system, filled by a test, and one run of the analysis in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from model_monitor.analysis import job
from model_monitor.analysis.predictor import Invoke

CONSTRAINTS = "/opt/ml/processing/baseline/constraints/analysis.json"


class Container:
    """A container's file system and one run in it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, path: str, content: str | dict[str, Any]) -> None:
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")

    def configure(self, config: str | dict[str, Any]) -> None:
        self.put("/opt/ml/processing/input/config/analysis_config.json", config)

    def give(self, *rows: str) -> None:
        self.put("/opt/ml/processing/input/data/validation.csv", "\n".join(rows) + "\n")

    def run(self, environment: dict[str, str], invoke: Invoke | None, **further: Any) -> int:
        return job.run(self.root, environment, invoke, **further)

    @property
    def message(self) -> str:
        return (self.root / "opt/ml/output/message").read_text()

    @property
    def output(self) -> Path:
        return self.root / "opt/ml/processing/output"

    def files(self) -> list[str]:
        return sorted(str(file.relative_to(self.output)) for file in self.output.rglob("*") if file.is_file())

    def analysis(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.output / "analysis.json").read_text())
        return found

    def metrics(self) -> list[dict[str, Any]]:
        file = self.root / "opt/ml/output/metrics/cloudwatch/analysis.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()]


def environment(kind: str, **further: str) -> dict[str, str]:
    """What the platform passes to a monitoring job."""
    return {
        "analysis_type": kind,
        "dataset_source": "/opt/ml/processing/input/endpoint",
        "dataset_format": '{"sagemakerMergeJson":{"captureIndexNames":["endpointInput","endpointOutput"]}}',
        "output_path": "/opt/ml/processing/output",
        "start_time": "2026-11-22T10:00:00Z",
        "end_time": "2026-11-22T11:00:00Z",
        "metric_time": "2026-11-22T10:00:00Z",
        "publish_cloudwatch_metrics": "Enabled",
        "sagemaker_endpoint_name": "churn",
        "sagemaker_monitoring_schedule_name": "churn-bias",
    } | further

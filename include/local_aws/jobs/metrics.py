"""A job's metric files to CloudWatch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

METRICS = "opt/ml/output/metrics/cloudwatch"
MOST_PER_CALL = 1000


def publish(cloudwatch: Any, root: Path) -> int:
    """Publish what a job left in its metrics folder, and tell how many values that were.

    Each line is one PutMetricData request as JSON, `Namespace` included; moments are ISO-8601 or epoch seconds.
    """
    by_namespace: dict[str, list[dict[str, Any]]] = {}
    for file in sorted((root / METRICS).glob("*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            if line.strip():
                request = json.loads(line)
                by_namespace.setdefault(request["Namespace"], []).extend(request["MetricData"])
    for namespace, data in by_namespace.items():
        for start in range(0, len(data), MOST_PER_CALL):
            cloudwatch.put_metric_data(Namespace=namespace, MetricData=data[start : start + MOST_PER_CALL])
    return sum(len(data) for data in by_namespace.values())

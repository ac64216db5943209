"""Verdicts as VerdictOperator and the judges answer them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from model_monitor import names
from model_monitor.config import MonitoredEndpoint
from model_monitor.failures import failed_verdict

DAY = datetime(2026, 11, 22, tzinfo=UTC)


def bias_verdict(endpoint: MonitoredEndpoint, hour: int, *metrics: str, facet: str = "Age") -> dict[str, Any]:
    """The verdict on the window due at an hour, with a violation of each of these metrics."""
    return {
        "endpoint": endpoint.name,
        "kind": "bias",
        "schedule": names.schedule(endpoint, "bias"),
        "scheduled": DAY.replace(hour=hour).isoformat(),
        "status": "CompletedWithViolations" if metrics else "Completed",
        "report": names.report_folder(endpoint, "bias", f"2026/11/22/{hour:02}"),
        "files": ["analysis.json", "report.html"],
        "violations": [
            {
                "metric": metric,
                "description": f"{metric} is worse",
                "facet": facet,
                "position": 0,
                "facet_value": "(0, 2.5]",
                "value": 0.4321,
                "baseline": -0.1234,
            }
            for metric in metrics
        ],
    }


def explainability_verdict(endpoint: MonitoredEndpoint, hour: int, ndcg: float) -> dict[str, Any]:
    """The verdict on the window due at an hour."""
    violation = {"metric": "shap", "description": f"Feature attribution drift {ndcg} exceeds 0.9", "label": "label0"}
    return {
        **bias_verdict(endpoint, hour),
        "kind": "explainability",
        "schedule": names.schedule(endpoint, "explainability"),
        "status": "CompletedWithViolations" if ndcg < 0.9 else "Completed",
        "report": names.report_folder(endpoint, "explainability", f"2026/11/22/{hour:02}"),
        "violations": [violation] if ndcg < 0.9 else [],
        "ndcg": {"label0": ndcg},
    }


def failed(endpoint: MonitoredEndpoint, hour: int, reason: str = "Job inputs had no data") -> dict[str, Any]:
    """The verdict on a window that could not be judged."""
    report = names.report_folder(endpoint, "bias", f"2026/11/22/{hour:02}")
    return failed_verdict(endpoint, "bias", DAY.replace(hour=hour), "Failed", reason, report)

"""An endpoint whose reports hold texts that a page could mistake for code. No job wrote them, but they lie in S3."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from model_monitor import names
from model_monitor.config import MonitoredEndpoint, load_endpoint
from model_monitor.names import Kind

NAME = "hostile"
WINDOWS = 3
LABEL = "<u>label</u>"
LONG = "long " + "x" * 495
TEXTS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</script><script>alert(1)</script>",
    "'single' \"double\" `back` \\ slash",
    "%{x} %{customdata[0]} ${y} {{ 7*7 }} {% raw %}",
    "$\\frac{1}{2}$",
    "<b>bold</b><br>&amp; &lt;i&gt;",
    "javascript:alert(1)",
    "__proto__",
    "\u202eright to left\u202c שלום 😀",
    LONG,
)
FILES = ("<img src=x onerror=alert(1)>.html", "\"quoted\" 'file'.json", "naïve 😀 %2e%2e & more.txt")
# A report is whatever lies in S3 under that name: here, a page that tries to act as the user who reads it.
REPORT = """<!doctype html><title>A report</title><body><h1>Report of nobody</h1><script>
try { parent.document.documentElement.dataset.reached = "parent"; } catch (refused) {}
try { document.documentElement.dataset.cookie = document.cookie; } catch (refused) {}
fetch("/api/v2/dags").then(a => a.json()).then(a => document.documentElement.dataset.dags = a.total_entries, () => {});
alert(1);
</script></body>"""


def write_endpoint(folder: Path, like: Path) -> MonitoredEndpoint:
    """Its YAML, beside a copy of another one's that it is like."""
    folder.mkdir(parents=True)
    (folder / like.name).write_bytes(like.read_bytes())
    whole = yaml.safe_load(like.read_text(encoding="utf-8"))
    content = {key: whole[key] for key in ("region", "role", "bucket", "model", "data", "ground_truth")}
    content |= {
        "name": NAME,
        "description": TEXTS[0],
        "owner": "mallory",
        "prefix": "hostile",
        "bias": {"facets": [{"name": text} for text in TEXTS], "label_values_or_threshold": [1]},
    }
    content["data"]["label"] = LABEL
    file = folder / f"{NAME}.yaml"
    file.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return load_endpoint(file)


def write_reports(endpoint: MonitoredEndpoint, s3: Any, newest: datetime) -> list[str]:
    """Baselines, and a report of each monitor in each of some hours; returns the windows, oldest first."""
    hours = [newest - number * timedelta(hours=1) for number in reversed(range(WINDOWS))]
    windows = [names.hour_path(hour) for hour in hours]
    for kind in names.KINDS:
        _write(s3, names.baseline_output(endpoint, kind), {"analysis.json": _analysis(kind, 0)})
        for number, window in enumerate(windows, 1):
            files = {
                "analysis.json": _analysis(kind, number),
                "constraint_violations.json": _violations(kind),
                "report.html": REPORT,
                **dict.fromkeys(FILES, "a file"),
            }
            _write(s3, names.report_folder(endpoint, kind, window), files)
    return windows


def moment(text: str) -> datetime:
    """The full hour of a moment in ISO 8601."""
    return datetime.fromisoformat(text).replace(minute=0, second=0, microsecond=0)


def _write(s3: Any, folder: str, files: dict[str, Any]) -> None:
    bucket, prefix = names.split_s3(folder)
    for name, content in files.items():
        body = content if isinstance(content, str) else json.dumps(content, indent=4)
        s3.put_object(Bucket=bucket, Key=f"{prefix}/{name}", Body=body.encode())


def _analysis(kind: Kind, number: int) -> dict[str, Any]:
    if kind == "explainability":
        shap = {text: 0.01 * (place + number) for place, text in enumerate(TEXTS)}
        labels = {text: {"global_shap_values": shap, "expected_value": 0.1} for text in TEXTS[:2]}
        return {"version": "1.0", "explanations": {"kernel_shap": labels}}
    facets = {text: [{"value_or_threshold": text, "metrics": _metrics(number)}] for text in TEXTS}
    return {
        "version": "1.0",
        "post_training_bias_metrics": {"label": LABEL, "facets": facets, "label_value_or_threshold": TEXTS[0]},
    }


def _metrics(number: int) -> list[dict[str, Any]]:
    named = [{"name": text, "description": text, "value": 0.1 * number} for text in TEXTS]
    usual = {"name": "DPPL", "description": TEXTS[0], "value": 0.1 + 0.1 * number}
    broken = {"name": "CDDPL", "description": TEXTS[6], "value": None, "error": TEXTS[0]}
    endless = {"name": "DI", "description": TEXTS[4], "value": "Infinity"}
    return [usual, broken, endless, *named]


def _violations(kind: Kind) -> dict[str, Any]:
    found = [
        {"label": text, "metric_name": "shap", "constraint_check_type": TEXTS[2], "description": text}
        if kind == "explainability"
        else {
            "facet": text,
            "facet_value": text,
            "metric_name": "DPPL",
            "constraint_check_type": TEXTS[2],
            "description": f"{text} Metric value 0.4 doesn't meet the baseline constraint requirement 0.1",
        }
        for text in TEXTS
    ]
    return {"version": "1.0", "violations": found}

"""Every resource name and every S3 address, in one place.

Names come from configuration and content, never from the clock, so that a second try finds what the first one made.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from model_monitor.config import MonitoredEndpoint

Kind = Literal["bias", "explainability"]
KINDS: tuple[Kind, ...] = ("bias", "explainability")

FINGERPRINT_TAG = "model-monitor:fingerprint"
ENDPOINT_TAG = "model-monitor:endpoint"


def fingerprint(*parts: Any) -> str:
    """Twelve hexadecimal digits that change when any of the JSON-like parts changes."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:12]


def model(endpoint: MonitoredEndpoint, content: str) -> str:
    """The model's name; `content` is the fingerprint of archive, image and environment."""
    return f"{endpoint.name}-{content}"


def endpoint_config(endpoint: MonitoredEndpoint, content: str) -> str:
    """The endpoint configuration's name; configurations are immutable, so a change makes a new one."""
    return f"{endpoint.name}-{content}"


def endpoint(endpoint: MonitoredEndpoint) -> str:
    """The endpoint's name."""
    return endpoint.name


def baseline_job(endpoint: MonitoredEndpoint, kind: Kind, content: str) -> str:
    """The baselining job's name; cut short so that, as all names, it has at most 63 characters."""
    suffix = f"-{_SHORT[kind]}-baseline-{content}"
    return endpoint.name[: 63 - len(suffix)].rstrip("-") + suffix


def job_definition(endpoint: MonitoredEndpoint, kind: Kind, content: str) -> str:
    """The monitoring job definition's name; definitions are immutable, so a change makes a new one."""
    return f"{endpoint.name}-{_SHORT[kind]}-{content}"


def preflight_definition(endpoint: MonitoredEndpoint, content: str) -> str:
    """The job definition that is made, and deleted at once, to find out whether the managed service is open."""
    return f"{endpoint.name}-preflight-{fingerprint(content)}"


def schedule(endpoint: MonitoredEndpoint, kind: Kind) -> str:
    """The monitoring schedule's name."""
    return f"{endpoint.name}-{_SHORT[kind]}"


def alarm(endpoint: MonitoredEndpoint, kind: Kind, identity: str, side: str) -> str:
    """A CloudWatch alarm's name, of at most 255 ASCII characters; `side` is `above` or `below` its limit."""
    return f"{alarm_prefix(endpoint, kind)}{identity}-{side}"


def alarm_prefix(endpoint: MonitoredEndpoint, kind: Kind) -> str:
    """How the names of a monitor's alarms begin."""
    return f"{endpoint.name}-{_SHORT[kind]}-"


_SHORT: dict[Kind, str] = {"bias": "bias", "explainability": "explain"}


def s3(endpoint: MonitoredEndpoint, *parts: str) -> str:
    """An address below the endpoint's bucket and prefix."""
    return "/".join([f"s3://{endpoint.bucket}", endpoint.prefix, *parts])


def model_archive(endpoint: MonitoredEndpoint, content: str) -> str:
    """Where the model archive is uploaded to."""
    return s3(endpoint, "model", content, "model.tar.gz")


def write_test(endpoint: MonitoredEndpoint) -> str:
    """What is written to find out whether the bucket is writable."""
    return s3(endpoint, "test_upload", "upload-test-file.txt")


def shadow_endpoint(endpoint: MonitoredEndpoint, purpose: str) -> str:
    """The name of an endpoint that answers an analysis' requests and captures none, and of its configuration."""
    return f"{shadow_prefix(endpoint)}{fingerprint(purpose)}"


def shadow_prefix(endpoint: MonitoredEndpoint) -> str:
    """How the names of an endpoint's shadow endpoints begin."""
    return f"{endpoint.name}-shadow-"


def data_capture(endpoint: MonitoredEndpoint) -> str:
    """The endpoint's `DestinationS3Uri`; captures lie below `<endpoint>/<variant>/yyyy/mm/dd/hh`."""
    return s3(endpoint, "datacapture")


def captures(endpoint: MonitoredEndpoint, hour: datetime | None = None) -> str:
    """The folder of captures: all of the endpoint's, or one hour's."""
    folder = f"{data_capture(endpoint)}/{endpoint.name}"
    return folder if hour is None else f"{folder}/{endpoint.endpoint.variant}/{hour_path(hour)}"


def ground_truth(endpoint: MonitoredEndpoint, hour: datetime | None = None) -> str:
    """The folder of ground truth: all of it, or one hour's."""
    folder = s3(endpoint, "ground_truth")
    return folder if hour is None else f"{folder}/{hour_path(hour)}"


def ground_truth_file(endpoint: MonitoredEndpoint, moment: datetime) -> str:
    """Where the ground truth collected at a moment is uploaded to; the same moment gives the same file."""
    return f"{ground_truth(endpoint, moment)}/{moment.astimezone(UTC):%M%S}.jsonl"


def baseline_input(endpoint: MonitoredEndpoint, content: str) -> str:
    """Where the validation data set is uploaded to."""
    return s3(endpoint, "baselining", "data", content, "validation-dataset-with-header.csv")


def baseline_output(endpoint: MonitoredEndpoint, kind: Kind) -> str:
    """Where a baselining job writes; its `analysis.json` is the suggested constraints."""
    return s3(endpoint, "baselining", f"model_{kind}")


def baseline_analysis_config(endpoint: MonitoredEndpoint, kind: Kind) -> str:
    """Where a baselining job's analysis configuration lies."""
    return f"{baseline_output(endpoint, kind)}/analysis_config.json"


def baseline_constraints(endpoint: MonitoredEndpoint, kind: Kind) -> str:
    """Where a baselining job leaves its suggested constraints."""
    return f"{baseline_output(endpoint, kind)}/analysis.json"


def earlier_baselines(endpoint: MonitoredEndpoint, kind: Kind) -> str:
    """Where suggested constraints are kept that others have replaced, by the time at which they were made."""
    return s3(endpoint, "baselining", "earlier", f"model_{kind}")


def reports(endpoint: MonitoredEndpoint) -> str:
    """The monitors' output; reports lie below `<endpoint>/<schedule>/yyyy/mm/dd/hh`."""
    return s3(endpoint, "reports")


def analysis_config(endpoint: MonitoredEndpoint, definition: str) -> str:
    """Where a job definition's analysis configuration lies."""
    return f"{reports(endpoint)}/{definition}/analysis_config.json"


def report_folder(endpoint: MonitoredEndpoint, kind: Kind, window: str) -> str:
    """Where a report lies: below its schedule, in the folder of its window, such as `2026/11/22/10`."""
    return f"{report_folders(endpoint, kind)}/{window}"


def report_folders(endpoint: MonitoredEndpoint, kind: Kind) -> str:
    """The folder of all of a monitor's reports."""
    return f"{reports(endpoint)}/{endpoint.name}/{schedule(endpoint, kind)}"


def range_report(endpoint: MonitoredEndpoint, kind: Kind, start: datetime, end: datetime) -> str:
    """Where the report on a range lies, apart from windows' reports; the same range gives the same address."""
    moments = (f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}" for moment in (start, end))
    return s3(endpoint, "range_reports", endpoint.name, kind, "--".join(moments), "report.html")


def merged(endpoint: MonitoredEndpoint) -> str:
    """Captures merged with ground truth lie below here as captures lie below `data_capture`."""
    return f"{reports(endpoint)}/merge"


def window_work(endpoint: MonitoredEndpoint, kind: Kind, window: str) -> str:
    """What tasks of one window hand to each other; gone when the window is judged."""
    return s3(endpoint, "windows", _SHORT[kind], window)


def approved_model(endpoint: MonitoredEndpoint) -> str:
    """Where is kept which model a human has put in the place of the YAML's."""
    return s3(endpoint, "retraining", "approved.json")


def rejected_model(endpoint: MonitoredEndpoint) -> str:
    """Where is kept which model was rejected last, and when."""
    return s3(endpoint, "retraining", "rejected.json")


def alert_state(endpoint: MonitoredEndpoint, kind: Kind) -> str:
    """Where is kept what was told of a monitor, and to whom."""
    return s3(endpoint, "alerts", f"{kind}.json")


def violations_asset(endpoint: MonitoredEndpoint, kind: Kind) -> str:
    """The URI of the Airflow asset that each window with violations updates; it is the asset's name, too."""
    return f"model-monitor://{endpoint.name}/{kind}/violations"


def hour_path(moment: datetime) -> str:
    """`yyyy/mm/dd/hh` in UTC."""
    return f"{moment.astimezone(UTC):%Y/%m/%d/%H}"


def hours(start: datetime, end: datetime) -> Iterator[datetime]:
    """The whole hours that a window touches, its end's included, as SageMaker reads them."""
    hour = start.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    while hour <= end:
        yield hour
        hour += timedelta(hours=1)


def split_s3(uri: str) -> tuple[str, str]:
    """Bucket and key of an `s3://bucket/key` address."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key

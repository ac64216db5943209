"""The Clarify image: `python -m local_aws.containers.clarify`, with `OPT_ML_ROOT` as its "/".

`INVOKE_URL` is where the model answers; without it, the analysis has no model to ask. What the analysis configuration
names by an S3 address (`dataset_uri`, the SHAP baseline) is fetched as the image does with its role.
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from local_aws.access.signatures import authorization
from local_aws.containers.job_container import JOB_CONFIG, exit_with_parent, log_to_stdout, root, variables
from local_aws.s3_addresses import S3_ERRORS, split_uri
from model_monitor.analysis import job
from model_monitor.analysis.container import exit_code
from model_monitor.errors import AnalysisError, ModelError

CONFIG = "opt/ml/processing/input/config/analysis_config.json"
DATA = "opt/ml/processing/input/data"
RESULT = "analysis_result"
CUSTOM_ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"
MODEL_TIMEOUT_SECONDS = 60


class Model:
    """The model behind an `/invocations` address, over one connection that is kept open."""

    def __init__(self, url: str, headers: dict[str, str]) -> None:
        """`headers` go with every request."""
        address = urlsplit(url)
        self._headers = headers
        self._url = url
        self._host = address.netloc
        self._path = address.path
        self._connection = http.client.HTTPConnection(self._host, timeout=MODEL_TIMEOUT_SECONDS)

    def __call__(self, body: bytes, content_type: str, accept: str) -> bytes:
        """The model's answer.

        Raises:
            ModelError: with the model's own words, when it refuses the request or does not answer.
        """
        headers = self._signed(self._headers | {"Content-Type": content_type, "Accept": accept}, body)
        try:
            answer, status = self._post(body, headers)
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            self._connection.close()
            answer, status = self._post_again(body, headers)
        except OSError as error:
            self._connection.close()
            raise ModelError(f"No answer from the model at {self._host}: {error}") from error
        if status != http.client.OK:
            raise ModelError(_reason(answer, status))
        return answer

    def _signed(self, headers: dict[str, str], body: bytes) -> dict[str, str]:
        key, secret = os.environ.get("INVOKE_KEY_ID", "local"), os.environ.get("INVOKE_SECRET_KEY", "local")
        region = os.environ.get("AWS_REGION", "us-east-1")
        now = datetime.now(UTC)
        return headers | authorization(key, secret, region, "sagemaker", self._url, headers, body, now)

    def _post(self, body: bytes, headers: dict[str, str]) -> tuple[bytes, int]:
        self._connection.request("POST", self._path, body, headers)
        response = self._connection.getresponse()
        return response.read(), response.status

    def _post_again(self, body: bytes, headers: dict[str, str]) -> tuple[bytes, int]:
        try:
            return self._post(body, headers)
        except OSError as error:
            self._connection.close()
            raise ModelError(f"No answer from the model at {self._host}: {error}") from error


def take_dataset_uri(folder: Path) -> None:
    """A `dataset_uri`, an object or a folder of them, is analysed in the place of the job's own data set."""
    config = _configured(folder)
    if "dataset_uri" not in config:
        return
    uri = config.pop("dataset_uri")
    if not isinstance(uri, str) or not Path(uri).name.strip("."):
        raise AnalysisError(f"Analysis configuration schema validation error. dataset_uri: no S3 address: {uri!r}")
    data = folder / DATA
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    for number, found in enumerate(_objects_at(uri)):
        place = data / f"{number:05d}"
        place.mkdir()
        (place / Path(found).name).write_bytes(fetch(found))
    (folder / CONFIG).write_text(json.dumps(config), encoding="utf-8")


def fetch(uri: str) -> bytes:
    """The content of an S3 address.

    Raises:
        AnalysisError: when it cannot be read.
    """
    import boto3

    bucket, key = split_uri(uri)
    try:
        content: bytes = boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    except S3_ERRORS as error:
        raise AnalysisError(_unreadable(uri, error)) from error
    return content


def _objects_at(uri: str) -> list[str]:
    """The object of that address, or those below it, by name."""
    import boto3

    bucket, key = split_uri(uri)
    folder = key.rstrip("/")
    try:
        pages = list(boto3.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=folder))
    except S3_ERRORS as error:
        raise AnalysisError(_unreadable(uri, error)) from error
    keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
    below = [one for one in keys if one.startswith(f"{folder}/" if folder else "") and Path(one).name.strip(".")]
    found = [key] if key in keys else [one for one in below if not one.endswith("/")]
    if not found:
        raise AnalysisError(_unreadable(uri, "there is nothing"))
    return [f"s3://{bucket}/{one}" for one in found]


def _unreadable(uri: str, reason: object) -> str:
    return f"{uri}, which the analysis configuration names, cannot be read: {reason}"


def request_headers(folder: Path) -> dict[str, str]:
    """What the configuration wants each request to the model to carry besides its types."""
    predictor = _configured(folder).get("predictor")
    attributes = predictor.get("custom_attributes") if isinstance(predictor, dict) else None
    return {CUSTOM_ATTRIBUTES: attributes} if isinstance(attributes, str) else {}


def _configured(folder: Path) -> dict[str, Any]:
    """The analysis configuration; nothing when it is none, which the analysis reports in Clarify's words."""
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return config if isinstance(config, dict) else {}


def check_output(folder: Path) -> None:
    """A job of its own has exactly one output of the name that Clarify wants; a monitor's is named by the platform.

    Raises:
        AnalysisError: in Clarify's words.
    """
    job_config = json.loads((folder / JOB_CONFIG).read_text(encoding="utf-8"))
    names = [output["OutputName"] for output in job_config["ProcessingOutputConfig"]["Outputs"]]
    if "analysis_type" not in job_config["Environment"] and names != [RESULT]:
        raise AnalysisError(
            f"Unexpected output in the processing job config: expected {RESULT}, found {', '.join(names) or 'none'}."
        )


def _reason(answer: bytes, status: int) -> str:
    text = answer.decode("utf-8", errors="replace").strip()
    try:
        content = json.loads(text)
    except ValueError:
        return text or f"the model answered with HTTP status {status}"
    if isinstance(content, dict):
        return str(content.get("OriginalMessage") or content.get("Message") or content.get("message") or text)
    return text


def prepare(folder: Path) -> int:
    """See to what the image does before its analysis; the exit code says whether that went well."""

    def work() -> None:
        check_output(folder)
        take_dataset_uri(folder)

    return exit_code(folder, work)


def main() -> int:
    """Run the analysis; the exit code is the job's."""
    exit_with_parent()
    log_to_stdout()
    folder = root()
    url = os.environ.get("INVOKE_URL")
    model = Model(url, request_headers(folder)) if url else None
    return prepare(folder) or job.run(folder, variables(folder), model, fetch)


if __name__ == "__main__":
    sys.exit(main())

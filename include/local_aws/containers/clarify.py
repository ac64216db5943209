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
MODEL_TIMEOUT_SECONDS = 60


class Model:
    """The model behind an `/invocations` address, over one connection that is kept open."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self._url = url
        self._host = address.netloc
        self._path = address.path
        self._connection = http.client.HTTPConnection(self._host, timeout=MODEL_TIMEOUT_SECONDS)

    def __call__(self, body: bytes, content_type: str, accept: str) -> bytes:
        """The model's answer.

        Raises:
            ModelError: with the model's own words, when it refuses the request or does not answer.
        """
        headers = self._signed({"Content-Type": content_type, "Accept": accept}, body)
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
    """A `dataset_uri` in the configuration is analysed in the place of the job's own data set."""
    file = folder / CONFIG
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return  # The analysis reports it, in Clarify's words.
    if not isinstance(config, dict) or "dataset_uri" not in config:
        return
    uri = config.pop("dataset_uri")
    if not isinstance(uri, str) or not Path(uri).name.strip("."):
        raise AnalysisError(f"Analysis configuration schema validation error. dataset_uri: no S3 address: {uri!r}")
    data = folder / DATA
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    (data / Path(uri).name).write_bytes(fetch(uri))
    file.write_text(json.dumps(config), encoding="utf-8")


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
        raise AnalysisError(f"{uri}, which the analysis configuration names, cannot be read: {error}") from error
    return content


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
    return prepare(folder) or job.run(folder, variables(folder), Model(url) if url else None, fetch)


if __name__ == "__main__":
    sys.exit(main())

"""One processing job from its inputs to its outcome, in a scratch folder that stands for its "/"."""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from local_aws import runners
from local_aws.container_view import ContainerView, source_path, variables_for
from local_aws.containers.job_container import JOB_CONFIG, SECONDS_AHEAD
from local_aws.errors import AwsError
from local_aws.hosting.model_servers import ModelServerFailed
from local_aws.jobs import job_process
from local_aws.jobs.job_files import Outputs, TransferError, download
from local_aws.jobs.job_process import StopRequest
from local_aws.jobs.job_result import LONGEST_MESSAGE, LastLines, Result, result_of
from local_aws.jobs.metrics import publish
from local_aws.jobs.volume import Volume
from local_aws.launching.launcher import launcher
from local_aws.launching.program import Program
from local_aws.log_stream import LogStream
from local_aws.store import Document

if TYPE_CHECKING:
    from local_aws.aws import LocalAws

log = logging.getLogger(__name__)

DEFAULT_MAX_RUNTIME_SECONDS = 86_400
NICE = 5
ANALYSIS_CONFIG = "opt/ml/processing/input/config/analysis_config.json"
MESSAGE = "opt/ml/output/message"
SCRATCH = "jobs"
PUBLISHING = "publish_cloudwatch_metrics"
PUBLISHING_NEEDS_SCHEDULE = "AlgorithmError: CloudWatch publishing is available only for jobs from MonitoringSchedules."


def run_job(aws: LocalAws, job: Document, stop: StopRequest, started: Callable[[], None]) -> Result:
    """Run a job to its end; `started` is called when its program starts."""
    region, name = job["Region"], job["ProcessingJobName"]
    environment = job.get("Environment") or {}
    publishes = environment.get(PUBLISHING) == "Enabled"
    if publishes and not job.get("MonitoringScheduleArn"):
        return Result("Failed", PUBLISHING_NEEDS_SCHEDULE)
    if stop.made:
        return Result("Stopped")
    root = (aws.data_dir / SCRATCH / region / name).resolve()
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    try:
        result = _run_in(aws, job, root, stop, started)
        if result.status == "Completed" and publishes:
            publish(aws.cloudwatch(region), root)
        return result
    except TransferError as error:
        return Result("Failed", str(error)[:LONGEST_MESSAGE])
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _run_in(aws: LocalAws, job: Document, root: Path, stop: StopRequest, started: Callable[[], None]) -> Result:
    region = job["Region"]
    s3 = aws.s3(region)
    volume = Volume(job["ProcessingResources"]["ClusterConfig"]["VolumeSizeInGB"])
    for job_input in job.get("ProcessingInputs") or []:
        download(s3, job_input, root, job["RoleArn"], volume)
    outputs = Outputs(s3, (job.get("ProcessingOutputConfig") or {}).get("Outputs", []), root)
    _write_job_config(job, root)
    module = runners.job(job["AppSpecification"]["ImageUri"])
    max_seconds = (job.get("StoppingCondition") or {}).get("MaxRuntimeInSeconds", DEFAULT_MAX_RUNTIME_SECONDS)
    stream = f"{job['ProcessingJobName']}/algo-1-{int(aws.clock.timestamp())}"
    lines = LogStream(aws.logs(region), stream, aws.clock)
    view = ContainerView(root)
    last = LastLines()

    def say(text: str) -> None:
        line = view.of(text)
        lines.line(line)
        last.add(line)

    try:
        with _model(aws, region, root) as model_url:
            if stop.made:
                return Result("Stopped")
            started()
            outcome = job_process.run(
                launcher(),
                Program(module, _variables(aws, job, module, root, model_url), root, nice=NICE),
                on_line=say,
                on_tick=lambda: outputs.sync(continuous_only=True),
                stop=stop,
                max_seconds=max_seconds,
            )
    except (AwsError, ModelServerFailed) as error:
        lines.line(f"exit_message: Customer Error: {error}")
        return Result("Failed", f"ClientError: {error}"[:LONGEST_MESSAGE])
    finally:
        lines.close()
    outputs.sync(continuous_only=False)
    memory_bytes = launcher().limits.program_memory_bytes
    return result_of(outcome, _message(root), last, max_seconds, memory_bytes)


def _message(root: Path) -> str | None:
    file = root / MESSAGE
    if not file.is_file():
        return None
    with file.open(encoding="utf-8", errors="replace") as text:
        return text.read(LONGEST_MESSAGE).strip() or None


def _write_job_config(job: Document, root: Path) -> None:
    content = {
        "ProcessingJobArn": job["ProcessingJobArn"],
        "ProcessingJobName": job["ProcessingJobName"],
        "Environment": job.get("Environment") or {},
        "AppSpecification": job["AppSpecification"],
        "ProcessingInputs": job.get("ProcessingInputs") or [],
        "ProcessingOutputConfig": job.get("ProcessingOutputConfig") or {"Outputs": []},
        "ProcessingResources": job["ProcessingResources"],
        "RoleArn": job["RoleArn"],
    }
    file = root / JOB_CONFIG
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content), encoding="utf-8")


@contextmanager
def _model(aws: LocalAws, region: str, root: Path) -> Iterator[str | None]:
    """Where the model of the analysis answers: a live endpoint, or a server of its own, which captures nothing."""
    predictor = _predictor(root)
    if predictor.get("endpoint_name"):
        yield f"{aws.url}/endpoints/{quote(str(predictor['endpoint_name']), safe='')}/invocations"
    elif predictor.get("model_name"):
        server = aws.hosting.start_model_server(predictor["model_name"], region)
        try:
            yield server.invocations_url
        finally:
            server.stop()
    else:
        yield None


def _predictor(root: Path) -> dict[str, Any]:
    try:
        config = json.loads((root / ANALYSIS_CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}  # The program itself reports what is wrong with it.
    predictor = config.get("predictor") if isinstance(config, dict) else None
    return predictor if isinstance(predictor, dict) else {}


def _variables(aws: LocalAws, job: Document, module: str, root: Path, model_url: str | None) -> dict[str, str]:
    temporary = root / "tmp"
    temporary.mkdir(exist_ok=True)
    own = {
        "PATH": os.environ.get("PATH", os.defpath),
        "PYTHONPATH": source_path(module),
        "PYTHONUNBUFFERED": "1",
        "HOME": str(root),
        "TMPDIR": str(temporary),
        "OPT_ML_ROOT": str(root),
        "MPLCONFIGDIR": str(aws.data_dir.resolve() / "cache" / "matplotlib"),
        SECONDS_AHEAD: str(aws.clock.seconds_ahead()),
        "AWS_ENDPOINT_URL": aws.url,
        "AWS_DEFAULT_REGION": job["Region"],
        "AWS_REGION": job["Region"],
        "AWS_ACCESS_KEY_ID": aws.key.id,
        "AWS_SECRET_ACCESS_KEY": aws.key.secret,
    }
    if aws.foreign_s3 is not None:
        own |= aws.foreign_s3.variables()
    if model_url is not None:
        own |= {"INVOKE_URL": model_url, "INVOKE_KEY_ID": aws.key.id, "INVOKE_SECRET_KEY": aws.key.secret}
    return variables_for(job.get("Environment") or {}, own)

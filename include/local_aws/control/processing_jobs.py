"""Processing jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local_aws import runners
from local_aws.control.listing import page_of
from local_aws.control.tags import checked_tags, drop_tags, keep_tags
from local_aws.errors import resource_in_use, validation_error
from local_aws.jobs.processing import KIND, TERMINAL
from local_aws.operations import operation
from local_aws.store import scoped

if TYPE_CHECKING:
    from local_aws.aws import LocalAws

CLARIFY = "sagemaker-clarify-processing"
LOCAL_PATHS = "/opt/ml/processing"


@operation(
    "CreateProcessingJob",
    differs="the image stands for one program on this machine, whatever the instances: no entry point, no arguments, "
    "no network isolation; a job that waits for a place is InProgress without ProcessingStartTime, and GET "
    "/_local/jobs shows the queue.",
)
def create_processing_job(aws: LocalAws, request: dict[str, Any], region: str) -> dict[str, Any]:
    """Check the request and put the job in the queue."""
    _check(request)
    tags = checked_tags(request.get("Tags"))
    job = aws.jobs.submit(region, request)
    keep_tags(aws, job["ProcessingJobArn"], tags)
    return job


@operation("DescribeProcessingJob")
def describe_processing_job(aws: LocalAws, request: dict[str, Any], region: str) -> dict[str, Any]:
    """What was asked for, and how far it is."""
    return aws.jobs.describe(region, request["ProcessingJobName"])


@operation("StopProcessingJob")
def stop_processing_job(aws: LocalAws, request: dict[str, Any], region: str) -> dict[str, Any]:
    """Ask a job to stop; it is Stopping until its program has ended."""
    aws.jobs.request_stop(region, request["ProcessingJobName"])
    return {}


@operation("DeleteProcessingJob")
def delete_processing_job(aws: LocalAws, request: dict[str, Any], region: str) -> dict[str, Any]:
    """Forget a job that is over; its outputs and its log stay, and its name is free again."""
    name = request["ProcessingJobName"]
    job = aws.jobs.describe(region, name)
    if job["ProcessingJobStatus"] not in TERMINAL:
        raise resource_in_use(
            f"Processing job {name} is in status {job['ProcessingJobStatus']}; only jobs that are over can be deleted."
        )
    aws.store.delete(KIND, scoped(region, name))
    drop_tags(aws, job["ProcessingJobArn"])
    return {}


@operation("ListProcessingJobs")
def list_processing_jobs(aws: LocalAws, request: dict[str, Any], region: str) -> dict[str, Any]:
    """One page of jobs."""
    jobs, token = page_of(
        aws.store.list(KIND, scoped(region, "")),
        request,
        name="ProcessingJobName",
        status="ProcessingJobStatus",
        sort_by={"Status": "ProcessingJobStatus"},
        default_order="Ascending",
    )
    return {"ProcessingJobSummaries": jobs, "NextToken": token}


def _check(request: dict[str, Any]) -> None:
    application = request["AppSpecification"]
    try:
        runners.job(application["ImageUri"])
    except runners.NoRunner as error:
        raise validation_error(str(error)) from error
    inputs = request.get("ProcessingInputs", [])
    outputs = request.get("ProcessingOutputConfig", {}).get("Outputs", [])
    _unique("Names of ProcessingInputs", [source["InputName"] for source in inputs])
    _unique("Names of ProcessingOutputConfig.Outputs", [output["OutputName"] for output in outputs])
    for source in inputs:
        if "S3Input" not in source:
            raise validation_error(f"Input {source['InputName']}: only S3Input is supported by local_aws.")
        _supported(source["InputName"], source["S3Input"])
    _unique("LocalPath of ProcessingInputs", [source["S3Input"]["LocalPath"].rstrip("/") for source in inputs])
    for output in outputs:
        if "S3Output" not in output:
            raise validation_error(f"Output {output['OutputName']}: only S3Output is supported by local_aws.")
        check_local_path(output["OutputName"], output["S3Output"])
    if runners.repository(application["ImageUri"]) == CLARIFY:
        _check_clarify(request)


def _check_clarify(request: dict[str, Any]) -> None:
    for member in ("ContainerEntrypoint", "ContainerArguments"):
        if request["AppSpecification"].get(member):
            raise validation_error(f"{member} is not supported for SageMaker Clarify processing jobs.")
    if request.get("NetworkConfig", {}).get("EnableNetworkIsolation"):
        raise validation_error("Network isolation must be disabled for SageMaker Clarify processing jobs.")


def _supported(name: str, source: dict[str, Any]) -> None:
    if source.get("S3InputMode", "File") != "File":
        raise validation_error(f"Input {name}: S3InputMode Pipe is not supported by local_aws.")
    check_local_path(name, source)


def check_local_path(name: str, place: dict[str, Any]) -> None:
    """Require a LocalPath inside the folder that jobs exchange files in.

    Raises:
        AwsError: ValidationException.
    """
    path = place.get("LocalPath")
    if path is None:
        raise validation_error(f"LocalPath of {name} must be specified.")
    if not f"{path}/".startswith(f"{LOCAL_PATHS}/") or ".." in path.split("/"):
        raise validation_error(f"LocalPath of {name} must be {LOCAL_PATHS} or lie below it; found {path}")


def _unique(member: str, values: list[str]) -> None:
    doubled = sorted({value for value in values if values.count(value) > 1})
    if doubled:
        raise validation_error(f"{member} must be unique; found more than one {', '.join(doubled)}.")

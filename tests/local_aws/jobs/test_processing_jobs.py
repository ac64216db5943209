from __future__ import annotations

import json
import os
import re
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from botocore.exceptions import ClientError

from local_aws.jobs import job_process, job_run
from local_aws.launching.launcher import launcher
from local_aws.launching.limits import Limits
from tests.local_aws.embedded import (
    BUCKET,
    CLARIFY,
    Embedded,
    embedded,
    job_input,
    job_output,
    job_request,
    stub_every_image,
)
from tests.polling import until
from tests.running_aws import ROOT


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    with pytest.MonkeyPatch.context() as patch, embedded(tmp_path_factory.mktemp("aws")) as running:
        stub_every_image(patch)
        running.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
        yield running


@pytest.fixture
def release(tmp_path: Path) -> Iterator[Path]:
    """Jobs that wait end when this file is there, at the latest after the test."""
    file = tmp_path / "release"
    yield file
    file.touch()


def waiting(release: Path, behaviour: str = "wait") -> dict[str, str]:
    return {"BEHAVIOUR": behaviour, "RELEASE": str(release)}


def started(aws: Embedded, name: str) -> None:
    until(lambda: aws.keys(f"out/{name}/started"), bool)


def continuous(name: str) -> dict[str, Any]:
    return {"Outputs": [job_output(f"s3://{BUCKET}/out/{name}", "Continuous")]}


def refused(aws: Embedded, code: str, **changes: Any) -> str:
    with pytest.raises(ClientError) as error:
        aws.sagemaker.create_processing_job(**(job_request("refused") | changes))
    assert error.value.response["Error"]["Code"] == code
    return str(error.value)


def test_a_job_gets_its_inputs_and_leaves_its_outputs_message_and_times(aws: Embedded) -> None:
    aws.put("in/one/a.csv", "1")
    aws.put("in/one/deep/b.csv", "2")
    aws.put("in/config.json", "{}")
    job = aws.run_job(
        "with-inputs",
        ProcessingInputs=[
            job_input("folder", f"s3://{BUCKET}/in/one", "/opt/ml/processing/input/data"),
            job_input("file", f"s3://{BUCKET}/in/config.json", "/opt/ml/processing/input/config"),
        ],
    )
    assert job["ProcessingJobStatus"] == "Completed", job.get("FailureReason")
    assert job["ExitMessage"] == "Completed: done"
    assert "FailureReason" not in job
    assert job["CreationTime"] <= job["ProcessingStartTime"] <= job["ProcessingEndTime"]
    assert json.loads(aws.get("out/with-inputs/inputs.json")) == [
        "opt/ml/processing/input/config/config.json",
        "opt/ml/processing/input/data/a.csv",
        "opt/ml/processing/input/data/deep/b.csv",
    ]
    assert not list((aws.data_dir / "jobs").rglob("with-inputs")), "the scratch folder is gone"


def test_its_output_is_a_log_stream(aws: Embedded) -> None:
    aws.run_job("logged")
    logs = aws.client("logs")
    group = "/aws/sagemaker/ProcessingJobs"
    (stream,) = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix="logged/")["logStreams"]
    assert re.fullmatch(r"logged/algo-1-\d{10}", stream["logStreamName"])
    events = logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"])["events"]
    assert [event["message"] for event in events] == ["behaving: complete"]


@pytest.mark.parametrize(
    ("exit_code", "reason"),
    [
        (1, "ClientError: the data is wrong"),
        (2, "AlgorithmError: Customer Error: the data is wrong, exit code: 2"),
    ],
)
def test_the_exit_code_says_whose_fault_it_was(aws: Embedded, exit_code: int, reason: str) -> None:
    job = aws.run_job(f"exit-{exit_code}", f"fail:{exit_code}")
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"] == reason
    assert job["ExitMessage"] == "Customer Error: the data is wrong"


def test_an_input_that_is_not_there(aws: Embedded) -> None:
    for bucket in (BUCKET, "no-such-bucket"):
        uri = f"s3://{bucket}/nothing"
        job = aws.run_job(
            f"without-{bucket}", ProcessingInputs=[job_input("data", uri, "/opt/ml/processing/input/data")]
        )
        assert job["ProcessingJobStatus"] == "Failed"
        assert job["FailureReason"].startswith(f'ClientError: No S3 objects found under S3 URL "{uri}"')


def test_an_output_that_cannot_be_written(aws: Embedded) -> None:
    job = aws.run_job("no-bucket", ProcessingOutputConfig={"Outputs": [job_output("s3://no-such-bucket/out")]})
    assert job["ProcessingJobStatus"] == "Failed"
    assert "s3://no-such-bucket/out" in job["FailureReason"]
    assert "NoSuchBucket" in job["FailureReason"]


def test_continuous_outputs_come_while_the_job_runs(
    aws: Embedded, release: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_process, "CONTINUOUS_SECONDS", 0.05)
    aws.create_job("continuous", Environment=waiting(release), ProcessingOutputConfig=continuous("continuous"))
    started(aws, "continuous")
    assert aws.sagemaker.describe_processing_job(ProcessingJobName="continuous")["ProcessingJobStatus"] == "InProgress"
    release.touch()
    assert aws.ended("continuous")["ExitMessage"] == "Completed: released"


def test_a_stopped_job_is_told_and_then_stopped(aws: Embedded, release: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_process, "CONTINUOUS_SECONDS", 0.05)
    aws.create_job("stopped", Environment=waiting(release), ProcessingOutputConfig=continuous("stopped"))
    started(aws, "stopped")
    aws.sagemaker.stop_processing_job(ProcessingJobName="stopped")
    assert aws.ended("stopped")["ProcessingJobStatus"] == "Stopped"
    with pytest.raises(ClientError, match="in status Stopped"):
        aws.sagemaker.stop_processing_job(ProcessingJobName="stopped")


def test_a_job_that_does_not_listen_is_killed(aws: Embedded, release: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_process, "CONTINUOUS_SECONDS", 0.05)
    monkeypatch.setattr(job_process, "GRACE_SECONDS", 0.2)
    aws.create_job("deaf", Environment=waiting(release, "deaf"), ProcessingOutputConfig=continuous("deaf"))
    started(aws, "deaf")
    aws.sagemaker.stop_processing_job(ProcessingJobName="deaf")
    assert aws.ended("deaf")["ProcessingJobStatus"] == "Stopped"


def test_a_job_has_its_maximal_runtime(aws: Embedded, release: Path) -> None:
    job = aws.run_job("slow", Environment=waiting(release), StoppingCondition={"MaxRuntimeInSeconds": 1})
    assert job["ProcessingJobStatus"] == "Stopped"
    assert job["FailureReason"] == "The job took longer than its MaxRuntimeInSeconds, 1."


def test_a_program_that_crashes_leaves_its_last_words(aws: Embedded) -> None:
    job = aws.run_job("crashed", "crash")
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("AlgorithmError: ")
    assert job["FailureReason"].endswith("\nRuntimeError: crashed, exit code: 1")
    assert str(aws.data_dir) not in job["FailureReason"], "paths are as the container sees them"
    assert "ExitMessage" not in job


def test_a_reason_keeps_its_exit_code_however_much_the_program_said(aws: Embedded) -> None:
    reason = aws.run_job("talkative", "many lines:3")["FailureReason"]
    assert reason.startswith("AlgorithmError: line 15 xxx")
    assert reason.endswith("x, exit code: 3")
    assert len(reason) == 1024


def test_a_program_that_says_nothing(aws: Embedded) -> None:
    reason = aws.run_job("silent", "silent:4")["FailureReason"]
    assert reason == "AlgorithmError: behaving: silent, exit code: 4"


def test_a_program_that_takes_too_much_memory(aws: Embedded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher(), "limits", Limits(program_memory_bytes=700 * 2**20))
    job = aws.run_job("greedy", f"memory:{800 * 2**20}")
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("ClientError: Please use an instance type with more memory, or reduce ")
    assert "the 700 MiB" in job["FailureReason"]
    assert job["FailureReason"].endswith(", exit code: 137")
    assert aws.run_job("modest", f"memory:{100 * 2**20}")["ProcessingJobStatus"] == "Completed"


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (signal.SIGKILL, "The program was ended by SIGKILL from outside, as by a system that runs out of memory."),
        (signal.SIGSEGV, "The program was ended by SIGSEGV."),
    ],
)
def test_a_program_that_a_signal_ends(
    aws: Embedded, release: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals, told: str
) -> None:
    monkeypatch.setattr(job_process, "CONTINUOUS_SECONDS", 0.05)
    name = f"ended-by-{number}"
    aws.create_job(name, Environment=waiting(release, "forever"), ProcessingOutputConfig=continuous(name))
    started(aws, name)
    os.kill(int(aws.get(f"out/{name}/started")), number)
    job = aws.ended(name)
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"] == f"AlgorithmError: {told} behaving: forever, exit code: {128 + number}"


def queue(aws: Embedded) -> dict[str, Any]:
    with urlopen(f"{aws.server.aws.url}/_local/jobs", timeout=30) as answer:
        return dict(json.load(answer))


def test_as_many_at_a_time_as_there_are_places_and_the_next_one_waits(
    aws: Embedded, release: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_process, "CONTINUOUS_SECONDS", 0.05)
    places = queue(aws)["at_a_time"]
    assert places == os.cpu_count()
    running = [f"running-{number}" for number in range(places)]
    for name in running:
        aws.create_job(name, Environment=waiting(release), ProcessingOutputConfig=continuous(name))
        started(aws, name)
    aws.create_job("waiting")
    aws.create_job("unwanted")
    described = aws.sagemaker.describe_processing_job(ProcessingJobName="waiting")
    assert described["ProcessingJobStatus"] == "InProgress"
    assert "ProcessingStartTime" not in described
    assert queue(aws) == {
        "at_a_time": places,
        "running": [f"us-west-2/{name}" for name in running],
        "queued": ["us-west-2/waiting", "us-west-2/unwanted"],
    }
    aws.sagemaker.stop_processing_job(ProcessingJobName="unwanted")
    unwanted = aws.ended("unwanted")
    assert unwanted["ProcessingJobStatus"] == "Stopped"
    assert "ProcessingStartTime" not in unwanted
    release.touch()
    assert aws.ended("waiting")["ProcessingJobStatus"] == "Completed"
    until(lambda: queue(aws), lambda seen: not seen["running"] and not seen["queued"])


def test_metrics_are_for_schedules_only(aws: Embedded) -> None:
    job = aws.run_job("metrics", Environment={"publish_cloudwatch_metrics": "Enabled"})
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"] == (
        "AlgorithmError: CloudWatch publishing is available only for jobs from MonitoringSchedules."
    )


def test_names_are_taken_once_and_unknown_ones_not_found(aws: Embedded) -> None:
    aws.run_job("twice")
    assert "already exists" in refused(aws, "ResourceInUse", ProcessingJobName="twice")
    for call in (aws.sagemaker.describe_processing_job, aws.sagemaker.stop_processing_job):
        with pytest.raises(ClientError) as error:
            call(ProcessingJobName="nowhere")
        assert error.value.response["Error"]["Code"] == "ValidationException"


def test_requests_that_cannot_work_are_refused(aws: Embedded) -> None:
    data = f"s3://{BUCKET}/data"
    inside = "/opt/ml/processing/input/data"
    assert "sagemaker-clarify-processing" in refused(
        aws, "ValidationException", AppSpecification={"ImageUri": "unknown/image:1"}
    )
    assert "ContainerEntrypoint is not supported" in refused(
        aws, "ValidationException", AppSpecification={"ImageUri": CLARIFY, "ContainerEntrypoint": ["sh"]}
    )
    assert "Network isolation" in refused(
        aws,
        "ValidationException",
        AppSpecification={"ImageUri": CLARIFY},
        NetworkConfig={"EnableNetworkIsolation": True},
    )
    assert "/etc" in refused(aws, "ValidationException", ProcessingInputs=[job_input("data", data, "/etc")])
    assert "or lie below it" in refused(
        aws, "ValidationException", ProcessingInputs=[job_input("data", data, f"{inside}/../../../../etc")]
    )
    for second, doubled in (("data", "Names of ProcessingInputs"), ("more", "LocalPath of ProcessingInputs")):
        inputs = [job_input("data", data, inside), job_input(second, data, f"{inside}/")]
        assert f"{doubled} must be unique" in refused(aws, "ValidationException", ProcessingInputs=inputs)


def test_jobs_are_listed_in_pages_and_by_name_and_status(aws: Embedded) -> None:
    for number in range(3):
        aws.run_job(f"listed-{number}", "fail:1" if number == 1 else "complete")
    pages = aws.sagemaker.get_paginator("list_processing_jobs").paginate(
        NameContains="listed", SortBy="Name", SortOrder="Ascending", PaginationConfig={"PageSize": 2}
    )
    names = [[job["ProcessingJobName"] for job in page["ProcessingJobSummaries"]] for page in pages]
    assert names == [["listed-0", "listed-1"], ["listed-2"]]
    failed = aws.sagemaker.list_processing_jobs(NameContains="listed", StatusEquals="Failed")["ProcessingJobSummaries"]
    assert [job["FailureReason"] for job in failed] == ["ClientError: the data is wrong"]


def test_a_fault_of_our_own_is_no_silent_end(aws: Embedded, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(job_run, "_write_job_config", broken)
    assert aws.run_job("broken")["FailureReason"].startswith("InternalServerError: ")


@pytest.mark.parametrize(
    ("keys", "source", "reason"),
    [
        (["up/../../../../../../../../../../escaped"], {}, "lies outside the job's container"),
        (["same/a", "same/a/b"], {"S3Uri": f"s3://{BUCKET}/same/"}, "Data download failed"),
        ([f"long/{'k' * 900}"], {"S3Uri": f"s3://{BUCKET}/long/"}, "File name too long"),
        (["zip/a.csv.gz"], {"S3Uri": f"s3://{BUCKET}/zip/", "S3CompressionType": "Gzip"}, "Not a gzipped file"),
        (["list"], {"S3Uri": f"s3://{BUCKET}/list", "S3DataType": "ManifestFile"}, "is no manifest"),
        ([], {"S3Uri": "s3://BAD_bucket!!/x"}, "Invalid bucket name"),
        ([], {"S3Uri": "s3://no-such-bucket/x"}, "No S3 objects found"),
    ],
    ids=["up", "same", "long", "gzip", "manifest", "bucket", "no-bucket"],
)
def test_inputs_that_cannot_be_files_fail_with_the_reason(
    aws: Embedded, keys: list[str], source: dict[str, str], reason: str, request: pytest.FixtureRequest
) -> None:
    for key in keys:
        aws.put(key, '{"x": 1}')
    given = job_input("data", f"s3://{BUCKET}/up/", "/opt/ml/processing/input/data")
    given["S3Input"] |= source
    name = f"odd-input-{request.node.callspec.id}"
    job = aws.run_job(name, ProcessingInputs=[given])
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("ClientError: ")
    assert reason in job["FailureReason"]
    assert str(aws.data_dir) not in job["FailureReason"]


def test_a_job_cannot_set_what_steers_the_hosts_interpreter(aws: Embedded) -> None:
    environment = {"BEHAVIOUR": "complete", "PYTHONHOME": "/nowhere", "LD_PRELOAD": "/nowhere.so"}
    assert aws.run_job("steered", Environment=environment)["ProcessingJobStatus"] == "Completed"


def test_logs_show_the_containers_paths(aws: Embedded) -> None:
    job = aws.run_job("tells", "crash")
    assert job["ProcessingJobStatus"] == "Failed"
    logs = aws.client("logs")
    group = "/aws/sagemaker/ProcessingJobs"
    (stream,) = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix="tells/")["logStreams"]
    events = logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"])["events"]
    lines = [event["message"] for event in events]
    assert "/opt/ml/processing/output is my output" in lines
    assert any(line.startswith("Traceback") for line in lines)
    assert not [line for line in lines if str(aws.data_dir) in line or str(ROOT) in line]


def test_whoever_sees_a_job_can_stop_it(aws: Embedded, release: Path) -> None:
    """A stop that comes in while the job is being created is not forgotten."""
    stopped: list[str] = []
    jobs = aws.server.aws.jobs
    insert = aws.server.aws.store.insert

    def stop(name: str) -> None:
        jobs.request_stop("us-west-2", name)
        stopped.append(name)

    def inserted(kind: str, key: str, document: dict[str, Any]) -> None:
        insert(kind, key, document)
        thread = threading.Thread(target=stop, args=("stopped-at-once",))
        thread.start()
        thread.join(0.2)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(aws.server.aws.store, "insert", inserted)
        aws.create_job("stopped-at-once", Environment=waiting(release))
    assert aws.ended("stopped-at-once")["ProcessingJobStatus"] == "Stopped"
    assert stopped == ["stopped-at-once"]

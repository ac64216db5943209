"""The AWS CLI, with a known key, against a server that checks keys: what a user types, and what is answered."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from tests.clients.environment import client_environment
from tests.e2e.place import BIAS, CLARIFY_IMAGE, CLUSTER, table
from tests.local_aws.access.guarded import KEY, SECRET, Guarded, start_guarded
from tests.polling import until
from tests.running_aws import ROLE, XGBOOST_IMAGE, wait_for_endpoint

SESSION = Path(__file__).with_name("aws_cli_session.py")
BUCKET = "cli-bucket"


@dataclass
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Cli:
    """The AWS CLI."""

    process: subprocess.Popen[str]

    def run(self, *arguments: str, stdin: str = "") -> Ended:
        """Run a command."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"arguments": arguments, "stdin": stdin}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"the CLI ended at {arguments}"
        return Ended(**json.loads(line))

    def __call__(self, *arguments: str, stdin: str = "") -> Ended:
        """Run a command that succeeds."""
        ended = self.run(*arguments, stdin=stdin)
        assert ended.code == 0, f"{arguments}: {ended.err}"
        return ended


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    running = start_guarded(tmp_path_factory.mktemp("guarded"))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def aws(guarded: Guarded, oracle_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cli]:
    """The CLI without any file or setting of the developer's own."""
    home = tmp_path_factory.mktemp("home")
    environment = client_environment(
        guarded.url, AWS_ACCESS_KEY_ID=KEY, AWS_SECRET_ACCESS_KEY=SECRET, AWS_MAX_ATTEMPTS="1", HOME=str(home)
    )
    with subprocess.Popen(
        [str(oracle_python), str(SESSION)],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        cli = Cli(process)
        cli("s3", "mb", f"s3://{BUCKET}")
        yield cli
        assert process.stdin is not None
        process.stdin.close()


@pytest.fixture(scope="module")
def endpoint(aws: Cli, guarded: Guarded, model_archive: bytes, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An endpoint in service, made by commands."""
    archive = tmp_path_factory.mktemp("archive") / "model.tar.gz"
    archive.write_bytes(model_archive)
    aws("s3", "cp", str(archive), f"s3://{BUCKET}/model/")
    container = f"Image={XGBOOST_IMAGE},ModelDataUrl=s3://{BUCKET}/model/model.tar.gz"
    variant = "VariantName=AllTraffic,ModelName=cli,InstanceType=ml.m5.large,InitialInstanceCount=1"
    aws(
        *("sagemaker", "create-model", "--model-name", "cli", "--execution-role-arn", ROLE),
        *("--primary-container", container, "--tags", "Key=team,Value=risk"),
    )
    aws("sagemaker", "create-endpoint-config", "--endpoint-config-name", "cli", "--production-variants", variant)
    aws("sagemaker", "create-endpoint", "--endpoint-name", "cli", "--endpoint-config-name", "cli")
    wait_for_endpoint(guarded, "cli")
    return "cli"


def test_who_am_i(aws: Cli) -> None:
    assert aws("sts", "get-caller-identity").json["Account"] == "123456789012"


def test_files_go_to_s3_and_come_back(aws: Cli, tmp_path: Path) -> None:
    source, copy, large = tmp_path / "source", tmp_path / "copy", os.urandom(9 * 1024**2)
    (source / "a b").mkdir(parents=True)
    (source / "a b" / "ü.txt").write_text("hello")
    (source / "large").write_bytes(large)
    for file in (source / "a b" / "ü.txt", source / "large"):
        os.utime(file, (1_700_000_000, 1_700_000_000))
    aws("s3", "sync", str(source), f"s3://{BUCKET}/synced")
    assert aws("s3", "sync", str(source), f"s3://{BUCKET}/synced").out == "", "nothing has changed"
    aws("s3", "sync", f"s3://{BUCKET}/synced", str(copy))
    assert (copy / "large").read_bytes() == large
    assert (copy / "a b" / "ü.txt").read_text() == "hello"
    listed = aws("s3", "ls", "--recursive", f"s3://{BUCKET}/synced/").out.splitlines()
    assert [line.split(maxsplit=2)[2] for line in listed] == ["5 synced/a b/ü.txt", f"{len(large)} synced/large"]
    assert aws("s3", "ls", f"s3://{BUCKET}/synced/").out.splitlines()[0].strip() == "PRE a b/"
    aws("s3", "mv", f"s3://{BUCKET}/synced/large", f"s3://{BUCKET}/moved")
    assert aws("s3", "rm", "--recursive", f"s3://{BUCKET}/synced").out.count("delete:") == 1
    assert aws.run("s3", "ls", f"s3://{BUCKET}/synced/").code == 1


def test_a_stream_goes_to_s3_and_a_presigned_address_gives_it(aws: Cli) -> None:
    aws("s3", "cp", "-", f"s3://{BUCKET}/streamed.txt", stdin="from a pipe")
    assert aws("s3", "cp", f"s3://{BUCKET}/streamed.txt", "-").out == "from a pipe"
    address = aws("s3", "presign", f"s3://{BUCKET}/streamed.txt", "--expires-in", "60").out.strip()
    with urlopen(address, timeout=10) as answer:
        assert answer.read() == b"from a pipe"


def test_a_bucket_is_removed_with_what_is_in_it(aws: Cli) -> None:
    aws("s3", "mb", "s3://cli-short-lived")
    aws("s3api", "put-object", "--bucket", "cli-short-lived", "--key", "a")
    assert "BucketNotEmpty" in aws.run("s3", "rb", "s3://cli-short-lived").err
    aws("s3", "rb", "--force", "s3://cli-short-lived")
    assert "cli-short-lived" not in aws("s3", "ls").out


def test_an_endpoint_is_waited_for_and_described(aws: Cli, endpoint: str) -> None:
    aws("sagemaker", "wait", "endpoint-in-service", "--endpoint-name", endpoint)
    described = aws("sagemaker", "describe-endpoint", "--endpoint-name", endpoint).json
    assert described["EndpointStatus"] == "InService"
    assert isinstance(described["CreationTime"], float), "this version of the CLI prints moments as they are sent"
    model = aws("sagemaker", "describe-model", "--model-name", "cli", "--query", "ModelArn", "--output", "text").out
    tags = aws("sagemaker", "list-tags", "--resource-arn", model.strip()).json["Tags"]
    assert tags == [{"Key": "team", "Value": "risk"}]


def test_the_endpoint_answers(aws: Cli, endpoint: str, tmp_path: Path) -> None:
    answer = tmp_path / "answer"
    printed = aws(
        *("sagemaker-runtime", "invoke-endpoint", "--endpoint-name", endpoint, "--content-type", "text/csv"),
        *("--body", "1,2,3,4", str(answer)),
    ).json
    assert printed["InvokedProductionVariant"] == "AllTraffic"
    assert 0 <= float(answer.read_text()) <= 1


def test_its_log_is_read(aws: Cli, endpoint: str) -> None:
    group = f"/aws/sagemaker/Endpoints/{endpoint}"
    streams = aws("logs", "describe-log-streams", "--log-group-name", group).json["logStreams"]
    assert streams[0]["logStreamName"].startswith("AllTraffic/i-")
    events = aws("logs", "filter-log-events", "--log-group-name", group, "--start-time", "0").json["events"]
    assert events
    assert all(event["logStreamName"] == streams[0]["logStreamName"] for event in events)


def test_metrics_are_put_and_found(aws: Cli) -> None:
    aws("cloudwatch", "put-metric-data", "--namespace", "cli", "--metric-name", "m", "--value", "0.5")
    found = aws("cloudwatch", "list-metrics", "--namespace", "cli").json["Metrics"]
    assert [metric["MetricName"] for metric in found] == ["m"]


def test_lists_go_on_page_by_page(aws: Cli, endpoint: str) -> None:
    variant = "VariantName=AllTraffic,ModelName=cli,InstanceType=ml.m5.large,InitialInstanceCount=1"
    names = [f"paged-{number}" for number in range(4)]
    for name in names:
        aws("sagemaker", "create-endpoint-config", "--endpoint-config-name", name, "--production-variants", variant)
    command = (
        *("sagemaker", "list-endpoint-configs", "--name-contains", "paged", "--sort-by", "Name"),
        *("--sort-order", "Ascending", "--page-size", "1"),
    )
    everything = aws(*command).json["EndpointConfigs"]
    assert [config["EndpointConfigName"] for config in everything] == names
    first = aws(*command, "--max-items", "3").json
    rest = aws(*command, "--starting-token", first["NextToken"]).json
    assert [config["EndpointConfigName"] for config in rest["EndpointConfigs"]] == names[3:]


def test_errors_are_told_as_aws_tells_them(aws: Cli) -> None:
    ended = aws.run("sagemaker", "describe-endpoint", "--endpoint-name", "nobody")
    assert ended.code == 255
    assert (
        "An error occurred (ValidationException) when calling the DescribeEndpoint operation: "
        'Could not find endpoint "arn:aws:sagemaker:us-west-2:123456789012:endpoint/nobody".' in ended.err
    )
    ended = aws.run("sagemaker", "describe-processing-job", "--processing-job-name", "nobody")
    assert "(ValidationException)" in ended.err
    assert "Could not find requested job with name: nobody" in ended.err
    assert "(NoSuchBucket)" in aws.run("s3", "ls", "s3://no-such-bucket-anywhere").err


def test_a_job_is_asked_for_by_a_file_and_waited_for(aws: Cli, guarded: Guarded, endpoint: str, tmp_path: Path) -> None:
    predictor = {"endpoint_name": endpoint, "content_type": "text/csv", "accept_type": "text/csv"}
    files = {
        "data.csv": "\n".join(table(60)) + "\n",
        "analysis_config.json": json.dumps(BIAS | {"predictor": predictor}),
    }
    for name, content in files.items():
        (tmp_path / name).write_text(content)
        aws("s3", "cp", str(tmp_path / name), f"s3://{BUCKET}/job/{name}")
    place = {"S3DataType": "S3Prefix", "S3InputMode": "File"}
    request = {
        "ProcessingJobName": "cli",
        "RoleArn": ROLE,
        "AppSpecification": {"ImageUri": CLARIFY_IMAGE},
        "ProcessingResources": {"ClusterConfig": CLUSTER},
        "ProcessingInputs": [
            {
                "InputName": name,
                "S3Input": place
                | {"S3Uri": f"s3://{BUCKET}/job/{file}", "LocalPath": f"/opt/ml/processing/input/{folder}"},
            }
            for name, file, folder in (
                ("dataset", "data.csv", "data"),
                ("analysis_config", "analysis_config.json", "config"),
            )
        ],
        "ProcessingOutputConfig": {
            "Outputs": [
                {
                    "OutputName": "analysis_result",
                    "S3Output": {
                        "S3Uri": f"s3://{BUCKET}/job/output",
                        "LocalPath": "/opt/ml/processing/output",
                        "S3UploadMode": "EndOfJob",
                    },
                }
            ]
        },
    }
    (tmp_path / "request.json").write_text(json.dumps(request))
    created = aws("sagemaker", "create-processing-job", "--cli-input-json", f"file://{tmp_path}/request.json").json
    assert created["ProcessingJobArn"].endswith(":processing-job/cli")
    # The waiter looks once a minute.
    until(
        lambda: guarded.client("sagemaker").describe_processing_job(ProcessingJobName="cli"),
        lambda job: job["ProcessingJobStatus"] != "InProgress",
    )
    aws("sagemaker", "wait", "processing-job-completed-or-stopped", "--processing-job-name", "cli")
    listed = aws("s3", "ls", f"s3://{BUCKET}/job/output/").out.split()
    assert {"analysis.json", "report.html"} <= set(listed)


def test_all_is_deleted_and_waited_for(aws: Cli, guarded: Guarded, endpoint: str) -> None:
    aws("sagemaker", "delete-endpoint", "--endpoint-name", endpoint)
    until(lambda: guarded.client("sagemaker").list_endpoints()["Endpoints"], lambda found: not found)
    aws("sagemaker", "wait", "endpoint-deleted", "--endpoint-name", endpoint)
    aws("sagemaker", "delete-endpoint-config", "--endpoint-config-name", "cli")
    aws("sagemaker", "delete-model", "--model-name", "cli")
    assert aws("sagemaker", "list-models").json["Models"] == []

"""What InvokeEndpoint hands over to a model and gives back, with a model server that tells what it got."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError

from local_aws.hosting import runtime
from tests.local_aws.embedded import BUCKET, IMAGE, Embedded, echo_every_image, embedded
from tests.local_aws.hosting.echo_endpoints import configure, invoke, make_endpoint, refusal, settled
from tests.polling import until
from tests.running_aws import REGION, ROLE, capture_config

EARLY = "The request came before the model servers of endpoint early were up; try again in a moment."


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    """A server with an endpoint `echo` of one variant, `First`."""
    with pytest.MonkeyPatch.context() as patch:
        echo_every_image(patch)
        with embedded(tmp_path_factory.mktemp("invocations")) as running:
            running.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
            running.sagemaker.create_model(ModelName="echo", PrimaryContainer={"Image": IMAGE}, ExecutionRoleArn=ROLE)
            make_endpoint(running, "echo", "First")
            yield running


def test_headers_reach_the_model_and_come_back(aws: Embedded) -> None:
    answer = invoke(
        aws,
        "1,2",
        ContentType="text/csv",
        Accept="application/json",
        CustomAttributes="trace=7",
        InferenceId="id-1",
        TargetVariant="First",
    )
    told = answer["Told"]
    assert told["body"] == "1,2"
    assert told["headers"]["content-type"] == "text/csv"
    assert told["headers"]["accept"] == "application/json"
    assert told["headers"]["x-amzn-sagemaker-custom-attributes"] == "trace=7"
    assert told["headers"]["x-amzn-sagemaker-inference-id"] == "id-1"
    assert answer["ContentType"] == "application/json", "the model's content type"
    assert answer["CustomAttributes"] == "answer=1", "the model's own attributes"
    assert answer["InvokedProductionVariant"] == "First"


def test_nothing_secret_of_the_caller_reaches_the_model(aws: Embedded) -> None:
    headers = invoke(aws)["Told"]["headers"]
    assert not {"authorization", "x-amz-security-token", "x-amz-date"} & set(headers)


@pytest.mark.parametrize(
    "more",
    [
        {"TargetModel": "a.tar.gz"},
        {"TargetContainerHostname": "second"},
        {"EnableExplanations": "`true`"},
        {"InferenceComponentName": "component"},
        {"SessionId": "NEW_SESSION"},
    ],
    ids=lambda more: next(iter(more)),
)
def test_what_is_not_supported_is_refused_by_name(aws: Embedded, more: dict[str, str]) -> None:
    status, response = refusal(aws, **more)
    [member] = more
    assert (status, response["Error"]["Code"]) == (400, "ValidationError")
    assert response["Error"]["Message"] == f"{member} is not supported by local_aws."


def test_asynchronous_and_streamed_invocations_are_refused_by_name(aws: Embedded) -> None:
    client = aws.client("sagemaker-runtime")
    calls = {
        "InvokeEndpointAsync": lambda: client.invoke_endpoint_async(EndpointName="echo", InputLocation="s3://b/k"),
        "InvokeEndpointWithResponseStream": lambda: client.invoke_endpoint_with_response_stream(
            EndpointName="echo", Body=b"x"
        ),
    }
    for name, call in calls.items():
        with pytest.raises(ClientError) as error:
            call()
        assert error.value.response["Error"] == {
            "Code": "ValidationError",
            "Message": f"{name} is not supported by local_aws; use InvokeEndpoint.",
        }


@pytest.mark.parametrize(("status", "kind"), [(400, "client"), (429, "client"), (500, "server"), (503, "server")])
def test_a_refusal_of_the_model_is_a_model_error(aws: Embedded, status: int, kind: str) -> None:
    answered, response = refusal(aws, f"status:{status}")
    assert (answered, response["Error"]["Code"], response["OriginalStatusCode"]) == (424, "ModelError", status)
    assert response["Error"]["Message"].startswith(f"Received {kind} error ({status}) from primary with message")
    assert json.loads(response["OriginalMessage"])["body"] == f"status:{status}"


def test_a_model_that_takes_too_long_is_a_model_error(aws: Embedded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "MODEL_SECONDS", 0.1)
    answered, response = refusal(aws, "sleep:1")
    assert (answered, response["Error"]["Code"], response["OriginalStatusCode"]) == (424, "ModelError", 0)
    assert response["OriginalMessage"].startswith(
        "Your invocation timed out while waiting for a response from container"
    )
    said = f'Received server error (0) from primary with message "{response["OriginalMessage"]}". See https://'
    assert response["Error"]["Message"].startswith(said)


def test_a_request_that_kills_the_server_is_a_model_error_and_the_server_comes_back(aws: Embedded) -> None:
    make_endpoint(aws, "mortal", "Only")
    for _ in range(2):
        answered, response = refusal(aws, "die", "mortal")
        assert (answered, response["Error"]["Code"], response["OriginalStatusCode"]) == (424, "ModelError", 500)
        until(lambda: answers(aws, "mortal"), bool)
    [variant] = settled(aws, "mortal")["ProductionVariants"]
    assert (variant["CurrentInstanceCount"], variant["DesiredInstanceCount"]) == (1, 1)


def test_requests_in_flight_are_answered_by_whom_they_asked(aws: Embedded) -> None:
    make_endpoint(aws, "slow", "Old")
    configure(aws, "slow-next", "New")
    served = aws.server.aws.hosting.serving(REGION, "slow")
    assert served is not None
    with ThreadPoolExecutor(4) as clients:
        answers = [clients.submit(invoke, aws, "sleep:1.5", "slow") for _ in range(4)]
        until(lambda: served.requests, lambda count: count == 4)
        began = time.monotonic()
        aws.sagemaker.update_endpoint(EndpointName="slow", EndpointConfigName="slow-next")
        until(
            lambda: invoke(aws, "x", "slow")["InvokedProductionVariant"],
            lambda variant: variant == "New",
        )
        during = aws.sagemaker.describe_endpoint(EndpointName="slow")["EndpointStatus"]
        assert {answer.result()["InvokedProductionVariant"] for answer in answers} == {"Old"}
        assert time.monotonic() - began < 10
    assert during == "Updating", "until the old servers are gone"
    assert settled(aws, "slow")["EndpointConfigName"] == "slow-next"


def test_one_of_many_updates_at_once_is_taken(aws: Embedded) -> None:
    make_endpoint(aws, "contended", "Old")
    configure(aws, "contended-next", "New")
    barrier = threading.Barrier(8)

    def update(number: int) -> str:
        barrier.wait(30)
        try:
            aws.sagemaker.update_endpoint(EndpointName="contended", EndpointConfigName="contended-next")
        except ClientError as error:
            return str(error.response["Error"]["Message"])
        return "taken"

    with ThreadPoolExecutor(8) as clients:
        said = list(clients.map(update, range(8)))
    assert said.count("taken") == 1
    assert {message.split(" endpoint")[0] for message in said if message != "taken"} == {"Cannot update in-progress"}
    assert settled(aws, "contended")["EndpointConfigName"] == "contended-next"


def test_an_endpoint_that_is_deleted_answers_what_it_was_asked(aws: Embedded) -> None:
    make_endpoint(aws, "going", "Only")
    served = aws.server.aws.hosting.serving(REGION, "going")
    assert served is not None
    with ThreadPoolExecutor(1) as clients:
        answer = clients.submit(invoke, aws, "sleep:0.7", "going")
        until(lambda: served.requests, lambda count: count == 1)
        aws.sagemaker.delete_endpoint(EndpointName="going")
        assert answer.result()["Told"]["body"] == "sleep:0.7"
    aws.sagemaker.get_waiter("endpoint_deleted").wait(
        EndpointName="going", WaiterConfig={"Delay": 1, "MaxAttempts": 20}
    )
    make_endpoint(aws, "going-again", "Only")


def test_what_was_made_from_a_model_goes_on_without_it(aws: Embedded) -> None:
    sagemaker = aws.sagemaker
    sagemaker.create_model(ModelName="gone", PrimaryContainer={"Image": IMAGE}, ExecutionRoleArn=ROLE)
    variant = {"VariantName": "Only", "ModelName": "gone", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName="orphan", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="orphan", EndpointConfigName="orphan")
    settled(aws, "orphan")
    sagemaker.delete_model(ModelName="gone")
    sagemaker.delete_endpoint_config(EndpointConfigName="orphan")
    assert invoke(aws, "x", "orphan")["InvokedProductionVariant"] == "Only"
    refusal(aws, "die", "orphan")
    until(lambda: answers(aws, "orphan"), bool)


def answers(aws: Embedded, endpoint: str) -> bool:
    """Whether an endpoint answers; while its server dies and is started again, it does not."""
    expected = aws.client("sagemaker-runtime").exceptions
    try:
        invoke(aws, "x", endpoint)
    except (expected.ServiceUnavailable, expected.ModelError):
        return False
    return True


def test_capturing_is_the_default_of_a_capture_configuration(aws: Embedded) -> None:
    config = capture_config(BUCKET)
    del config["EnableCapture"]
    make_endpoint(aws, "captured", "Only", DataCaptureConfig=config)
    described = aws.sagemaker.describe_endpoint(EndpointName="captured")["DataCaptureConfig"]
    assert (described["EnableCapture"], described["CaptureStatus"]) == (True, "Started")
    invoke(aws, "x", "captured", ContentType="text/csv")
    aws.server.aws.captures.flush()
    assert len(aws.keys("datacapture/captured/Only/")) == 1


@pytest.mark.parametrize(
    ("status", "answered", "code", "message"),
    [
        ("InService", 503, "ServiceUnavailable", EARLY),
        ("Updating", 503, "ServiceUnavailable", EARLY),
        ("OutOfService", 503, "ServiceUnavailable", EARLY),
        ("Deleting", 400, "ValidationError", "Endpoint early of account 123456789012 not found."),
    ],
)
def test_an_endpoint_that_is_not_served_yet_is_unavailable(
    aws: Embedded, status: str, answered: int, code: str, message: str
) -> None:
    """After a start of the server, or when a request crosses the moment in which its endpoint comes into service."""
    document = {"EndpointName": "early", "EndpointStatus": status, "Deployment": {"Variants": []}}
    store = aws.server.aws.store
    store.put("endpoint", f"{REGION}/early", document)
    said, response = refusal(aws, "x", "early")
    store.delete("endpoint", f"{REGION}/early")
    assert (said, response["Error"]["Code"], response["Error"]["Message"]) == (answered, code, message)


def test_many_clients_at_once(aws: Embedded) -> None:
    barrier = threading.Barrier(24)

    def ask(number: int) -> bool:
        barrier.wait(30)
        return all(invoke(aws, f"{number}-{turn}")["Told"]["body"] == f"{number}-{turn}" for turn in range(5))

    with ThreadPoolExecutor(24) as clients:
        assert all(clients.map(ask, range(24)))

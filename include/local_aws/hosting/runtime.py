"""InvokeEndpoint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import urllib3

from local_aws.errors import AwsError
from local_aws.hosting.capture import Destination, Exchange
from local_aws.hosting.deployments import LOG_GROUP
from local_aws.hosting.serving import Serving, Variant
from local_aws.operations import service_model
from local_aws.store import scoped
from local_aws.validation import validated

if TYPE_CHECKING:
    from local_aws.aws import LocalAws

MOST_BYTES = 6 * 1024**2
MODEL_SECONDS = 60
LONGEST_MESSAGE = 2048
LONGEST_ORIGINAL_MESSAGE = 2048
DEFAULT_TYPE = "application/octet-stream"
TIMED_OUT = (
    "Your invocation timed out while waiting for a response from container primary. Review the latency metrics for "
    "each container in Amazon CloudWatch, resolve the issue, and try again."
)
UNSUPPORTED = ("TargetModel", "TargetContainerHostname", "EnableExplanations", "InferenceComponentName", "SessionId")


@dataclass(frozen=True)
class Invocation:
    """An endpoint's answer."""

    body: bytes
    content_type: str
    variant: str
    custom_attributes: str | None


def capture_enabled(config: dict[str, Any]) -> bool:
    """Whether a DataCaptureConfig captures; it does unless it says otherwise."""
    return bool(config.get("EnableCapture", True))


def request_of(endpoint: str, body: bytes, header: Any) -> dict[str, Any]:
    """The validated InvokeEndpoint request; `header(name)` gives a request header or None.

    Raises:
        AwsError: ValidationError, or 413 for a body above 6 MiB.
    """
    if len(body) > MOST_BYTES:
        raise too_long(MOST_BYTES)
    shape = service_model("sagemaker-runtime").operation_model("InvokeEndpoint").input_shape
    request = {"EndpointName": endpoint, "Body": body}
    for name, member in shape.members.items() if shape else ():
        if member.serialization.get("location") == "header":
            request[name] = header(member.serialization["name"])
    try:
        return validated(shape, request)
    except AwsError as error:
        raise AwsError("ValidationError", error.message) from error


def too_long(limit: int) -> AwsError:
    """What is answered to a body that is larger than a model gets to see."""
    return AwsError("", f"HTTP content length exceeded {limit} bytes.", 413)


def invoke(aws: LocalAws, request: dict[str, Any], region: str) -> Invocation:
    """Let the endpoint's model answer, and capture the exchange.

    Raises:
        AwsError: ValidationError for an endpoint that is not there, ServiceUnavailable before its model servers are up
            and while one is being started again, ModelError for what the model refuses, and for a model server that
            ended under the request.
    """
    endpoint = request["EndpointName"]
    for member in UNSUPPORTED:
        if member in request:
            raise AwsError("ValidationError", f"{member} is not supported by local_aws.")
    with aws.hosting.request(region, endpoint) as serving:
        if serving is None:
            raise _not_served(aws, region, endpoint)
        return _answered(aws, serving, request, region)


def _not_served(aws: LocalAws, region: str, endpoint: str) -> AwsError:
    document = aws.store.get("endpoint", scoped(region, endpoint))
    if document is not None and "Deployment" in document and document["EndpointStatus"] != "Deleting":
        message = f"The request came before the model servers of endpoint {endpoint} were up; try again in a moment."
        return AwsError("ServiceUnavailable", message, 503)
    return AwsError("ValidationError", f"Endpoint {endpoint} of account {aws.account_id} not found.")


def _answered(aws: LocalAws, serving: Serving, request: dict[str, Any], region: str) -> Invocation:
    endpoint = request["EndpointName"]
    variant = _variant(serving, request.get("TargetVariant"), endpoint)
    content_type = request.get("ContentType", DEFAULT_TYPE)
    answer = _ask(aws, variant, request, content_type, region)
    answer_type = answer.headers.get("Content-Type", DEFAULT_TYPE)
    capture = serving.data_capture
    if capture and capture_enabled(capture):
        exchange = Exchange(
            moment=aws.clock.now(),
            inference_id=request.get("InferenceId"),
            custom_attributes=request.get("CustomAttributes"),
            request=request["Body"],
            request_type=content_type,
            answer=answer.data,
            answer_type=answer_type,
        )
        aws.captures.add(Destination(region, capture["DestinationS3Uri"], endpoint, variant.name), exchange, capture)
    return Invocation(answer.data, answer_type, variant.name, answer.headers.get("X-Amzn-SageMaker-Custom-Attributes"))


def _variant(serving: Serving, target: str | None, endpoint: str) -> Variant:
    if target is None:
        return serving.choose()
    if target not in serving.variants:
        raise AwsError("ValidationError", f"Variant {target} of endpoint {endpoint} not found.")
    return serving.variants[target]


def _ask(
    aws: LocalAws, variant: Variant, request: dict[str, Any], content_type: str, region: str
) -> urllib3.BaseHTTPResponse:
    headers = {"Content-Type": content_type, "Accept": request.get("Accept", "*/*")}
    for member, header in (
        ("CustomAttributes", "X-Amzn-SageMaker-Custom-Attributes"),
        ("InferenceId", "X-Amzn-SageMaker-Inference-Id"),
    ):
        if member in request:
            headers[header] = request[member]
    endpoint = request["EndpointName"]
    try:
        answer = variant.server.http.request(
            "POST", "/invocations", body=request["Body"], headers=headers, timeout=MODEL_SECONDS
        )
    except urllib3.exceptions.ReadTimeoutError as error:
        raise _model_error(aws, region, endpoint, 0, TIMED_OUT) from error
    except urllib3.exceptions.NewConnectionError as error:
        message = f"The model server of variant {variant.name} is being started again; try again in a moment."
        raise AwsError("ServiceUnavailable", message, 503) from error
    except urllib3.exceptions.HTTPError as error:
        message = f"The model server of variant {variant.name} does not answer."
        raise _model_error(aws, region, endpoint, 500, message) from error
    if answer.status >= 400:
        text = answer.data.decode("utf-8", errors="replace")[:LONGEST_ORIGINAL_MESSAGE]
        raise _model_error(aws, region, endpoint, answer.status, text)
    return answer


def _model_error(aws: LocalAws, region: str, endpoint: str, status: int, original: str) -> AwsError:
    kind = "client" if 400 <= status < 500 else "server"
    message = f'Received {kind} error ({status}) from primary with message "{original}".'
    group = f"{LOG_GROUP}/{endpoint}"
    console = f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#logEventViewer:group={group}"
    where = f" See {console} in account {aws.account_id} for more information."
    return AwsError(
        "ModelError",
        message[: LONGEST_MESSAGE - len(where)] + where,
        424,
        OriginalStatusCode=status,
        OriginalMessage=original,
        LogStreamArn=f"arn:aws:logs:{region}:{aws.account_id}:log-group:{group}",
    )

"""One address for all services: who is asked for stands in the signature's credential scope."""

from __future__ import annotations

import json
import logging
import re
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from botocore.model import OperationNotFoundError

from local_aws import administration, operations
from local_aws.access.browsers import require_no_foreign_page
from local_aws.access.gate import Access
from local_aws.aws import LocalAws
from local_aws.errors import AwsError, unknown_operation
from local_aws.hosting import runtime
from local_aws.request_bodies import read_body, require_fitting
from local_aws.services.moto_services import SERVICES
from local_aws.services.s3.foreign import VARIABLE, ForeignS3

log = logging.getLogger(__name__)

Environ = dict[str, Any]
StartResponse = Callable[..., Any]

SERVED = sorted({"sagemaker", *SERVICES})

HEALTH = "/_local/health"

_CREDENTIAL = re.compile(r"Credential=([^,\s]+)")
_ENDPOINT_PATH = re.compile(r"/endpoints/(?P<name>[^/]+)/(?P<action>[a-z-]+)")
_UNSUPPORTED_ACTIONS = {
    "async-invocations": "InvokeEndpointAsync",
    "invocations-response-stream": "InvokeEndpointWithResponseStream",
}
_REGION = re.compile(r"[a-z]{2,8}(-[a-z0-9]{1,16}){0,5}")
_JSON = "application/json"
_AWS_JSON = "application/x-amz-json-1.1"


@dataclass
class Response:
    """Status, headers and body of an answer."""

    status: int
    body: bytes
    content_type: str | None = _JSON
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Caller:
    """Which service of which region a request is signed for."""

    service: str
    region: str


class Router:
    """The WSGI application: our SageMaker, the administration of this server, and moto for the rest.

    With `access`, only requests that it admits are served, but for the server's health. Without, none that a web page
    from elsewhere sends; `only_here` is whether nobody but this machine can reach the server.
    """

    def __init__(
        self,
        aws: LocalAws,
        others: Callable[[Environ, StartResponse], Iterable[bytes]],
        access: Access | None = None,
        only_here: bool = True,
    ) -> None:
        self.aws = aws
        self.others = others
        self.access = access
        self.only_here = only_here

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        caller = _caller(environ)
        ours = path.startswith("/_local/")
        data_plane = _is_data_plane(path, caller)
        try:
            if self.access is None:
                require_no_foreign_page(environ, self.only_here)
            require_fitting(environ, caller.service if caller else None, data_plane)
        except AwsError as error:
            return self._send(_refusal(environ, path, caller, error), start_response)
        if path == HEALTH or (ours and self.access is None):
            return self._send(self._administration(environ, path), start_response)
        if caller is None or path.startswith("/moto-api"):
            return self._send(_unsigned(), start_response)
        if self.access is not None:
            try:
                self.access.admit(environ, caller.service, data_plane)
            except AwsError as error:
                return self._send(_refusal(environ, path, caller, error), start_response)
        if ours:
            return self._send(self._administration(environ, path), start_response)
        if caller.service == "sagemaker":
            return self._send(self._sagemaker(environ, path, caller), start_response)
        if caller.service == "s3" and self.aws.foreign_s3 is not None:
            return self._send(_s3_elsewhere(self.aws.foreign_s3), start_response)
        if caller.service not in SERVICES:
            refusal = unknown_operation(f"local_aws does not serve {caller.service}; it serves {', '.join(SERVED)}.")
            return self._send(_other_error(environ, refusal), start_response)
        return self._moto(environ, path, caller, start_response)

    def _moto(self, environ: Environ, path: str, caller: Caller, start_response: StartResponse) -> Iterable[bytes]:
        # Moto decodes the path of a request once more unless it knows it as it was sent.
        environ["RAW_URI"] = environ.get("REQUEST_URI", "")
        if caller.service != "s3" and not environ.get("HTTP_AUTHORIZATION"):
            # Moto takes every presigned address for one of S3.
            credential = parse_qs(environ["QUERY_STRING"])["X-Amz-Credential"][0]
            environ["HTTP_AUTHORIZATION"] = f"AWS4-HMAC-SHA256 Credential={credential}"
        try:
            return self.others(environ, self._stamped(start_response))
        except AwsError as error:
            return self._send(_refusal(environ, path, caller, error), start_response)
        except (NotImplementedError, OperationNotFoundError) as error:
            return self._send(_other_error(environ, unknown_operation(f"local_aws: {error}")), start_response)
        except Exception:
            log.exception("%s %s for %s failed.", environ["REQUEST_METHOD"], path, caller.service)
            message = f"The request for {caller.service} failed inside local_aws; its log says why."
            return self._send(_other_error(environ, AwsError("InternalFailure", message, 500)), start_response)

    def _sagemaker(self, environ: Environ, path: str, caller: Caller) -> Response:
        data_plane = _ENDPOINT_PATH.fullmatch(path)
        try:
            if data_plane:
                return self._runtime(environ, data_plane["name"], data_plane["action"], caller)
            target = environ.get("HTTP_X_AMZ_TARGET", "")
            if not target.startswith("SageMaker."):
                raise unknown_operation(f"{environ['REQUEST_METHOD']} {path} is no operation that local_aws supports.")
            name = target.removeprefix("SageMaker.")
            return Response(200, operations.call(self.aws, name, read_body(environ), caller.region), _AWS_JSON)
        except AwsError as error:
            return _rest_error(error) if data_plane else _json_error(error)
        except Exception:
            log.exception("%s %s failed.", path, environ.get("HTTP_X_AMZ_TARGET", ""))
            failure = AwsError("InternalFailure", "The request failed inside local_aws; its log says why.", 500)
            return _rest_error(failure) if data_plane else _json_error(failure)

    def _runtime(self, environ: Environ, endpoint: str, action: str, caller: Caller) -> Response:
        if (name := _UNSUPPORTED_ACTIONS.get(action)) is not None:
            raise AwsError("ValidationError", f"{name} is not supported by local_aws; use InvokeEndpoint.")
        if action != "invocations" or environ["REQUEST_METHOD"] != "POST":
            raise unknown_operation(
                f"{environ['REQUEST_METHOD']} {action} of an endpoint is not supported by local_aws."
            )

        def header(name: str) -> str | None:
            key = name.upper().replace("-", "_")
            return environ.get(key if key == "CONTENT_TYPE" else f"HTTP_{key}") or None

        request = runtime.request_of(endpoint, read_body(environ, runtime.MOST_BYTES), header)
        answer = runtime.invoke(self.aws, request, caller.region)
        headers = {"x-Amzn-Invoked-Production-Variant": answer.variant}
        if answer.custom_attributes:
            headers["X-Amzn-SageMaker-Custom-Attributes"] = answer.custom_attributes
        return Response(200, answer.body, answer.content_type, headers)

    def _administration(self, environ: Environ, path: str) -> Response:
        try:
            status, answer = administration.answer(
                self.aws, environ["REQUEST_METHOD"], path, environ.get("QUERY_STRING", ""), read_body(environ)
            )
        except AwsError as error:
            status, answer = error.status, {"message": error.message}
        return Response(status, json.dumps(answer).encode())

    def _send(self, response: Response, start_response: StartResponse) -> Iterable[bytes]:
        headers = [*response.headers.items(), ("Content-Length", str(len(response.body)))]
        if response.content_type:
            headers.append(("Content-Type", response.content_type))
        self._stamped(start_response)(f"{response.status} {_reason(response.status)}", headers)
        return [response.body]

    def _stamped(self, start_response: StartResponse) -> StartResponse:
        def start(status: str, headers: list[tuple[str, str]], *args: Any) -> Any:
            kept = [header for header in headers if header[0].lower() != "date"]
            kept.append(("Date", _http_date(self.aws.clock.now().replace(microsecond=0))))
            if not any(name.lower() == "x-amzn-requestid" for name, _ in kept):
                kept.append(("x-amzn-RequestId", str(uuid.uuid4())))
            return start_response(status, kept, *args)

        return start


def _caller(environ: Environ) -> Caller | None:
    authorization = environ.get("HTTP_AUTHORIZATION", "")
    query = parse_qs(environ.get("QUERY_STRING", ""))
    credential = _CREDENTIAL.search(authorization)
    scope = credential[1] if credential else query.get("X-Amz-Credential", [""])[0]
    parts = scope.split("/")
    if len(parts) >= 5 and parts[-1] == "aws4_request" and _REGION.fullmatch(parts[-3]):
        return Caller(service=parts[-2].lower(), region=parts[-3])
    if authorization.startswith("AWS ") or "AWSAccessKeyId" in query:
        return Caller(service="s3", region="us-east-1")
    return None


def _unsigned() -> Response:
    message = (
        "Request is missing Authentication Token: sign it with any key, for the region and the service it is meant for."
    )
    return _json_error(AwsError("MissingAuthenticationTokenException", message, 403))


def _is_data_plane(path: str, caller: Caller | None) -> bool:
    return caller is not None and caller.service == "sagemaker" and _ENDPOINT_PATH.fullmatch(path) is not None


def _refusal(environ: Environ, path: str, caller: Caller | None, error: AwsError) -> Response:
    if caller is None:
        return _json_error(error)
    if caller.service == "s3":
        body = f"<Error><Code>{error.code}</Code><Message>{escape(error.message)}</Message></Error>"
        return Response(error.status, body.encode(), "application/xml")
    if caller.service == "sagemaker":
        return _rest_error(error) if _ENDPOINT_PATH.fullmatch(path) else _json_error(error)
    return _other_error(environ, error)


def _json_error(error: AwsError) -> Response:
    body = {"__type": error.code, "message": error.message, **error.fields}
    return Response(error.status, json.dumps(body).encode(), _AWS_JSON)


def _rest_error(error: AwsError) -> Response:
    body = {"Message": error.message, **error.fields}
    headers = {"x-amzn-ErrorType": error.code} if error.code else {}
    return Response(error.status, json.dumps(body).encode(), _JSON, headers)


def _other_error(environ: Environ, error: AwsError) -> Response:
    if "json" in environ.get("CONTENT_TYPE", ""):
        return _json_error(error)
    body = f"<Error><Code>{error.code}</Code><Message>{escape(error.message)}</Message></Error>"
    return Response(error.status, f"<ErrorResponse>{body}</ErrorResponse>".encode(), "text/xml")


def _s3_elsewhere(s3: ForeignS3) -> Response:
    message = f"S3 is not here: this local_aws uses the S3 at {s3.url}, by its {VARIABLE}. Send this request there."
    body = f"<Error><Code>InvalidRequest</Code><Message>{escape(message)}</Message></Error>"
    return Response(400, body.encode(), "application/xml")


@lru_cache(maxsize=4)
def _http_date(moment: datetime) -> str:
    return format_datetime(moment, usegmt=True)


def _reason(status: int) -> str:
    return HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "Error"

"""What all hooks share: one way to call AWS, and errors that say what to do."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError, NoCredentialsError
from botocore.exceptions import ConnectionError as NoConnection

from model_monitor.errors import AccessDenied, MonitorError, ServiceUnavailable, Unreachable
from model_monitor.waiting import WAITERS, Outcome, Wait, changes

# boto3's default gives up on throttling after a few seconds, and on a silent host after five minutes; a connection's
# `config_kwargs` goes before this.
DEFAULTS = Config(retries={"mode": "standard", "total_max_attempts": 6}, connect_timeout=5)

Answer = TypeVar("Answer")

DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "403", "Forbidden"}
UNACCEPTED = {
    "AuthFailure",
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
MISSING = {"ResourceNotFound", "ResourceNotFoundException", "NoSuchKey", "NoSuchBucket", "404", "NotFound"}
_NAMED = re.compile(r"not authorized to perform: (?P<name>[\w-]+:\w+)")
PERMISSIONS = {
    "s3:HeadBucket": "s3:ListBucket",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:HeadObject": "s3:GetObject",
}


class MonitorHook(AwsBaseHook):
    """A hook whose verbs go through `call` and `find`."""

    defaults = DEFAULTS

    @property
    def waiter_path(self) -> Path:
        return WAITERS / f"{self.client_type}.json"

    def call(self, method: str, **request: Any) -> dict[str, Any]:
        """Send one request, by its boto3 name.

        Raises:
            AccessDenied: with the permission that is missing.
            ServiceUnavailable: when the account no longer has the managed monitors.
            Unreachable: when nothing answers.
            ClientError: for every other refusal.
        """
        return self._explained(lambda: getattr(self.conn, method)(**request), request)

    def find(self, method: str, **request: Any) -> dict[str, Any] | None:
        """Send one describing request; None when there is no such resource."""
        try:
            return self.call(method, **request)
        except ClientError as error:
            if is_missing(error):
                return None
            raise

    def ask(self, wait: Wait) -> Outcome:
        """Ask once; errors as those of `call`."""
        return self._explained(lambda: wait.ask(self.conn), wait.request)

    def wait(self, wait: Wait, until: float | None = None) -> Outcome:
        """Wait until it is decided, or until its deadline or the earlier moment `until`; tells every change in the log.

        Errors are those of `call`, but a server that does not answer is waited for.
        """
        return self._explained(lambda: wait.poll(self.conn, until, changes(wait, self.log.info)), wait.request)

    def _explained(self, ask: Callable[[], Answer], request: dict[str, Any]) -> Answer:
        try:
            return ask()
        except ClientError as error:
            if (explained := explain(error, str(self.client_type), request)) is not None:
                raise explained from error
            raise
        except NoCredentialsError as error:
            raise AccessDenied(
                f"The connection '{self.aws_conn_id}' holds no AWS credentials, and the environment has none either."
            ) from error
        except (NoConnection, HTTPClientError) as error:
            raise Unreachable(
                f"{self.conn_client_meta.endpoint_url} does not answer ({error}). Does it run, and is it what the "
                f"connection '{self.aws_conn_id}' is to point to? `make status` shows what `make up` started."
            ) from error

    def _get_config(self, config: Config | None = None) -> Config:
        defaults = self.defaults
        if self.client_type == "s3" and self.conn_config.get_service_endpoint_url(service_name="s3"):
            # A server of one's own has one host name, not one per bucket.
            defaults = defaults.merge(Config(s3={"addressing_style": "path"}))
        return defaults.merge(super()._get_config(config))


def is_missing(error: ClientError) -> bool:
    """Whether AWS says that there is no such resource; SageMaker's older operations say so in words only."""
    code, message = error.response["Error"].get("Code", ""), error.response["Error"].get("Message", "")
    if code in MISSING:
        return True
    return code == "ValidationException" and any(
        words in message.lower() for words in ("could not find", "does not exist", "not found")
    )


def is_taken(error: ClientError) -> bool:
    """Whether AWS says that the name is taken."""
    code, message = error.response["Error"].get("Code", ""), error.response["Error"].get("Message", "")
    return code == "ResourceInUse" or (code == "ValidationException" and "already exist" in message.lower())


def explain(error: ClientError, service: str, request: dict[str, Any]) -> MonitorError | None:
    """The error of ours that says the next step, if there is one."""
    code, message = error.response["Error"].get("Code", ""), error.response["Error"].get("Message", "")
    if code in DENIED:
        action = f"{service.removesuffix('-runtime')}:{error.operation_name}"
        permission = named_permission(message) or PERMISSIONS.get(action, action)
        return AccessDenied(
            f"AWS refused {error.operation_name} on {_subject(request)}: {message or code}. "
            f"Allow '{permission}' there for the identity of this Airflow connection."
        )
    if code in UNACCEPTED:
        return AccessDenied(
            f"AWS does not accept the credentials of this connection ({error.operation_name}: {code}: {message}). "
            "Are they complete, for this account and not expired?"
        )
    if "maintenance mode" in message:
        return ServiceUnavailable(
            f"AWS refused {error.operation_name}: {message} "
            "Airflow judges the same windows without the managed service: <endpoint>.windows, with baselines: airflow "
            "under monitoring in the YAML."
        )
    return None


def named_permission(message: str) -> str | None:
    """The permission that AWS's own words name, if they do.

    It is not always the call's own: a role in a request needs iam:PassRole too, tags need sagemaker:AddTags.
    """
    named = _NAMED.search(message)
    return None if named is None else PERMISSIONS.get(named["name"], named["name"])


def _subject(request: dict[str, Any]) -> str:
    if "Bucket" in request:
        return f"s3://{request['Bucket']}/{request.get('Key', request.get('Prefix', ''))}"
    return next((str(value) for key, value in request.items() if key.endswith("Name")), "this account")

"""The account that an endpoint lives in, and how a permission in it is tried."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from model_monitor.config import MonitoredEndpoint
from model_monitor.errors import AccessDenied
from model_monitor.preflight.findings import Finding, Level, ok

if TYPE_CHECKING:
    from model_monitor.hooks.base import MonitorHook
    from model_monitor.hooks.cloudwatch import CloudWatchHook
    from model_monitor.hooks.logs import LogsHook
    from model_monitor.hooks.s3 import StorageHook
    from model_monitor.hooks.sagemaker import SageMakerHook


@dataclass(frozen=True)
class Account:
    """Hooks on one endpoint's connection and region."""

    storage: StorageHook
    sagemaker: SageMakerHook
    iam: MonitorHook
    logs: LogsHook
    cloudwatch: CloudWatchHook

    @classmethod
    def of(cls, endpoint: MonitoredEndpoint) -> Account:
        """The account behind the endpoint's Airflow connection."""
        from model_monitor.hooks.base import MonitorHook
        from model_monitor.hooks.cloudwatch import CloudWatchHook
        from model_monitor.hooks.logs import LogsHook
        from model_monitor.hooks.s3 import StorageHook
        from model_monitor.hooks.sagemaker import SageMakerHook

        at: dict[str, Any] = {"aws_conn_id": endpoint.aws_conn_id, "region_name": endpoint.region}
        return cls(
            StorageHook(**at),
            SageMakerHook(**at),
            MonitorHook(client_type="iam", **at),
            LogsHook(**at),
            CloudWatchHook(**at),
        )

    @property
    def is_aws(self) -> bool:
        """Whether the connection points to AWS itself, which alone looks at roles."""
        return "amazonaws.com" in str(self.iam.conn_client_meta.endpoint_url)


@dataclass(frozen=True)
class Probe:
    """A call that needs a permission, and changes nothing that stays."""

    permission: str
    where: str
    ask: Callable[[], object]
    denied: Level = "error"

    def finding(self, check: str) -> Finding:
        """Whether the permission is there."""
        try:
            self.ask()
        except AccessDenied as refusal:
            return denied(check, self.where, self.permission, refusal, self.denied)
        return ok(check, self.where, f"{self.permission} is allowed")


def denied(check: str, where: str, permission: str, refusal: AccessDenied, level: Level = "error") -> Finding:
    """What is told of a missing permission.

    Raises:
        AccessDenied: again, when AWS does not accept the credentials, so that no other call would be answered either.
    """
    from model_monitor.hooks.base import named_permission

    cause = refusal.__cause__
    if not lacks_permission(refusal) or not isinstance(cause, ClientError):
        raise refusal
    said = cause.response["Error"].get("Message", "")
    permission = named_permission(said) or permission
    fix = f"Allow '{permission}' on {where} for the identity of this Airflow connection."
    return Finding(level, check, where, f"AWS refuses {cause.operation_name}: {said}", fix)


def lacks_permission(refusal: AccessDenied) -> bool:
    """Whether AWS knows the caller, and only forbids this call."""
    from model_monitor.hooks.base import DENIED

    cause = refusal.__cause__
    return isinstance(cause, ClientError) and cause.response["Error"].get("Code", "") in DENIED

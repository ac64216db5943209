"""Which failures are worth another try."""

from __future__ import annotations

from typing import Any

from airflow.providers.amazon.aws.utils.waiter_with_logging import RETRIABLE_ERROR_CODES
from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryDecision, RetryRule
from botocore.exceptions import ClientError, ParamValidationError

from model_monitor.errors import AlertNotDelivered, MonitorError, Unreachable, WaitTimeout

POINTLESS = "Trying again cannot help"


class RetryWhatMayPass(ExceptionRetryPolicy):
    """What a human has to mend, and what AWS refuses for good, fails at once; everything else is tried again."""

    def evaluate(self, exception: BaseException, *arguments: Any, **options: Any) -> RetryDecision:
        """The decision; throttling and faults of the service itself (5xx) may pass."""
        if isinstance(exception, ClientError) and is_refusal(exception):
            return RetryDecision.fail(POINTLESS)
        return super().evaluate(exception, *arguments, **options)


def is_refusal(error: ClientError) -> bool:
    """Whether AWS understood the request and does not want it (4xx, throttling apart)."""
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)
    return 400 <= status < 500 and error.response["Error"].get("Code") not in RETRIABLE_ERROR_CODES


RETRY_POLICY = RetryWhatMayPass(
    rules=[
        RetryRule([AlertNotDelivered, WaitTimeout, Unreachable], action=RetryAction.DEFAULT),
        RetryRule([MonitorError, ParamValidationError], action=RetryAction.FAIL, reason=POINTLESS),
    ]
)

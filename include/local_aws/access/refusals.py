"""What each kind of service answers to a request whose signature it does not accept."""

from __future__ import annotations

from datetime import datetime

from local_aws.access.signatures import MOMENT
from local_aws.errors import AwsError

UNKNOWN_TOKEN = "The security token included in the request is invalid."
MISMATCH = (
    "The request signature we calculated does not match the signature you provided. "
    "Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
)
S3_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your key and signing method."
)


class Refusals:
    """The errors of a service: S3's, those of the JSON protocols, or those of the query protocol."""

    def __init__(self, service: str, content_type: str, invocation: bool) -> None:
        self._s3 = service == "s3"
        self._invocation = invocation
        self._json = service == "sagemaker" or "json" in content_type

    def unknown_key(self) -> AwsError:
        """The access key is not known."""
        message = "The AWS Access Key Id you provided does not exist in our records." if self._s3 else UNKNOWN_TOKEN
        return self._error("InvalidAccessKeyId", "InvalidClientTokenId", "UnrecognizedClientException", message)

    def mismatch(self) -> AwsError:
        """The signature is not that of this request by this key."""
        return self._wrong_signature(S3_MISMATCH if self._s3 else MISMATCH)

    def other_body(self) -> AwsError:
        """The body is not the one whose hash was signed."""
        if self._s3:
            message = "The provided 'x-amz-content-sha256' header does not match what was computed."
            return AwsError("XAmzContentSHA256Mismatch", message, 400)
        return self.mismatch()

    def malformed(self) -> AwsError:
        """There is a signature, but not all that belongs to it."""
        message = "The signature is incomplete: it needs a credential, signed headers, a signature and a date."
        if self._s3:
            return AwsError("AuthorizationHeaderMalformed", message, 400)
        return self._error("", "IncompleteSignature", "IncompleteSignatureException", message)

    def skewed(self, signed: datetime, now: datetime) -> AwsError:
        """The request was signed too long ago, or is signed for a time to come."""
        if self._s3:
            message = "The difference between the request time and the current time is too large."
            return AwsError("RequestTimeTooSkewed", message, 403)
        word, relation = ("expired", "earlier") if signed < now else ("not yet current", "later")
        return self._wrong_signature(
            f"Signature {word}: {signed.strftime(MOMENT)} is now {relation} than what {now.strftime(MOMENT)} allows."
        )

    def expired(self) -> AwsError:
        """A presigned address is too old."""
        if self._s3:
            return AwsError("AccessDenied", "Request has expired", 403)
        return self._wrong_signature("Signature expired.")

    def _wrong_signature(self, message: str) -> AwsError:
        return self._error("SignatureDoesNotMatch", "SignatureDoesNotMatch", "InvalidSignatureException", message)

    def _error(self, s3: str, query: str, of_json: str, message: str) -> AwsError:
        if self._s3:
            return AwsError(s3, message, 403)
        if self._json:
            return AwsError(of_json, message, 403 if self._invocation else 400)
        return AwsError(query, message, 403)

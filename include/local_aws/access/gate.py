"""The check of a request's signature.

Checked are Signature Version 4 in the header and in the query (presigned addresses), the body that it covers, S3's
streamed bodies with their chunks and trailing headers, and S3's Version 2, in which boto3 presigns addresses still.
"""

from __future__ import annotations

import hmac
import io
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs

from local_aws.access import signed_bodies
from local_aws.access.keys import Key
from local_aws.access.refusals import Refusals
from local_aws.access.s3_version_2 import version_2
from local_aws.access.signatures import ALGORITHM, MOMENT, UNSIGNED, Scope, Signer, canonical_request
from local_aws.access.signed_bodies import WrongBody
from local_aws.clock import Clock
from local_aws.errors import serialization_error
from local_aws.request_bodies import limit_of, read_body

Environ = dict[str, Any]

SKEW = timedelta(minutes=15)
LONGEST_PRESIGNED_SECONDS = 7 * 86_400

_AUTHORIZATION = re.compile(
    rf"{ALGORITHM}\s+Credential=(?P<credential>[^,\s]+),?\s*SignedHeaders=(?P<headers>[^,\s]+),?\s*"
    r"Signature=(?P<signature>[0-9a-f]+)\s*"
)
_CREDENTIAL = re.compile(r"(?P<key>[^/]+)/(?P<day>\d{8})/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request")
_SECONDS = re.compile(r"[0-9]{1,6}")
_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class _Signed:
    """What a request says of its signature."""

    credential: str
    headers: tuple[str, ...]
    signature: str
    moment: str
    query: str
    expires_seconds: int | None = None


class _Body:
    """A request's body, read at most once for its hash and then put back for whoever serves the request."""

    def __init__(self, environ: Environ, service: str, invocation: bool) -> None:
        self.service = service
        self._environ = environ
        self._invocation = invocation
        self._hash: str | None = None

    def hash(self) -> str:
        """Its SHA-256 in hexadecimal digits."""
        if self._hash is None:
            self._hash = self._kept()
        return self._hash

    def check_chunks(self, signer: Signer, seed: str, declared: str) -> None:
        """Check the signatures of its chunks.

        Raises:
            WrongBody: it is not what was signed.
        """
        self.hash()
        content = self._environ["wsgi.input"]
        signed_bodies.check_chunks(content, signer, seed, trailer=declared == signed_bodies.SIGNED_CHUNKS_AND_TRAILER)
        content.seek(0)

    def _kept(self) -> str:
        environ = self._environ
        if self.service == "s3":
            chunked = environ.get("HTTP_TRANSFER_ENCODING", "").lower() == "chunked"
            try:
                length = None if chunked else int(environ.get("CONTENT_LENGTH") or 0)
                copy, read, digest = signed_bodies.kept(environ["wsgi.input"], length)
            except ValueError as error:
                raise serialization_error(f"The request body cannot be read: {error}") from error
        else:
            content = read_body(environ, limit_of(self.service, self._invocation))
            copy, read, digest = io.BytesIO(content), len(content), sha256(content).hexdigest()
        environ["wsgi.input"] = copy
        environ["CONTENT_LENGTH"] = str(read)
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        return digest


class Access:
    """Admits the requests that a known key has signed; `temporary` finds those that are not known from the start."""

    def __init__(self, keys: Iterable[Key], clock: Clock, temporary: Callable[[str], Key | None]) -> None:
        self._keys = {key.id: key for key in keys}
        self._clock = clock
        self._temporary = temporary

    def admit(self, environ: Environ, service: str, invocation: bool) -> None:
        """Check a request that is signed for a service, and leave its body readable.

        Args:
            invocation: whether it asks an endpoint.

        Raises:
            AwsError: who signed it is not known, or it is not what was signed, in the words of the service.
        """
        refuse = Refusals(service, environ.get("CONTENT_TYPE", ""), invocation)
        query = parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
        authorization = environ.get("HTTP_AUTHORIZATION", "")
        if service == "s3" and (authorization.startswith("AWS ") or (not authorization and "AWSAccessKeyId" in query)):
            self._admit_version_2(environ, query, refuse)
            return
        signed = _signed(environ, query)
        credential = _CREDENTIAL.fullmatch(signed.credential) if signed else None
        if signed is None or credential is None or credential["service"].lower() != service:
            raise refuse.malformed()
        key = self._known(credential["key"], _first(query, "X-Amz-Security-Token"), environ, refuse)
        scope = Scope(credential["day"], credential["region"], credential["service"])
        signer = Signer(key.secret, scope, signed.moment)
        if not signed.moment.startswith(scope.day) or _unsigned_headers(environ, signed.headers):
            raise refuse.mismatch()
        self._check_time(signed, refuse)
        self._check_signature(environ, signed, signer, _Body(environ, service, invocation), refuse)

    def _known(self, name: str, token: str | None, environ: Environ, refuse: Refusals) -> Key:
        key = self._keys.get(name) or self._temporary(name)
        if key is None:
            raise refuse.unknown_key()
        given = token or environ.get("HTTP_X_AMZ_SECURITY_TOKEN", "")
        if key.token is not None and not hmac.compare_digest(key.token.encode(), given.encode()):
            raise refuse.unknown_key()
        return key

    def _check_signature(
        self, environ: Environ, signed: _Signed, signer: Signer, body: _Body, refuse: Refusals
    ) -> None:
        declared = environ.get("HTTP_X_AMZ_CONTENT_SHA256")
        if declared is None and signed.expires_seconds is not None and body.service == "s3":
            declared = UNSIGNED
        if declared is None:
            declared = body.hash()
        headers = {name: _header(environ, name) for name in signed.headers}
        path = environ.get("REQUEST_URI", "").partition("?")[0]
        canonical = canonical_request(environ["REQUEST_METHOD"], path, signed.query, headers, declared, body.service)
        if not hmac.compare_digest(signer.request(canonical).encode(), signed.signature.encode()):
            raise refuse.mismatch()
        if declared in signed_bodies.UNCHECKED and body.service == "s3":
            return
        if declared in signed_bodies.CHUNKED and body.service == "s3":
            try:
                body.check_chunks(signer, signed.signature, declared)
            except WrongBody as error:
                raise refuse.mismatch() from error
        elif not _HASH.fullmatch(declared) or not hmac.compare_digest(body.hash(), declared):
            raise refuse.other_body()

    def _check_time(self, signed: _Signed, refuse: Refusals) -> None:
        if self._clock.stepped:
            return  # Callers sign by their own time, which need not be that of a server whose time is stepped.
        try:
            moment = datetime.strptime(signed.moment, MOMENT).replace(tzinfo=UTC)
        except ValueError as error:
            raise refuse.malformed() from error
        now = self._clock.now()
        if signed.expires_seconds is None:
            if abs(now - moment) > SKEW:
                raise refuse.skewed(moment, now)
        elif not -SKEW <= now - moment <= timedelta(seconds=signed.expires_seconds):
            raise refuse.expired()

    def _admit_version_2(self, environ: Environ, query: dict[str, list[str]], refuse: Refusals) -> None:
        signed = version_2(environ, query)
        if signed is None:
            raise refuse.malformed()
        key = self._known(signed.key, None, environ, refuse)
        if not self._clock.stepped:
            now = self._clock.now()
            if signed.expires is not None and now.timestamp() > signed.expires:
                raise refuse.expired()
            if signed.dated is not None and abs(now - signed.dated) > SKEW:
                raise refuse.skewed(signed.dated, now)
        if not hmac.compare_digest(signed.computed(key.secret).encode(), signed.signature.encode()):
            raise refuse.mismatch()


def _signed(environ: Environ, query: dict[str, list[str]]) -> _Signed | None:
    raw = environ.get("QUERY_STRING", "")
    authorization = environ.get("HTTP_AUTHORIZATION", "")
    if authorization:
        found = _AUTHORIZATION.fullmatch(authorization)
        moment = environ.get("HTTP_X_AMZ_DATE") or _moment_of(environ.get("HTTP_DATE", ""))
        if found is None or not moment:
            return None
        return _Signed(found["credential"], tuple(found["headers"].split(";")), found["signature"], moment, raw)
    values = [
        _first(query, f"X-Amz-{name}") for name in ("Credential", "SignedHeaders", "Signature", "Date", "Expires")
    ]
    credential, headers, signature, moment, expires = values
    if None in values or not _SECONDS.fullmatch(str(expires)) or int(str(expires)) > LONGEST_PRESIGNED_SECONDS:
        return None
    rest = "&".join(pair for pair in raw.split("&") if not pair.startswith("X-Amz-Signature="))
    return _Signed(
        str(credential), tuple(str(headers).split(";")), str(signature), str(moment), rest, int(str(expires))
    )


def _first(query: dict[str, list[str]], name: str) -> str | None:
    return query.get(name, [None])[0]  # type: ignore[list-item]


def _moment_of(date: str) -> str:
    try:
        return parsedate_to_datetime(date).astimezone(UTC).strftime(MOMENT)
    except (ValueError, OverflowError):
        return ""


def _unsigned_headers(environ: Environ, signed: tuple[str, ...]) -> bool:
    """Whether the host, or a header that AWS reads, is not covered by the signature."""
    sent = {name for name in environ if name.startswith("HTTP_X_AMZ_")}
    return bool({"HTTP_HOST", *sent} - {_variable(name) for name in signed} - {"HTTP_X_AMZ_CONTENT_SHA256"})


def _header(environ: Environ, name: str) -> str:
    return str(environ.get(_variable(name), "")).encode("latin-1", "replace").decode("utf-8", "replace")


def _variable(header: str) -> str:
    name = header.upper().replace("-", "_")
    return name if name in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{name}"

"""AWS's request signatures, Version 4: computed from what is signed, for whoever signs and whoever checks.

Source: "Signature Version 4 for API requests" in AWS's IAM guide, and "Authenticating Requests" in S3's API reference.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote, urlsplit

ALGORITHM = "AWS4-HMAC-SHA256"
MOMENT = "%Y%m%dT%H%M%SZ"
UNSIGNED = "UNSIGNED-PAYLOAD"
EMPTY_HASH = hashlib.sha256(b"").hexdigest()

# What has been percent-encoded already stays as it is.
_KEPT_IN_PATHS = "/%-_.~"
_KEPT_IN_QUERIES = "%-_.~"


@dataclass(frozen=True)
class Scope:
    """What a signature is for: a day (YYYYMMDD), a region and a service."""

    day: str
    region: str
    service: str

    def __str__(self) -> str:
        return f"{self.day}/{self.region}/{self.service}/aws4_request"


@dataclass(frozen=True)
class Signer:
    """A secret key bound to a scope and a moment (`20130524T000000Z`)."""

    secret: str
    scope: Scope
    moment: str

    def request(self, canonical: str) -> str:
        """The signature of a canonical request, 64 hexadecimal digits."""
        return self._of(ALGORITHM, _hash(canonical.encode()))

    def chunk(self, previous: str, content: bytes) -> str:
        """The signature of one chunk of S3's signed streaming; `previous` is that of the chunk or request before."""
        return self._of(f"{ALGORITHM}-PAYLOAD", previous, EMPTY_HASH, _hash(content))

    def trailer(self, previous: str, headers: bytes) -> str:
        """The signature of the headers (`name:value` and a line feed each) after the last chunk."""
        return self._of(f"{ALGORITHM}-TRAILER", previous, _hash(headers))

    def _of(self, algorithm: str, *parts: str) -> str:
        key = f"AWS4{self.secret}".encode()
        for step in (self.scope.day, self.scope.region, self.scope.service, "aws4_request"):
            key = hmac.digest(key, step.encode(), "sha256")
        text = "\n".join((algorithm, self.moment, str(self.scope), *parts))
        return hmac.new(key, text.encode(), "sha256").hexdigest()


def canonical_request(
    method: str, path: str, query: str, headers: Mapping[str, str], payload_hash: str, service: str
) -> str:
    """The text that stands for a request in its signature.

    Args:
        path: as sent, percent-encoded.
        query: as sent, percent-encoded, without the signature itself.
        headers: those that are signed, by their lower-case names.
        payload_hash: SHA-256 of the body in hexadecimal digits, or one of S3's words in its place.
    """
    path = quote(path or "/", safe=_KEPT_IN_PATHS)
    if service != "s3":
        path = quote(path, safe="/~")
    names = sorted(headers)
    lines = (f"{name}:{' '.join(headers[name].split())}\n" for name in names)
    return "\n".join((method, path, _canonical_query(query), "".join(lines), ";".join(names), payload_hash))


def authorization(
    key: str, secret: str, region: str, service: str, url: str, headers: Mapping[str, str], body: bytes, now: datetime
) -> dict[str, str]:
    """The headers that sign a POST request to `url`; `headers` are the request's own."""
    address = urlsplit(url)
    signer = Signer(secret, Scope(f"{now:%Y%m%d}", region, service), now.strftime(MOMENT))
    signed = {name.lower(): value for name, value in headers.items()}
    signed |= {"host": address.netloc, "x-amz-date": signer.moment}
    canonical = canonical_request("POST", address.path, address.query, signed, _hash(body), service)
    return {
        "X-Amz-Date": signer.moment,
        "Authorization": f"{ALGORITHM} Credential={key}/{signer.scope}, SignedHeaders={';'.join(sorted(signed))}, "
        f"Signature={signer.request(canonical)}",
    }


def _canonical_query(query: str) -> str:
    pairs: Iterable[tuple[str, str, str]] = (pair.partition("=") for pair in query.split("&") if pair)
    encoded = ((quote(name, safe=_KEPT_IN_QUERIES), quote(value, safe=_KEPT_IN_QUERIES)) for name, _, value in pairs)
    return "&".join(f"{name}={value}" for name, value in sorted(encoded))


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()

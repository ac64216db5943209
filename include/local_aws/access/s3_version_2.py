"""S3's signatures of Version 2, which boto3 still uses for presigned addresses."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import SplitResult, urlsplit

from botocore.auth import HmacV1Auth
from botocore.compat import HTTPHeaders
from botocore.credentials import Credentials
from moto.core.request import PRESERVED_HEADER_NAMES_ENVIRON_KEY

_EPOCH_SECONDS = re.compile(r"[0-9]{1,15}")
STANDARD_HEADERS = ("content-md5", "content-type")


@dataclass(frozen=True)
class SignedVersion2:
    """What a request says of its signature, and what is signed."""

    key: str
    signature: str
    method: str
    address: SplitResult
    headers: dict[str, str]
    date: str
    expires: int | None
    dated: datetime | None

    def computed(self, secret: str) -> str:
        """The signature that the secret gives."""
        signer = _Dated(Credentials(self.key, secret))
        signer.date = self.date
        headers: Any = HTTPHeaders()
        for name, value in self.headers.items():
            headers[name] = value
        return str(signer.get_signature(self.method, self.address, headers))


class _Dated(HmacV1Auth):
    date = ""

    def _get_date(self) -> str:
        return self.date


def version_2(environ: dict[str, Any], query: dict[str, list[str]]) -> SignedVersion2 | None:
    """What an `AWS key:signature` header or a presigned address says; None when something is missing."""
    headers = {name: environ[_variable(name)] for name in STANDARD_HEADERS if environ.get(_variable(name))}
    spelled = environ.get(PRESERVED_HEADER_NAMES_ENVIRON_KEY, {})
    headers |= {
        spelled.get(name, name[5:].replace("_", "-")).lower(): environ[name]
        for name in environ
        if name.startswith("HTTP_X_AMZ_")
    }
    expires, dated = None, None
    if "AWSAccessKeyId" in query:
        key, signature = query["AWSAccessKeyId"][0], query.get("Signature", [""])[0]
        date = query.get("Expires", [""])[0]
        if not _EPOCH_SECONDS.fullmatch(date):
            return None
        expires = int(date)
        in_query = {name.lower(): values[0] for name, values in query.items()}
        headers = {
            name: value for name, value in in_query.items() if name.startswith("x-amz-") or name in STANDARD_HEADERS
        } | headers
    else:
        key, _, signature = environ["HTTP_AUTHORIZATION"].removeprefix("AWS ").partition(":")
        date = environ.get("HTTP_DATE", "")
        try:
            dated = parsedate_to_datetime(environ.get("HTTP_X_AMZ_DATE") or date).astimezone(UTC)
        except (ValueError, OverflowError):
            return None
        if "x-amz-date" in headers:
            date = ""
    try:
        address = urlsplit(f"http://{environ.get('HTTP_HOST', '')}{environ.get('REQUEST_URI', '')}")
    except ValueError:
        return None
    return SignedVersion2(key, signature, environ["REQUEST_METHOD"], address, headers, date, expires, dated)


def _variable(header: str) -> str:
    name = header.upper().replace("-", "_")
    return name if name == "CONTENT_TYPE" else f"HTTP_{name}"

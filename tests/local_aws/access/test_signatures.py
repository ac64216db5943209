"""The signatures that AWS publishes as examples in S3's API reference ("Authenticating Requests")."""

from __future__ import annotations

import io
from hashlib import sha256

import pytest

from local_aws.access.signatures import EMPTY_HASH, UNSIGNED, Scope, Signer, canonical_request
from local_aws.access.signed_bodies import (
    SIGNED_CHUNKS,
    SIGNED_CHUNKS_AND_TRAILER,
    WrongBody,
    check_chunks,
)

MOMENT = "20130524T000000Z"
SIGNER = Signer("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", Scope("20130524", "us-east-1", "s3"), MOMENT)
BUCKET = {"host": "examplebucket.s3.amazonaws.com", "x-amz-date": MOMENT}
CHUNKS = (b"a" * 65_536, b"a" * 1024, b"")
STREAMED = {
    "host": "s3.amazonaws.com",
    "x-amz-date": MOMENT,
    "x-amz-storage-class": "REDUCED_REDUNDANCY",
    "content-encoding": "aws-chunked",
    "x-amz-decoded-content-length": "66560",
}


def signature(method: str, path: str, query: str, headers: dict[str, str], payload: str) -> str:
    return SIGNER.request(canonical_request(method, path, query, headers, payload, "s3"))


@pytest.mark.parametrize(
    ("path", "query", "headers", "expected"),
    [
        ("/test.txt", "", {"range": "bytes=0-9"}, "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"),
        ("", "lifecycle", {}, "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
        ("/", "prefix=J&max-keys=2", {}, "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
    ],
)
def test_requests_without_a_body(path: str, query: str, headers: dict[str, str], expected: str) -> None:
    signed = BUCKET | headers | {"x-amz-content-sha256": EMPTY_HASH}
    assert signature("GET", path, query, signed, EMPTY_HASH) == expected


def test_a_request_with_a_body_and_a_path_that_needs_encoding() -> None:
    payload = sha256(b"Welcome to Amazon S3.").hexdigest()
    headers = BUCKET | {
        "date": "Fri, 24 May 2013 00:00:00 GMT",
        "x-amz-content-sha256": payload,
        "x-amz-storage-class": "REDUCED_REDUNDANCY",
    }
    expected = "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"
    assert signature("PUT", "/test$file.text", "", headers, payload) == expected
    assert signature("PUT", "/test%24file.text", "", headers, payload) == expected


def test_a_presigned_address() -> None:
    query = (
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3"
        f"%2Faws4_request&X-Amz-Date={MOMENT}&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
    )
    expected = "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    assert signature("GET", "/test.txt", query, {"host": BUCKET["host"]}, UNSIGNED) == expected


def streamed(*signatures: str) -> bytes:
    return b"".join(
        f"{len(chunk):x};chunk-signature={signature}\r\n".encode() + chunk + (b"\r\n" if chunk else b"")
        for chunk, signature in zip(CHUNKS, signatures, strict=True)
    )


def test_a_stream_of_signed_chunks() -> None:
    headers = STREAMED | {"x-amz-content-sha256": SIGNED_CHUNKS, "content-length": "66824"}
    seed = signature("PUT", "/examplebucket/chunkObject.txt", "", headers, SIGNED_CHUNKS)
    assert seed == "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"
    body = streamed(
        "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
        "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
        "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
    )
    check_chunks(io.BytesIO(body + b"\r\n"), SIGNER, seed, trailer=False)
    for wrong in (body.replace(b"aaa", b"aab", 1), body[:-90], body[:66_000], b"", b"5\r\nhello\r\n0\r\n\r\n"):
        with pytest.raises(WrongBody):
            check_chunks(io.BytesIO(wrong), SIGNER, seed, trailer=False)


def test_a_stream_with_a_signed_trailing_checksum() -> None:
    headers = STREAMED | {
        "x-amz-content-sha256": SIGNED_CHUNKS_AND_TRAILER,
        "x-amz-trailer": "x-amz-checksum-crc32c",
    }
    seed = signature("PUT", "/examplebucket/chunkObject.txt", "", headers, SIGNED_CHUNKS_AND_TRAILER)
    assert seed == "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e"
    body = streamed(
        "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
        "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
        "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
    )
    checksum = b"x-amz-checksum-crc32c:sOO8/Q==\r\n"
    signed = b"x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n"
    check_chunks(io.BytesIO(body + checksum + signed), SIGNER, seed, trailer=True)
    for trailer in (signed, checksum, checksum.replace(b"s", b"t") + signed):
        with pytest.raises(WrongBody):
            check_chunks(io.BytesIO(body + trailer), SIGNER, seed, trailer=True)

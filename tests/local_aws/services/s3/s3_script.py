"""One S3 client's day: writes of every kind, then reads of all that they left; answers are kept for comparison."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from botocore.exceptions import ClientError
from botocore.response import StreamingBody

REGION = "us-west-2"
PLAIN, VERSIONED, LOCKED, LOGS = "plain-bucket", "versioned.bucket", "locked-bucket", "logs-bucket"
PART = 5 * 1024**2
PAST, FUTURE = datetime(2001, 1, 1, tzinfo=UTC), datetime(2090, 1, 1, tzinfo=UTC)

ODD_KEYS = (
    "..",
    "../outside",
    "a/../b",
    "a/./b",
    "%2e%2e/outside",
    "a%20b",
    "a b",
    " leading and trailing ",
    "a+b&c=d?e#f",
    "100%",
    "zażółć/日本/😀",
    "e\u0301 and \u00e9",
    "folder/",
    "/leading",
    "double//slash",
    "three///slashes/",
    "back\\slash",
    "quote'\"<>&amp;",
    "tab\tkey",
    "~(tilde)!*",
    "k" * 1024,
)

_VARYING_HEADERS = re.compile(r"date|server|connection|x-amz-request-?id|x-amz-id-2|x-amzn-requestid|transfer-encoding")


@dataclass
class Answers:
    """Answers by the name of the call; ids that a server makes up are told by the order of their appearance."""

    s3: Any
    given: dict[str, Any] = field(default_factory=dict)
    exact: dict[str, Any] = field(default_factory=dict)
    _ids: dict[str, str] = field(default_factory=dict)

    def call(self, operation: str, note: str = "", **arguments: Any) -> dict[str, Any]:
        """Call and keep the answer, be it an error."""
        name = f"{len(self.given):03d} {operation} {note or arguments.get('Key', arguments.get('Bucket', ''))}"[:120]
        try:
            answer = dict(getattr(self.s3, operation)(**arguments))
        except ClientError as error:
            answer = {"Error": error.response["Error"], "ResponseMetadata": error.response["ResponseMetadata"]}
        metadata = answer.pop("ResponseMetadata", {})
        answer = _plain(answer)
        seen = answer | {"Status": metadata.get("HTTPStatusCode"), "Headers": _headers(metadata)}
        self.exact[name] = {key: value for key, value in answer.items() if key != "Error"}
        self.given[name] = self._normal(seen)
        return answer

    def get(self, address: str, note: str, method: str = "GET", body: bytes | None = None) -> None:
        """Ask for a presigned address and keep the answer."""
        try:
            with urlopen(Request(address, data=body, method=method), timeout=10) as answer:
                self.given[f"{len(self.given):03d} {note}"] = [answer.status, answer.read()]
        except HTTPError as error:
            with error:
                self.given[f"{len(self.given):03d} {note}"] = [
                    error.code,
                    re.findall(rb"<Code>.*</Code>", error.read()),
                ]

    def _normal(self, value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            return {key: self._normal(item, key) for key, item in value.items()}
        if isinstance(value, list):
            return [self._normal(item, name) for item in value]
        if name in ("UploadId", "NextContinuationToken", "ContinuationToken") and value:
            return f"an {name}"
        if "version" in name.lower() and isinstance(value, str) and len(value) == 36:
            return self._known(value)
        if isinstance(value, datetime) or name.lower() in ("last-modified", "date", "retainuntildate"):
            return "a moment"
        if name.lower() in ("restore", "x-amz-restore"):
            return re.sub('expiry-date=".*"', "in two days", value)
        return value

    def _known(self, id_: str) -> str:
        return self._ids.setdefault(id_, f"version {len(self._ids) + 1}")


def _plain(value: Any) -> Any:
    if isinstance(value, StreamingBody):
        content = value.read()
        return content if len(content) < 1000 else (len(content), hashlib.sha256(content).hexdigest())
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


def _headers(metadata: dict[str, Any]) -> dict[str, str]:
    headers = metadata.get("HTTPHeaders", {})
    document = "xml" in headers.get("content-type", "")
    return {
        name: value
        for name, value in headers.items()
        if not _VARYING_HEADERS.fullmatch(name) and not (name == "content-length" and document)
    }


def write(s3: Any) -> Answers:
    """Writes of every kind, and what is answered to them."""
    answers = Answers(s3)
    call = answers.call
    place = {"CreateBucketConfiguration": {"LocationConstraint": REGION}}
    for bucket in (PLAIN, VERSIONED, LOGS):
        call("create_bucket", Bucket=bucket, **place)
    call("create_bucket", Bucket=LOCKED, ObjectLockEnabledForBucket=True, ACL="public-read", **place)
    call("create_bucket", note="again", Bucket=PLAIN, **place)
    call("create_bucket", note="without a region", Bucket="nowhere-bucket")
    call("create_bucket", note="no name", Bucket="UP", **place)
    _objects(call)
    _copies(call)
    _uploads(call)
    _versions(call, answers)
    _settings(call)
    _errors(call)
    _presigned(answers)
    return answers


def _objects(call: Any) -> None:
    for key in ODD_KEYS:
        call("put_object", Bucket=PLAIN, Key=key, Body=key.encode(), Metadata={"odd": "yes", "under_score": "kept"})
    call("put_object", Bucket=PLAIN, Key="nothing", Body=b"")
    call(
        "put_object", Bucket=PLAIN, Key="rich", Body=b"0123456789", ContentType="text/csv", CacheControl="max-age=5",
        ContentDisposition="attachment", ContentEncoding="gzip", ContentLanguage="pl", Tagging="a=1&b=x%20y",
        StorageClass="STANDARD_IA", ACL="public-read", Metadata={"who": "me"}, ServerSideEncryption="aws:kms",
        SSEKMSKeyId="key", WebsiteRedirectLocation="/other", ChecksumAlgorithm="SHA256",
    )  # fmt: skip
    for algorithm in ("CRC32", "SHA1"):
        call("put_object", Bucket=PLAIN, Key=f"sums/{algorithm}", Body=b"summed", ChecksumAlgorithm=algorithm)
    call("put_object", Bucket=PLAIN, Key="changed", Body=b"old", Metadata={"old": "yes"}, Tagging="old=yes")
    call("put_object", note="only if new", Bucket=PLAIN, Key="changed", Body=b"x", IfNoneMatch="*")
    call("put_object", note="only if same", Bucket=PLAIN, Key="changed", Body=b"x", IfMatch='"0"')
    call("put_object", Bucket=PLAIN, Key="changed", Body=b"new")
    call("put_object", Bucket=PLAIN, Key="archived", Body=b"cold", StorageClass="GLACIER")
    call("restore_object", Bucket=PLAIN, Key="archived", RestoreRequest={"Days": 2})
    call("put_object_acl", Bucket=PLAIN, Key="changed", ACL="authenticated-read")
    tags = {"TagSet": [{"Key": "stage", "Value": "test"}, {"Key": "$bytes", "Value": ""}]}
    call("put_object_tagging", Bucket=PLAIN, Key="nothing", Tagging=tags)
    call("put_object_tagging", Bucket=PLAIN, Key="changed", Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    call("delete_object_tagging", Bucket=PLAIN, Key="changed")
    call("put_object", Bucket=PLAIN, Key="gone", Body=b"x")
    call("delete_object", Bucket=PLAIN, Key="gone")
    call("delete_object", note="again", Bucket=PLAIN, Key="gone")
    for key in ("gone/1", "gone/2"):
        call("put_object", Bucket=PLAIN, Key=key, Body=b"x")
    names = [{"Key": "gone/1"}, {"Key": "gone/2"}, {"Key": "never"}]
    call("delete_objects", note="many", Bucket=PLAIN, Delete={"Objects": names})
    for number in range(25):
        call("put_object", Bucket=PLAIN, Key=f"many/{number % 5}/{number:02d}", Body=str(number).encode())


def _copies(call: Any) -> None:
    source = {"Bucket": PLAIN, "Key": "rich"}
    call("copy_object", Bucket=PLAIN, Key="copies/same", CopySource=source)
    call(
        "copy_object", Bucket=PLAIN, Key="copies/replaced", CopySource=source, MetadataDirective="REPLACE",
        Metadata={"new": "yes"}, TaggingDirective="REPLACE", Tagging="c=3", ContentType="text/html", ACL="private",
    )  # fmt: skip
    call("copy_object", note="to itself", Bucket=PLAIN, Key="rich", CopySource=source)
    call("copy_object", note="odd", Bucket=VERSIONED, Key="a b+c", CopySource={"Bucket": PLAIN, "Key": ODD_KEYS[10]})
    call("copy_object", note="missing", Bucket=PLAIN, Key="x", CopySource={"Bucket": PLAIN, "Key": "never"})
    call("copy_object", note="in place", Bucket=PLAIN, Key="nothing", CopySource={"Bucket": PLAIN, "Key": "nothing"},
         StorageClass="ONEZONE_IA")  # fmt: skip


def _uploads(call: Any) -> None:
    def begin(key: str, **more: Any) -> str:
        return str(call("create_multipart_upload", Bucket=PLAIN, Key=key, **more)["UploadId"])

    def part(key: str, upload: str, number: int, body: bytes) -> dict[str, Any]:
        answer = call("upload_part", Bucket=PLAIN, Key=key, UploadId=upload, PartNumber=number, Body=body)
        return {"PartNumber": number, "ETag": answer["ETag"]}

    upload = begin("uploads/done", Metadata={"who": "parts"}, Tagging="p=1", ContentType="text/plain")
    part("uploads/done", upload, 1, b"wrong" * 10)
    parts = [part("uploads/done", upload, 1, b"a" * PART), part("uploads/done", upload, 2, b"b" * 10)]
    third = call(
        "upload_part_copy", Bucket=PLAIN, Key="uploads/done", UploadId=upload, PartNumber=3,
        CopySource={"Bucket": PLAIN, "Key": "rich"}, CopySourceRange="bytes=2-5",
    )["CopyPartResult"]["ETag"]  # fmt: skip
    wrong = {"Parts": [*parts, {"PartNumber": 3, "ETag": '"0"'}]}
    end = {"Bucket": PLAIN, "Key": "uploads/done", "UploadId": upload}
    call("complete_multipart_upload", note="wrong etag", **end, MultipartUpload=wrong)
    call("complete_multipart_upload", note="small part", **end,
         MultipartUpload={"Parts": [parts[1], {"PartNumber": 3, "ETag": third}]})  # fmt: skip
    call("complete_multipart_upload", **end, MultipartUpload={"Parts": parts})
    aborted = begin("uploads/aborted")
    part("uploads/aborted", aborted, 1, b"x")
    call("abort_multipart_upload", Bucket=PLAIN, Key="uploads/aborted", UploadId=aborted)
    call("list_parts", note="of the aborted", Bucket=PLAIN, Key="uploads/aborted", UploadId=aborted)
    open_ = begin("uploads/open", Metadata={"still": "open"})
    part("uploads/open", open_, 2, b"second")
    part("uploads/open", open_, 1, b"c" * PART)


def _versions(call: Any, answers: Answers) -> None:
    call("put_object", Bucket=VERSIONED, Key="before", Body=b"null version")
    call("put_bucket_versioning", Bucket=VERSIONED, VersioningConfiguration={"Status": "Enabled"})
    for key in ("before", "changed", "back", "deleted", "marked/a", "marked/b"):
        for number in (1, 2, 3):
            body = f"{key} {number}".encode()
            call("put_object", Bucket=VERSIONED, Key=key, Body=body, Tagging=f"n={number}", Metadata={"n": str(number)})
    listed = answers.s3.list_object_versions(Bucket=VERSIONED, Prefix="back")["Versions"]
    call("delete_object", note="newest", Bucket=VERSIONED, Key="back", VersionId=listed[0]["VersionId"])
    call("delete_object", Bucket=VERSIONED, Key="deleted")
    call("delete_object", note="twice", Bucket=VERSIONED, Key="deleted")
    call("delete_objects", note="marked", Bucket=VERSIONED,
         Delete={"Objects": [{"Key": "marked/a"}, {"Key": "marked/b"}]})  # fmt: skip
    markers = answers.s3.list_object_versions(Bucket=VERSIONED, Prefix="marked/a")["DeleteMarkers"]
    call("delete_object", note="marker", Bucket=VERSIONED, Key="marked/a", VersionId=markers[0]["VersionId"])
    oldest = answers.s3.list_object_versions(Bucket=VERSIONED, Prefix="changed")["Versions"][-1]["VersionId"]
    tagging = {"TagSet": [{"Key": "oldest", "Value": "yes"}]}
    call("put_object_tagging", note="oldest", Bucket=VERSIONED, Key="changed", VersionId=oldest, Tagging=tagging)
    call("copy_object", note="of a version", Bucket=VERSIONED, Key="copied",
         CopySource={"Bucket": VERSIONED, "Key": "changed", "VersionId": oldest})  # fmt: skip
    call("put_object", Bucket=LOCKED, Key="held", Body=b"x", ContentMD5="nddKRB6WLdXmdCvkSMlCUQ==",
         ObjectLockLegalHoldStatus="ON")  # fmt: skip
    call("put_object_retention", Bucket=LOCKED, Key="held",
         Retention={"Mode": "GOVERNANCE", "RetainUntilDate": FUTURE})  # fmt: skip
    held = answers.s3.list_object_versions(Bucket=LOCKED)["Versions"][0]["VersionId"]
    call("delete_object", note="held", Bucket=LOCKED, Key="held", VersionId=held)


def _settings(call: Any) -> None:
    topic = f"arn:aws:sns:{REGION}:123456789012:topic"
    everyone = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{PLAIN}/*"}
    logger = {"Service": "logging.s3.amazonaws.com"}
    allowed = everyone | {"Principal": logger, "Action": ["s3:PutObject"], "Resource": f"arn:aws:s3:::{LOGS}/*"}
    rules = [
        {"ID": "old", "Status": "Enabled", "Filter": {"Prefix": "old/"}, "Expiration": {"Days": 3}},
        {"ID": "tagged", "Status": "Disabled", "Filter": {"And": {"Prefix": "x", "Tags": [{"Key": "a", "Value": "b"}]}},
         "Transitions": [{"Days": 30, "StorageClass": "GLACIER"}],
         "NoncurrentVersionTransitions": [{"NoncurrentDays": 1, "StorageClass": "GLACIER"}],
         "NoncurrentVersionExpiration": {"NoncurrentDays": 5},
         "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 2}},
    ]  # fmt: skip
    cors = [{"AllowedMethods": ["GET", "PUT"], "AllowedOrigins": ["*"], "AllowedHeaders": ["x"], "MaxAgeSeconds": 9}]
    encryption = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "key"}
    to_plain = {"Bucket": f"arn:aws:s3:::{PLAIN}"}
    rule = {"ID": "all", "Status": "Enabled", "Prefix": "", "Destination": to_plain}
    replica = {"Role": "arn:aws:iam::123456789012:role/r", "Rules": [rule]}
    inventory = {
        "Id": "all",
        "IsEnabled": True,
        "IncludedObjectVersions": "All",
        "Schedule": {"Frequency": "Daily"},
        "Destination": {"S3BucketDestination": {"Format": "CSV", **to_plain}},
    }
    settings: list[tuple[str, dict[str, Any]]] = [
        ("put_bucket_policy", {"Policy": json.dumps({"Version": "2012-10-17", "Statement": [everyone]})}),
        ("put_bucket_lifecycle_configuration", {"LifecycleConfiguration": {"Rules": rules}}),
        ("put_bucket_cors", {"CORSConfiguration": {"CORSRules": cors}}),
        ("put_bucket_tagging", {"Tagging": {"TagSet": [{"Key": "team", "Value": "ml"}]}}),
        ("put_bucket_encryption", {"ServerSideEncryptionConfiguration": {
            "Rules": [{"ApplyServerSideEncryptionByDefault": encryption, "BucketKeyEnabled": True}]}}),
        ("put_public_access_block", {"PublicAccessBlockConfiguration": {"BlockPublicAcls": True}}),
        ("put_bucket_website", {"WebsiteConfiguration": {"IndexDocument": {"Suffix": "index.html"}}}),
        ("put_bucket_ownership_controls", {"OwnershipControls": {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}}),
        ("put_bucket_accelerate_configuration", {"AccelerateConfiguration": {"Status": "Enabled"}}),
        ("put_bucket_notification_configuration", {"NotificationConfiguration": {"TopicConfigurations": [
            {"Id": "t", "TopicArn": topic, "Events": ["s3:ObjectCreated:*"],
             "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "never/"}]}}}]}}),
        ("put_bucket_inventory_configuration", {"Id": "all", "InventoryConfiguration": inventory}),
    ]  # fmt: skip
    for operation, arguments in settings:
        call(operation, Bucket=PLAIN, **arguments)
    call("put_bucket_acl", Bucket=PLAIN, ACL="public-read")
    call("put_bucket_replication", Bucket=VERSIONED, ReplicationConfiguration=replica)
    call("put_bucket_policy", Bucket=LOGS, Policy=json.dumps({"Version": "2012-10-17", "Statement": [allowed]}))
    call("put_bucket_logging", Bucket=LOCKED, BucketLoggingStatus={
        "LoggingEnabled": {"TargetBucket": LOGS, "TargetPrefix": "log/"}})  # fmt: skip
    call("put_object_lock_configuration", Bucket=LOCKED, ObjectLockConfiguration={
        "ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}})  # fmt: skip
    call("put_bucket_tagging", note="then deleted", Bucket=LOGS, Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    call("delete_bucket_tagging", Bucket=LOGS)
    call("put_object", note="encrypted by default", Bucket=PLAIN, Key="encrypted", Body=b"x")


def _errors(call: Any) -> None:
    call("get_object", Bucket=PLAIN, Key="never")
    call("head_object", Bucket=PLAIN, Key="never")
    call("get_object", Bucket="no-such-bucket", Key="x")
    call("put_object", Bucket="no-such-bucket", Key="x", Body=b"x")
    call("list_objects_v2", Bucket="no-such-bucket")
    call("delete_bucket", note="not empty", Bucket=PLAIN)
    call("delete_bucket", note="missing", Bucket="no-such-bucket")
    call("upload_part", note="no upload", Bucket=PLAIN, Key="x", UploadId="none", PartNumber=1, Body=b"x")
    call("put_object", note="class", Bucket=PLAIN, Key="x", Body=b"x", StorageClass="BRONZE")
    call(
        "get_object", note="version", Bucket=VERSIONED, Key="changed", VersionId="00000000-0000-0000-0000-000000000000"
    )
    call("get_bucket_cors", Bucket=VERSIONED)
    call("get_bucket_policy", Bucket=VERSIONED)
    call("get_object_lock_configuration", Bucket=PLAIN)


def _presigned(answers: Answers) -> None:
    for key in ("rich", "a b", ODD_KEYS[10]):
        params = {"Bucket": PLAIN, "Key": key}
        answers.get(answers.s3.generate_presigned_url("get_object", Params=params), f"presigned {key}")
    put = answers.s3.generate_presigned_url("put_object", Params={"Bucket": PLAIN, "Key": "presigned+put"})
    answers.get(put, "presigned put", method="PUT", body=b"by address")
    answers.get(f"{answers.s3.meta.endpoint_url}/{PLAIN}/never?AWSAccessKeyId=x&Signature=y&Expires=1", "missing")


def read(s3: Any) -> Answers:
    """Reads of all that `write` leaves."""
    answers = Answers(s3)
    call = answers.call
    call("list_buckets")
    for bucket in (PLAIN, VERSIONED, LOCKED):
        call("head_bucket", Bucket=bucket)
        call("list_objects_v2", Bucket=bucket)
        call("list_object_versions", Bucket=bucket)
        for setting in (
            "accelerate_configuration", "acl", "cors", "encryption", "lifecycle_configuration", "location", "logging",
            "notification_configuration", "ownership_controls", "policy", "policy_status", "replication", "tagging",
            "versioning", "website",
        ):  # fmt: skip
            call(f"get_bucket_{setting}", Bucket=bucket)
        call("get_public_access_block", Bucket=bucket)
        call("get_object_lock_configuration", Bucket=bucket)
        call("list_bucket_inventory_configurations", Bucket=bucket)
    _read_objects(call, s3)
    _read_lists(call)
    _read_versions(call, s3)
    return answers


def _read_objects(call: Any, s3: Any) -> None:
    keys = [item["Key"] for item in s3.list_objects_v2(Bucket=PLAIN)["Contents"]]
    for key in keys:
        call("get_object", Bucket=PLAIN, Key=key, ChecksumMode="ENABLED")
        call("head_object", Bucket=PLAIN, Key=key, ChecksumMode="ENABLED")
        call("get_object_tagging", Bucket=PLAIN, Key=key)
        call("get_object_acl", Bucket=PLAIN, Key=key)
    for range_ in (
        "bytes=0-3",
        "bytes=3-",
        "bytes=-4",
        "bytes=0-99",
        "bytes=10-",
        "bytes=5-2",
        "bytes=x",
        "bytes=0-1,3-4",
    ):
        call("get_object", note=range_, Bucket=PLAIN, Key="rich", Range=range_)
        call("head_object", note=range_, Bucket=PLAIN, Key="rich", Range=range_)
        call("get_object", note=f"large {range_}", Bucket=PLAIN, Key="uploads/done", Range=range_)
    call("get_object", note="empty", Bucket=PLAIN, Key="nothing", Range="bytes=0-1")
    etag = s3.head_object(Bucket=PLAIN, Key="rich")["ETag"]
    for condition in (
        {"IfMatch": etag}, {"IfMatch": '"0"'}, {"IfNoneMatch": etag}, {"IfNoneMatch": '"0"'},
        {"IfModifiedSince": PAST}, {"IfUnmodifiedSince": PAST}, {"IfUnmodifiedSince": FUTURE},
    ):  # fmt: skip
        call("get_object", note=str(condition), Bucket=PLAIN, Key="rich", **condition)
        call("head_object", note=str(condition), Bucket=PLAIN, Key="rich", **condition)
    call("get_object", note="overrides", Bucket=PLAIN, Key="rich", ResponseContentType="a/b", ResponseExpires=PAST)
    wanted = ["ETag", "Checksum", "StorageClass", "ObjectSize"]
    for key in ("rich", "uploads/done", "sums/SHA1"):
        call("get_object_attributes", Bucket=PLAIN, Key=key, ObjectAttributes=wanted)
        call("head_object", note=f"{key} part", Bucket=PLAIN, Key=key, PartNumber=1)
        call("get_object", note=f"{key} part", Bucket=PLAIN, Key=key, PartNumber=1)
    call("list_multipart_uploads", Bucket=PLAIN)
    for upload in s3.list_multipart_uploads(Bucket=PLAIN).get("Uploads", []):
        call("list_parts", Bucket=PLAIN, Key=upload["Key"], UploadId=upload["UploadId"])
        call("list_parts", note="page", Bucket=PLAIN, Key=upload["Key"], UploadId=upload["UploadId"], MaxParts=1)


def _read_lists(call: Any) -> None:
    for prefix in ("", "many/", "many/1", "copies/", "/", "three///", "zaż", "nothing at all"):
        for delimiter in ("", "/", "//"):
            arguments = {"Bucket": PLAIN, "Prefix": prefix, "Delimiter": delimiter}
            note = f"{prefix!r} by {delimiter!r}"
            call("list_objects_v2", note=note, **arguments)
            call("list_objects", note=note, **arguments)
            call("list_objects_v2", note=f"{note} encoded", EncodingType="url", **arguments)
    token: dict[str, Any] = {}
    for page in range(12):
        answer = call("list_objects_v2", note=f"page {page}", Bucket=PLAIN, MaxKeys=5, FetchOwner=True, **token)
        if not answer.get("IsTruncated"):
            break
        token = {"ContinuationToken": answer["NextContinuationToken"]}
    call("list_objects_v2", note="start after", Bucket=PLAIN, StartAfter="many/3/13", Prefix="many/")
    call("list_objects", note="marker", Bucket=PLAIN, Marker="many/3/13", MaxKeys=3)
    call("list_objects_v2", note="none", Bucket=PLAIN, MaxKeys=0)


def _read_versions(call: Any, s3: Any) -> None:
    listed = s3.list_object_versions(Bucket=VERSIONED)
    for version in listed["Versions"]:
        which = {"Bucket": VERSIONED, "Key": version["Key"], "VersionId": version["VersionId"]}
        call("get_object", **which)
        call("head_object", **which)
        call("get_object_tagging", **which)
    for marker in listed["DeleteMarkers"]:
        which = {"Bucket": VERSIONED, "Key": marker["Key"]}
        call("get_object", note="marked", **which)
        call("head_object", note="marked", **which)
        call("head_object", note="marker", VersionId=marker["VersionId"], **which)
    call("list_object_versions", note="prefix", Bucket=VERSIONED, Prefix="marked/", Delimiter="/")
    call("list_object_versions", note="page", Bucket=VERSIONED, MaxKeys=4)
    call("get_object_legal_hold", Bucket=LOCKED, Key="held")
    call("get_object_retention", Bucket=LOCKED, Key="held")
    call("list_objects_v2", note="by user", Bucket=LOGS, MaxKeys=0)

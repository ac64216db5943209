from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from local_aws.services.durable.described_requests import describe


def head(service: str, **more: str) -> dict[str, str]:
    credential = f"Credential=KEY/20261122/us-west-2/{service}/aws4_request"
    return {"HTTP_AUTHORIZATION": f"AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=x"} | more


def as_json(service: str, action: str, **parameters: Any) -> tuple[dict[str, str], bytes]:
    environ = head(service, CONTENT_TYPE="application/x-amz-json-1.1", HTTP_X_AMZ_TARGET=f"Target.{action}")
    return environ, json.dumps(parameters).encode()


def as_form(service: str, action: str, **parameters: str) -> tuple[dict[str, str], bytes]:
    environ = head(service, CONTENT_TYPE="application/x-www-form-urlencoded; charset=utf-8")
    return environ, urlencode({"Action": action, **parameters}).encode()


@pytest.mark.parametrize(
    ("request_", "name", "subject"),
    [
        (as_form("iam", "CreateRole", RoleName="r"), "iam/us-west-2/CreateRole", "iam/CreateRole//r"),
        (as_form("iam", "AddUserToGroup", UserName="u", GroupName="g"), "iam/us-west-2/AddUserToGroup", None),
        (
            as_form("sns", "Subscribe", TopicArn="arn:aws:sns:us-west-2:1:t", Protocol="email"),
            "sns/us-west-2/Subscribe",
            "sns/CreateTopic/us-west-2//t",
        ),
        (
            as_form("sns", "Unsubscribe", SubscriptionArn="arn:aws:sns:us-west-2:1:t:9d2c"),
            "sns/us-west-2/Unsubscribe",
            "sns/CreateTopic/us-west-2//t",
        ),
        (as_form("sns", "CreatePlatformApplication", Name="t"), "sns/us-west-2/CreatePlatformApplication", None),
        (
            as_json("events", "PutTargets", Rule="r", EventBusName="b"),
            "events/us-west-2/PutTargets",
            "events/PutRule/us-west-2/b/r",
        ),
        (as_json("events", "CreateEventBus", Name="r"), "events/us-west-2/CreateEventBus", None),
        (
            as_json("logs", "TagResource", resourceArn="arn:aws:logs:us-west-2:1:log-group:/a/b:*"),
            "logs/us-west-2/TagResource",
            "logs/CreateLogGroup/us-west-2///a/b",
        ),
        (
            as_json("monitoring", "EnableAlarmActions", AlarmNames=["a"]),
            "monitoring/us-west-2/EnableAlarmActions",
            "monitoring/PutMetricAlarm/us-west-2//a",
        ),
        (
            as_json("monitoring", "EnableAlarmActions", AlarmNames=["a", "b"]),
            "monitoring/us-west-2/EnableAlarmActions",
            None,
        ),
    ],
)
def test_what_a_request_concerns(request_: tuple[dict[str, str], bytes], name: str, subject: str | None) -> None:
    described = describe(*request_)
    assert described is not None
    assert (described.name, described.subject) == (name, subject)
    assert described.is_kept


@pytest.mark.parametrize(
    "request_",
    [
        as_json("logs", "FilterLogEvents", logGroupName="g"),
        as_json("logs", "PutLogEvents", logGroupName="g"),
        as_json("events", "PutEvents", Entries=[]),
        as_form("sns", "Publish", TopicArn="arn:aws:sns:us-west-2:1:t"),
        as_form("iam", "ListRoles"),
        (
            head("monitoring", PATH_INFO="/service/Granite/operation/PutMetricData", CONTENT_TYPE="application/cbor"),
            b"x",
        ),
    ],
    ids=["reading", "log events", "events", "publication", "form", "cbor"],
)
def test_what_is_not_kept(request_: tuple[dict[str, str], bytes]) -> None:
    described = describe(*request_)
    assert described is not None
    assert not described.is_kept


@pytest.mark.parametrize("service", ["s3", "sts", "sagemaker"])
def test_other_services_are_not_described(service: str) -> None:
    assert describe(head(service), b"") is None


def test_presigned_requests_say_in_their_address_whom_they_are_for() -> None:
    query = "Action=CreateTopic&Name=t&X-Amz-Credential=KEY%2F20261122%2Fus-west-2%2Fsns%2Faws4_request"
    described = describe({"QUERY_STRING": query}, b"")
    assert described is not None
    assert described.subject == "sns/CreateTopic/us-west-2//t"


def test_a_body_that_is_not_json_is_moto_s_affair() -> None:
    environ, _ = as_json("logs", "CreateLogGroup")
    described = describe(environ, b"{")
    assert described is not None
    assert described.subject is None

"""What all kinds of resources have in common: names, ARNs, tags, moments, and the errors about them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local_aws.control.resources import KINDS, Kind, call, error_of
from tests.local_aws.embedded import Embedded
from tests.polling import until
from tests.running_aws import REGION

TAGS = [{"Key": "team", "Value": "ml"}, {"Key": "cost center", "Value": ""}]
every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.arn)


def make(aws: Embedded, kind: Kind, name: str, **more: Any) -> str:
    """Make one, and let it settle; returns its ARN."""
    answer = call(aws, kind.create, **kind.request(name), **more)
    until(lambda: state(aws, kind, name), lambda found: found not in ("Creating", "InProgress", "Pending"))
    [arn] = [value for member, value in answer.items() if member.endswith("Arn")]
    return str(arn)


def state(aws: Embedded, kind: Kind, name: str) -> str | None:
    described = call(aws, kind.describe, **{kind.name: name})
    return next((value for member, value in described.items() if member.endswith("Status")), None)


def delete(aws: Embedded, kind: Kind, name: str) -> None:
    call(aws, kind.delete, **{kind.name: name})
    until(lambda: exists(aws, kind, name), lambda found: not found)


def exists(aws: Embedded, kind: Kind, name: str) -> bool:
    try:
        call(aws, kind.describe, **{kind.name: name})
    except ClientError:
        return False
    return True


@every_kind
def test_it_is_described_as_it_was_made(shared: Embedded, kind: Kind) -> None:
    before = datetime.fromtimestamp(shared.server.aws.clock.timestamp(), UTC)
    arn = make(shared, kind, "Described-1")
    assert arn == f"arn:aws:sagemaker:{REGION}:123456789012:{kind.arn}/described-1", "ARNs are lower case"
    described = call(shared, kind.describe, **{kind.name: "Described-1"})
    assert arn in described.values()
    assert described["CreationTime"] == before, "by the server's clock"
    given = kind.request("Described-1")
    assert {member: described[member] for member in given if member in described} == {
        member: value for member, value in given.items() if member in described
    }
    delete(shared, kind, "Described-1")


@every_kind
def test_a_name_is_taken_until_it_is_deleted(shared: Embedded, kind: Kind) -> None:
    make(shared, kind, "taken")
    status, code, message = error_of(shared, kind.create, **kind.request("taken"))
    assert (status, code) == (400, kind.taken[0])
    assert kind.taken[1].replace("NAME", "taken") in message
    delete(shared, kind, "taken")
    make(shared, kind, "taken")
    delete(shared, kind, "taken")


@every_kind
def test_a_name_is_taken_in_whatever_case(shared: Embedded, kind: Kind) -> None:
    """Both would have the same ARN, and the same tags."""
    make(shared, kind, "Case")
    assert error_of(shared, kind.create, **kind.request("cASE"))[1] == kind.taken[0]
    delete(shared, kind, "Case")


@every_kind
def test_what_is_not_there_is_an_error_of_its_kind(shared: Embedded, kind: Kind) -> None:
    for operation in (kind.describe, kind.delete):
        status, code, message = error_of(shared, operation, **{kind.name: "missing"})
        assert (status, code) == (400, kind.missing[0]), operation
        assert message.startswith(kind.missing[1].replace("NAME", "missing")), operation


@every_kind
def test_names_follow_the_pattern(shared: Embedded, kind: Kind) -> None:
    for name in ("under_score", "-first", "a" * 64):
        status, code, message = error_of(shared, kind.create, **kind.request(name))
        assert (status, code) == (400, "ValidationException")
        member = kind.name[0].lower() + kind.name[1:]
        assert re.match(rf"(1 validation error|2 validation errors) detected: Value '{name}' at '{member}' ", message)
        assert "failed to satisfy constraint: Member must " in message


@every_kind
def test_regions_are_apart(shared: Embedded, kind: Kind) -> None:
    make(shared, kind, "regional")
    elsewhere = shared.client("sagemaker", "eu-west-1")
    with pytest.raises(ClientError):
        getattr(elsewhere, kind.describe)(**{kind.name: "regional"})
    delete(shared, kind, "regional")


@every_kind
def test_tags_live_and_die_with_it(shared: Embedded, kind: Kind) -> None:
    arn = make(shared, kind, "tagged", Tags=TAGS)
    assert call(shared, "list_tags", ResourceArn=arn)["Tags"] == TAGS
    changed = call(shared, "add_tags", ResourceArn=arn, Tags=[{"Key": "team", "Value": "ops"}])["Tags"]
    assert changed == [{"Key": "team", "Value": "ops"}, TAGS[1]]
    call(shared, "delete_tags", ResourceArn=arn, TagKeys=["cost center", "never"])
    assert call(shared, "list_tags", ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "ops"}]
    delete(shared, kind, "tagged")
    assert error_of(shared, "list_tags", ResourceArn=arn)[1] == "ValidationException"
    make(shared, kind, "tagged")
    assert call(shared, "list_tags", ResourceArn=arn)["Tags"] == [], "tags of the dead are not inherited"
    delete(shared, kind, "tagged")


@every_kind
@pytest.mark.parametrize(
    ("tags", "refusal"),
    [
        ([{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}], "Duplicate tag keys found: a"),
        ([{"Key": "aws:mine", "Value": "1"}], "reserved for AWS"),
        ([{"Key": f"k{number}", "Value": ""} for number in range(51)], "length less than or equal to 50"),
        ([{"Key": "a!", "Value": ""}], "regular expression pattern"),
    ],
    ids=["doubled", "reserved", "too many", "pattern"],
)
def test_wrong_tags_make_nothing(shared: Embedded, kind: Kind, tags: list[dict[str, str]], refusal: str) -> None:
    status, code, message = error_of(shared, kind.create, **kind.request("untagged"), Tags=tags)
    assert (status, code) == (400, "ValidationException")
    assert refusal in message
    assert not exists(shared, kind, "untagged")


def test_tags_are_those_of_the_region_that_is_asked(shared: Embedded) -> None:
    arn = f"arn:aws:sagemaker:{REGION}:123456789012:model/base"
    elsewhere = shared.client("sagemaker", "eu-west-1")
    for change in (
        lambda: elsewhere.add_tags(ResourceArn=arn, Tags=TAGS),
        lambda: elsewhere.delete_tags(ResourceArn=arn, TagKeys=["team"]),
        lambda: elsewhere.list_tags(ResourceArn=arn),
    ):
        with pytest.raises(ClientError, match=f'ValidationException.*Could not find resource "{arn}"'):
            change()
    assert call(shared, "list_tags", ResourceArn=arn)["Tags"] == []


def test_a_resource_has_at_most_fifty_tags(shared: Embedded) -> None:
    kind = KINDS[0]
    arn = make(shared, kind, "many-tags", Tags=[{"Key": f"k{number}", "Value": ""} for number in range(49)])
    call(shared, "add_tags", ResourceArn=arn, Tags=[{"Key": "k0", "Value": "again"}, {"Key": "k49", "Value": ""}])
    status, code, message = error_of(shared, "add_tags", ResourceArn=arn, Tags=[{"Key": "k50", "Value": ""}])
    assert (status, code) == (400, "ValidationException")
    assert "at most 50 tags" in message
    pages = shared.sagemaker.get_paginator("list_tags").paginate(ResourceArn=arn)
    assert len([tag for page in pages for tag in page["Tags"]]) == 50
    delete(shared, kind, "many-tags")

"""Every member of every List request does what the service model says that it does."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from local_aws.operations import service_model
from tests.local_aws.embedded import Embedded, embedded
from tests.running_aws import REGION

Document = dict[str, Any]

ACCOUNT = "123456789012"

CREATED_LATER_OR_THEN = {"ListModels", "ListEndpointConfigs", "ListEndpoints"}
"""Operations whose CreationTimeAfter is "greater than or equal"; for all others it is "after"."""
ASCENDING = {"ListProcessingJobs"}


@dataclass(frozen=True)
class Listing:
    """A List operation, and the documents behind it."""

    operation: str
    kind: str
    answer: str
    name: str
    statuses: tuple[str, str, str] | None = None
    status: str | None = None
    prefix: str = ""
    shown_as: str | None = None

    def documents(self) -> list[Document]:
        """Three, that differ in all that lists look at, in the order of their creation."""
        found = []
        for number, (name, modified) in enumerate((("beta", 900.0), ("gamma-Mid", 700.0), ("alpha-mid", 800.0))):
            document: Document = {
                self.name: name,
                f"{self.name.removesuffix('Name')}Arn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:{self.kind}/{name}",
                "CreationTime": 100.0 * (number + 1),
                "LastModifiedTime": modified,
                "ScheduledTime": 50.0 * (3 - number),
                "EndpointName": f"endpoint-{number}",
                "EndpointArn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint/endpoint-{number}",
                "MonitoringJobDefinitionName": f"definition-{number}",
                "MonitoringType": ("ModelBias", "ModelExplainability", "ModelQuality")[number],
                "Region": REGION,
                "Key": f"{REGION}/{self.prefix}{name}",
            }
            document |= {self.name: name}
            if self.status and self.statuses:
                document[self.status] = self.statuses[number]
            found.append(document)
        return found


LISTINGS = [
    Listing("ListModels", "model", "Models", "ModelName"),
    Listing("ListEndpointConfigs", "endpoint-config", "EndpointConfigs", "EndpointConfigName"),
    Listing(
        "ListEndpoints", "endpoint", "Endpoints", "EndpointName", ("InService", "Failed", "Creating"), "EndpointStatus"
    ),
    Listing(
        "ListProcessingJobs",
        "processing-job",
        "ProcessingJobSummaries",
        "ProcessingJobName",
        ("Stopped", "Completed", "Failed"),
        "ProcessingJobStatus",
    ),
    *(
        Listing(
            f"List{kind}JobDefinitions",
            "job-definition",
            "JobDefinitionSummaries",
            "JobDefinitionName",
            prefix=f"{kind}/",
            shown_as="MonitoringJobDefinitionName",
        )
        for kind in ("ModelBias", "ModelExplainability")
    ),
    Listing(
        "ListMonitoringSchedules",
        "monitoring-schedule",
        "MonitoringScheduleSummaries",
        "MonitoringScheduleName",
        ("Stopped", "Failed", "Scheduled"),
        "MonitoringScheduleStatus",
    ),
    Listing(
        "ListMonitoringExecutions",
        "monitoring-execution",
        "MonitoringExecutionSummaries",
        "MonitoringScheduleName",
        ("Stopped", "Failed", "Completed"),
        "MonitoringExecutionStatus",
    ),
]


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    """A server whose store holds three of everything."""
    with embedded(tmp_path_factory.mktemp("lists")) as running:
        for listing in LISTINGS:
            for document in listing.documents():
                put(running, listing, document)
        yield running
        for listing in LISTINGS:
            for document in listing.documents():
                running.server.aws.store.delete(listing.kind, f"{REGION}/{listing.prefix}{document[listing.name]}")


def put(aws: Embedded, listing: Listing, document: Document) -> None:
    aws.server.aws.store.put(listing.kind, f"{REGION}/{listing.prefix}{document[listing.name]}", document)


def names(aws: Embedded, listing: Listing, **request: Any) -> list[str]:
    """What one page shows."""
    return page(aws, listing, **request)[0]


def page(aws: Embedded, listing: Listing, **request: Any) -> tuple[list[str], str | None]:
    answer = getattr(aws.sagemaker, xform_name(listing.operation))(**request)
    return [item[listing.shown_as or listing.name] for item in answer[listing.answer]], answer.get("NextToken")


def cases() -> Iterator[Any]:
    for listing in LISTINGS:
        shape = service_model("sagemaker").operation_model(listing.operation).input_shape
        assert shape is not None
        for member in shape.members:
            yield pytest.param(listing, member, id=f"{listing.operation}-{member}")


@pytest.mark.parametrize(("listing", "member"), list(cases()))
def test_every_member_of_the_request_is_honoured(aws: Embedded, listing: Listing, member: str) -> None:
    documents = listing.documents()

    def named(chosen: Callable[[Document], Any]) -> set[str]:
        return {document[listing.name] for document in documents if chosen(document)}

    def in_order(by: str) -> list[str]:
        return [document[listing.name] for document in sorted(documents, key=itemgetter(by))]

    moment = datetime.fromtimestamp
    match member:
        case "NameContains":
            assert set(names(aws, listing, NameContains="gamma")) == {"gamma-Mid"}
            assert names(aws, listing, NameContains="omega") == []
        case "StatusEquals":
            assert listing.status
            for document in documents:
                assert names(aws, listing, StatusEquals=document[listing.status]) == [document[listing.name]]
        case "SortBy":
            members = {"Name": listing.name, "Status": listing.status}
            shape = service_model("sagemaker").operation_model(listing.operation).input_shape
            assert shape is not None
            for by in shape.members["SortBy"].enum:  # type: ignore[attr-defined]
                assert names(aws, listing, SortBy=by, SortOrder="Ascending") == in_order(members.get(by) or by), by
        case "SortOrder":
            created = in_order("CreationTime")
            assert names(aws, listing, SortOrder="Ascending") == created
            assert names(aws, listing, SortOrder="Descending") == created[::-1]
            assert names(aws, listing) == (created if listing.operation in ASCENDING else created[::-1])
        case "MaxResults" | "NextToken":
            first, token = page(aws, listing, MaxResults=2)
            rest, end = page(aws, listing, MaxResults=2, NextToken=token)
            assert (len(first), len(rest), end) == (2, 1, None)
            assert first + rest == names(aws, listing)
        case "CreationTimeAfter" | "LastModifiedTimeAfter" | "ScheduledTimeAfter":
            attribute = member.removesuffix("After")
            limit = sorted(document[attribute] for document in documents)[1]
            including = member == "CreationTimeAfter" and listing.operation in CREATED_LATER_OR_THEN
            expected = named(lambda document: document[attribute] > limit - including)
            assert len(expected) == 1 + including
            assert set(names(aws, listing, **{member: moment(limit, UTC)})) == expected
        case "CreationTimeBefore" | "LastModifiedTimeBefore" | "ScheduledTimeBefore":
            attribute = member.removesuffix("Before")
            limit = sorted(document[attribute] for document in documents)[1]
            assert set(names(aws, listing, **{member: moment(limit, UTC)})) == named(
                lambda document: document[attribute] < limit
            )
        case "EndpointName" | "MonitoringScheduleName" | "MonitoringJobDefinitionName" | "MonitoringTypeEquals":
            attribute = member.removesuffix("Equals")
            for document in documents:
                assert names(aws, listing, **{member: document[attribute]}) == [document[listing.name]]
            if member != "MonitoringTypeEquals":
                assert names(aws, listing, **{member: "omega"}) == []
        case _:
            pytest.fail(f"{listing.operation} has a new member {member}; say here what it does.")


@pytest.mark.parametrize("listing", LISTINGS[:-1], ids=lambda listing: listing.operation)
def test_filters_hold_together(aws: Embedded, listing: Listing) -> None:
    second = datetime.fromtimestamp(150, UTC)
    assert names(aws, listing, NameContains="mid", SortBy="CreationTime", SortOrder="Ascending") == [
        "gamma-Mid",
        "alpha-mid",
    ]
    assert names(aws, listing, NameContains="mid", CreationTimeBefore=second) == []
    assert names(aws, listing, NameContains="beta", CreationTimeBefore=second) == ["beta"]


def refusal(aws: Embedded, listing: Listing, **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as error:
        names(aws, listing, **request)
    return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]


@pytest.mark.parametrize("listing", LISTINGS, ids=lambda listing: listing.operation)
def test_a_token_is_good_for_its_own_question_only(aws: Embedded, listing: Listing) -> None:
    _, token = page(aws, listing, MaxResults=1)
    assert token
    assert names(aws, listing, NextToken=token, MaxResults=50), "another page size is no other question"
    others = [
        refusal(aws, listing, NextToken=token, CreationTimeAfter=datetime.fromtimestamp(1, UTC)),
        refusal(aws, listing, NextToken=token, SortBy="CreationTime", SortOrder="Ascending"),
    ]
    foreign = next(other for other in LISTINGS if other.name != listing.name)
    others.append(refusal(aws, listing, NextToken=page(aws, foreign, MaxResults=1)[1]))
    assert {code for code, _ in others} == {"ValidationException"}
    assert others[0][1] == f"Invalid NextToken: {token}"


def forged(token: str, **changes: Any) -> str:
    content = json.loads(base64.urlsafe_b64decode(token)) | changes
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode()


@pytest.mark.parametrize("changes", [{"last": 1}, {"last": None}, {"value": "x", "last": "gone"}, {"value": []}])
def test_a_token_that_somebody_made_up_is_refused(aws: Embedded, changes: dict[str, Any]) -> None:
    token = page(aws, LISTINGS[0], MaxResults=1)[1]
    assert token
    assert refusal(aws, LISTINGS[0], NextToken=forged(token, **changes))[0] == "ValidationException"


def model(name: str, created: float) -> Document:
    return {
        "ModelName": name,
        "ModelArn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model/{name}",
        "CreationTime": created,
    }


def test_pages_go_on_while_documents_come_and_go(tmp_path: Path) -> None:
    models = LISTINGS[0]
    with embedded(tmp_path) as aws:
        for number in range(6):
            put(aws, models, model(f"m{number}", float(number)))
        first, token = page(aws, models, MaxResults=2)
        assert first == ["m5", "m4"]
        put(aws, models, model("new", 100.0))
        aws.server.aws.store.delete("model", f"{REGION}/m4")
        second, token = page(aws, models, MaxResults=2, NextToken=token)
        assert second == ["m3", "m2"], "neither repeated nor left out"
        for name in second:
            aws.server.aws.store.delete("model", f"{REGION}/{name}")
        assert page(aws, models, MaxResults=2, NextToken=token) == (["m1", "m0"], None)


def test_documents_of_one_moment_keep_the_order_of_their_creation(tmp_path: Path) -> None:
    models = LISTINGS[0]
    with embedded(tmp_path) as aws:
        created = ["zeta", "beta", "omega", "alpha", "iota"]
        for name in created:
            put(aws, models, model(name, 1.0))
        for order, expected in (("Ascending", created), ("Descending", created[::-1])):
            pages = aws.sagemaker.get_paginator("list_models").paginate(
                SortOrder=order, PaginationConfig={"PageSize": 2}
            )
            assert [item["ModelName"] for found in pages for item in found["Models"]] == expected
        first, token = page(aws, models, MaxResults=2)
        for name in first:
            aws.server.aws.store.delete("model", f"{REGION}/{name}")
        assert names(aws, models, NextToken=token) == created[:3][::-1], "whoever deletes page by page misses none"

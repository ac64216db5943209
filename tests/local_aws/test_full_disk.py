"""On a full disk, what is refused is not done, and what is acknowledged afterwards survives."""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws import store as store_module
from local_aws.aws import LocalAws
from local_aws.clock import Clock
from local_aws.database_files import UnusableStore, transaction
from local_aws.kept_time import KeptTime
from local_aws.store import Store
from tests.local_aws.embedded import Embedded, embedded
from tests.polling import until
from tests.running_aws import REGION

LONG = "x" * 5000


@contextmanager
def full(database: sqlite3.Connection) -> Iterator[None]:
    """The file can grow no more, for which SQLite has the same error as for a full disk."""
    ((pages,),) = database.execute("PRAGMA page_count").fetchall()
    database.execute(f"PRAGMA max_page_count={pages}").fetchall()
    try:
        yield
    finally:
        database.execute("PRAGMA max_page_count=1000000").fetchall()


def journal(aws: Embedded) -> sqlite3.Connection:
    return aws.server._services._journal._database


def index(aws: Embedded) -> sqlite3.Connection:
    application: Any = aws.server._services._application
    database: sqlite3.Connection = application._index._database
    return database


def first_refused(request: Callable[[str], Any]) -> str:
    """The first name with which a request fails."""
    for number in range(100):
        name = f"name-{number}"
        try:
            request(name)
        except ClientError:
            return name
    raise AssertionError("nothing was refused")


def test_a_refused_change_of_a_service_is_not_made_and_can_be_asked_for_again(tmp_path: Path) -> None:
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{LONG}"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})

    def policies(aws: Embedded) -> dict[str, str]:
        found = aws.client("iam").list_policies(Scope="Local")["Policies"]
        return {item["PolicyName"]: item["PolicyId"] for item in found}

    with embedded(tmp_path) as first:
        iam = first.client("iam")
        with full(journal(first)):
            name = first_refused(lambda name: iam.create_policy(PolicyName=name, PolicyDocument=policy))
            assert name not in policies(first)
        iam.create_policy(PolicyName=name, PolicyDocument=policy)
        before = policies(first)
        assert name in before
    with embedded(tmp_path) as second:
        assert policies(second) == before


def test_refused_metric_values_and_log_events_are_not_there(tmp_path: Path) -> None:
    with embedded(tmp_path) as aws:
        logs, cloudwatch = aws.client("logs"), aws.client("cloudwatch")
        logs.create_log_group(logGroupName="group")
        logs.create_log_stream(logGroupName="group", logStreamName="stream")
        now = aws.server.aws.clock.now()
        event = {"timestamp": int(now.timestamp() * 1000), "message": LONG}
        values = [{"MetricName": "many", "Value": float(number)} for number in range(200)]
        with full(journal(aws)):
            with pytest.raises(ClientError):
                logs.put_log_events(logGroupName="group", logStreamName="stream", logEvents=[event])
            with pytest.raises(ClientError):
                cloudwatch.put_metric_data(Namespace="n", MetricData=values)
        assert logs.filter_log_events(logGroupName="group")["events"] == []
        cloudwatch.put_metric_data(Namespace="n", MetricData=values)
        (point,) = cloudwatch.get_metric_statistics(
            Namespace="n",
            MetricName="many",
            StartTime=now - timedelta(hours=1),
            EndTime=now + timedelta(hours=1),
            Period=86400,
            Statistics=["SampleCount"],
        )["Datapoints"]
        assert point["SampleCount"] == len(values)


def test_a_bucket_that_was_refused_and_is_used_all_the_same_survives_with_its_objects(tmp_path: Path) -> None:
    place = {"LocationConstraint": REGION}
    with embedded(tmp_path) as first:
        s3 = first.client("s3")
        with full(index(first)):
            bucket = first_refused(lambda name: s3.create_bucket(Bucket=name, CreateBucketConfiguration=place))
        s3.put_object(Bucket=bucket, Key="acknowledged", Body=b"content")
    with embedded(tmp_path) as second:
        answer = second.client("s3").get_object(Bucket=bucket, Key="acknowledged")
        assert answer["Body"].read() == b"content"


def test_what_a_thread_has_to_write_is_written_when_there_is_room_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(store_module, "TRY_AGAIN_SECONDS", 0.01)
    given_up = threading.Event()
    with closing(Store(tmp_path / "state.sqlite")) as store:
        store.put("job", "a", {"Status": "InProgress"})

        def end() -> None:
            store.update_at_last("job", "a", lambda job: job.update(Status="Failed", Reason=LONG), given_up)

        thread = threading.Thread(target=end)
        with full(store._database), caplog.at_level(logging.ERROR):
            thread.start()
            until(lambda: caplog.text, lambda text: text.count("tried again") > 1)
        thread.join()
        assert store.get("job", "a") == {"Status": "Failed", "Reason": LONG}


def test_nobody_waits_for_room_when_the_server_stops(tmp_path: Path) -> None:
    given_up = threading.Event()
    given_up.set()
    with closing(Store(tmp_path / "state.sqlite")) as store:
        store.put("job", "a", {"Status": "InProgress"})
        with full(store._database):
            store.update_at_last("job", "a", lambda job: job.update(Reason=LONG), given_up)
        assert store.get("job", "a") == {"Status": "InProgress"}


def test_a_transaction_without_room_is_over(tmp_path: Path) -> None:
    with closing(Store(tmp_path / "state.sqlite")) as store:
        database = store._database
        with full(database), pytest.raises(sqlite3.OperationalError), transaction(database):
            store.put("job", "a", {"Reason": LONG})
        assert not database.in_transaction
        with transaction(database):
            store.put("job", "a", {"Reason": LONG})
        assert store.get("job", "a") == {"Reason": LONG}


def test_a_start_and_a_stop_without_room_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def without_room(*arguments: Any) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(Store, "put", without_room)
    with pytest.raises(UnusableStore, match=f"disk is full. Make sure that {tmp_path} can be written"):
        LocalAws(tmp_path, Clock(), "http://127.0.0.1:1")
    with closing(Store(tmp_path / "state.sqlite")) as store:
        KeptTime(store, Clock(source=lambda: datetime(2026, 11, 22, tzinfo=UTC))).stop()
    assert "cannot be noted: database or disk is full" in caplog.text

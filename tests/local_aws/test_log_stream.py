from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from local_aws import log_stream
from local_aws.log_stream import GROUP, LogStream
from tests.local_aws.embedded import Embedded, embedded
from tests.polling import until


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    with embedded(tmp_path_factory.mktemp("aws")) as running:
        yield running


def stream(aws: Embedded, name: str) -> LogStream:
    return LogStream(aws.client("logs"), name, aws.server.aws.clock)


def lines(aws: Embedded, name: str) -> list[str]:
    found: list[dict[str, Any]] = aws.client("logs").get_log_events(
        logGroupName=GROUP, logStreamName=name, startFromHead=True
    )["events"]
    return [event["message"] for event in found]


def test_lines_come_in_order_and_empty_ones_do_not(aws: Embedded) -> None:
    writer = stream(aws, "order")
    for text in ("first\n", "\n", "second", "x" * (log_stream.LONGEST_LINE + 1)):
        writer.line(text)
    writer.close()
    assert lines(aws, "order") == ["first", "second", "x" * log_stream.LONGEST_LINE]


def test_a_stream_that_is_gone_is_made_again(aws: Embedded) -> None:
    writer = stream(aws, "again")
    writer.line("before")
    until(lambda: lines(aws, "again"), lambda found: found == ["before"])
    aws.client("logs").delete_log_group(logGroupName=GROUP)
    writer.line("after")
    writer.close()
    assert lines(aws, "again") == ["after"]


def test_more_than_a_batch_may_have_is_sent_in_several(aws: Embedded) -> None:
    writer = stream(aws, "large")
    for number in range(12):
        writer.line(f"{number}{'x' * 150_000}")
    writer.close()
    assert [text.rstrip("x") for text in lines(aws, "large")] == [str(number) for number in range(12)]


def test_a_line_that_cannot_be_written_does_not_stop_the_next(aws: Embedded, caplog: pytest.LogCaptureFixture) -> None:
    writer = stream(aws, "failing")
    put = writer._logs.put_log_events
    writer._logs.put_log_events = lambda **request: 1 / 0
    writer.line("lost")
    until(lambda: caplog.text, lambda text: "1 lines of /aws/sagemaker/ProcessingJobs failing are lost" in text)
    writer._logs.put_log_events = put
    writer.line("kept")
    writer.close()
    assert lines(aws, "failing") == ["kept"]

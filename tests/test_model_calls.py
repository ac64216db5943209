"""An endpoint as an analysis' model: its pace, its patience, and what it makes of refusals."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import pytest
import xgboost
from botocore.exceptions import ClientError

from model_monitor.analysis.config import PredictorConfig
from model_monitor.analysis.predictor import Predictor
from model_monitor.config import MonitoredEndpoint
from model_monitor.errors import AccessDenied, EndpointFailed, ModelError, MonitorError, Unreachable
from model_monitor.hooks.runtime import OneTryRuntimeHook
from model_monitor.model_calls import EndpointModel, Pace
from tests.local_aws.hosting.test_runtime import kill_the_server
from tests.processes import programs_of
from tests.running_aws import Running, create_endpoint, create_model, make_bucket


class TestPace:
    def test_requests_are_evenly_spaced_over_all_threads(self) -> None:
        """Twenty threads at one moment: one may go at once, each other one a quarter of a second after another."""
        pauses: list[float] = []
        pace = Pace(4, clock=lambda: 100.0, sleep=pauses.append)
        with ThreadPoolExecutor(20) as pool:
            list(pool.map(lambda _: pace.wait(), range(20)))
        assert sorted(pauses) == [number / 4 for number in range(1, 20)]

    def test_time_that_nobody_used_is_not_made_up_for(self) -> None:
        now, pauses = [100.0], list[float]()
        pace = Pace(2, clock=lambda: now[0], sleep=pauses.append)
        pace.wait()
        now[0] = 1000.0
        pace.wait()
        assert pauses == []
        now[0] = 1000.125
        pace.wait()
        assert pauses == [0.375]

    def test_without_a_limit_nobody_waits(self) -> None:
        pauses: list[float] = []
        pace = Pace(None, clock=lambda: 100.0, sleep=pauses.append)
        for _ in range(10):
            pace.wait()
        assert pauses == []


def refusal(code: str, status: int, message: str = "Not now.", **further: Any) -> ClientError:
    content = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(content | further, "InvokeEndpoint")  # type: ignore[arg-type]


class Runtime:
    """Stands for RuntimeHook: fails as a test says, then answers."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.requests: list[dict[str, Any]] = []

    def invoke(self, **request: Any) -> bytes:
        self.requests.append(request)
        if self.failures:
            raise self.failures.pop(0)
        return b"0.5"


def asked(runtime: Runtime, pauses: list[float] | None = None) -> EndpointModel:
    model: Any = runtime
    return EndpointModel(model, "shadow", Pace(None), sleep=([] if pauses is None else pauses).append)


PASSING = [
    refusal("ThrottlingException", 400),
    refusal("ModelNotReadyException", 429),
    refusal("ServiceUnavailable", 503),
    refusal("InternalFailure", 500),
    refusal("InternalDependencyException", 530),
    refusal("ModelError", 424, OriginalStatusCode=503, OriginalMessage="no idle worker"),
    refusal("ModelError", 424, OriginalStatusCode=429, OriginalMessage="slow down"),
    Unreachable("http://nowhere does not answer"),
]


class TestPatience:
    @pytest.mark.parametrize("failure", PASSING, ids=str)
    def test_what_may_pass_is_tried_again_with_growing_pauses(self, failure: Exception) -> None:
        runtime, pauses = Runtime(*[failure] * 5), list[float]()
        assert asked(runtime, pauses)(b"1,2", "text/csv", "application/json") == b"0.5"
        request = {
            "EndpointName": "shadow",
            "ContentType": "text/csv",
            "Accept": "application/json",
            "Body": b"1,2",
        }
        assert runtime.requests == [request] * 6
        for pause, most in zip(pauses, [0.5, 1, 2, 4, 8], strict=True):
            assert most / 2 <= pause <= most

    @pytest.mark.parametrize("failure", PASSING, ids=str)
    def test_patience_ends_with_the_sixth_try(self, failure: Exception) -> None:
        runtime = Runtime(*[failure] * 6)
        with pytest.raises(MonitorError) as told:
            asked(runtime)(b"1,2", "text/csv", "text/csv")
        assert len(runtime.requests) == 6
        busy = isinstance(failure, ClientError) and "OriginalStatusCode" in failure.response
        assert isinstance(told.value, ModelError if busy else Unreachable)

    def test_a_service_that_stays_busy_is_told_with_what_to_do(self) -> None:
        with pytest.raises(Unreachable, match=r"shadow could not answer in 6 tries: Throttl.*requests_per_second"):
            asked(Runtime(*[refusal("ThrottlingException", 400)] * 6))(b"1,2", "text/csv", "text/csv")

    def test_every_try_keeps_the_pace(self) -> None:
        paced: list[float] = []
        runtime: Any = Runtime(*[refusal("ServiceUnavailable", 503)] * 3)
        pace = Pace(10, clock=lambda: 100.0, sleep=paced.append)
        EndpointModel(runtime, "shadow", pace, sleep=lambda _: None)(b"1,2", "text/csv", "text/csv")
        assert paced == pytest.approx([0.1, 0.2, 0.3])


class TestRefusals:
    @pytest.mark.parametrize(
        ("failure", "words"),
        [
            (refusal("ModelError", 424, OriginalStatusCode=400, OriginalMessage="no float: 'x'"), "^no float: 'x'$"),
            (refusal("ModelError", 424, "Received client error", OriginalStatusCode=400), "^Received client error$"),
            (refusal("", 413, "HTTP content length exceeded 6291456 bytes."), "length exceeded"),
            (refusal("ValidationError", 400, "Payload size is too large"), "Payload size"),
        ],
    )
    def test_what_the_model_does_not_take_is_not_asked_again(self, failure: Exception, words: str) -> None:
        runtime = Runtime(failure)
        with pytest.raises(ModelError, match=words):
            asked(runtime)(b"1,2", "text/csv", "text/csv")
        assert len(runtime.requests) == 1

    def test_a_batch_that_is_too_large_for_the_endpoint_is_halved(self) -> None:
        runtime = Runtime(refusal("", 413, "HTTP content length exceeded 6291456 bytes."))
        scores = Predictor(asked(runtime), PredictorConfig())(np.zeros((2, 3)))
        assert scores.tolist() == [0.5, 0.5]
        assert [request["Body"].count(b"\n") for request in runtime.requests] == [1, 0, 0]

    @pytest.mark.parametrize("concurrency", [1, 4])
    def test_an_endpoint_that_is_gone_is_asked_once_not_row_by_row(self, concurrency: int) -> None:
        gone = refusal("ValidationError", 400, "Endpoint shadow of account 123456789012 not found.")
        runtime = Runtime(*[gone] * 2000)
        with pytest.raises(
            EndpointFailed, match="The endpoint shadow, which is to answer the analysis, is not in serv"
        ):
            Predictor(asked(runtime), PredictorConfig(), concurrency=concurrency)(np.zeros((1000, 3)))
        assert len(runtime.requests) == 1

    def test_other_refusals_of_aws_are_told_as_they_are(self) -> None:
        runtime = Runtime(refusal("ValidationError", 400, "1 validation error detected"))
        with pytest.raises(ClientError, match="1 validation error detected"):
            Predictor(asked(runtime), PredictorConfig())(np.zeros((1000, 3)))
        assert len(runtime.requests) == 1

    def test_a_missing_permission_ends_it(self) -> None:
        runtime = Runtime(AccessDenied("Allow 'sagemaker:InvokeEndpoint'"))
        with pytest.raises(AccessDenied):
            Predictor(asked(runtime), PredictorConfig())(np.zeros((1000, 3)))
        assert len(runtime.requests) == 1


@contextmanager
def serving(answer: Callable[[int, BaseHTTPRequestHandler], None]) -> Iterator[str]:
    """A server's address; `answer` is told how many requests came before."""
    requests = 0

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            nonlocal requests
            self.rfile.read(int(self.headers["Content-Length"]))
            requests += 1
            answer(requests - 1, self)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def answered(request: BaseHTTPRequestHandler, body: bytes, length: int) -> None:
    request.send_response(200)
    request.send_header("Content-Length", str(length))
    request.end_headers()
    request.wfile.write(body)


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> Callable[..., EndpointModel]:
    """Makes a model of whatever server, by an Airflow connection; it pauses for no time."""

    def connect(url: str, **config: Any) -> EndpointModel:
        extra = {"endpoint_url": url, "region_name": "us-west-2", "config_kwargs": config}
        connection = {"conn_type": "aws", "login": "tester", "password": "password", "extra": extra}
        monkeypatch.setenv("AIRFLOW_CONN_ELSEWHERE", json.dumps(connection))
        return EndpointModel(OneTryRuntimeHook(aws_conn_id="elsewhere"), "shadow", Pace(None), sleep=lambda _: None)

    return connect


class TestNetwork:
    def test_an_answer_that_does_not_come_counts_as_refused(self, connected: Callable[..., EndpointModel]) -> None:
        """By the connection's own time-out, and without botocore's own further tries."""
        over = threading.Event()
        silent: list[int] = []

        def say_nothing(number: int, request: BaseHTTPRequestHandler) -> None:
            silent.append(number)
            over.wait(60)

        with serving(say_nothing) as url:
            with pytest.raises(ModelError, match="No answer in time: Read timeout on endpoint URL"):
                connected(url, read_timeout=0.5)(b"1,2", "text/csv", "text/csv")
            over.set()
        assert silent == [0]

    def test_an_answer_that_breaks_off_is_asked_for_again(self, connected: Callable[..., EndpointModel]) -> None:
        with serving(lambda number, request: answered(request, b"0.5", 3 if number else 100)) as url:
            assert connected(url)(b"1,2", "text/csv", "text/csv") == b"0.5"

    def test_a_server_that_is_not_there_is_unreachable(self, connected: Callable[..., EndpointModel]) -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            model = connected(f"http://127.0.0.1:{unused.getsockname()[1]}")
            with pytest.raises(Unreachable, match="does not answer"):
                model(b"1,2", "text/csv", "text/csv")


@pytest.fixture(scope="module")
def shadow(aws: Running, model_archive: bytes) -> str:
    """The tiny model's endpoint."""
    return create_endpoint(aws, create_model(aws, make_bucket(aws), model_archive))


class TestLocalAws:
    def test_the_model_answers_from_several_threads(
        self, endpoint: MonitoredEndpoint, shadow: str, booster: xgboost.Booster
    ) -> None:
        rows = np.random.default_rng(3).normal(size=(500, 4)).round(3)
        model = EndpointModel.of(endpoint, shadow)
        scores = Predictor(model, PredictorConfig(), max_payload_bytes=1000, concurrency=4)(rows)
        np.testing.assert_allclose(scores, booster.predict(xgboost.DMatrix(rows)), rtol=1e-6)

    def test_the_row_that_the_model_cannot_take_is_named(self, endpoint: MonitoredEndpoint, shadow: str) -> None:
        rows = np.zeros((300, 4), dtype=object)
        rows[[211, 280], 2] = "much"
        model = EndpointModel.of(endpoint, shadow)
        with pytest.raises(ModelError, match=r"Model error on row 212: .*much.* The row: 0,0,much,0"):
            Predictor(model, PredictorConfig(), max_payload_bytes=1000, concurrency=4)(rows)

    def test_a_body_above_the_limit_is_refused_and_halved(self, endpoint: MonitoredEndpoint, shadow: str) -> None:
        model = EndpointModel.of(endpoint, shadow)
        row, limit = b"1,2,3,4\n", 6 * 1024**2
        with pytest.raises(ModelError, match="HTTP content length exceeded 6291456 bytes"):
            model(row * (limit // len(row) + 1), "text/csv", "text/csv")
        rows = np.ones((limit // 16 + 1, 4))
        scores = Predictor(model, PredictorConfig(), max_payload_bytes=2 * limit)(rows)
        assert len(scores) == len(rows)

    def test_an_endpoint_that_was_deleted(self, endpoint: MonitoredEndpoint, aws: Running) -> None:
        model = EndpointModel.of(endpoint, "never-was")
        with pytest.raises(
            EndpointFailed, match=r"never-was.*is not in service: Endpoint never-was of account .* not f"
        ):
            Predictor(model, PredictorConfig(), concurrency=4)(np.zeros((1000, 4)))

    def test_a_model_server_that_is_started_again_is_waited_for(
        self, endpoint: MonitoredEndpoint, aws: Running, model_archive: bytes
    ) -> None:
        before = programs_of(aws.process.pid)
        name = create_endpoint(aws, create_model(aws, make_bucket(aws), model_archive))
        model = EndpointModel.of(endpoint, name)
        kill_the_server(aws, before)
        assert 0 < float(model(b"1,2,3,4", "text/csv", "text/csv")) < 1

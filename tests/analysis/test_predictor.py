"""Rows to requests, answers to scores."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from queue import Queue
from typing import Any

import numpy as np
import pandas as pd
import pytest

from model_monitor.analysis import predictor
from model_monitor.analysis.config import PredictorConfig
from model_monitor.analysis.predicted import Predictions
from model_monitor.analysis.predictor import Predictor, parse_csv_scores
from model_monitor.errors import AnalysisError, ModelError


class FirstColumn:
    """A model that answers with each row's first value, and keeps what it was sent."""

    def __init__(self, separator: str = ",", most_rows: int = 10**9) -> None:
        self.separator, self.most_rows, self.bodies = separator, most_rows, list[bytes]()

    def __call__(self, body: bytes, content_type: str, accept: str) -> bytes:
        assert (content_type, accept) == ("text/csv", "text/csv")
        self.bodies.append(body)
        rows = body.decode().split("\n")
        if len(rows) > self.most_rows:
            raise ModelError("400 too many rows")
        for row in rows:
            if "bad" in row:
                raise ModelError("400 could not convert string to float: 'bad'")
        return self.separator.join(row.split(",")[0] for row in rows).encode()


@pytest.mark.parametrize("separator", [",", "\n"])
def test_all_rows_go_out_in_one_request_and_scores_come_back_in_order(separator: str) -> None:
    model = FirstColumn(separator)

    scores = Predictor(model, PredictorConfig())(np.array([[0.25, 2.0], [0.5, 3.0], [0.125, 1e-9]]))

    assert model.bodies == [b"0.25,2.0\n0.5,3.0\n0.125,1e-09"]
    np.testing.assert_array_equal(scores, [0.25, 0.5, 0.125])


def test_a_request_stays_within_the_payload_limit(caplog: pytest.LogCaptureFixture) -> None:
    model = FirstColumn()
    rows = np.arange(1000.0).reshape(500, 2)

    with caplog.at_level(logging.INFO):
        scores = Predictor(model, PredictorConfig(), max_payload_bytes=1000)(rows)

    assert max(len(body) for body in model.bodies) <= 1000
    assert len(model.bodies) < 15
    np.testing.assert_array_equal(scores, rows[:, 0])
    assert "Prediction batch size is reduced to" in caplog.text


def test_values_that_are_missing_are_sent_as_empty_cells() -> None:
    model = FirstColumn()

    Predictor(model, PredictorConfig())(np.array([[1.0, np.nan]]))
    Predictor(model, PredictorConfig())(np.array([[1.0, None, 'a "b", c']], dtype=object))

    assert model.bodies == [b"1.0,", b'1.0,,"a ""b"", c"']


def test_a_model_that_takes_few_rows_gets_smaller_batches(caplog: pytest.LogCaptureFixture) -> None:
    scores = Predictor(FirstColumn(most_rows=1), PredictorConfig())(np.arange(7.0)[:, None])

    np.testing.assert_array_equal(scores, np.arange(7.0))
    assert caplog.messages == ["Fallback to per-record prediction because of model error."]


def test_the_first_row_that_the_model_cannot_take_is_named() -> None:
    rows = np.array([["1", "2"], ["3", "4"], ["5", "bad"], ["6", "bad"]], dtype=object)

    with pytest.raises(ModelError, match=r"Model error on row 3: 400 could not convert .* The row: 5,bad"):
        Predictor(FirstColumn(), PredictorConfig())(rows)


def test_a_model_that_is_down_is_not_asked_for_every_row() -> None:
    asked = 0

    def down(body: bytes, content_type: str, accept: str) -> bytes:
        nonlocal asked
        asked += 1
        raise ModelError("503 no such server")

    with pytest.raises(ModelError, match="Model error on row 1: 503"):
        Predictor(down, PredictorConfig())(np.zeros((1000, 3)))

    assert asked <= 11


def test_other_errors_are_nobodys_bad_row() -> None:
    def broken(body: bytes, content_type: str, accept: str) -> bytes:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Predictor(broken, PredictorConfig())(np.zeros((4, 3)))


def test_probability_or_label_picks_a_column_of_the_answer() -> None:
    def two(body: bytes, content_type: str, accept: str) -> bytes:
        return b"1,0.75\n0,0.25"

    rows = np.zeros((2, 1))
    np.testing.assert_array_equal(Predictor(two, PredictorConfig(probability=1))(rows), [0.75, 0.25])
    np.testing.assert_array_equal(Predictor(two, PredictorConfig(label="0"))(rows), [1, 0])
    np.testing.assert_array_equal(Predictor(two, PredictorConfig(label=0, probability=1))(rows), [0.75, 0.25])
    np.testing.assert_array_equal(Predictor(two, PredictorConfig())(rows), [[1, 0.75], [0, 0.25]])
    with pytest.raises(AnalysisError, match="output of 2 columns has none at position '2'"):
        Predictor(two, PredictorConfig(probability=2))(rows)
    with pytest.raises(AnalysisError, match="have columns by position"):
        Predictor(two, PredictorConfig(label="score"))


def test_other_formats_than_tables_are_refused() -> None:
    with pytest.raises(AnalysisError, match=r"predictor.content_type is 'image/png'; models are asked and answer in"):
        Predictor(FirstColumn(), PredictorConfig(content_type="image/png"))


def test_a_model_that_speaks_json() -> None:
    asked: list[tuple[Any, str, str]] = []

    def linear_learner(body: bytes, content_type: str, accept: str) -> bytes:
        document = json.loads(body)
        asked.append((document, content_type, accept))
        rows = [instance["features"] for instance in document["instances"]]
        answer = [{"score": row[0] / 100, "predicted_label": int(row[0] > 40)} for row in rows]
        return json.dumps({"predictions": answer}).encode()

    config = PredictorConfig(
        content_type="application/json",
        accept_type="application/json",
        content_template='{"instances":$records}',
        record_template='{"features":$features}',
        label="predictions[*].predicted_label",
        probability="predictions[*].score",
    )
    features = pd.DataFrame({"Age": [39, 50], "Income": [2174.5, 0.0]})
    predictor = Predictor(linear_learner, config, features=features)

    np.testing.assert_array_equal(predictor(features.to_numpy()), [0.39, 0.5])
    assert predictor.predict(features.to_numpy()) == Predictions(None, ["0", "1"])
    document, *types = asked[0]
    assert document == {"instances": [{"features": [39, 2174.5]}, {"features": [50, 0.0]}]}
    assert isinstance(document["instances"][0]["features"][0], int)
    assert types == ["application/json", "application/json"]


def test_a_model_that_is_asked_in_json_lines_and_answers_in_csv() -> None:
    def model(body: bytes, content_type: str, accept: str) -> bytes:
        assert (content_type, accept) == ("application/jsonlines", "text/csv")
        return "\n".join(str(json.loads(line)["x"][1]) for line in body.splitlines()).encode()

    config = PredictorConfig(
        content_type="application/jsonlines", accept_type="text/csv", content_template='{"x":$features}'
    )
    rows = np.array([["no", 0.25], ["yes", 0.5]], dtype=object)
    np.testing.assert_array_equal(Predictor(model, config)(rows), [0.25, 0.5])


@pytest.mark.parametrize("template", ["$records", "$record"])
def test_json_requests_stay_within_the_payload_limit(template: str) -> None:
    sizes: list[int] = []

    def model(body: bytes, content_type: str, accept: str) -> bytes:
        sizes.append(len(body))
        found = json.loads(body)
        return json.dumps([row[0] for row in (found if template == "$records" else [found])]).encode()

    config = PredictorConfig(content_type="application/json", content_template=template, record_template="$features")
    rows = np.arange(300.0).reshape(100, 3)
    np.testing.assert_array_equal(Predictor(model, config, max_payload_bytes=400)(rows), rows[:, 0])
    assert max(sizes) <= 400
    assert len(sizes) == (100 if template == "$record" else len(sizes))
    assert len(sizes) > 1


def test_the_first_record_that_a_json_model_has_no_answer_to_is_named() -> None:
    def model(body: bytes, content_type: str, accept: str) -> bytes:
        rows = json.loads(body)
        return json.dumps({"scores": [row[0] for row in rows if row[0] != 4.5]}).encode()

    config = PredictorConfig(
        content_type="application/json", content_template="$records", record_template="$features", probability="scores"
    )
    with pytest.raises(ModelError, match=r"Model error on row 5: .*0 values of output for 1 rows.* The row: \[4.5\]"):
        Predictor(model, config)(np.arange(8)[:, None] + 0.5)
    with pytest.raises(AnalysisError, match=r"nothing at 'score'; its keys are scores. It was: \{\"scores\""):
        Predictor(model, replace(config, probability="score"))(np.zeros((8, 1)))


@pytest.mark.parametrize(
    ("answer", "label", "probability", "labels", "scores"),
    [
        ("1,0", 0, None, ["1", "0"], None),
        ("0.75,0.25", 0, None, None, [0.75, 0.25]),
        ("leaves\nstays", 0, None, ["leaves", "stays"], None),
        ('"Paris, France"\nRome', 0, None, ['"Paris, France"', "Rome"], None),
        ('leaves,"[0.1, 0.9]"\nstays,"[0.8, 0.2]"', 0, 1, ["leaves", "stays"], None),
        ('leaves,"[0.1, 0.9]"\nstays,"[0.8, 0.2]"', None, 1, None, [[0.1, 0.9], [0.8, 0.2]]),
        ("0.75\n0.25", None, None, None, [0.75, 0.25]),
    ],
)
def test_labels_are_told_from_scores(
    answer: str, label: int | None, probability: int | None, labels: list[str] | None, scores: list[Any] | None
) -> None:
    found = Predictor(lambda *_: answer.encode(), PredictorConfig(label=label, probability=probability)).predict(
        np.zeros((2, 1))
    )
    assert found.labels == labels
    assert (None if found.scores is None else found.scores.tolist()) == scores


def test_labels_cannot_be_explained() -> None:
    with pytest.raises(ModelError, match=r"could not convert .*say with predictor.probability where scores are"):
        Predictor(lambda *_: b"yes", PredictorConfig(label=0))(np.zeros((1, 1)))


@pytest.mark.parametrize(
    ("answer", "records", "scores"),
    [
        ("0.5", 1, [[0.5]]),
        ("0.5,0.25,1", 3, [[0.5], [0.25], [1.0]]),
        ("0.5\n0.25\n", 2, [[0.5], [0.25]]),
        ("0.5,0.5\r\n0.25,0.75\r\n", 2, [[0.5, 0.5], [0.25, 0.75]]),
        ("[0.1, 0.9],[0.2, 0.8]", 2, [[0.1, 0.9], [0.2, 0.8]]),
        ("[0.1, 0.9]\n[0.2, 0.8]", 2, [[0.1, 0.9], [0.2, 0.8]]),
        ("0.1,0.9", 1, [[0.1, 0.9]]),
        ('"0.5"\r\n\r\n"0.25"\r\n', 2, [[0.5], [0.25]]),
    ],
)
def test_answers_are_read_in_every_shape_that_models_give(answer: str, records: int, scores: list[list[float]]) -> None:
    np.testing.assert_array_equal(parse_csv_scores(answer, records), scores)


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        ("0.5,0.25,1", "answered one line of 3 values to 2 records: 0.5,0.25,1"),
        ("", "answered 0 lines to 2 records"),
        ("yes,no", "answer is not numbers: yes,no"),
        ("0.5\n0.5,0.5", "answer is not numbers"),
        ("nan,1", "holds values that are not finite"),
    ],
)
def test_answers_that_do_not_fit_are_refused(answer: str, complaint: str) -> None:
    with pytest.raises(ModelError, match=complaint):
        parse_csv_scores(answer, 2)


def _animals(*answers: str) -> Any:
    remaining = iter(answers)
    config = PredictorConfig(
        content_type="application/jsonlines", content_template="$features", label="names", probability="shares"
    )
    return config, lambda *_: next(remaining).encode()


def test_scores_stand_in_one_order_however_the_model_sorts_its_classes() -> None:
    config, model = _animals(
        '{"names":["cat","dog"],"shares":[0.75,0.25]}\n{"names":["dog","cat"],"shares":[0.875,0.125]}',
        '{"names":["dog","cat"],"shares":[0.5,0.5]}',
    )
    predictor = Predictor(model, config)
    assert predictor.classes is None
    np.testing.assert_array_equal(predictor(np.zeros((2, 1))), [[0.75, 0.25], [0.125, 0.875]])
    assert predictor.classes == ["cat", "dog"]
    np.testing.assert_array_equal(predictor(np.zeros((1, 1))), [[0.5, 0.5]])


@pytest.mark.parametrize(
    ("headers", "scores"), [(("dog", "cat"), [[0.25, 0.75]]), (("feline", "canine"), [[0.75, 0.25]])]
)
def test_label_headers_name_the_classes_and_order_those_that_they_know(
    headers: tuple[str, ...], scores: list[list[float]]
) -> None:
    config, model = _animals('{"names":["cat","dog"],"shares":[0.75,0.25]}')
    predictor = Predictor(model, replace(config, label_headers=headers))
    np.testing.assert_array_equal(predictor(np.zeros((1, 1))), scores)
    assert predictor.classes == list(headers)


def test_classes_that_change_are_refused() -> None:
    lines = '{"names":["cat","dog"],"shares":[0.75,0.25]}\n{"names":["cat","cow"],"shares":[0.5,0.5]}'
    config, model = _animals(lines)
    with pytest.raises(ModelError, match="names other classes for some records than cat, dog"):
        Predictor(model, config)(np.zeros((2, 1)))


def test_a_model_that_answers_more_values_to_some_records_than_to_others_is_told() -> None:
    def one_at_a_time(body: bytes, content_type: str, accept: str) -> bytes:
        if b"\n" in body:
            raise ModelError("one record only, please")
        return b"0.5,0.5" if body == b"2.0" else b"0.5"

    with pytest.raises(ModelError, match=r"answers \[1, 2\] values per record"):
        Predictor(one_at_a_time, PredictorConfig())(np.array([[1.0], [2.0]]))


def test_whole_numbers_are_sent_as_such_beside_missing_values() -> None:
    sent = []

    def keep(body: bytes, content_type: str, accept: str) -> bytes:
        sent.append(body.decode())
        return b"0.5,0.5"

    table = pd.DataFrame({"age": [40, None], "income": [1.5, None], "plan": ["no", None]})
    Predictor(keep, PredictorConfig(), features=table)(table.to_numpy())
    assert sent == ["40,1.5,no\n,,"]


class Scripted:
    """A model asked by several threads, whose answers to single-row requests come when a test lets them."""

    def __init__(self, rows: int) -> None:
        self.allowed = [threading.Event() for _ in range(rows)]
        self.began: Queue[int] = Queue()
        self.failing = dict[int, Exception]()

    def __call__(self, body: bytes, content_type: str, accept: str) -> bytes:
        row = int(float(body))
        self.began.put(row)
        assert self.allowed[row].wait(60)
        if row in self.failing:
            raise self.failing[row]
        return body

    def begun(self, count: int) -> list[int]:
        """The next rows that it is asked for."""
        return sorted(self.began.get(timeout=60) for _ in range(count))

    def answer(self, *rows: int) -> None:
        for row in rows:
            self.allowed[row].set()


@contextmanager
def asked_at_once(model: Scripted, concurrency: int) -> Iterator[Future[np.ndarray]]:
    """The scores of all rows, one row in a request, while a test directs the model."""
    rows = np.arange(float(len(model.allowed)))[:, None]
    scores = Predictor(model, PredictorConfig(), max_payload_bytes=4, concurrency=concurrency)
    with ThreadPoolExecutor(1) as pool:
        try:
            yield pool.submit(scores, rows)
        finally:
            model.answer(*range(len(rows)))


def test_batches_go_out_at_once_but_no_more_than_asked_for() -> None:
    model = Scripted(5)
    with asked_at_once(model, 2) as scores:
        assert model.begun(2) == [0, 1]
        assert model.began.empty()
        model.answer(1)
        assert model.begun(1) == [2]
        assert model.began.empty()
        model.answer(2, 3, 4)
        assert model.begun(2) == [3, 4]
        assert not scores.done()
        model.answer(0)
        np.testing.assert_array_equal(scores.result(60), np.arange(5.0))


@pytest.fixture
def cancelled(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Set as soon as batches that have not begun will not be sent any more."""
    happened = threading.Event()

    class Watched(ThreadPoolExecutor):
        def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
            super().shutdown(wait=False, cancel_futures=cancel_futures)
            happened.set()
            super().shutdown(wait=wait)

    monkeypatch.setattr(predictor, "ThreadPoolExecutor", Watched)
    return happened


@pytest.mark.parametrize(
    ("failures", "told"),
    [
        ({1: ModelError("cannot take 1"), 2: ModelError("cannot take 2")}, "Model error on row 2: cannot take 1"),
        ({2: ModelError("cannot take 2")}, "Model error on row 3: cannot take 2"),
        ({2: ZeroDivisionError("our own")}, "our own"),
    ],
)
def test_the_first_failure_in_the_order_of_rows_is_told_and_no_further_batch_is_sent(
    failures: dict[int, Exception], told: str, cancelled: threading.Event
) -> None:
    model = Scripted(50)
    model.failing = failures
    with asked_at_once(model, 3) as scores:
        assert model.begun(3) == [0, 1, 2]
        model.answer(2)
        assert cancelled.wait(60)
        assert not scores.done()
        # The thread of the refused batch may have begun the next one before that was known.
        model.answer(0, 1, 3)
        with pytest.raises(type(failures[2]), match=told):
            scores.result(60)
    assert model.began.qsize() <= 1


def test_refused_batches_are_halved_in_each_thread() -> None:
    rows = np.arange(200.0).reshape(100, 2)
    model = FirstColumn(most_rows=3)
    scores = Predictor(model, PredictorConfig(), max_payload_bytes=120, concurrency=4)(rows)
    np.testing.assert_array_equal(scores, rows[:, 0])
    table = rows.astype(object)
    table[[40, 70], 1] = "bad"
    with pytest.raises(ModelError, match=r"Model error on row 41: 400 could not convert .* The row: 80.0,bad"):
        Predictor(FirstColumn(), PredictorConfig(), max_payload_bytes=120, concurrency=4)(table)

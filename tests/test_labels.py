from __future__ import annotations

import random
import sys
import types

import pytest

from model_monitor.config.monitors import GroundTruth
from model_monitor.errors import ConfigError, InputError
from model_monitor.labels import labels, random_labels


def test_labels_are_those_of_the_example() -> None:
    expected = {}
    for number in range(334):
        random.seed(number)
        expected[str(number)] = "1" if random.random() < 0.7 else "0"
    assert random_labels(expected) == expected


def test_labels_of_any_id_are_repeatable_and_follow_the_rate() -> None:
    ids = [f"request-{number}" for number in range(2000)]
    first = random_labels(ids, positive_rate=0.25)
    assert first == random_labels(reversed(ids), positive_rate=0.25)
    assert list(first.values()).count("1") / len(ids) == pytest.approx(0.25, abs=0.03)


def test_source_of_the_configuration_is_called_with_its_arguments() -> None:
    source = GroundTruth(source="model_monitor.labels.random_labels", arguments={"positive_rate": 0})
    assert labels(source, ["1", "2"]) == {"1": "0", "2": "0"}


def test_arguments_the_source_does_not_take_are_named() -> None:
    source = GroundTruth(source="model_monitor.labels.random_labels", arguments={"rate": 0.7})
    with pytest.raises(ConfigError, match=r"ground_truth.arguments: .*random_labels\(.*positive_rate.*'rate'"):
        labels(source, ["1"])


@pytest.mark.parametrize(
    ("answer", "message"),
    [(["1", "0"], "answered list; expected a mapping"), ({"7": 1}, "for ids nobody asked for: 7")],
)
def test_an_answer_that_is_no_labels_is_refused(answer: object, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with_source(monkeypatch, lambda ids: answer)
    with pytest.raises(InputError, match=message):
        labels(GroundTruth(source="own_labels.source"), ["1", "2"])


def test_labels_become_text_and_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    with_source(monkeypatch, lambda ids: {ids[0]: 1})
    assert labels(GroundTruth(source="own_labels.source"), ["1", "2"]) == {"1": "1"}


def with_source(monkeypatch: pytest.MonkeyPatch, source: object) -> None:
    module = types.ModuleType("own_labels")
    module.source = source  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "own_labels", module)

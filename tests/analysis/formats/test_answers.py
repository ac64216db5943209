"""Answers of models, checked against those that the developer guide shows."""

from __future__ import annotations

import pytest

from model_monitor.analysis.formats.answers import Answer, are_labels, chosen_labels, csv_answer, json_answer
from model_monitor.errors import AnalysisError

TWO_JSON = '{"predictions":[{"predicted_label":1,"probability":0.6},{"predicted_label":0,"probability":0.3}]}'
MULTICLASS_JSON = (
    '{"predictions":[{"labels":["cat","dog","fish"],"probabilities":[0.1,0.6,0.3]},'
    '{"labels":["cat","dog","fish"],"probabilities":[0.2,0.5,0.3]}]}'
)


@pytest.mark.parametrize(
    ("text", "label", "probability", "scores", "labels"),
    [
        ("0.6,0.3", None, None, [["0.6"], ["0.3"]], []),
        ("0.6\n0.3", None, 0, [["0.6"], ["0.3"]], []),
        ("0.1,0.6,0.3\n0.2,0.5,0.3", None, None, [["0.1", "0.6", "0.3"], ["0.2", "0.5", "0.3"]], []),
        ("1,0", 0, None, [["1"], ["0"]], []),
        ("1,0.6\n0,0.3", 0, 1, [["0.6"], ["0.3"]], [["1"], ["0"]]),
        ('"cat","[0.1, 0.6]"\n"dog","[0.2, 0.5]"', 0, 1, [["0.1", "0.6"], ["0.2", "0.5"]], [["cat"], ["dog"]]),
        (
            "\"['cat','dog']\",\"[0.1,0.6]\"\n\"['cat','dog']\",\"[0.7,0.3]\"", "0", "1",
            [["0.1", "0.6"], ["0.7", "0.3"]], [["cat", "dog"], ["cat", "dog"]],
        ),
        ("a\nb", "0", None, [["a"], ["b"]], []),
        ('"Paris, France",0.5\n"Rome, Italy",0.25', 0, 1, [["0.5"], ["0.25"]], [["Paris, France"], ["Rome, Italy"]]),
    ],
)  # fmt: skip
def test_csv(
    text: str, label: int | str | None, probability: int | str | None, scores: list[list[str]], labels: list[list[str]]
) -> None:
    assert csv_answer(text, label, probability, 2, "here") == Answer(scores, labels)


@pytest.mark.parametrize(
    ("text", "label", "probability", "scores", "labels"),
    [
        (TWO_JSON, None, "predictions[*].probability", [["0.6"], ["0.3"]], []),
        (TWO_JSON, "predictions[*].predicted_label", None, [["1"], ["0"]], []),
        (
            TWO_JSON, "predictions[*].predicted_label", "predictions[*].probability",
            [["0.6"], ["0.3"]], [["1"], ["0"]],
        ),
        (
            MULTICLASS_JSON, "predictions[*].labels", "predictions[*].probabilities",
            [["0.1", "0.6", "0.3"], ["0.2", "0.5", "0.3"]], [["cat", "dog", "fish"]] * 2,
        ),
        ('{"score":0.6}\n{"score":0.3}', None, "score", [["0.6"], ["0.3"]], []),
        (
            '{"label":"Current","score":"[0.1, 0.9]"}\n{"label":"Late","score":"[0.7, 0.3]"}', "label", "score",
            [["0.1", "0.9"], ["0.7", "0.3"]], [["Current"], ["Late"]],
        ),
        ("[0.6,0.3]", None, None, [["0.6"], ["0.3"]], []),
        ("0.6\n0.3", None, None, [["0.6"], ["0.3"]], []),
        ("[[0.1,0.9],[0.7,0.3]]", None, None, [["0.1", "0.9"], ["0.7", "0.3"]], []),
        ('[{"labels":"a, b"},{"labels":"c"}]', "[*].labels", None, [["a, b"], ["c"]], []),
    ],
)  # fmt: skip
def test_json(
    text: str, label: str | None, probability: str | None, scores: list[list[str]], labels: list[list[str]]
) -> None:
    assert json_answer(text, label, probability, 2, "here") == Answer(scores, labels)


@pytest.mark.parametrize(
    ("text", "probability", "said"),
    [
        ("{", "score", "here: data is not JSON"),
        ('{"scores":[0.5]}', "score", "here: nothing at 'score'; its keys are scores"),
        ('{"scores":[0.5,0.25,0.125]}', "scores", "here: 3 values of output for 2 rows of input"),
        ('{"scores":[{"a":1},{"a":2}]}', "scores", "here: 'scores' finds objects"),
        ('{"scores":[1,2]}', None, "here: JSON output is no list of numbers; say where"),
    ],
)
def test_json_that_holds_no_scores(text: str, probability: str | None, said: str) -> None:
    with pytest.raises(AnalysisError) as error:
        json_answer(text, None, probability, 2, "here")
    assert said in str(error.value)


def test_the_label_of_the_highest_score_is_predicted() -> None:
    answer = Answer([["0.1", "0.6", "0.3"], ["0.7", "0.2", "0.1"]], [["cat", "dog", "fish"], ["cat", "dog", "fish"]])
    assert chosen_labels(answer, "here") == ["dog", "cat"]
    assert chosen_labels(Answer([["0.1", "0.9"]], [["a, b"]]), "here") == ['"a, b"']


def test_as_many_labels_as_scores_or_one() -> None:
    with pytest.raises(AnalysisError, match="here: 2 labels for 3 scores of a record"):
        chosen_labels(Answer([["0.1", "0.6", "0.3"]], [["cat", "dog"]]), "here")


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        (["1", "0"], True), (["-1", "+1"], True), (["yes", "no"], True), (["True", "False"], True),
        (["1.0", "0.0"], False), (["1", "0.5"], False), (["nan", "yes"], True), (["yes", "0.5"], False),
    ],
)  # fmt: skip
def test_labels_are_words_or_whole_numbers(values: list[str], labels: bool) -> None:
    assert are_labels([[value] for value in values]) is labels


def test_classes_need_scores() -> None:
    with pytest.raises(AnalysisError, match="here: found 'many' where a class's score is expected"):
        chosen_labels(Answer([["0.1", "many"]], [["cat", "dog"]]), "here")
    with pytest.raises(AnalysisError, match="here: 0 labels for 0 scores of a record"):
        chosen_labels(Answer([[]], [[]]), "here")


def test_lines_end_as_they_like() -> None:
    assert csv_answer("a,0.5\rb,0.25\r\n", 0, 1, 2, "here") == Answer([["0.5"], ["0.25"]], [["a"], ["b"]])
    with pytest.raises(AnalysisError, match="here: no CSV: field larger than field limit"):
        csv_answer("9" * 200_000, 0, None, 1, "here")

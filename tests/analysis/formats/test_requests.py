"""Rows as bodies of requests, checked against the payloads that the developer guide shows."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from model_monitor.analysis.formats.requests import request_format
from model_monitor.errors import AnalysisError

NUMBERS = np.array([[1, 2, 3, 4], [5, 6, 7, 8]])
TEXTS = np.array([["This is a good product", 5], ["Bad shopping experience", 1]], dtype=object)
NAMES = ["A", "B"]


def body(rows: np.ndarray, content_type: str, *templates: str, **settings: Any) -> str:
    form = request_format(content_type, *templates, **settings)
    return form.body(form.record(rows)).decode()


@pytest.mark.parametrize(
    ("rows", "payload"),
    [
        (NUMBERS[:1], "1,2,3,4"),
        (NUMBERS, "1,2,3,4\n5,6,7,8"),
        (TEXTS, "This is a good product,5\nBad shopping experience,1"),
        (np.array([['say "a", then b', 1]], dtype=object), '"say ""a"", then b",1'),
        (np.array([[0.1 + 0.2, 1e-300]]), "0.30000000000000004,1e-300"),
        (np.array([[1.5, np.nan]]), "1.5,"),
        (np.array([[np.nan]]), '""'),
        (np.array([["yes", None, 2.5]], dtype=object), "yes,,2.5"),
    ],
)
def test_csv(rows: np.ndarray, payload: str) -> None:
    assert body(rows, "text/csv") == payload


@pytest.mark.parametrize(
    ("rows", "template", "payload"),
    [
        (NUMBERS[:1], '{"data":{"features":$features}}', '{"data":{"features":[1,2,3,4]}}'),
        (NUMBERS, '{"features":$features}', '{"features":[1,2,3,4]}\n{"features":[5,6,7,8]}'),
        (TEXTS[:1], '{"features":$features}', '{"features":["This is a good product",5]}'),
        (np.array([[1.5, np.nan]]), "$features", "[1.5,null]"),
        (np.array([["é\n", None, True]], dtype=object), "$features", '["\\u00e9\\n",null,true]'),
    ],
)
def test_json_lines(rows: np.ndarray, template: str, payload: str) -> None:
    assert body(rows, "application/jsonlines", template) == payload


@pytest.mark.parametrize(
    ("content", "record", "document"),
    [
        ("$records", "$features", [[0, 1], [3, 4]]),
        ("$records", "$features_kvp", [{"A": 0, "B": 1}, {"A": 3, "B": 4}]),
        ("$records", '{"A": "${A}", "B": "${B}"}', [{"A": 0, "B": 1}, {"A": 3, "B": 4}]),
        ('{"instances": $records}', "$features", {"instances": [[0, 1], [3, 4]]}),
        (
            '{"instances":$records}',
            '{"features":$features}',
            {"instances": [{"features": [0, 1]}, {"features": [3, 4]}]},
        ),
        (
            '{"instances": $records, "feature_names": $feature_names}',
            "$features",
            {"instances": [[0, 1], [3, 4]], "feature_names": ["A", "B"]},
        ),
        (
            "$records",
            '{"names": $feature_names, "values": $features, "cost": "$5"}',
            [{"names": NAMES, "values": [0, 1], "cost": "$5"}, {"names": NAMES, "values": [3, 4], "cost": "$5"}],
        ),
    ],
)
def test_json(content: str, record: str, document: Any) -> None:
    payload = body(np.array([[0, 1], [3, 4]]), "application/json", content, record, names=NAMES)
    assert json.loads(payload) == document


def test_a_single_record_is_sent_at_a_time() -> None:
    form = request_format("application/json", "$record", "$features_kvp", names=NAMES)
    first, second = form.record(np.array([[0, 1], [3, 4]]))
    assert form.most_records == 1
    assert json.loads(form.body([first])) == {"A": 0, "B": 1}
    assert json.loads(form.body([second])) == {"A": 3, "B": 4}


def test_names_with_spaces_quotes_and_dollars() -> None:
    names = ["Hours per week", 'the "real" one', "$features"]
    record = '{"hours": "${Hours per week}", "all": $features_kvp}'
    payload = body(np.array([[40, 1, 2]]), "application/json", "$record", record, names=names)
    assert json.loads(payload) == {"hours": 40, "all": dict(zip(names, [40, 1, 2], strict=True))}


def test_a_json_line_is_one_line_however_its_template_is_laid_out() -> None:
    assert json.loads(body(np.array([[1, 2]]), "application/jsonlines", '{\n  "x": $features\n}')) == {"x": [1, 2]}
    assert "\n" not in body(np.array([[1, 2]]), "application/jsonlines", '{\n  "x": $features\n}')


def test_whole_numbers_stay_whole_among_words_and_missing_values() -> None:
    rows = np.array([[28.0, "a\nb"], [None, None], [28.5, "c\rd"]], dtype=object)
    assert body(rows, "text/csv", whole=[True, False]) == '28,"a\nb"\n,\n28.5,"c\rd"'


@pytest.mark.parametrize("content_type", ["text/csv", "application/jsonlines"])
def test_whole_numbers_stay_whole_among_fractions(content_type: str) -> None:
    rows = np.array([[28.0, 2.0, 0.0], [28.5, 2.5, 1e300]])
    payload = body(rows, content_type, "$features", whole=[True, False, True])
    assert payload.replace("[", "").replace("]", "") == "28,2.0,0\n28.5,2.5,1e+300"


@pytest.mark.parametrize(
    ("templates", "said"),
    [
        (("application/jsonlines",), "predictor.content_template: expected application/jsonlines needs one"),
        (("application/json", "$records"), "predictor.record_template: expected application/json needs one"),
        (("application/json", "{}", "$features"), r"one \$record or \$records, found 0"),
        (("application/json", "[$record,$records]", "$features"), r"one \$record or \$records, found 2"),
        (("application/json", "$records", "{}"), "predictor.record_template: expected a placeholder for features"),
        (("application/jsonlines", "$feature_names"), "predictor.content_template: expected a placeholder for feat"),
        (("application/json", '{"a":$records', "$features"), r"content_template: expected JSON .* found {\"a\":\[\["),
        (
            ("application/json", "$records", '{"a":$features'),
            "record_template: expected JSON when features are filled in",
        ),
        (("application/jsonlines", '{"a":$features}}'), "content_template: expected JSON when features are filled in"),
        (("application/jsonlines", '{"a":$records}'), r"predictor.content_template: expected no \$records"),
        (("application/json", "$records", '{"c": "${C}"}'), "expected the names of features, found 'C'"),
    ],
)
def test_templates_that_make_no_request(templates: tuple[str, ...], said: str) -> None:
    with pytest.raises(AnalysisError, match=said):
        request_format(*templates, names=NAMES)

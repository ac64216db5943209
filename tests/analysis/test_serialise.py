"""`analysis.json` as text."""

from __future__ import annotations

import json
import math

import pytest

from model_monitor.analysis.serialise import dumps, number


def test_infinite_values_are_strings_and_missing_ones_null() -> None:
    metrics = [{"name": "TE", "value": math.inf}, {"name": "DCA", "value": -math.inf}, {"name": "X", "value": math.nan}]
    assert [one["value"] for one in json.loads(dumps({"metrics": metrics}))["metrics"]] == [
        "Infinity",
        "-Infinity",
        None,
    ]


def test_four_spaces_and_the_given_order() -> None:
    assert dumps({"version": "1.0", "a": {"value": 0.034}}) == (
        '{\n    "version": "1.0",\n    "a": {\n        "value": 0.034\n    }\n}'
    )


@pytest.mark.parametrize("value", [math.inf, -math.inf, 0.1, None])
def test_a_value_reads_back(value: float | None) -> None:
    assert number(json.loads(dumps({"value": value}))["value"]) == value

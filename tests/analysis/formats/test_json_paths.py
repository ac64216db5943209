"""Paths in JSON: the short way finds what JMESPath itself finds."""

from __future__ import annotations

from typing import Any

import jmespath
import pytest

from model_monitor.analysis.formats.json_paths import finder
from model_monitor.errors import AnalysisError

DOCUMENTS: list[Any] = [
    {"a": [{"b": [1, None, {"c": 0}], "c d": "x"}, {"b": None}, 3, None], "b": {"b": {"b": False}}},
    {"a": {"b": [[1, 2], [3]]}, "b": "text"},
    [{"b": 1}, {"b": [2]}, [{"b": 3}], "b"],
    [],
    {},
    None,
    "a",
    7,
]


@pytest.mark.parametrize(
    "path",
    [
        "a", "b.b.b", "a[*].b", "a[*].b[0]", "a[0].b[2].c", "a[-1]", "a[9]", "a[-9]", '"a"[*]."c d"', "[*].b", "[0].b",
        "[*]", "[*][*].b", "a[*].b[*].c", "@", "@.a", "a[*].[b, c]", "a[].b[]", "[?b].b", "a.*", "*.b", "length(@)",
        "a[*].b | [0]", "[b, a]", "{x: a}", "a || b", "a[0:1]", "values(@)", "`1`",
    ],
)  # fmt: skip
def test_paths_find_what_jmespath_finds(path: str) -> None:
    for document in DOCUMENTS:
        try:
            expected = jmespath.search(path, document)
        except jmespath.exceptions.JMESPathError as error:
            with pytest.raises(type(error)):
                finder(path)(document)
        else:
            assert finder(path)(document) == expected


def test_what_is_no_path() -> None:
    with pytest.raises(AnalysisError, match=r"'a\[' is not JMESPath"):
        finder("a[")

"""Values in JSON by JMESPath."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from model_monitor.analysis.formats.json_values import documents, flat, read_document, read_lines, rows_at, values_at
from model_monitor.errors import AnalysisError

RECORDS = {"instances": [{"features": [1, "a"], "label": 0}, {"features": [2, "b"], "label": 1}]}


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("path", "document", "rows"),
    [
        ("instances[*].features", RECORDS, [[1, "a"], [2, "b"]]),
        ("instances[1].features", RECORDS, [[2, "b"]]),
        ("@", [1, None, True], [[1, None, True]]),
        ("[age, plan]", {"age": 3, "plan": "c"}, [[3, "c"]]),
        ("[*].[x, y]", [{"x": 1, "y": 2}, {"x": 3, "y": 4}], [[1, 2], [3, 4]]),
    ],
)
def test_rows(path: str, document: Any, rows: list[list[Any]]) -> None:
    assert rows_at(path, document, "here") == rows


@pytest.mark.parametrize("path", ["instances", "instances[0]", "instances[0].label", "instances[*].label.x", "nothing"])
def test_what_is_no_rows(path: str) -> None:
    with pytest.raises(AnalysisError, match=r"^here: "):
        rows_at(path, RECORDS, "here")


def test_values() -> None:
    assert values_at("instances[*].label", RECORDS, "here") == [0, 1]
    assert values_at("instances[0].label", RECORDS, "here") == [0]
    assert flat([[1, [2]], 3, []]) == [1, 2, 3]
    assert flat(deep(100_000)) == [1]
    with pytest.raises(AnalysisError, match="here: 'instances' finds objects"):
        values_at("instances", RECORDS, "here")
    with pytest.raises(AnalysisError, match="here: nothing at 'labels'; its keys are instances"):
        values_at("labels", RECORDS, "here")
    with pytest.raises(AnalysisError, match=r"'instances\[' is not JMESPath"):
        values_at("instances[", RECORDS, "here")
    with pytest.raises(AnalysisError, match=r"here: 'max\(@\)': In function max\(\)"):
        values_at("max(@)", RECORDS, "here")


def test_text_is_a_document_or_lines_of_them() -> None:
    assert documents(' {"a":\n1} ', "here") == [{"a": 1}]
    assert documents('{"a":1}\n\n{"a":2}\r\n', "here") == [{"a": 1}, {"a": 2}]
    for text in ("{", '{"a":1}\n{', "[" * 100_000):
        with pytest.raises(AnalysisError, match="here: data is not JSON"):
            documents(text, "here")


def test_files(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b'\xef\xbb\xbf{"a":"\xe2\x80\xa8"}\r\n\n{"a":2}\n')
    assert read_lines(file) == [(1, {"a": "\u2028"}), (3, {"a": 2})]
    with pytest.raises(AnalysisError, match=f"^{file}: not one JSON document"):
        read_document(file)
    file.write_bytes(b'{"a":"\xff"}')
    with pytest.raises(AnalysisError, match=f"^{file}: not UTF-8"):
        read_lines(file)
    file.write_bytes(b"[" * 100_000)
    with pytest.raises(AnalysisError, match=f"^{file}: not one JSON document"):
        read_document(file)
    with pytest.raises(AnalysisError, match=f"^{file}, line 1: not JSON"):
        read_lines(file)

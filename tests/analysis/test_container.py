"""How jobs end."""

from __future__ import annotations

from pathlib import Path

import pytest

from model_monitor.analysis.container import below, exit_code, files_below
from model_monitor.errors import AnalysisError


def failing(error: Exception) -> None:
    raise error


def message(root: Path) -> str:
    return (root / "opt/ml/output/message").read_text()


def test_a_job_that_ends_well_leaves_its_message(tmp_path: Path) -> None:
    assert exit_code(tmp_path, lambda: "Completed: well") == 0
    assert message(tmp_path) == "Completed: well"


def test_the_customers_error_is_theirs_and_names_paths_as_the_container_sees_them(tmp_path: Path) -> None:
    error = AnalysisError(f"Could not convert string to float. {tmp_path}/opt/ml/processing/input/data/a.csv, line 3")

    assert exit_code(tmp_path, lambda: failing(error)) == 1
    assert message(tmp_path) == (
        "Customer Error: Could not convert string to float. /opt/ml/processing/input/data/a.csv, line 3"
    )


def test_our_own_error_has_its_traceback_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert exit_code(tmp_path, lambda: failing(ZeroDivisionError("ours"))) == 2

    assert message(tmp_path).startswith("Internal Error: ")
    assert "ZeroDivisionError: ours" in caplog.text


def test_messages_are_cut_to_what_the_service_keeps(tmp_path: Path) -> None:
    exit_code(tmp_path, lambda: failing(AnalysisError("x" * 5000)))

    assert len(message(tmp_path)) == 1024


def test_paths_of_the_container_lie_below_its_root(tmp_path: Path) -> None:
    assert below(tmp_path, "/opt/ml") == tmp_path / "opt/ml"


def test_files_are_listed_by_name_and_empty_ones_left_out(tmp_path: Path) -> None:
    for name, text in {"b/2.jsonl": "x", "a/1.jsonl": "x", "c.jsonl": "", "d.csv": "x"}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)

    assert [file.name for file in files_below(tmp_path)] == ["1.jsonl", "2.jsonl", "d.csv"]
    assert [file.name for file in files_below(tmp_path, "*.jsonl")] == ["1.jsonl", "2.jsonl"]
    assert files_below(tmp_path / "d.csv") == [tmp_path / "d.csv"]
    assert files_below(tmp_path / "not there") == []


@pytest.mark.parametrize("path", ["/../../etc", "/opt/../../../etc", "../../etc", "/etc/.", "//etc"])
def test_no_path_of_a_container_leads_out_of_it(tmp_path: Path, path: str) -> None:
    assert below(tmp_path, path) == tmp_path / "etc"


def test_want_of_memory_is_for_the_platform_to_tell(tmp_path: Path) -> None:
    def work() -> str:
        raise MemoryError("Unable to allocate 32 GiB")

    with pytest.raises(MemoryError):
        exit_code(tmp_path, work)

"""The Makefile, the linter and the type checker hold what the project relies on."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

PROJECT = Path(__file__).resolve().parents[1]
RUFF = [str(Path(sys.executable).with_name("ruff")), "check", "--output-format", "concise", "--no-cache"]


def lint(code: str, as_file: str) -> str:
    command = [*RUFF, "--stdin-filename", as_file, "-"]
    return subprocess.run(command, input=code, cwd=PROJECT, capture_output=True, text=True, check=False).stdout


def make(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = ["make", "--no-print-directory", *arguments]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(
        command, cwd=PROJECT, capture_output=True, text=True, check=False, env=inherited | environment
    )


@pytest.mark.parametrize("module", ["numpy", "pandas", "duckdb", "sagemaker", "matplotlib", "xgboost", "ibis"])
@pytest.mark.parametrize("file", ["dags/deploy.py", "plugins/model_monitor/operators/baseline.py"])
def test_heavy_imports_at_module_level_are_refused_on_the_airflow_side(module: str, file: str) -> None:
    assert "TID253" in lint(f"import {module}\n\nprint({module})\n", file)
    assert "TID253" not in lint(f"def use() -> None:\n    import {module}\n\n    {module}.run()\n", file)


@pytest.mark.parametrize("file", ["plugins/model_monitor/analysis/bias.py", "include/local_aws/server.py"])
def test_they_are_welcome_in_the_engine_and_in_the_embedded_aws(file: str) -> None:
    assert "TID253" not in lint("import numpy\n\nprint(numpy)\n", file)


def test_imports_that_airflow_3_has_moved_are_refused() -> None:
    assert "AIR3" in lint("from airflow.operators.python import PythonOperator\n\nPythonOperator()\n", "dags/deploy.py")


@pytest.mark.parametrize("module", ["analysis", "config", "records", "requests", "names"])
def test_the_modules_that_hold_the_logic_are_checked_strictly(module: str) -> None:
    strict = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["mypy"]["overrides"][0]
    assert {f"model_monitor.{module}", f"model_monitor.{module}.*"} & set(strict["module"])
    assert strict["disallow_untyped_defs"]
    assert strict["disallow_any_generics"]


def test_pre_commit_runs_the_pinned_tools_of_the_environment() -> None:
    config = yaml.safe_load((PROJECT / ".pre-commit-config.yaml").read_text())
    assert [repo["repo"] for repo in config["repos"]] == ["local"]
    assert [hook["id"] for hook in config["repos"][0]["hooks"]] == ["ruff", "ruff-format", "mypy"]


@pytest.mark.parametrize("target", ["demo", "test", "up", "down", "bench", "clean", "lint", "types", "requirements"])
def test_make_knows_its_targets_and_lists_them(target: str) -> None:
    assert f"make {target} " in make("help").stdout
    assert make("--dry-run", target).returncode == 0


def test_without_a_usable_python_make_says_what_is_needed() -> None:
    answer = make("env", "PYTHON=")
    assert answer.returncode != 0
    assert "Python 3.11 or newer" in answer.stderr


def test_ci_ends_with_the_tests() -> None:
    script = (PROJECT / ".ci" / "run").read_text().splitlines()
    assert script[-1] == "make test"
    assert {"make lint", "make types", "make demo"} <= set(script)
    assert os.access(PROJECT / ".ci" / "run", os.X_OK)


@pytest.mark.parametrize(
    "name", ["requirements", *(f"requirements-{part}" for part in ("local", "dev", "compose", "oracle", "spark"))]
)
def test_requirements_are_pinned_and_name_no_index(name: str) -> None:
    text = (PROJECT / f"{name}.txt").read_text()
    lines = [line.split(";")[0].strip() for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    assert lines
    assert all("==" in line for line in lines)
    assert "index-url" not in text
    assert "make requirements" in text.splitlines()[1]

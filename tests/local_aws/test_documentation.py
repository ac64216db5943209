"""The page about local_aws says what the code does."""

from __future__ import annotations

import re

import pytest

from local_aws import operations, runners
from local_aws.documentation import TARGET, document

ADVICE = "run `make docs` and commit docs/local_aws.md"


def test_the_committed_page_is_what_the_code_generates() -> None:
    assert TARGET.read_text(encoding="utf-8") == document(), ADVICE


def test_every_operation_of_the_service_models_is_named_once() -> None:
    page = document()
    supported = re.findall(r"^\| `(\w+)` \|", page.partition("### Not supported")[0], re.MULTILINE)
    refused = page.partition("### Not supported")[2].partition("## The other services")[0]
    unsupported = [
        verb + ("" if noun.startswith("(") else noun)
        for verb, nouns in re.findall(r"^\* \*\*(\w+)\*\*: (.+)$", refused, re.MULTILINE)
        for noun in nouns.split(", ")
    ]
    known = [
        name
        for service in ("sagemaker", "sagemaker-runtime")
        for name in operations.service_model(service).operation_names
    ]
    assert sorted(supported + unsupported) == sorted(known)


def test_a_difference_stands_beside_its_operation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(operations._differences, "CreateModel", "it paints models green.")
    assert "| `CreateModel` | differs: it paints models green. |" in document()


def test_every_image_with_a_runner_is_named() -> None:
    page = document()
    assert all(f"| `{repository}` |" in page for repository in (*runners.MODEL_SERVERS, *runners.JOBS))

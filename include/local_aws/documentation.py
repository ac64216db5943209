"""`python -m local_aws.documentation` writes docs/local_aws.md: what local_aws supports, as the code says it.

The text in front is `documentation_head.md`; everything after it comes from the command line's parser, the registered
operations, botocore's service models and the table of runners.
"""

from __future__ import annotations

import argparse
import ast
import importlib.util
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from pathlib import Path

from local_aws import runners
from local_aws.__main__ import command_line
from local_aws.operations import service_model, supported_operations
from local_aws.services.moto_services import SERVICES

HEAD = Path(__file__).with_name("documentation_head.md")
TARGET = Path(__file__).resolve().parents[2] / "docs" / "local_aws.md"

RUNTIME_OPERATIONS: dict[str, str | None] = {
    "InvokeEndpoint": "no TargetModel, TargetContainerHostname, EnableExplanations, InferenceComponentName, SessionId; "
    "bodies of at most 6 MiB.",
}

OF_THIS_MACHINE = ", %(default)s here"
"""What an option's help says of a default that differs from machine to machine; the page leaves it out."""

_SERVICE_MODELS = {"monitoring": "cloudwatch"}
_VERB = re.compile(r"[A-Z][a-z]+")


def document() -> str:
    """The whole page, as Markdown."""
    sections = (
        HEAD.read_text(encoding="utf-8").rstrip(),
        "## Options\n" + _table(("option", "default", ""), _options()),
        "## SageMaker\n" + _supported({**supported_operations(), **RUNTIME_OPERATIONS}),
        "### Not supported\nAnswered with `UnknownOperationException`, by the runtime with `ValidationError`.\n\n"
        + _unsupported(),
        f"## The other services\nServed by moto {version('moto')}; requests to any other service are refused.\n\n"
        + _table(("service", "signed for"), _services()),
        "## Images\nAn image's repository name decides which program stands for it; registry and tag do not matter.\n\n"
        + _table(("repository", "used for", "program", ""), _images()),
    )
    return "\n\n".join(sections) + "\n"


def _options() -> Iterator[tuple[str, ...]]:
    for action in command_line()._actions:
        if isinstance(action, argparse._HelpAction):
            continue
        value = "\\|".join(map(str, action.choices)) if action.choices else _placeholder(action)
        text = (action.help or "").replace(OF_THIS_MACHINE, "")
        known = action.default not in (None, False) and text == action.help
        default = f"`{action.default}`" if known else ""
        yield f"`{action.option_strings[-1]}{value and f' {value}'}`", default, text


def _placeholder(action: argparse.Action) -> str:
    if action.nargs == 0:
        return ""
    return str(action.metavar or ("N" if action.type is int else action.dest.rsplit("_", 1)[-1].upper()))


def _supported(operations: dict[str, str | None]) -> str:
    rows = ((f"`{name}`", f"differs: {differs}" if differs else "supported") for name, differs in operations.items())
    return _table(("operation", ""), rows)


def _unsupported() -> str:
    """The other operations, one line for each verb."""
    by_verb = defaultdict(list)
    supported = supported_operations().keys() | RUNTIME_OPERATIONS.keys()
    for service in ("sagemaker", "sagemaker-runtime"):
        for name in service_model(service).operation_names:
            if name not in supported:
                verb = _verb(name)
                by_verb[verb].append(name.removeprefix(verb) or f"({verb} itself)")
    return "\n".join(f"* **{verb}**: {', '.join(sorted(nouns))}" for verb, nouns in sorted(by_verb.items()))


def _verb(operation: str) -> str:
    found = _VERB.match(operation)
    return found[0] if found else operation


def _services() -> Iterator[tuple[str, ...]]:
    for name in sorted(SERVICES):
        metadata = service_model(_SERVICE_MODELS.get(name, name)).metadata
        yield metadata["serviceFullName"], f"`{name}`"


def _images() -> Iterator[tuple[str, ...]]:
    for use, table in (("endpoints", runners.MODEL_SERVERS), ("processing jobs", runners.JOBS)):
        for repository, program in table.items():
            yield f"`{repository}`", use, f"`{program}`", _first_line(program)


def _first_line(program: str) -> str:
    """What a program says of itself, read without importing it, for programs import what is heavy."""
    spec = importlib.util.find_spec(program)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"No module {program}, which the table of runners names.")
    docstring = ast.get_docstring(ast.parse(Path(spec.origin).read_text(encoding="utf-8"))) or ""
    return docstring.partition("\n\n")[0].replace("\n", " ").replace("|", "\\|")


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


if __name__ == "__main__":
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(document(), encoding="utf-8")
    print(f"{TARGET} written.")

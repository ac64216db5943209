"""A user's inference script: where it is, what it needs, and its import."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import logging
import os
import sys
from pathlib import Path, PurePosixPath
from types import ModuleType

from packaging.requirements import InvalidRequirement, Requirement

from local_aws.containers.model_server import CannotServe

log = logging.getLogger(__name__)

PROGRAM = "SAGEMAKER_PROGRAM"
SUBMIT_DIRECTORY = "SAGEMAKER_SUBMIT_DIRECTORY"
DEFAULT_PROGRAM = "inference.py"
CODE_IN_ARCHIVE = "code"
FETCHED_CODE = "opt/ml/code"
"""Where the platform puts code that SAGEMAKER_SUBMIT_DIRECTORY names by an S3 address."""


def import_script(container: Path, model_folder: Path) -> ModuleType:
    """Import the script that the environment names, by default `code/inference.py` of the archive.

    Args:
        container: the folder that stands for "/".

    Raises:
        CannotServe: there is no such script, or importing it fails.
    """
    program = PurePosixPath(os.environ.get(PROGRAM) or DEFAULT_PROGRAM)
    folder = code_folder(container, model_folder)
    file = folder / program
    if not file.resolve().is_relative_to(folder.resolve()) or not file.is_file():
        raise CannotServe(
            f"There is no {program} in {_shown(folder, container)}; the archive holds: {_held(model_folder)}."
        )
    wanting = missing_requirements(folder)
    if wanting:
        log.warning(
            "requirements.txt is not installed by local_aws; wanting are: %s. Install them into its own environment.",
            ", ".join(wanting),
        )
    # The script's own folder first, so that its helpers are found whatever they are called.
    sys.path[:0] = list(dict.fromkeys((str(file.parent), str(folder))))
    try:
        return _import(file)
    except ModuleNotFoundError as error:
        log.exception("%s cannot be imported.", program)
        raise CannotServe(
            f"{program} needs the package {error.name}, which is not installed here. local_aws installs no "
            "requirements.txt: install the package into the environment that local_aws runs in."
        ) from error
    except Exception as error:
        log.exception("%s cannot be imported.", program)
        raise CannotServe(f"{program} cannot be imported: {type(error).__name__}: {error}") from error


def _import(file: Path) -> ModuleType:
    """By its place: a script may be called as a module that is imported already."""
    spec = importlib.util.spec_from_file_location(file.stem, file)
    if spec is None or spec.loader is None:
        raise CannotServe(f"{file.name} is no Python script.")
    script = importlib.util.module_from_spec(spec)
    sys.modules[file.stem] = script
    spec.loader.exec_module(script)
    return script


def code_folder(container: Path, model_folder: Path) -> Path:
    """Where the user's code lies."""
    given = os.environ.get(SUBMIT_DIRECTORY)
    if not given:
        return model_folder / CODE_IN_ARCHIVE
    if given.startswith("s3://"):
        return container / FETCHED_CODE
    folder = (container / given.removeprefix("file://").lstrip("/")).resolve()
    if not folder.is_relative_to(container.resolve()):
        raise CannotServe(f"{SUBMIT_DIRECTORY}: {given} lies outside the container.")
    return folder


def missing_requirements(folder: Path) -> list[str]:
    """Those of `requirements.txt` that this environment does not meet."""
    file = folder / "requirements.txt"
    if not file.is_file():
        return []
    lines = (line.split("#")[0].strip() for line in file.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line and not _is_met(line)]


def _is_met(line: str) -> bool:
    try:
        requirement = Requirement(line)
        if requirement.marker is not None and not requirement.marker.evaluate():
            return True
        return requirement.specifier.contains(importlib.metadata.version(requirement.name), prereleases=True)
    except (InvalidRequirement, importlib.metadata.PackageNotFoundError):
        return False


def _shown(folder: Path, container: Path) -> str:
    return f"/{folder.resolve().relative_to(container.resolve()).as_posix()}"


def _held(folder: Path) -> str:
    names = sorted(str(found.relative_to(folder)) for found in folder.rglob("*") if found.is_file())
    return ", ".join(names) or "nothing"

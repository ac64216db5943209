"""The model archive: can it be read, and does the model take as many inputs as the data set has."""

from __future__ import annotations

import json
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from model_monitor import images
from model_monitor.errors import InputError
from model_monitor.preflight.definition import Definition
from model_monitor.preflight.findings import Finding, error, ok

MODEL_FILE = "xgboost-model"
MOST_BYTES = 1 << 30
"""A larger archive, unpacked, is not looked through: what it holds is not trusted."""
# XGBoost itself crashes the process on a spoiled file, so it is not asked. A text is L, its length in eight bytes, and
# its characters; as a value it has an S before it.
_COUNT_IN_UBJSON = re.compile(rb"L\0{7}\x0bnum_featureSL\0{7}.(?P<count>\d+)", re.DOTALL)


def check_archive(definition: Definition) -> Iterator[Finding]:
    """The archive's model against the data set's number of model inputs, where the model is one of XGBoost."""
    endpoint = definition.endpoint
    file = endpoint.path(endpoint.model.archive)
    image = images.image_uri(endpoint.model.image, endpoint.region, endpoint.endpoint.instance_type)
    if "xgboost" not in image.rpartition("/")[2]:
        members = _members(file, wanted="")[0]
        yield ok("model archive", file, f"{len(members)} files; inputs not checked, as {image} serves no XGBoost model")
        return
    members, content = _members(file, wanted=MODEL_FILE)
    if content is None:
        what = f"holds no file {MODEL_FILE}; it holds {', '.join(members[:5]) or 'nothing'}"
        yield error("model archive", file, what, f"Pack the model as {MODEL_FILE} at the top of the archive.")
        return
    count = _features(content, file)
    if isinstance(count, str):
        yield ok("model archive", file, f"inputs not checked, because {count}")
        return
    if count == len(definition.inputs):
        yield ok("model archive", file, f"the model takes {count} inputs, as the data set has")
        return
    what = f"the model takes {count} inputs, and the validation data set has {len(definition.inputs)} beside its label"
    yield error("model archive", file, what, "Is it the archive of this model, and does data.label name the label?")


def _members(file: Path, wanted: str) -> tuple[list[str], bytes | None]:
    """The names of an archive's files, and the content of one; nothing is unpacked to disk."""
    names: list[str] = []
    content = None
    size = 0
    try:
        with tarfile.open(file, "r|gz") as archive:
            for member in archive:
                size += member.size
                if size > MOST_BYTES:
                    raise InputError(f"{file}: more than {MOST_BYTES >> 30} GiB unpacked. Is this the model's archive?")
                if member.isfile():
                    names.append(str(PurePosixPath(member.name)))
                    if names[-1] == wanted and (opened := archive.extractfile(member)):
                        content = opened.read()
    except OSError as problem:
        reason = problem.strerror or str(problem)
        raise InputError(f"{file}: cannot be read: {reason}. Is it the tar.gz that the YAML means?") from problem
    except (tarfile.TarError, EOFError) as problem:
        raise InputError(f"{file}: is no whole tar.gz: {problem}. Make or copy it anew.") from problem
    return names, content


def _features(content: bytes, file: Path) -> int | str:
    """How many inputs a saved Booster takes, or why that is not known. A pickle is never opened."""
    if content[:1] != b"{":
        return "the model is neither JSON nor UBJSON"
    if content[:2] == b"{L":
        if (found := _COUNT_IN_UBJSON.search(content)) is None:
            raise InputError(f"{file}: {MODEL_FILE} is no Booster in UBJSON. Save it with save_model.")
        return int(found["count"])
    try:
        return int(json.loads(content)["learner"]["learner_model_param"]["num_feature"])
    except (ValueError, KeyError, TypeError) as problem:
        raise InputError(
            f"{file}: {MODEL_FILE} is no Booster in JSON: {problem!r}. Save it with save_model."
        ) from problem

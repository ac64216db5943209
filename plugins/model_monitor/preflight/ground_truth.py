"""The source of labels: does it answer, and are its answers the data set's labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from model_monitor import labels, sources
from model_monitor.config import MonitoredEndpoint
from model_monitor.errors import MonitorError
from model_monitor.preflight.definition import Definition
from model_monitor.preflight.findings import Finding, error, ok, warning

ASKED = 20


def check_source(definition: Definition) -> Iterator[Finding]:
    """The source's labels for the inference ids of artificial traffic, which are row numbers."""
    endpoint = definition.endpoint
    rows = len(sources.traffic_rows(endpoint.path(endpoint.data.test)))
    yield from answers(definition, [str(number) for number in range(min(rows, ASKED))])


def answers(definition: Definition, inference_ids: Sequence[str]) -> Iterator[Finding]:
    """What the source says of these ids, against the labels of the validation data set."""
    endpoint = definition.endpoint
    where = endpoint.ground_truth.source
    try:
        found = labels.labels(endpoint.ground_truth, inference_ids)
    except MonitorError:
        raise
    except Exception as problem:  # The function is not ours: whatever it raises is the finding.
        what = f"raised {problem!r} when asked for the labels of {', '.join(inference_ids[:3])}"
        yield error("ground truth", where, what, "Run the function by hand with ground_truth.arguments, and mend it.")
        return
    if not found:
        what = f"knows no label for any of {', '.join(inference_ids[:3])}"
        yield warning("ground truth", where, what, "Labels may come later; without any, bias cannot be judged.")
        return
    known = {str(value) for value in definition.label.dropna().unique().tolist()}
    strange = sorted(value for value in set(found.values()) if not _among(value, known))
    if strange and not _is_quantity(endpoint, known):
        what = f"answers {', '.join(map(repr, strange[:5]))}; the data set's labels are {', '.join(sorted(known)[:5])}"
        yield error("ground truth", where, what, "Let it answer labels as the data set writes them.")
        return
    yield ok(
        "ground truth", where, f"labels for {len(found)} of {len(inference_ids)} ids, such as {min(found.values())}"
    )


def _among(value: str, known: set[str]) -> bool:
    if value in known:
        return True
    try:
        return any(float(value) == float(one) for one in known)
    except ValueError:
        return False


def _is_quantity(endpoint: MonitoredEndpoint, known: set[str]) -> bool:
    """Labels above a threshold can have values that the data set lacks."""
    return len(endpoint.bias.label_values_or_threshold) == 1 and len(known) > 20

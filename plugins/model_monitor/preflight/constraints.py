"""Baselines that exist already, against the definition as it is now."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from model_monitor import names
from model_monitor.errors import InputError
from model_monitor.names import KINDS, Kind
from model_monitor.preflight.account import Account
from model_monitor.preflight.definition import Definition
from model_monitor.preflight.findings import Finding, error, ok, warning


def check_baselines(definition: Definition, account: Account) -> Iterator[Finding]:
    """The facets of the bias baseline against the configured ones, the explained features against the model's."""
    endpoint = definition.endpoint
    for kind in KINDS:
        where = names.baseline_constraints(endpoint, kind)
        content = account.storage.read(where)
        if content is None:
            what = f"no {kind} baseline yet, so nothing can be compared"
            yield warning("baseline", where, what, f"Run `{endpoint.name}.deploy`, which makes it.")
            continue
        lacking = _lacking(definition, kind, _document(content, where))
        if lacking:
            yield error("baseline", where, f"lacks {lacking}", f"Run `{endpoint.name}.deploy` again.")
        else:
            yield ok("baseline", where, "covers the facets" if kind == "bias" else "explains the model's inputs")


def _lacking(definition: Definition, kind: Kind, baseline: dict[str, Any]) -> str:
    from model_monitor.analysis.drift import SECTIONS, global_values

    if kind == "bias":
        known = {facet for section in SECTIONS for facet in baseline.get(section, {}).get("facets", {})}
        missing = sorted({facet.name for facet in definition.endpoint.bias.facets} - known)
        return f"the facets {', '.join(missing)}; it holds {', '.join(sorted(known)) or 'none'}" if missing else ""
    explained = global_values(baseline)
    if not explained:
        return "Shapley values"
    odd = sorted(set(definition.inputs).symmetric_difference(next(iter(explained.values()))))
    return f"the model's inputs as they are now; it differs in {', '.join(odd[:5])}" if odd else ""


def _document(content: bytes, where: str) -> dict[str, Any]:
    try:
        document = json.loads(content)
    except ValueError as problem:
        raise InputError(f"{where}: not JSON: {problem}. Delete it and run deploy again.") from problem
    if not isinstance(document, dict):
        raise InputError(f"{where}: expected the object of an analysis.json. Delete it and run deploy again.")
    return document

"""Retraining: the function that trains, and the model that is in force because it was approved."""

from __future__ import annotations

from collections.abc import Iterator

from model_monitor import functions, names
from model_monitor.model_in_force import approved_model, model_in_force
from model_monitor.preflight.account import Account
from model_monitor.preflight.definition import Definition
from model_monitor.preflight.findings import Finding, error, ok


def check_function(definition: Definition) -> Iterator[Finding]:
    """Whether the retraining function is there, and takes its arguments; it is not called."""
    retraining = definition.endpoint.retraining
    if retraining is None:
        yield ok("retraining", definition.endpoint.name, "none configured")
        return
    function = functions.load("retraining.function", retraining.function)
    about = f"retraining.arguments: {retraining.function}"
    functions.refuse_misfit(function, None, retraining.arguments, about)
    yield ok("retraining", retraining.function, "is there, and takes its arguments")


def check_model_in_force(definition: Definition, account: Account) -> Iterator[Finding]:
    """Which model the other DAGs deploy, and whether its archive is there where it is not the YAML's."""
    endpoint, storage = definition.endpoint, account.storage
    where = names.approved_model(endpoint)
    in_force = model_in_force(endpoint, storage)
    if in_force.approved is None:
        changed = approved_model(endpoint, storage) is not None
        what = "the YAML's archive" + (", which has changed since a retrained model was approved" if changed else "")
        yield ok("model in force", endpoint.model.archive, what)
        return
    archive = names.model_archive(endpoint, in_force.archive)
    if storage.list(archive, limit=1):
        yield ok("model in force", archive, str(in_force))
    else:
        what = f"there is no such object, and {where} says that its model is in force"
        fix = f"Put the archive back, or delete {where} to have the YAML's model in force."
        yield error("model in force", archive, what, fix)

"""Functions that the configuration names by their dotted path."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from model_monitor.errors import ConfigError

Function = Callable[..., Any]


def load(key: str, path: str) -> Function:
    """The function behind `package.module.function`, which a key of the YAML names.

    Raises:
        ConfigError: there is no such module, or nothing callable of that name in it.
    """
    module_name, _, name = path.rpartition(".")
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise ConfigError(
            f"{key}: '{path}': cannot import '{module_name}': {error}. Modules are found in plugins/ and "
            "include/ and among the installed packages"
        ) from error
    function = getattr(module, name, None)
    if not callable(function):
        available = sorted(key for key, value in vars(module).items() if inspect.isfunction(value) and key[0] != "_")
        problem = f"has no function '{name}'" if function is None else f"holds '{name}', which is not a function"
        raise ConfigError(
            f"{key}: '{path}': module '{module_name}' {problem}; it has {', '.join(available) or 'no functions'}"
        )
    return function  # type: ignore[no-any-return]


def refuse_misfit(function: Function, given: object, arguments: Mapping[str, Any], about: str) -> None:
    """Raise ConfigError, beginning with `about`, unless the function takes the value and the configured arguments."""
    try:
        inspect.signature(function).bind(given, **arguments)
    except TypeError as error:
        raise ConfigError(
            f"{about}{inspect.signature(function)} cannot be called with {dict(arguments)}: {error}"
        ) from error

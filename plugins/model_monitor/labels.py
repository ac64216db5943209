"""Where ground-truth labels come from: a function that the configuration names."""

from __future__ import annotations

import importlib
import inspect
import random
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from model_monitor.config_monitors import GroundTruth
from model_monitor.errors import ConfigError, InputError

Source = Callable[..., Mapping[str, Any]]


def random_labels(inference_ids: Iterable[str], positive_rate: float = 0.7) -> dict[str, str]:
    """Invented labels: "1" with the given probability, else "0", and for one inference id always the same."""
    return {
        inference_id: "1" if random.Random(_seed(inference_id)).random() < positive_rate else "0"
        for inference_id in inference_ids
    }


def load_source(path: str) -> Source:
    """The function behind `package.module.function`.

    Raises:
        ConfigError: there is no such module, or nothing callable of that name in it.
    """
    module_name, _, name = path.rpartition(".")
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise ConfigError(
            f"ground_truth.source: '{path}': cannot import '{module_name}': {error}. Modules are found in plugins/ and "
            "include/ and among the installed packages"
        ) from error
    source = getattr(module, name, None)
    if not callable(source):
        available = sorted(key for key, value in vars(module).items() if inspect.isfunction(value) and key[0] != "_")
        problem = f"has no function '{name}'" if source is None else f"holds '{name}', which is not a function"
        raise ConfigError(
            f"ground_truth.source: '{path}': module '{module_name}' {problem}; "
            f"it has {', '.join(available) or 'no functions'}"
        )
    return source  # type: ignore[no-any-return]


def labels(ground_truth: GroundTruth, inference_ids: Iterable[str]) -> dict[str, str]:
    """Ask the configured source for the labels of these inference ids; ids whose label is not known yet are left out.

    Raises:
        ConfigError: the source cannot be called with the configured arguments.
        InputError: the source's answer is not a mapping from these ids to labels.
    """
    wanted = list(inference_ids)
    source = load_source(ground_truth.source)
    try:
        inspect.signature(source).bind(wanted, **ground_truth.arguments)
    except TypeError as error:
        raise ConfigError(
            f"ground_truth.arguments: {ground_truth.source}{inspect.signature(source)} cannot be called with the "
            f"inference ids and {ground_truth.arguments}: {error}"
        ) from error
    answer = source(wanted, **ground_truth.arguments)
    if not isinstance(answer, Mapping):
        raise InputError(
            f"{ground_truth.source} answered {type(answer).__name__}; expected a mapping from inference id to label"
        )
    strangers = sorted(set(map(str, answer)) - set(wanted))
    if strangers:
        raise InputError(f"{ground_truth.source} answered labels for ids nobody asked for: {', '.join(strangers[:5])}")
    return {str(inference_id): str(label) for inference_id, label in answer.items()}


def _seed(inference_id: str) -> int | str:
    return int(inference_id) if inference_id.isascii() and inference_id.isdigit() else inference_id

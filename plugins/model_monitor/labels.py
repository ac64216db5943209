"""Where ground-truth labels come from: a function that the configuration names."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping

from model_monitor import functions
from model_monitor.config.monitors import GroundTruth
from model_monitor.errors import InputError


def random_labels(inference_ids: Iterable[str], positive_rate: float = 0.7) -> dict[str, str]:
    """Invented labels: "1" with the given probability, else "0", and for one inference id always the same."""
    return {
        inference_id: "1" if random.Random(_seed(inference_id)).random() < positive_rate else "0"
        for inference_id in inference_ids
    }


def labels(ground_truth: GroundTruth, inference_ids: Iterable[str]) -> dict[str, str]:
    """Ask the configured source for the labels of these inference ids; ids whose label is not known yet are left out.

    Raises:
        ConfigError: the source cannot be called with the configured arguments.
        InputError: the source's answer is not a mapping from these ids to labels.
    """
    wanted = list(inference_ids)
    source = functions.load("ground_truth.source", ground_truth.source)
    about = f"ground_truth.arguments: {ground_truth.source}"
    functions.refuse_misfit(source, wanted, ground_truth.arguments, about)
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

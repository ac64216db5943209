"""The example's retraining: the same trees, trained on the first training data and on what happened lately.

No row that a figure is of was trained on: a part of all rows, chosen by their content, so that a customer who comes
again in another hour stays on the same side.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

import numpy as np
import pandas as pd
import xgboost
from sklearn.metrics import log_loss, roc_auc_score

from demo.model import booster_of, train, write_archive
from model_monitor.errors import InputError
from model_monitor.retraining.material import Figure, Material, Retrained

PARTS = 1000


def retrain(material: Material, training: str, held_out: float = 0.2) -> Retrained:
    """Train on a file with header and label, and on the labelled requests.

    Args:
        training: the file; a relative path starts at the project folder, as all of the YAML.
        held_out: the part of rows, in (0, 1), that the figures are of.

    Raises:
        InputError: when there are no labelled requests, so that nothing new could be learnt.
    """
    label = material.endpoint.data.label
    captured = material.recent()
    if captured is None or captured.label is None:
        raise InputError(
            f"No labelled requests of {material.endpoint.name} from {material.since} to {material.until}: a model of "
            "the first training data alone would be the old one. The bias monitor leaves them when it has judged a "
            "window; retraining.data_window says how far back they are looked for."
        )
    recent = pd.concat([captured.label.rename(label).astype(float), captured.features.astype(float)], axis=1)
    first = pd.read_csv(material.endpoint.path(training)).astype(float)[recent.columns]
    validation = pd.read_csv(material.endpoint.path(material.endpoint.data.validation)).astype(float)[recent.columns]

    kept = is_held_out(recent, held_out)
    rows = pd.concat([first, recent[~kept]], ignore_index=True)
    candidate, old = train(rows.drop(columns=label), rows[label]), booster_of(material.model)
    archive = material.folder / "model.tar.gz"
    write_archive(candidate, archive)
    sets = {
        "validation data": validation[is_held_out(validation, held_out)],
        "recent requests": recent[kept],
    }
    return Retrained(
        archive,
        [figure for name, one in sets.items() for figure in figures(name, old, candidate, one, label)],
        f"{len(first)} rows of {training} and {int((~kept).sum())} of {len(recent)} labelled requests were trained on.",
    )


def is_held_out(rows: pd.DataFrame, share: float) -> np.ndarray:
    """Which rows are kept for the figures: about that share of different rows, and equal ones alike."""
    digests = pd.util.hash_pandas_object(rows, index=False).to_numpy()
    return np.asarray(digests % PARTS < share * PARTS)


def figures(
    name: str, in_force: xgboost.Booster, candidate: xgboost.Booster, rows: pd.DataFrame, label: str
) -> Iterator[Figure]:
    """How well both models rank, and how sure they are of what is right; not of rows that all have one label."""
    truth, inputs = rows[label], rows.drop(columns=label).to_numpy(dtype=float)
    scores = [model.inplace_predict(inputs) for model in (in_force, candidate)]

    def figure(what: str, measure: Callable[..., float], better: Literal["higher", "lower"]) -> Figure:
        old, new = (float(measure(truth, each)) if truth.nunique() == 2 else None for each in scores)
        return Figure(f"{what}, {len(rows)} rows of {name}", old, new, better)

    yield figure("Area under the ROC curve", roc_auc_score, "higher")
    yield figure("Log loss", log_loss, "lower")

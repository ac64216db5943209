"""Kernel SHAP over shards of a window's captures: planned, explained one by one, put together.

A shard is a list of capture files. It is read and explained in parts of `ROWS_AT_ONCE` rows, so that memory does not
grow with it. Each shard draws by `[seed, shard]`, which for the first one is `seed` itself: a window of one shard of
one part has the numbers of an analysis in one piece.

Whether a column holds whole numbers, which requests then show, is guessed of each part by itself.
"""

from __future__ import annotations

import json
import logging
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from model_monitor.analysis.clusters import cluster_centres
from model_monitor.analysis.config import AnalysisConfig, ShapConfig
from model_monitor.analysis.dataset_captures import Attributes, captures_in_parts
from model_monitor.analysis.explanations import Totals, labels, section, write_local_values
from model_monitor.analysis.kernel_shap import explain
from model_monitor.analysis.predictor import Predictor
from model_monitor.analysis.shap_baseline import baseline_rows
from model_monitor.errors import AnalysisError

log = logging.getLogger(__name__)

ROWS_AT_ONCE = 20_000
MOST_SHARDS = 1000
"""Airflow maps a task at most 1,024 times unless told otherwise (`[core] max_map_length`)."""
MOST_CLUSTERED = 100_000

Fetch = Callable[[str], bytes]
_FACTS = "facts.json"


@dataclass(frozen=True)
class Shard:
    """An explained shard: what its attributions are of, and the baseline as CSV. `values` reads them, part by part."""

    file: Path
    baseline: str
    features: tuple[str, ...]
    labels: tuple[str, ...]
    records: int
    expected_value: np.ndarray

    @classmethod
    def open(cls, file: Path) -> Shard:
        """The shard that `explain_shard` wrote."""
        with zipfile.ZipFile(file) as archive:
            facts = json.loads(archive.read(_FACTS))
        return cls(
            file,
            facts["baseline"],
            tuple(facts["features"]),
            tuple(facts["labels"]),
            facts["records"],
            np.array(facts["expected_value"], dtype=float),
        )

    def values(self) -> Iterator[np.ndarray]:
        """Local Shapley values (n, features, outputs) of some records after the other."""
        with zipfile.ZipFile(self.file) as archive:
            for name in sorted(name for name in archive.namelist() if name != _FACTS):
                with archive.open(name) as part:
                    yield np.lib.format.read_array(part, allow_pickle=False)


def plan_shards(files: Sequence[tuple[str, int]], shard_bytes: int, most: int = MOST_SHARDS) -> list[list[str]]:
    """Files, given with their sizes in bytes, as shards of consecutive ones; always the same for the same files.

    A shard is full when it reaches `shard_bytes`, or as much more as it takes to have no more than `most` shards.
    """
    full = max(shard_bytes, -(-sum(size for _, size in files) // most))
    shards: list[list[str]] = []
    held = full
    for name, size in files:
        if held >= full:
            shards.append([])
            held = 0
        shards[-1].append(name)
        held += size
    return shards


def clusters_of(
    files: Sequence[Path], config: AnalysisConfig, attributes: Attributes, shap: ShapConfig
) -> list[list[Any]]:
    """The baseline that is made of the window's own records, as rows that JSON can carry.

    Of more than 100,000 records, that many evenly spaced ones take part.
    """
    total = sum(len(part) for part in captures_in_parts(files, config, attributes, ROWS_AT_ONCE))
    step = -(-total // MOST_CLUSTERED)
    kept, seen = [], 0
    for part in captures_in_parts(files, config, attributes, ROWS_AT_ONCE):
        kept.append(part.features.iloc[-seen % step :: step])
        seen += len(part)
    features = pd.concat(kept, ignore_index=True)
    centres = cluster_centres(features, shap.num_clusters, shap.seed)
    return [list(row) for row in centres.astype(object).to_numpy().tolist()]


def explain_shard(
    files: Sequence[Path],
    config: AnalysisConfig,
    attributes: Attributes,
    predictor_of: Callable[[pd.DataFrame], Predictor],
    fetch: Fetch,
    *,
    shap: ShapConfig,
    shard: int,
    output: Path,
) -> Shard:
    """Explain the records of a shard's capture files and write their attributions to `output`.

    Args:
        config: the monitor's configuration.
        predictor_of: the model, asked for rows like the given ones.
        fetch: what lies at an address of S3, where SHAP's baseline is one.
        shap: SHAP's settings, with the baseline and the seed that all shards share.
        shard: the shard's number, from 0.

    Raises:
        AnalysisError: naming file and line; ModelError for what the model does not answer.
    """
    random = np.random.default_rng(None if shap.seed is None else [shap.seed, shard])
    facts: dict[str, Any] = {"records": 0}
    with zipfile.ZipFile(output, "w") as archive:
        for number, part in enumerate(captures_in_parts(files, config, attributes, ROWS_AT_ONCE)):
            features = part.features
            predictor = predictor_of(features)
            path = attributes.get("features_attribute") or config.features
            baseline = baseline_rows(shap, features, path, config.dataset_type, fetch)
            log.info("Explaining %d records against %d baseline rows", len(features), len(baseline))
            explained = explain(
                predictor,
                features.to_numpy(),
                baseline.to_numpy(),
                num_samples=shap.num_samples,
                use_logit=shap.use_logit,
                seed=random,
            )
            with archive.open(f"part-{number:05}.npy", "w", force_zip64=True) as target:
                np.lib.format.write_array(target, explained.values, allow_pickle=False)
            facts |= {
                "baseline": baseline.to_csv(index=False),
                "features": [str(name) for name in features.columns],
                "labels": labels(explained, predictor.classes),
                "expected_value": explained.expected_value.tolist(),
                "records": facts["records"] + len(features),
            }
        archive.writestr(_FACTS, json.dumps(facts))
    return Shard.open(output)


def combine(shards: Sequence[Shard], shap: ShapConfig, folder: Path) -> dict[str, Any]:
    """The "explanations" section of all shards together.

    `folder` gets `baseline.csv`, and `out.csv` where local values are to be kept.

    Raises:
        AnalysisError: when shards do not explain the same features and labels.
    """
    first = shards[0]
    for other in shards:
        if (other.features, other.labels) != (first.features, first.labels):
            odd = sorted({*other.features, *other.labels} ^ {*first.features, *first.labels})
            raise AnalysisError(f"Shards explain different features or labels: {', '.join(odd)}")
    totals = Totals(shap.agg_method, len(first.features), len(first.labels), sum(shard.records for shard in shards))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "baseline.csv").write_text(first.baseline, encoding="utf-8")
    for shard in shards:
        for values in shard.values():
            totals.add(values)
            if shap.save_local_shap_values:
                write_local_values(folder, values, first.features, first.labels)
    return section(totals.overall(), first.expected_value, first.features, first.labels)

"""Kernel SHAP over shards of a window's captures: planned, explained one by one, put together.

A shard is a list of capture files. It is read and explained in parts of `ROWS_AT_ONCE` rows, so that memory does not
grow with it: 20,000 and 100,000 records of 69 features both took less than 0.5 GB, and 0.65 GB with four requests at
once. Each shard draws by `[seed, shard]`, which for the first one is `seed` itself: a window of one shard of one part
has the numbers of an analysis in one piece.

What a column holds is guessed of each part by itself: of numbers that are whole in one part and not in another, the
first one's requests show `3` and the other's `3.0`. Files that hold no record of the window make an empty shard.
"""

from __future__ import annotations

import json
import logging
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from model_monitor.analysis.captured import no_records
from model_monitor.analysis.clusters import cluster_centres
from model_monitor.analysis.config import AnalysisConfig, ShapConfig
from model_monitor.analysis.dataset_captures import Attributes, captures_in_parts
from model_monitor.analysis.explanations import Totals, labels, section, write_local_values
from model_monitor.analysis.kernel_shap import explain
from model_monitor.analysis.predictor import PredictorOf, no_model
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
class Explained:
    """What all records of a window share: features, labels, the baseline as CSV and the labels' expected values."""

    features: list[str]
    labels: list[str]
    baseline: str
    expected_value: list[float]

    def refuse_others(self, other: Explained) -> None:
        """Complain of records with other features or labels, or of another model.

        Raises:
            AnalysisError: naming them.
        """
        for what, ours, others in (
            ("features", self.features, other.features),
            ("labels", self.labels, other.labels),
        ):
            if ours != others:
                odd = ", ".join(sorted({*ours} ^ {*others})) or f"the same {what} in another order"
                raise AnalysisError(
                    f"Not all records of the window have the same {what}: some have {len(ours)} and others "
                    f"{len(others)}; they differ in {odd}"
                )
        if not np.allclose(self.expected_value, other.expected_value, rtol=1e-3, atol=1e-6):
            raise AnalysisError(
                f"Not all records of the window were explained by the same model: it answers the baseline with "
                f"{self.expected_value} and with {other.expected_value}. Was its endpoint updated meanwhile? Clear the "
                "run to explain them anew."
            )


@dataclass(frozen=True)
class Shard:
    """An explained shard and how many records it has; `explained` is None where it has none."""

    file: Path
    records: int
    explained: Explained | None

    @classmethod
    def open(cls, file: Path) -> Shard:
        """The shard that `explain_shard` wrote."""
        with zipfile.ZipFile(file) as archive:
            facts = json.loads(archive.read(_FACTS))
        return cls(file, facts["records"], Explained(**facts["explained"]) if facts["records"] else None)

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

    Of more than 100,000 records, every second one takes part, or every fourth, and so on.

    Raises:
        AnalysisError: for no records, else naming file and line.
    """
    kept: list[pd.DataFrame] = []
    seen, step = 0, 1
    for part in captures_in_parts(files, config, attributes, ROWS_AT_ONCE):
        # A copy, as a slice would keep all of the part in memory.
        kept.append(part.features.iloc[-seen % step :: step].copy())
        seen += len(part)
        while sum(map(len, kept)) > MOST_CLUSTERED:
            kept = [pd.concat(kept, ignore_index=True).iloc[::2].copy()]
            step *= 2
    if not kept:
        raise no_records(files)
    centres = cluster_centres(pd.concat(kept, ignore_index=True), shap.num_clusters, shap.seed)
    return [list(row) for row in centres.astype(object).to_numpy().tolist()]


def explain_shard(
    files: Sequence[Path],
    config: AnalysisConfig,
    attributes: Attributes,
    predictor_of: PredictorOf,
    fetch: Fetch,
    *,
    shap: ShapConfig,
    shard: int,
    output: Path,
) -> Shard:
    """Explain the records of a shard's capture files and write their attributions to `output`.

    Args:
        config: the monitor's configuration.
        predictor_of: the model.
        fetch: what lies at an address of S3, where SHAP's baseline is one.
        shap: SHAP's settings, with the baseline and the seed that all shards share.
        shard: the shard's number, from 0.

    Raises:
        AnalysisError: naming file and line; ModelError for what the model does not answer.
    """
    if config.predictor is None:
        raise no_model()
    random = np.random.default_rng(None if shap.seed is None else [shap.seed, shard])
    path = attributes.get("features_attribute") or config.features
    fetched = cache(fetch)
    records = 0
    first: Explained | None = None
    with zipfile.ZipFile(output, "w") as archive:
        for number, part in enumerate(captures_in_parts(files, config, attributes, ROWS_AT_ONCE, alone=shard == 0)):
            features = part.features
            predictor = predictor_of(config.predictor, features=features)
            baseline = baseline_rows(shap, features, path, config.dataset_type, fetched)
            log.info("Explaining %d records against %d baseline rows", len(features), len(baseline))
            attributions = explain(
                predictor,
                features.to_numpy(),
                baseline.to_numpy(),
                num_samples=shap.num_samples,
                use_logit=shap.use_logit,
                seed=random,
            )
            explained = Explained(
                features=[str(name) for name in features.columns],
                labels=labels(attributions, predictor.classes),
                baseline=baseline.to_csv(index=False),
                expected_value=attributions.expected_value.tolist(),
            )
            first = first or explained
            first.refuse_others(explained)
            with archive.open(f"part-{number:05}.npy", "w", force_zip64=True) as target:
                np.lib.format.write_array(target, attributions.values, allow_pickle=False)
            records += len(features)
        facts = {"records": records, "explained": None if first is None else asdict(first)}
        archive.writestr(_FACTS, json.dumps(facts))
    return Shard(output, records, first)


def combine(shards: Sequence[Shard], shap: ShapConfig, folder: Path) -> dict[str, Any]:
    """The "explanations" section of all shards together.

    `folder` gets `baseline.csv`, and `out.csv` where local values are to be kept.

    Raises:
        AnalysisError: when shards do not explain the same features and labels, or there is no record in any.
    """
    explained = [shard.explained for shard in shards if shard.explained is not None]
    if not explained:
        raise AnalysisError("There is no record in any shard: nothing to explain")
    first = explained[0]
    for other in explained:
        first.refuse_others(other)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "baseline.csv").write_text(first.baseline, encoding="utf-8")
    shape = (len(first.features), len(first.labels))
    totals = Totals(shap.agg_method, shape, sum(shard.records for shard in shards), scratch=folder)
    for values in _values(shards):
        totals.add(values)
    if shap.save_local_shap_values:
        write_local_values(folder, _values(shards), first.features, first.labels)
    return section(totals.overall(), np.array(first.expected_value), first.features, first.labels)


def _values(shards: Sequence[Shard]) -> Iterator[np.ndarray]:
    return (values for shard in shards for values in shard.values())

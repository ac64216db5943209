"""The example's model: gradient-boosted trees that answer with the probability of churn."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path

import pandas as pd
import xgboost

MODEL_FILE = "xgboost-model"
PARAMETERS = {
    "objective": "binary:logistic",
    "max_depth": 5,
    "eta": 0.2,
    "gamma": 1,
    "min_child_weight": 2,
    "subsample": 0.8,
    "seed": 1,
    "nthread": 1,
}
ROUNDS = 100


def train(inputs: pd.DataFrame, label: pd.Series) -> xgboost.Booster:
    """Train on model inputs (n, 69) and labels of 0 and 1; inputs are known by position, as in a CSV without header."""
    return xgboost.train(PARAMETERS, xgboost.DMatrix(inputs.to_numpy(dtype=float), label.to_numpy()), ROUNDS)


def write_archive(booster: xgboost.Booster, file: Path) -> None:
    """Write `model.tar.gz` in SageMaker's layout; the same model gives the same bytes."""
    content = bytes(booster.save_raw("ubj"))
    member = tarfile.TarInfo(MODEL_FILE)
    member.size = len(content)
    member.mode = 0o644
    with gzip.GzipFile(file, "wb", mtime=0) as zipped, tarfile.open(fileobj=zipped, mode="w") as archive:
        archive.addfile(member, io.BytesIO(content))


def booster_of(archive: Path) -> xgboost.Booster:
    """The model in an archive."""
    with tarfile.open(archive) as opened:
        member = opened.extractfile(MODEL_FILE)
        if member is None:
            raise FileNotFoundError(f"{archive} holds no {MODEL_FILE}")
        booster = xgboost.Booster()
        booster.load_model(bytearray(member.read()))
        return booster

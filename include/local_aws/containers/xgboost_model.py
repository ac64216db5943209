"""Reads the `xgboost-model` of a SageMaker archive: JSON, UBJSON, the old binary format, or a pickled Booster.

SageMaker's XGBoost 0.90 saved a pickled Booster. A pickle can run any code, so this one goes through an unpickler that
admits only what such a file needs: a stand-in for the Booster that keeps its state, byte arrays, bytes as text.
"""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xgboost

MODEL_FILE = "xgboost-model"


class BadModel(Exception):
    """The archive holds no model that XGBoost can read; the text says what is wrong."""


@dataclass(frozen=True)
class Model:
    """A Booster and how many of its rounds predictions use (0: all)."""

    booster: xgboost.Booster
    rounds: int

    @property
    def features(self) -> int:
        """How many values a row has."""
        return int(self.booster.num_features())

    def predict(self, rows: np.ndarray) -> np.ndarray:
        """Scores of rows (n, features), float32: (n,), or (n, classes)."""
        return self.booster.predict(xgboost.DMatrix(rows), iteration_range=(0, self.rounds), validate_features=False)


def load(folder: Path) -> Model:
    """Load the model of an extracted archive.

    Raises:
        BadModel: there is no `xgboost-model`, or it cannot be read.
    """
    file = folder / MODEL_FILE
    if not file.is_file():
        held = ", ".join(sorted(str(found.relative_to(folder)) for found in folder.rglob("*") if found.is_file()))
        raise BadModel(f"The model archive holds no file {MODEL_FILE}; it holds: {held or 'nothing'}.")
    content = file.read_bytes()
    rounds = 0
    if content[:1] == b"\x80":
        content, rounds = _unpickled(file)
    booster = xgboost.Booster()
    try:
        booster.load_model(bytearray(content))
    except (xgboost.core.XGBoostError, ValueError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise BadModel(f"XGBoost {xgboost.__version__} cannot read {MODEL_FILE}: {reason}") from error
    best = booster.attr("best_iteration")
    return Model(booster, rounds or (int(best) + 1 if best is not None else 0))


class _SavedBooster:
    """Stands for `xgboost.core.Booster` in a pickle."""

    state: dict[str, Any] = {}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.state = dict(state)


def _bytes_of(content: bytes | str = b"", encoding: str = "latin-1") -> bytearray:
    if isinstance(content, str):
        return bytearray(_encoded(content, encoding))
    if not isinstance(content, bytes):
        raise pickle.UnpicklingError("a byte array of something other than bytes")
    return bytearray(content)


def _encoded(text: str, encoding: str) -> bytes:
    if encoding.replace("-", "").lower() not in ("latin1", "utf8"):
        raise pickle.UnpicklingError(f"text in the encoding {encoding}")
    return text.encode(encoding)


class _BoosterUnpickler(pickle.Unpickler):
    _ADMITTED = {
        ("xgboost.core", "Booster"): _SavedBooster,
        ("builtins", "bytearray"): _bytes_of,
        ("__builtin__", "bytearray"): _bytes_of,
        ("_codecs", "encode"): _encoded,
    }

    def find_class(self, module: str, name: str) -> Any:
        try:
            return self._ADMITTED[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}") from None


def _unpickled(file: Path) -> tuple[bytes, int]:
    with file.open("rb") as content:
        try:
            saved = _BoosterUnpickler(content).load()
        except Exception as error:
            raise BadModel(f"{MODEL_FILE} is a pickle, and not one of an XGBoost Booster: {error}") from error
    state = saved.state if isinstance(saved, _SavedBooster) else {}
    handle = state.get("handle")
    if not isinstance(handle, bytes | bytearray):
        raise BadModel(f"{MODEL_FILE} is a pickle, and not one of an XGBoost Booster.")
    rounds = state.get("best_ntree_limit") or 0
    return bytes(handle), rounds if isinstance(rounds, int) else 0

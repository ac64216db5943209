"""What is analysed: the model's inputs, with labels, predictions and scores as far as there are any."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from model_monitor.analysis.config_schema import NameOrIndex


@dataclass(frozen=True)
class Dataset:
    """Records to analyse; row i of each part belongs to record i.

    Attributes:
        features: the model's inputs (n, f), in the model's order.
        label: observed labels (n,), if there are any; its name is the label column's.
        scores: captured outputs of the model, (n,) or (n, k).
        predicted: predicted labels (n,) that came with the data.
        excluded: columns (n, e) that the model is not given but bias metrics may use.
        identifiers: what records are joined by (n,), if there is such a column.
        weights: how many records each row stands for (n,), where equal ones were counted together; one unless given.
        columns: all names in their original order, which column indices count; () is label, then features.
    """

    features: pd.DataFrame
    label: pd.Series[Any] | None = None
    scores: np.ndarray | None = None
    predicted: pd.Series[Any] | None = None
    excluded: pd.DataFrame | None = None
    identifiers: pd.Series[Any] | None = None
    weights: np.ndarray | None = None
    columns: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.features) if self.weights is None else int(self.weights.sum())

    @property
    def names(self) -> tuple[str, ...]:
        """All columns in the order that indices count."""
        if self.columns:
            return self.columns
        return (*([str(self.label.name)] if self.label is not None else []), *self.table.columns)

    @property
    def table(self) -> pd.DataFrame:
        """Features, then excluded columns: all that facets can be."""
        return self.features if self.excluded is None else pd.concat([self.features, self.excluded], axis=1)

    def column(self, name_or_index: NameOrIndex) -> pd.Series[Any] | None:
        """The column of that name or index; None when there is none among features and excluded columns."""
        names = self.names
        if isinstance(name_or_index, int):
            name = names[name_or_index] if 0 <= name_or_index < len(names) else None
        else:
            name = name_or_index
        for part in (self.features, self.excluded):
            if part is not None and name in part.columns:
                return part[name]
        return None

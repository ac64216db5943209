"""Columns of a data set."""

from __future__ import annotations

import pandas as pd

from model_monitor.analysis.dataset import Dataset


def test_a_dataset_made_by_hand_counts_columns_from_the_label() -> None:
    dataset = Dataset(features=pd.DataFrame({"a": [1], "b": [2]}), label=pd.Series([0], name="y"))
    assert dataset.names == ("y", "a", "b")
    found = dataset.column(2)
    assert found is not None
    assert found.name == "b"

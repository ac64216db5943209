"""Who the endpoint is asked about in an hour.

Any hour's own sample of customers differs from the baseline by chance, and SageMaker counts every bias metric that is
farther from 0 than at the baseline as a violation. So that a normal hour has none, as many customers of each outcome
(left or not, predicted to leave or not) are drawn from either group of the facet: what remains are differences that
somebody made.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from demo.model import booster_of
from model_monitor.config import MonitoredEndpoint

FOUND, MISSED = 2, 2
QUIETEST, BUSIEST = 24, 36


@dataclass(frozen=True)
class Hour:
    """An hour's customers: their model inputs, and whether each of them left, as "0" or "1"."""

    inputs: pd.DataFrame
    labels: tuple[str, ...]


class Customers:
    """The customers of the validation data set, sorted by group and outcome."""

    def __init__(self, endpoint: MonitoredEndpoint) -> None:
        everyone = pd.read_csv(endpoint.path(endpoint.data.validation))
        self._labels = everyone[endpoint.data.label].to_numpy()
        self._inputs = everyone.drop(columns=endpoint.data.label)
        facet = endpoint.bias.facets[0]
        (threshold,) = facet.values_or_threshold or (0,)
        self._facet = self._inputs[facet.name].to_numpy()
        self._in_group = self._facet > float(threshold)
        scores = booster_of(endpoint.path(endpoint.model.archive)).inplace_predict(self._inputs.to_numpy(dtype=float))
        self._predicted = scores > (endpoint.bias.probability_threshold or 0.5)

    @cached_property
    def averages(self) -> pd.Series[float]:
        """The mean of every input."""
        return self._inputs.mean()

    def in_group(self, inputs: pd.DataFrame) -> pd.Series[bool]:
        """Which of these rows belong to the facet's group."""
        return pd.Series(self._in_group[inputs.index], index=inputs.index)

    def of_hour(self, number: int, time_of_day: int) -> Hour:
        """Those of the simulation's hour of that number; most of them in the afternoon, fewest at night."""
        random = np.random.default_rng(number)
        busy = 0.5 - 0.5 * np.cos((time_of_day - 3) / 24 * 2 * np.pi)
        stayed = round(QUIETEST + (BUSIEST - QUIETEST) * busy)
        drawn = [
            random.choice(self._cell(group, left, predicted), count, replace=False)
            for group in (False, True)
            for left, predicted, count in ((0, False, stayed), (1, False, MISSED), (1, True, FOUND))
        ]
        rows = self._with_the_longest(np.concatenate(drawn))
        random.shuffle(rows)
        return Hour(self._inputs.iloc[rows], tuple(map(str, self._labels[rows])))

    def _cell(self, group: bool, left: int, predicted: bool) -> np.ndarray:
        return np.flatnonzero((self._in_group == group) & (self._labels == left) & (self._predicted == predicted))

    def _with_the_longest(self, rows: np.ndarray) -> np.ndarray:
        """Let the customer with the facet's largest value take the place of one like him.

        A group of a threshold is named by the interval up to that value, in CloudWatch's dimensions too. While the
        interval stays the same its metrics are one line, and alarms, which no DAG follows up here, find them again.
        """
        longest = int(np.argmax(self._facet))
        if longest not in rows:
            alike = self._cell(bool(self._in_group[longest]), self._labels[longest], bool(self._predicted[longest]))
            rows[np.flatnonzero(np.isin(rows, alike))[0]] = longest
        return rows

"""The long table of measurements folded into arrays: samples by trials, for each candidate, source and measure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..harness.store.frames import RunData

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Key = tuple[str, str, str]
"""Candidate, source (judge or ''), measure."""


@dataclass(frozen=True)
class Grid:
    """Measurements by candidate, source and measure as arrays (samples, trials), samples in exam order in each."""

    clusters: NDArray[Any]
    values: Mapping[Key, Floats]
    whys: Mapping[Key, NDArray[Any]]

    def per_sample(self, key: Key) -> Floats:
        """Mean over trials (samples,), NaN where no trial has a value."""
        return mean_over_trials(self.values[key])


def grid_of(table: pd.DataFrame, data: RunData) -> Grid:
    """Fold the long table; `measurements` gives every expected row, so each group is a full rectangle."""
    n = len(data.samples)
    values: dict[Key, Floats] = {}
    whys: dict[Key, NDArray[Any]] = {}
    for group, rows in table.groupby(["candidate", "source", "measure"], sort=False):
        candidate, source, measure = group
        key = (str(candidate), str(source), str(measure))
        values[key] = rows["value"].to_numpy(dtype=float).reshape(n, -1)
        whys[key] = rows["why"].to_numpy(dtype=object).reshape(n, -1)
    return Grid(data.samples["cluster"].to_numpy(dtype=object).astype(str), values, whys)


def mean_over_trials(values: Floats) -> Floats:
    """Row means of (samples, trials) that leave NaN out; NaN for a row of nothing else."""
    import numpy as np

    there = ~np.isnan(values)
    count = there.sum(axis=1)
    total = np.where(there, values, 0.0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)

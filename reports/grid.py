"""Measurements folded into arrays: samples by trials, for each candidate, source and measure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..harness.store.frames import RunData
from .exam import JudgeView, candidates_of
from .expected import Expected, candidate_columns, expected_of
from .measurements import Part, judged, parts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Key = tuple[str, str, str]
"""Candidate, source (judge or ''), measure."""


@dataclass(frozen=True)
class Reasons:
    """Why values are missing, '' where they are not: ``codes`` (samples, trials) stand for ``names``, which are few."""

    codes: NDArray[np.integer[Any]]
    names: NDArray[Any]

    def texts(self) -> NDArray[Any]:
        """One for each value."""
        found: NDArray[Any] = self.names[self.codes]
        return found

    def at(self, where: NDArray[np.bool_]) -> NDArray[Any]:
        """Those of some values, row by row."""
        found: NDArray[Any] = self.names[self.codes[where]]
        return found

    def beginning(self, prefix: str) -> NDArray[np.bool_]:
        """Where the reason begins with ``prefix``."""
        import numpy as np

        begins = np.array([name.startswith(prefix) for name in self.names], dtype=bool)
        found: NDArray[np.bool_] = begins[self.codes]
        return found


@dataclass(frozen=True)
class Grid:
    """Measurements by candidate, source and measure as arrays (samples, trials), samples in exam order in each."""

    clusters: NDArray[Any]
    values: Mapping[Key, Floats]
    whys: Mapping[Key, Reasons]

    def per_sample(self, key: Key) -> Floats:
        """Mean over trials (samples,), NaN where no trial has a value."""
        return mean_over_trials(self.values[key])


def grid_of(data: RunData) -> Grid:
    """Every number of a run."""
    expected = expected_of(data)
    return _folded(data, expected, parts(data, expected))


def grid_of_judge(data: RunData, judge: JudgeView) -> Grid:
    """What one judge gave."""
    expected = expected_of(data)
    return _folded(data, expected, judged(data, expected, judge))


def _folded(data: RunData, expected: Expected, found: Iterable[Part]) -> Grid:
    import numpy as np
    import pandas as pd

    n, columns = len(data.samples), candidate_columns(candidates_of(data))
    values: dict[Key, Floats] = {}
    whys: dict[Key, Reasons] = {}
    for part in found:
        codes, names = pd.factorize(part.why)
        codes = codes.astype(np.min_scalar_type(len(names)))
        value, why = (array.reshape(n, len(expected.asked)) for array in (part.value, codes))
        for name, own in columns.items():
            values[name, part.source, part.measure] = np.ascontiguousarray(value[:, own])
            whys[name, part.source, part.measure] = Reasons(np.ascontiguousarray(why[:, own]), names)
    return Grid(np.asarray(data.samples["cluster"], dtype=object).astype(str), values, whys)


def mean_over_trials(values: Floats) -> Floats:
    """Row means of (samples, trials) that leave NaN out; NaN for a row of nothing else."""
    import numpy as np

    there = ~np.isnan(values)
    count = there.sum(axis=1)
    total = np.where(there, values, 0.0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)

"""Where each answer stands in the grid, so that a column of values for all answers takes no loop over them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..harness.store.frames import RunData
from .cells import Scores

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.intp]


@dataclass(frozen=True)
class Places:
    """Of every answer (n,) the number of its sample in the grid, of its candidate, and its trial."""

    samples: pd.Index[Any]
    candidates: tuple[str, ...]
    sample: Integers
    candidate: Integers
    trial: Integers

    def values(self, scores: Scores, source: str, measure: str) -> Floats:
        """One measure for every answer (n,), NaN where it has none."""
        import numpy as np

        found = np.full(len(self.sample), np.nan)
        for number, name in enumerate(self.candidates):
            own = np.flatnonzero((self.candidate == number) & (self.sample >= 0))
            found[own] = scores.grid.values[name, source, measure][self.sample[own], self.trial[own]]
        return found

    def rows(self, table: pd.DataFrame) -> Integers:
        """For each row of a table with the same three columns the number of its answer, -1 where there is none."""
        import numpy as np

        own, sought = self._codes(self.sample, self.candidate, self.trial), self._codes(*self._numbers(table))
        order = np.argsort(own, kind="stable")
        at = np.minimum(np.searchsorted(own[order], sought), len(own) - 1) if len(own) else np.zeros(0, dtype=np.intp)
        if not len(own):
            return np.full(len(table), -1)
        return np.where((own[order][at] == sought) & (sought >= 0), order[at], -1)

    def _numbers(self, table: pd.DataFrame) -> tuple[Integers, Integers, Integers]:
        return _numbers(self.samples, self.candidates, table)

    def _codes(self, sample: Integers, candidate: Integers, trial: Integers) -> Integers:
        trials = int(self.trial.max(initial=0)) + 2
        codes = (sample * len(self.candidates) + candidate) * trials + trial
        codes[(sample < 0) | (candidate < 0) | (trial >= trials)] = -1
        return codes


def places_of(data: RunData, scores: Scores) -> Places:
    """Those of ``data.answers``."""
    import pandas as pd

    samples, names = pd.Index(data.samples["sample_id"].astype(object)), tuple(c.name for c in scores.candidates)
    return Places(samples, names, *_numbers(samples, names, data.answers))


def _numbers(samples: pd.Index[Any], names: Sequence[str], table: pd.DataFrame) -> tuple[Integers, Integers, Integers]:
    import numpy as np
    import pandas as pd

    return (
        _indexer(samples, table["sample_id"]),
        _indexer(pd.Index(list(names), dtype=object), table["candidate"]),
        table["trial"].to_numpy(dtype=np.intp),
    )


def _indexer(index: pd.Index[Any], column: pd.Series[Any]) -> Integers:
    """Position of each value, -1 for an unknown one; a categorical column is looked up by its categories."""
    import numpy as np
    import pandas as pd

    if isinstance(column.dtype, pd.CategoricalDtype):
        known = np.append(index.get_indexer(pd.Index(column.cat.categories.astype(object))), -1)
        return np.asarray(known[column.cat.codes.to_numpy()], dtype=np.intp)
    return np.asarray(index.get_indexer(pd.Index(column.astype(object))), dtype=np.intp)

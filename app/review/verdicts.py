"""What the run's judges say of a review's items: one more rater each."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ...harness.review.records import Review
from ...harness.review.sheet import PREFERENCE, WON, Sheet
from ...harness.store.frames import RunData
from ...judges.align_pairs import verdicts_of
from ...judges.align_tables import bench_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

By = dict[str, dict[str, "Floats"]]
"""Criterion -> judge -> what it says of each item (n,), NaN for nothing."""


def verdicts(data: RunData, review: Review, sheet: Sheet, stale: Collection[str]) -> By:
    """By criterion and judge, juries among them: the first repeat, since a person rates once. Of a pairwise judge that
    is its winner in both orders, else a tie. Nothing of the ``stale`` items: judges were shown another text."""
    import numpy as np

    found: By = {criterion: {} for criterion in sheet.levels}
    same = np.array([item.id not in stale for item in sheet.items], dtype=bool)
    said = _compared(data, sheet) if review.mode == "pairs" else _graded(data, sheet)
    for criterion, judge, values in said:
        found[criterion][judge] = np.where(same, values, np.nan)
    return found


def _graded(data: RunData, sheet: Sheet) -> Iterator[tuple[str, str, Floats]]:
    """Judges that grade a criterion of the review on the same levels."""
    import numpy as np
    import pandas as pd

    places = [(item.sample_id, item.left, item.trial) for item in sheet.items]
    for entry in _judges(data, pairwise=False) if places else ():
        bench = bench_of(data, entry)
        at = bench.index.get_indexer(pd.MultiIndex.from_tuples(places, names=bench.index.names))
        for criterion, levels in sheet.levels.items():
            if criterion in bench.criteria and bench.levels == levels:
                grades = bench.first[criterion]
                values = np.array([grades[i] if i >= 0 else np.nan for i in at], dtype=float)
                yield criterion, bench.name, values


def _compared(data: RunData, sheet: Sheet) -> Iterator[tuple[str, str, Floats]]:
    import numpy as np

    for entry in _judges(data, pairwise=True):
        rows = data.preferences[data.preferences["rater"] == entry["name"]]
        winners, _, _ = verdicts_of(rows)
        values = np.full(len(sheet.items), np.nan)
        for row, item in enumerate(sheet.items):
            straight = winners.get((item.sample_id, item.left, item.right, item.trial))
            turned = winners.get((item.sample_id, item.right, item.left, item.trial))
            if straight is not None:
                values[row] = WON[straight]
            elif turned is not None:
                values[row] = 1 - WON[turned]
        yield PREFERENCE, entry["name"], values


def _judges(data: RunData, pairwise: bool) -> Iterator[Mapping[str, Any]]:
    for entry in data.info.config.get("judges", ()):
        if (entry.get("mode") == "pairwise") == pairwise:
            yield entry

"""Ratings as tables: an item a row, a rater a column. What raters and candidates are compared by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .records import Item, Rating, Review

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

PREFERENCE = "preference"
"""The one criterion of a review of pairs: 1 where ``left`` is better, 0 where ``right`` is, a tie half-way."""
WON: Mapping[str, float] = {"left": 1.0, "tie": 0.5, "right": 0.0}
_PREFERENCES = (0.0, 0.5, 1.0)


@dataclass(frozen=True)
class Sheet:
    """The n items that count and what R people said of them first: no attention items, no second pass.

    ``scores``: criterion -> (n, R), NaN where a rater said nothing; ``levels``: criterion -> all of its scores.
    ``clusters`` (n,) are those of the samples. ``population``: candidate, or two of them -> how many answers (or pairs)
    the items were drawn from, where that is known.
    """

    items: tuple[Item, ...]
    raters: tuple[str, ...]
    scores: Mapping[str, Floats]
    levels: Mapping[str, tuple[float, ...]]
    clusters: NDArray[Any]
    population: Mapping[frozenset[str], int]

    @property
    def rated(self) -> int:
        """Items that somebody rated."""
        import numpy as np

        return int(np.any([~np.isnan(table).all(axis=1) for table in self.scores.values()], axis=0).sum())

    def means(self, criterion: str) -> Floats:
        """(n,): the mean over people; NaN where nobody rated."""
        return mean_of_rows(self.scores[criterion])

    def composite(self, weights: Mapping[str, float]) -> Floats:
        """(n,): the criteria's means by ``weights``; NaN where one of them is missing."""
        import numpy as np

        parts = [weight * self.means(criterion) for criterion, weight in weights.items()]
        return np.asarray(np.sum(parts, axis=0) / sum(weights.values()))


def sheet_of(
    review: Review,
    items: Sequence[Item],
    ratings: Iterable[Rating],
    clusters: Mapping[str, str],
    population: Mapping[frozenset[str], int],
) -> Sheet:
    """Put the ratings of the first round into tables. ``clusters``: sample -> its cluster (default: its own)."""
    import numpy as np

    counted = tuple(item for item in items if not item.attention)
    said = [rating for rating in ratings if rating.round == 1]
    raters = tuple(dict.fromkeys([*review.raters, *sorted({rating.rater for rating in said})]))
    rows, columns = {item.id: i for i, item in enumerate(counted)}, {rater: i for i, rater in enumerate(raters)}
    levels = levels_of(review)
    scores = {criterion: np.full((len(counted), len(raters)), np.nan) for criterion in levels}
    for rating in said:
        if rating.item in rows:
            for criterion, score in values_of(rating).items():
                scores[criterion][rows[rating.item], columns[rating.rater]] = score
    groups = np.array([clusters.get(item.sample_id, item.sample_id) for item in counted], dtype=str)
    return Sheet(counted, raters, scores, levels, groups, population)


def levels_of(review: Review) -> dict[str, tuple[float, ...]]:
    """Criterion -> its scores, lowest first."""
    if review.mode == "pairs":
        return {PREFERENCE: _PREFERENCES}
    return {name: tuple(map(float, scores)) for name, scores in review.criteria.items()}


def values_of(rating: Rating) -> dict[str, float]:
    """Criterion -> score; of a preference what it is worth for ``left``."""
    if rating.winner is not None:
        return {PREFERENCE: WON[rating.winner]}
    return {name: float(score) for name, score in rating.scores.items()}


def mean_of_rows(table: Floats) -> Floats:
    """(n,): the mean of what is there in each row of (n, R); NaN where nothing is."""
    import numpy as np

    there = ~np.isnan(table)
    counts = there.sum(axis=1)
    sums = np.where(there, table, 0.0).sum(axis=1)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)

"""One level at a time: precision, recall and F1 from a confusion table, sensitivity and specificity of pass and fail.

Tables (q, q) have the judge in the rows and the truth in the columns, as `Agreement.confusion` has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, Any

from ..records import Estimate
from .rates import rate_interval

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

Table = Sequence[Sequence[float]]


@dataclass(frozen=True, slots=True)
class ClassScores:
    """How well the judge finds one level; ``None`` where it gave it never (precision) or it never was true (recall)."""

    precision: float | None
    recall: float | None
    f1: float


def class_scores(confusion: Table) -> tuple[ClassScores, ...]:
    """Precision, recall and F1 of each of the q levels; an F1 without a hit is 0."""
    found = []
    for k, row in enumerate(confusion):
        hits, given, true = row[k], sum(row), sum(other[k] for other in confusion)
        found.append(
            ClassScores(
                hits / given if given else None,
                hits / true if true else None,
                2 * hits / (given + true) if given + true else 0.0,
            )
        )
    return tuple(found)


def macro(confusion: Table) -> ClassScores:
    """Plain means over the levels that were given or true; a level that was never given has precision 0 here."""
    kept = [one for one in class_scores(confusion) if one.precision is not None or one.recall is not None]
    return ClassScores(
        fmean(one.precision or 0.0 for one in kept), fmean(one.recall or 0.0 for one in kept), fmean(o.f1 for o in kept)
    )


def sensitivity_specificity(
    judge: ArrayLike, humans: ArrayLike, clusters: Sequence[Any] | ArrayLike | None = None, level: float = 0.95
) -> tuple[Estimate, Estimate]:
    """The share of human passes that the ``judge`` (n,) passes, and of human fails that it fails; 1 is a pass.

    ``humans`` is (n, R), NaN for missing. Each label counts, and labels of one item share a cluster where none is
    given; Wilson's interval otherwise.
    """
    import numpy as np

    graded, labelled = np.asarray(judge, dtype=float), np.asarray(humans, dtype=float)
    labels = np.arange(len(graded)) if clusters is None else np.asarray(clusters)
    rows, columns = np.nonzero(~np.isnan(labelled) & ~np.isnan(graded)[:, None])
    truth, given = labelled[rows, columns], graded[rows]
    passes, fails = truth == 1, truth == 0
    return (
        rate_interval(given[passes] == 1, labels[rows[passes]], level),
        rate_interval(given[fails] == 0, labels[rows[fails]], level),
    )


@dataclass(frozen=True, slots=True)
class Detection:
    """How well what was ``flagged`` is what is true, of ``n`` items with ``hits`` in both; with 95 % intervals."""

    precision: Estimate
    recall: Estimate
    f1: Estimate
    n: int
    flagged: int
    true: int
    hits: int


def detection(given: ArrayLike, truth: ArrayLike, clusters: Sequence[Any] | ArrayLike | None = None) -> Detection:
    """Precision, recall and F1 of ``given`` (n,) flags against the ``truth`` (n,), both of 0 and 1.

    Precision and recall are rates, with Wilson's interval or its clustered form (`rate_interval`), without a value
    where nothing was flagged or nothing is true. F1 is 2 F*/(1 + F*), where F* is the share of hits among all that was
    flagged or is true (Hand, Christen, Kirielle 2021): its interval is that of this share, transformed.
    """
    import numpy as np

    flagged, true = np.asarray(given, dtype=bool), np.asarray(truth, dtype=bool)
    labels = np.arange(len(true)) if clusters is None else np.asarray(clusters)
    both, either = flagged & true, flagged | true
    share = rate_interval(both[either], labels[either])
    low, high = (None if limit is None else 2 * limit / (1 + limit) for limit in (share.low, share.high))
    value = None if share.value is None else 2 * share.value / (1 + share.value)
    return Detection(
        rate_interval(true[flagged], labels[flagged]),
        rate_interval(flagged[true], labels[true]),
        Estimate(value, low, high, share.n, f"{share.method} of F*" if value is not None else "nothing to find"),
        len(true),
        int(flagged.sum()),
        int(true.sum()),
        int(both.sum()),
    )

"""How alike raters are: all people together, everyone against the other people, and every two. A judge is one more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

from ..statistics.agreement import Agreement, human_agreement, judge_agreement, reliability
from ..statistics.raters import size_notes
from .results import CriterionAgreement, RaterPair, RaterRow
from .sheet import Sheet

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SHOWN = ("exact", "kappa", "kappa_quadratic", "ac2", "alpha", "bias")
"""Of `statistics.agreement`, what is kept of every rater and every two."""


def criterion_agreement(sheet: Sheet, criterion: str, judges: Mapping[str, Floats]) -> CriterionAgreement:
    """Agreement on one criterion, unweighted, on the items drawn. ``judges``: name -> grades (n,), NaN for none.

    A grade between the levels (a jury's mean) is left out: it is none of those that people choose from.
    """
    import numpy as np

    levels, people = sheet.levels[criterion], sheet.scores[criterion]
    graded = {name: np.where(np.isin(grades, levels), grades, np.nan) for name, grades in judges.items()}
    together = human_agreement(people, levels, sheet.clusters)
    found = dict(reliability(people, levels, sheet.clusters))
    if together is not None:
        found |= {name: together.estimates[name] for name in ("exact", "kappa", "kappa_quadratic")}
    return CriterionAgreement(
        criterion=criterion,
        levels=levels,
        n=together.n if together else 0,
        people=found,
        chance_exact=together.chance_exact if together else None,
        raters=tuple(_rows(sheet, criterion, graded)),
        pairs=tuple(_pairs(sheet, criterion, graded)),
        notes=size_notes(together.n) if together else (),
    )


def _rows(sheet: Sheet, criterion: str, judges: Mapping[str, Floats]) -> list[RaterRow]:
    """Everyone against the other people."""
    import numpy as np

    people, levels = sheet.scores[criterion], sheet.levels[criterion]
    found = []
    for column, rater in enumerate(sheet.raters):
        others = np.delete(people, column, axis=1)
        found.append(_row(rater, False, _against(people[:, column], others, levels, sheet)))
    return found + [_row(name, True, _against(own, people, levels, sheet)) for name, own in judges.items()]


def _pairs(sheet: Sheet, criterion: str, judges: Mapping[str, Floats]) -> list[RaterPair]:
    """Every two that share an item; two judges are not compared here."""
    people, levels = sheet.scores[criterion], sheet.levels[criterion]
    columns = [*((rater, people[:, i]) for i, rater in enumerate(sheet.raters)), *judges.items()]
    found = []
    for (first, one), (second, other) in combinations(columns, 2):
        if first in judges and second in judges:
            continue
        met = _against(one, other[:, None], levels, sheet)
        if met.n:
            found.append(RaterPair(first, second, met.n, {name: met.estimates[name] for name in SHOWN}))
    return found


def _against(own: Floats, others: Floats, levels: Sequence[float], sheet: Sheet) -> Agreement:
    return judge_agreement(own, others, levels, sheet.clusters)


def _row(rater: str, judge: bool, found: Agreement) -> RaterRow:
    return RaterRow(rater, judge, found.n, {name: found.estimates[name] for name in SHOWN})

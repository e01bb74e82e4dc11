"""P9, distribution: how a judge used its scale in the run. A table to be read, without a verdict."""

from __future__ import annotations

from math import log2
from typing import TYPE_CHECKING

from ...harness.probing import Spread
from ..rubric import Rubric

if TYPE_CHECKING:
    import pandas as pd


def spreads(judge: str, grades: pd.DataFrame, rubric: Rubric) -> tuple[Spread, ...]:
    """One a criterion, in the order of the rubric; ``grades`` with GRADE_COLUMNS."""
    own = grades[(grades["judge"] == judge) & (grades["status"] == "scored")]
    found = []
    for criterion in rubric.criteria:
        given = own.loc[own["criterion"] == criterion.name, "score"]
        if not len(given):
            continue
        counts = {float(level): int((given == level).sum()) for level in criterion.scores}
        shares = {level: count / len(given) for level, count in counts.items()}
        entropy = -sum(share * log2(share) for share in shares.values() if share)
        found.append(Spread(judge, criterion.name, len(given), shares, entropy + 0.0))
    return tuple(found)

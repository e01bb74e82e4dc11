"""Shares of quality: of the large model's score, and of the gap between a base model and the large one."""

from __future__ import annotations

from ...harness.records import Estimate
from ...harness.statistics.gap import NO_GAP, gap_closed
from ...harness.statistics.ratios import ratio_of_means
from ..cells import Scores
from ..regression.records import Difference

CORRECTED = "corrected: no interval"
"""Corrected means share no samples, so that nothing is known of how they vary together."""

BELOW = "no share: values lie below 0, and no lowest level is known"


def share_reached(difference: Difference, scores: Scores, names: tuple[str, str]) -> Estimate:
    """Of the large model's scores above the lowest level, ``names`` = (small, large), paired by sample.

    Where no lowest level is known it is of what lies above 0, which is no share where anything lies below.
    """
    import numpy as np

    lowest = 0.0 if difference.scale is None else difference.scale[0]
    if difference.corrected:
        new, old, gain = difference.new.value, difference.old.value, difference.estimate.value
        if new is None or old is None or gain is None or old <= lowest:
            return Estimate(None, None, None, 0, "no share: the large model's mean is at the lowest level")
        return Estimate(1 + gain / (old - lowest), None, None, difference.estimate.n, CORRECTED)
    about = difference.subject
    small, large = (scores.grid.per_sample((name, about.source, about.measure)) - lowest for name in names)
    if difference.scale is None and min(np.nanmin(small, initial=0.0), np.nanmin(large, initial=0.0)) < 0:
        return Estimate(None, None, None, 0, BELOW)
    return ratio_of_means(small, large, scores.grid.clusters)


def share_of_gap(gained: Difference, gap: Difference, scores: Scores, names: tuple[str, str, str]) -> Estimate:
    """Of the gap ``names`` = (base, small, large): ``gained`` is small less base, ``gap`` large less base."""
    whole = gap.estimate
    if gained.corrected != gap.corrected:
        return Estimate(None, None, None, whole.n, "no share: people's labels correct one of the two differences alone")
    if gained.corrected:
        if gained.estimate.value is None or not whole.value or whole.low is None or whole.low <= 0:
            return Estimate(None, None, None, whole.n, NO_GAP)
        return Estimate(gained.estimate.value / whole.value, None, None, whole.n, CORRECTED)
    about = gained.subject
    base, small, large = (scores.grid.per_sample((name, about.source, about.measure)) for name in names)
    return gap_closed(small, base, large, scores.grid.clusters)

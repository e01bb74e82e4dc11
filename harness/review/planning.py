"""How many answers people must rate for an interval of a wanted width, before anybody has rated one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import InputError
from ..statistics.correction import ASSUMED_RHO, labels_needed
from .judged import judge_scores

if TYPE_CHECKING:
    from ..store.frames import RunData


@dataclass(frozen=True, slots=True)
class Needed:
    """Random ``labels`` on a candidate's answers (``None``: all ``n_judged`` are too few) at correlation ``rho``.

    ``sd`` is the standard deviation of the judge's scores, assumed to be that of people's.
    """

    candidate: str
    n_judged: int
    sd: float
    rho: float
    labels: int | None


def plan(data: RunData, judge: str, width: float) -> list[Needed]:
    """For every candidate and assumed correlation the labels for a 95 % interval of full ``width`` by PPI++.

    In points of the judge's scale. Raises InputError for a width that is no number above 0, or a judge without scores.
    """
    import numpy as np

    if not 0 < width < math.inf:
        raise InputError(f"--width {width:g}: wanted the full width of an interval, a number above 0")
    by_sample: dict[str, dict[str, list[float]]] = {}
    for (sample, candidate, _), score in judge_scores(data, judge).items():
        by_sample.setdefault(candidate, {}).setdefault(sample, []).append(score)
    found = []
    for candidate, scores in by_sample.items():
        values = np.array([np.mean(own) for own in scores.values()])
        sd = float(values.std(ddof=1)) if len(values) > 1 else 0.0
        for rho in ASSUMED_RHO:
            needed = labels_needed(width, human_sd=sd, rho=rho, n_judged=len(values))
            found.append(Needed(candidate, len(values), sd, rho, needed))
    return found


def ratings_each(n: int, raters: int, overlap: float) -> int:
    """How many of ``n`` items falls to one rater at the most, where a share ``overlap`` goes to all."""
    common = round(overlap * n)
    return common + math.ceil((n - common) / raters)

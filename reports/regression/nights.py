"""Seconds vary from night to night as a whole, by the load of a server, which no number of samples averages out.

A run's mean latency is therefore also held against the spread of the baseline's runs, and the wider interval counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ...harness.statistics.intervals import t_quantile
from ...harness.store.frames import RunData
from .records import Compared, Difference

if TYPE_CHECKING:
    import pandas as pd

NOTE = "seconds: where it is wider, the interval is that of the spread between the runs of the baseline"


def by_nights(compared: Compared, new: RunData, old: Sequence[RunData]) -> Compared:
    """The comparison with such intervals for what is measured in seconds; unchanged for a baseline of one run."""
    if len(old) < 2:
        return compared
    names = dict(compared.pairs)
    common = set.intersection(*(set(run.samples["sample_id"]) for run in (new, *old)))
    found = tuple(
        held_against(one, [_mean(run.answers, names, one, common) for run in old]) if one.subject.unit == "s" else one
        for one in compared.differences
    )
    notes = compared.notes if found == compared.differences else (*compared.notes, NOTE)
    return replace(compared, differences=found, notes=notes)


def held_against(difference: Difference, means: Sequence[float]) -> Difference:
    """The difference of a run from the mean of m runs, by t with df m-1 on their spread s: s · √(1 + 1/m).

    Unchanged where the paired interval is wider, or not all ``means`` (m,) of the baseline's runs are known.
    """
    import numpy as np
    from scipy import special

    value, low = difference.estimate.value, difference.estimate.low
    m, spread = len(means), float(np.std(means, ddof=1))
    if value is None or low is None or not spread > 0:
        return difference
    se = spread * (1 + 1 / m) ** 0.5
    reach = t_quantile(0.95, m - 1) * se
    if reach <= value - low:
        return difference
    method = f"t, spread between {m} runs, df {m - 1}"
    estimate = replace(difference.estimate, low=value - reach, high=value + reach, method=method)
    p = 2 * float(special.stdtr(m - 1, -abs(value) / se))
    test = "t between runs"
    unknown = replace(difference, sd=None, effective_n=None, bound=None)
    return replace(unknown, estimate=estimate, p=p, adjusted=p, test=test, clusters=m)


def _mean(answers: pd.DataFrame, names: dict[str, str], difference: Difference, samples: set[str]) -> float:
    """A baseline run's mean over samples, of the replies that were timed; NaN for none."""
    name = names.get(difference.subject.candidate, difference.subject.candidate)
    own = answers[(answers["candidate"] == name) & answers["sample_id"].isin(samples)]
    return float(own.groupby("sample_id", sort=False)[difference.subject.measure].mean().mean())

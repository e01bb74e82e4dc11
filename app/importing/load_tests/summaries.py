"""Summaries as other tools make them, to see whether their requests were read as they meant them.

Percentiles lie between two values here (linear interpolation, numpy's and pandas' default), and failures are left out;
our own reports do neither.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isclose

EQUAL = 1e-6
"""Relative: the same computation in another order, of numbers that were written in full."""


@dataclass(frozen=True, slots=True)
class Checked:
    """How many numbers of a tool's own summary come out of its requests, and those that do not: name, theirs, ours."""

    of: int
    off: tuple[tuple[str, float, float], ...]


def summary(values: Sequence[float], percents: Sequence[float], ddof: int) -> dict[str, float]:
    """``mean``, ``median``, ``std`` (with ``ddof``), ``min``, ``max`` and ``p25`` … of ``values``; empty for none."""
    import numpy as np

    if not values:
        return {}
    array = np.asarray(values, dtype=float)
    found = {"mean": array.mean(), "median": np.median(array), "min": array.min(), "max": array.max()}
    if len(array) > ddof:
        found["std"] = array.std(ddof=ddof)
    found |= {f"p{percent:g}": np.percentile(array, percent) for percent in percents}
    return {name: float(value) for name, value in found.items()}


def checked(own: Mapping[str, float], ours: Mapping[str, float]) -> Checked:
    """Hold a tool's own summary against the same from its requests; numbers of one side alone are passed over."""
    both = [(name, own[name], ours[name]) for name in own if name in ours]
    off = [one for one in both if not isclose(one[1], one[2], rel_tol=EQUAL, abs_tol=1e-12)]
    return Checked(len(both), tuple(off))

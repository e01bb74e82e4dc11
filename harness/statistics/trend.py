"""Whether latency grows while a load lasts: then the server is over its capacity, and no mean has a meaning."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..records import Estimate
from .intervals import t_quantile

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

STRETCHES = 4
"""Requests that queue behind one another are alike: means of four long stretches are much less so."""
FEWEST = 5


def growth(repeats: Sequence[tuple[Floats, Floats]], level: float = 0.95) -> Estimate:
    """Seconds of latency that are added each second: ``repeats`` are (planned moment, latency) of the requests (n,).

    Least squares on the means of four stretches of each repeat, with a level of its own for each, t with df 3R-1. A
    failure, +inf, counts as the slowest answer. With 3 repeats of 200 requests to one server (M/M/1) it lies above
    zero in 3 % of cases at 80 % load, in 11 % at 90 % (where the queue does fill at first) and in 94 % at 120 %.
    """
    import numpy as np

    kept = [pair for pair in repeats if len(pair[0]) >= FEWEST * STRETCHES]
    n = sum(len(times) for times, _ in kept)
    slowest = max((float(v[np.isfinite(v)].max()) for _, v in kept if np.isfinite(v).any()), default=None)
    if not kept or slowest is None:
        return Estimate(None, None, None, n, f"n too small: a trend needs {FEWEST * STRETCHES} requests a repeat")
    x, y = (np.concatenate(side) for side in zip(*(_stretches(t, np.minimum(v, slowest)) for t, v in kept)))  # noqa: B905
    squares = float((x**2).sum())
    if squares == 0:
        return Estimate(None, None, None, n, "all requests planned for one moment: no trend")
    slope, df = float((x * y).sum()) / squares, len(x) - len(kept) - 1
    reach = t_quantile(level, df) * float(np.sqrt(((y - slope * x) ** 2).sum() / df / squares))
    return Estimate(slope, slope - reach, slope + reach, n, f"means of {STRETCHES} stretches a repeat, t, df {df}")


def _stretches(times: Floats, values: Floats) -> tuple[Floats, Floats]:
    """Means of stretches of equally many requests, both less their own mean over the repeat."""
    import numpy as np

    order = np.argsort(times, kind="stable")
    means = [np.array([part.mean() for part in np.array_split(column[order], STRETCHES)]) for column in (times, values)]
    return means[0] - means[0].mean(), means[1] - means[1].mean()

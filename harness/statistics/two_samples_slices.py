"""Why a mean changed between two windows: another mix of slices, or another level within them.

With shares w and means m of slices, early and late, the change is the sum of (w_late - w_early) (m_early + m_late) / 2,
which is the mix, and of (m_late - m_early) (w_early + w_late) / 2, which is within (Kitagawa 1955). Nothing is left
over, and neither window is preferred.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..records import Estimate
from .intervals import t_quantile
from .two_samples import Windows, error_of, too_few

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Codes = NDArray[np.intp]

NOTHING = 1e-12
"""Errors below it are rounding."""
_BLOCK = 2_000_000
"""Numbers in a block of left-out sums: 16 MB."""


@dataclass(frozen=True, slots=True)
class Composition:
    """The change of a mean and its two parts. A slice that only one window has counts as mix."""

    total: Estimate
    mix: Estimate
    within: Estimate


def composition(
    early: tuple[Floats, Codes], late: tuple[Floats, Codes], windows: Windows, level: float = 0.95
) -> Composition:
    """From values (n,) and slices (n,), numbered from 0, of both windows; the intervals leave out one cluster.

    No interval for fewer than two clusters in a window, and where leaving one out moves nothing.
    """
    import numpy as np

    count = int(max(early[1].max(), late[1].max())) + 1
    sums = _sums(early, windows.early, windows.count, count) + _sums(late, windows.late, windows.count, count)
    totals = [one.sum(axis=0) for one in sums]
    whole = _parts(*(one[None] for one in totals))
    left = np.empty((windows.count, 2))
    step = max(1, _BLOCK // count)
    for start in range(0, windows.count, step):
        own = slice(start, start + step)
        left[own] = _parts(*(total - one[own] for total, one in zip(totals, sums, strict=True)))
    shifts = (left - whole) * np.sqrt((windows.count - 1) / windows.count)
    n = len(early[0]) + len(late[0])
    mix, within = (_estimate(float(whole[0, i]), shifts[:, i], windows, n, level) for i in range(2))
    return Composition(_estimate(float(whole.sum()), shifts.sum(axis=1), windows, n, level), mix, within)


def _sums(side: tuple[Floats, Codes], clusters: Codes, count: int, slices: int) -> tuple[Floats, Floats]:
    """Number and sum of values by cluster and slice (G, S)."""
    import numpy as np

    values, own = side
    places = clusters * slices + own
    size = count * slices
    number, total = np.bincount(places, minlength=size), np.bincount(places, weights=values, minlength=size)
    return number.reshape(count, slices).astype(float), total.reshape(count, slices).astype(float)


def _parts(n_early: Floats, early: Floats, n_late: Floats, late: Floats) -> Floats:
    """Mix and within (B, 2) of numbers and sums (B, S)."""
    import numpy as np

    w_early, w_late = (n / np.maximum(n.sum(axis=1, keepdims=True), 1.0) for n in (n_early, n_late))
    m_early, m_late = (s / np.maximum(n, 1.0) for s, n in ((early, n_early), (late, n_late)))
    m_early, m_late = np.where(n_early > 0, m_early, m_late), np.where(n_late > 0, m_late, m_early)
    mix = ((w_late - w_early) * (m_early + m_late) / 2).sum(axis=1)
    within = ((m_late - m_early) * (w_early + w_late) / 2).sum(axis=1)
    return np.stack([mix, within], axis=1)


def _estimate(value: float, shifts: Floats, windows: Windows, n: int, level: float) -> Estimate:
    if too_few(windows):
        return Estimate(value, None, None, n, "too few clusters: no interval")
    se, df = error_of(shifts, windows)
    if se <= NOTHING:
        return Estimate(value, None, None, n, "no spread: no interval")
    reach = t_quantile(level, df) * se
    return Estimate(
        value, value - reach, value + reach, n, f"leave one of {windows.count} clusters out, t, df {df:.0f}"
    )

"""A control chart of nightly means: the two-sided cumulative sum, and how long it runs before a false alarm.

Page 1954; nights are standardised against all nights before them, so that the noise of the first one is not taken for a
drift of the later ones (the self-starting chart of Hawkins 1987, with the sd known from the anchors).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SLACK = 0.5
"""k: half of the shift, in standard errors of a night, that is found soonest."""
BOUND = 4.77
"""h: with it a judge that does not drift runs about 370 nights before a false alarm, see `run_length`."""
FALSE_ALARM_NIGHTS = 370


@dataclass(frozen=True, slots=True)
class Chart:
    """The sums after each night, upwards and downwards, in standard errors of a night; the first night has none."""

    up: tuple[float, ...]
    down: tuple[float, ...]

    @property
    def alarm(self) -> int | None:
        """The first night (from 0) on which a sum is over the bound."""
        over = [max(pair) > BOUND for pair in zip(self.up, self.down, strict=True)]
        return over.index(True) if True in over else None


def chart(nights: NDArray[np.float64]) -> Chart:
    """``nights`` (t, n): scores of the same n anchors on t nights, without gaps.

    The sd of one score comes from what is left after nights and anchors (two-way layout, df (t-1)(n-1)).
    """
    import numpy as np

    count, n = nights.shape
    means = nights.mean(axis=1)
    rest = nights - means[:, None] - nights.mean(axis=0)[None, :] + nights.mean()
    freedom = max(1, (count - 1) * (n - 1))
    error = max(float(np.sqrt((rest**2).sum() / freedom / n)), 1e-9)
    up, down, ups, downs = 0.0, 0.0, [0.0], [0.0]
    for t in range(1, count):
        ahead = (means[t] - means[:t].mean()) * np.sqrt(t / (t + 1)) / error
        up, down = max(0.0, up + float(ahead) - SLACK), max(0.0, down - float(ahead) - SLACK)
        ups.append(up)
        downs.append(down)
    return Chart(tuple(ups), tuple(downs))


def run_length(bound: float, slack: float = SLACK, shift: float = 0.0, states: int = 200) -> float:
    """Mean number of nights until the two-sided chart alarms, means being shifted by ``shift`` standard errors.

    One side is a Markov chain over ``states`` cells of the sum (Brook, Evans 1972); for the two together
    1/L = 1/L+ + 1/L- (Kemp 1961).
    """
    sides = [_one_sided(bound, slack, direction * shift, states) for direction in (1, -1)]
    return 1 / sum(1 / side for side in sides)


def _one_sided(bound: float, slack: float, shift: float, states: int) -> float:
    import numpy as np
    from scipy import special

    width = 2 * bound / (2 * states - 1)
    cells = np.arange(states)
    upper = (cells[None, :] - cells[:, None] + 0.5) * width + slack - shift
    inside = special.ndtr(upper)
    steps = np.diff(inside, axis=1, prepend=0.0)
    return float(np.linalg.solve(np.eye(states) - steps, np.ones(states))[0])

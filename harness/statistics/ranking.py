"""Win rates of two models, and Bradley-Terry strengths of many from the questions that they won against each other.

Wins are a matrix (k, k): ``wins[i, j]`` counts how often ``i`` beat ``j``, a tie half for either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

from ..records import Estimate
from .clusters import clusters_of
from .intervals import mean_interval, t_quantile
from .paired import TIE, sign_flip_p
from .rates import rate_interval, wilson

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

EVEN = 0.5
ELO_CENTRE = 1000.0
_UNIT = (0.0, 1.0)
_LONGEST_STEP = 2.0
"""Newton's step is cut to this: a far overshoot on a nearly undefeated model would never come back."""


@dataclass(frozen=True, slots=True)
class WinRate:
    """How often the first of two models is preferred: ``estimate`` counts a tie as half a win.

    ``decided`` is the rate without ties, ``p`` the sign-flip p value of the rate being one half. ``wins``, ``ties`` and
    ``losses`` count questions.
    """

    estimate: Estimate
    wins: int
    ties: int
    losses: int
    decided: Estimate
    p: float

    @property
    def turned(self) -> WinRate:
        """The same from the other's side."""
        return WinRate(_turned(self.estimate), self.losses, self.ties, self.wins, _turned(self.decided), self.p)


def win_rate(values: ArrayLike, clusters: Sequence[Any] | ArrayLike | None = None, level: float = 0.95) -> WinRate:
    """Compare by ``values`` (n,), one per question: 1 won, 0.5 tied, 0 lost, or a mean of these over trials."""
    import numpy as np

    array = np.asarray(values, dtype=float)
    labels = np.arange(len(array)) if clusters is None else np.asarray(clusters)
    wins, losses = array > EVEN + TIE, array < EVEN - TIE
    decided = wins | losses
    return WinRate(
        win_interval(array, labels, level),
        int(wins.sum()),
        int((~decided).sum()),
        int(losses.sum()),
        rate_interval(wins[decided].astype(float), labels[decided], level),
        sign_flip_p(array - EVEN, labels),
    )


def win_interval(values: ArrayLike, clusters: Sequence[Any] | ArrayLike | None = None, level: float = 0.95) -> Estimate:
    """Mean of ``values`` (n,) between 0 and 1 with its interval.

    Wilson's for as many questions as have the same standard error, n' = w(1-w)/se² (CR3 where clustered), with the t
    quantile: ties make n' larger, clusters smaller. A t interval undercovers near 0 and 1 (88 % at n = 50, w = 0.93).
    All values equal: the bound of `intervals.constant_bounds`.
    """
    import numpy as np

    array = np.asarray(values, dtype=float)
    plain = mean_interval(array, clusters, level)
    if plain.value is None or plain.low is None or plain.high is None:
        return mean_interval(array, clusters, level, _UNIT)
    groups = clusters_of(clusters, len(array))
    quantile = t_quantile(level, groups.count - 1)
    se = (plain.high - plain.low) / 2 / quantile
    size = plain.value * (1 - plain.value) / se**2
    low, high = wilson(plain.value * size, size, level, quantile)
    method, notes = f"Wilson, n' {size:.0f}, {plain.method}", groups.warnings() if groups.shared else ()
    return replace(plain, low=low, high=high, method=method, notes=notes)


@dataclass(frozen=True, slots=True)
class Fit:
    """Strengths (k,) on the scale of logits with mean 0, and their covariance (k, k), from the Fisher information."""

    strengths: Floats
    covariance: Floats

    @property
    def standard_errors(self) -> Floats:
        """Of each strength, (k,); of a difference use `covariance`."""
        import numpy as np

        found: Floats = np.sqrt(np.diagonal(self.covariance))
        return found


def bradley_terry(wins: ArrayLike, l2: float = 0.0) -> Fit:
    """The strengths that make ``wins`` most likely, P(i beats j) = 1/(1 + exp(s_j - s_i)) (Bradley, Terry 1952).

    Without ``l2`` they exist only where nobody, and no group, is undefeated (Ford 1957): else a ValueError names the
    groups by index. ``l2`` > 0 is the weight of a normal prior: the result is the posterior mode, which always exists.
    The covariance takes games as independent: for several games a question see `rating.ratings`.
    """
    import numpy as np

    matrix = _square(wins)
    if l2 == 0 and len(groups := strong_groups(matrix)) > 1:
        raise ValueError(f"no finite strengths: of the groups {groups} some never lost to or tied with the others")
    strengths = fit_all(matrix[None], l2)[0]
    information = _information(matrix[None], strengths[None])[0] + l2 * np.eye(len(matrix))
    return Fit(strengths, np.linalg.pinv(information))


def elo(strengths: ArrayLike) -> Floats:
    """Strengths on the scale of Elo ratings: 400/ln(10) s + 1000, a mean of 1000."""
    import numpy as np

    found: Floats = 400 / np.log(10) * np.asarray(strengths, dtype=float) + ELO_CENTRE
    return found


def fit_all(wins: Floats, l2: float | Floats = 0.0) -> Floats:
    """Strengths (m, k) of many matrices (m, k, k) at once, by Newton's method; ``l2`` is one number or one each."""
    import numpy as np

    m, k, _ = wins.shape
    prior = np.broadcast_to(np.asarray(l2, dtype=float), (m,))[:, None]
    strengths = np.zeros((m, k))
    games = wins + wins.transpose(0, 2, 1)
    centring = np.ones((k, k)) / k
    for _ in range(100):
        gradient = (wins - games * _chances(strengths)).sum(axis=2) - prior * strengths
        curvature = _information(wins, strengths) + prior[..., None] * np.eye(k) + centring
        step = np.linalg.solve(curvature, gradient[..., None])[..., 0]
        longest = np.abs(step).max(axis=1, keepdims=True)
        strengths = strengths + step * np.minimum(1.0, _LONGEST_STEP / np.maximum(longest, 1e-300))
        strengths -= strengths.mean(axis=1, keepdims=True)
        if longest.max() < 1e-10:
            break
    return strengths


def strong_groups(wins: ArrayLike) -> list[list[int]]:
    """Models in groups within which each has, over others if need be, beaten or tied with each; strongest first.

    One group is what finite strengths need.
    """
    reach = _reach((_square(wins) > 0)[None])[0]
    groups: list[list[int]] = []
    for i in sorted(range(len(reach)), key=lambda i: -int(reach[i].sum())):
        if not any(i in group for group in groups):
            groups.append([j for j in range(len(reach)) if reach[i, j] and reach[j, i]])
    return groups


def are_connected(wins: Floats) -> NDArray[np.bool_]:
    """Of each matrix (m, k, k) whether it has finite strengths, (m,)."""
    import numpy as np

    found: NDArray[np.bool_] = np.asarray(_reach(wins > 0).all(axis=(1, 2)))
    return found


def misfit(wins: ArrayLike, strengths: ArrayLike) -> float:
    """The largest distance between the observed and the fitted win rate of a pair that played."""
    import numpy as np

    matrix = _square(wins)
    games = matrix + matrix.T
    played = games > 0
    observed = matrix[played] / games[played]
    fitted = _chances(np.asarray(strengths, dtype=float)[None])[0][played]
    return float(np.abs(observed - fitted).max(initial=0.0))


def cycles(wins: ArrayLike) -> int:
    """How many triples beat each other in a circle, which no ranking can show."""
    matrix = _square(wins)
    beats = matrix > matrix.T + TIE
    return sum(
        bool(beats[i, j] and beats[j, k] and beats[k, i]) or bool(beats[j, i] and beats[k, j] and beats[i, k])
        for i, j, k in combinations(range(len(matrix)), 3)
    )


def _turned(e: Estimate) -> Estimate:
    value, low, high = (None if v is None else 1 - v for v in (e.value, e.high, e.low))
    return replace(e, value=value, low=low, high=high)


def _square(wins: ArrayLike) -> Floats:
    import numpy as np

    matrix = np.array(wins, dtype=float)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"wins must be a square matrix, not of shape {matrix.shape}")
    if not (matrix >= 0).all():
        raise ValueError("wins must be zero or more")
    np.fill_diagonal(matrix, 0.0)
    return matrix


def _chances(strengths: Floats) -> Floats:
    """P(i beats j), (m, k, k)."""
    from scipy import special

    found: Floats = special.expit(strengths[:, :, None] - strengths[:, None, :])
    return found


def _information(wins: Floats, strengths: Floats) -> Floats:
    """Fisher information of the strengths, (m, k, k): singular along a shift of all."""
    import numpy as np

    chances = _chances(strengths)
    weights = (wins + wins.transpose(0, 2, 1)) * chances * (1 - chances)
    diagonal: Floats = weights.sum(axis=2)[..., None] * np.eye(wins.shape[1])
    return diagonal - weights


def _reach(beaten: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Who reaches whom over any number of steps, (m, k, k)."""
    import numpy as np

    k = beaten.shape[1]
    reach = (beaten | np.eye(k, dtype=bool)).astype(np.float32)
    for _ in range(max(1, k.bit_length())):
        reach = np.minimum(reach @ reach, 1.0)
    return reach > 0

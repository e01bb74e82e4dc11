"""The arithmetic of PPI++ within strata: means, variances, the best λ, and the jackknife over clusters.

Arrays over strata are (H,); without strata H is 1. ``y`` and ``f`` are the human and the judge's scores of the
labelled answers, ``u`` the judge's of the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .clusters import Clusters, clusters_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Codes = NDArray[np.intp]

SAME = 1e-9
"""Differences of less are rounding."""
POOLED_BELOW = 20
"""A stratum with fewer labels takes the λ pooled over strata: its own would fit its labels too well."""


@dataclass(frozen=True, slots=True)
class Strata:
    """Membership of n answers: ``codes`` (n,) in 0..H-1, and the ``shares`` (H,) of the strata among all answers."""

    codes: Codes
    shares: Floats


@dataclass(frozen=True, slots=True)
class Parts:
    """Scores split into labelled and unlabelled, with the stratum and the cluster of each."""

    y: Floats
    f: Floats
    u: Floats
    labelled_stratum: Codes
    unlabelled_stratum: Codes
    shares: Floats
    clusters: Clusters
    labelled: NDArray[np.bool_]

    @property
    def n(self) -> Codes:
        """Labels per stratum (H,)."""
        import numpy as np

        return np.bincount(self.labelled_stratum, minlength=len(self.shares))

    @property
    def unlabelled(self) -> Codes:
        """Unlabelled answers per stratum (H,)."""
        import numpy as np

        return np.bincount(self.unlabelled_stratum, minlength=len(self.shares))

    @property
    def labelled_clusters(self) -> Clusters:
        """The clusters of the labelled answers."""
        return clusters_of(self.clusters.codes[self.labelled], len(self.y))

    @property
    def usable(self) -> NDArray[np.bool_]:
        """Strata (H,) whose unlabelled answers tell of more than one cluster; in others the judge gets no weight."""
        import numpy as np

        codes = self.clusters.codes[~self.labelled]
        first = np.full(len(self.shares), -1)
        first[self.unlabelled_stratum] = codes
        other = codes != first[self.unlabelled_stratum]
        return np.bincount(self.unlabelled_stratum, weights=other, minlength=len(self.shares)) > 0


def parts_of(
    judge: ArrayLike, human: ArrayLike, strata: Strata | None, clusters: Sequence[Any] | ArrayLike | None
) -> Parts:
    """Split ``judge`` (n,) and ``human`` (n,), NaN where not labelled."""
    import numpy as np

    scores, labels = np.asarray(judge, dtype=float), np.asarray(human, dtype=float)
    if strata is None:
        strata = Strata(np.zeros(len(scores), dtype=np.intp), np.ones(1))
    there = ~np.isnan(labels)
    codes, shares = strata.codes, strata.shares
    groups = clusters_of(clusters, len(scores))
    return Parts(labels[there], scores[there], scores[~there], codes[there], codes[~there], shares, groups, there)


def means(parts: Parts, lam: Floats) -> Floats:
    """θ (H,) = mean(y) + λ (mean(u) - mean(f)) of each stratum."""
    y, f = _mean(parts.y, parts.labelled_stratum, parts.n), _mean(parts.f, parts.labelled_stratum, parts.n)
    return y + lam * (_mean(parts.u, parts.unlabelled_stratum, parts.unlabelled) - f)


def variances(parts: Parts, lam: Floats) -> Floats:
    """Variance of θ (H,) for independent answers: λ² var(u)/N + var(y - λ f)/n."""
    import numpy as np

    rest = covariance(parts.u, parts.u, parts.unlabelled_stratum, parts.unlabelled) / np.maximum(parts.unlabelled, 1)
    residual = parts.y - lam[parts.labelled_stratum] * parts.f
    return lam**2 * rest + covariance(residual, residual, parts.labelled_stratum, parts.n) / np.maximum(parts.n, 1)


def unseen(parts: Parts, lam: Floats) -> Floats:
    """Variance of θ (H,) that one more error of the judge would add, shared among strata by their labels.

    Rare errors are easily missed by n labels, and then the residuals claim too much: with 50 labels of a judge that
    passes one fail in ten the interval would cover 86 %. Half an error upwards and half downwards, as large as those
    seen (else a step), are the pseudo-counts of Agresti and Min (2005) where scores are pass and fail.
    """
    import numpy as np

    off = parts.y - parts.f
    off = np.abs(off - np.median(off))
    sizes = off[off > SAME]
    if not len(sizes):
        gaps = np.concatenate([np.diff(np.unique(parts.y)), np.diff(np.unique(parts.f))])
        sizes = np.sort(gaps[gaps > SAME])[:1]
    square = float((sizes**2).mean()) if len(sizes) else 0.0
    n = parts.n
    return np.where(lam > 0, lam**2 * square / np.maximum(n - 1, 1) / n.sum(), 0.0)


def between_variance(parts: Parts, lam: Floats) -> float:
    """What the draw of the answers themselves adds where strata differ: Σ share (θ - mean θ)² / all answers."""
    theta = means(parts, lam)
    return float(parts.shares @ (theta - parts.shares @ theta) ** 2 / (len(parts.y) + len(parts.u)))


def tuned(parts: Parts) -> Floats:
    """The λ (H,) of least variance, cov(y, f) / ((1 + n/N) var(all f)), within [0, 1].

    A stratum with fewer than 20 labels takes the λ pooled over strata.
    """
    import numpy as np

    n, rest = parts.n, parts.unlabelled
    cov = covariance(parts.y, parts.f, parts.labelled_stratum, n)
    every = np.concatenate([parts.labelled_stratum, parts.unlabelled_stratum])
    scores = np.concatenate([parts.f, parts.u])
    spread = covariance(scores, scores, every, n + rest)
    lam = _ratio(cov, spread, n, rest)
    if len(n) > 1:
        within = (spread * (n + rest - 1)).sum() / (n + rest - 1).sum()
        df = np.maximum(n - 1, 0)
        pooled = _ratio((cov * df).sum() / df.sum(), within, n.sum(), rest.sum())
        lam = np.where(n < POOLED_BELOW, pooled, lam)
    return np.asarray(lam * parts.usable)


def jackknife_variance(parts: Parts, lam: Floats) -> float:
    """CR3 of Σ share θ: leave out one cluster at a time, labelled and unlabelled answers together, λ kept."""
    import numpy as np

    codes, count = parts.clusters.codes, parts.clusters.count
    residual = parts.y - lam[parts.labelled_stratum] * parts.f
    one = left_out(residual, parts.labelled_stratum, codes[parts.labelled], (count, len(lam)))
    other = left_out(parts.u, parts.unlabelled_stratum, codes[~parts.labelled], (count, len(lam)))
    shifts = (one + np.where(lam > 0, lam * other, 0.0)) @ parts.shares + _shares_left_out(parts) @ means(parts, lam)
    return float((count - 1) / count * (shifts**2).sum())


def _shares_left_out(parts: Parts) -> Floats:
    """How far the share of each stratum among the answers moves when a cluster is left out: (G, H)."""
    import numpy as np

    shape = (parts.clusters.count, len(parts.shares))
    strata = np.empty(len(parts.labelled), dtype=np.intp)
    strata[parts.labelled], strata[~parts.labelled] = parts.labelled_stratum, parts.unlabelled_stratum
    sizes = np.bincount(parts.clusters.codes * shape[1] + strata, minlength=shape[0] * shape[1]).reshape(shape)
    total, rest = sizes.sum(axis=0), len(strata) - parts.clusters.sizes
    return np.asarray((total - sizes) / rest[:, None] - total / len(strata))


def left_out(x: Floats, strata: Codes, clusters: Codes, shape: tuple[int, int]) -> Floats:
    """How far the mean of each stratum moves when a cluster is left out: (G, H)."""
    import numpy as np

    n = np.bincount(strata, minlength=shape[1])
    cell = clusters * shape[1] + strata
    size = np.bincount(cell, minlength=shape[0] * shape[1]).reshape(shape)
    centred = x - _mean(x, strata, n)[strata]
    sums = np.bincount(cell, weights=centred, minlength=shape[0] * shape[1]).reshape(shape)
    return np.asarray(-sums / np.maximum(n - size, 1))


def _ratio(cov: Any, spread: Any, n: Any, rest: Any) -> Any:
    """λ from its parts; 0 where the judge does not vary or nothing is unlabelled."""
    import numpy as np

    known = (spread > 0) & (rest > 0)
    below = np.where(known, (1 + n / np.maximum(rest, 1)) * spread, 1.0)
    return np.where(known, np.clip(cov / below, 0.0, 1.0), 0.0)


def _mean(x: Floats, strata: Codes, n: Codes) -> Floats:
    import numpy as np

    return np.asarray(np.bincount(strata, weights=x, minlength=len(n)) / np.maximum(n, 1))


def covariance(x: Floats, y: Floats, strata: Codes, n: Codes) -> Floats:
    """Covariance within each stratum (H,), ddof 1."""
    import numpy as np

    product = (x - _mean(x, strata, n)[strata]) * (y - _mean(y, strata, n)[strata])
    return np.asarray(np.bincount(strata, weights=product, minlength=len(n)) / np.maximum(n - 1, 1))

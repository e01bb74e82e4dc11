"""Standard errors of a mean when samples share a cluster (a document, a conversation).

``n`` samples in ``G`` clusters; the residual sums of clusters take the place of residuals of samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

FEW_CLUSTERS = 20
LARGE_SHARE = 0.2


@dataclass(frozen=True)
class Clusters:
    """Membership of ``n`` samples: ``codes`` (n,) in 0..G-1 and the ``sizes`` (G,) of the clusters."""

    codes: NDArray[np.intp]
    sizes: NDArray[np.intp]

    @property
    def count(self) -> int:
        """Number of clusters, G."""
        return len(self.sizes)

    @property
    def shared(self) -> bool:
        """Whether any cluster holds more than one sample; otherwise the samples are independent."""
        return bool((self.sizes > 1).any())

    def warnings(self) -> tuple[str, ...]:
        """Why an interval over these clusters deserves less trust than its level says."""
        found = []
        if self.count < FEW_CLUSTERS:
            found.append(f"only {self.count} clusters (fewer than {FEW_CLUSTERS})")
        share = float(self.sizes.max()) / float(self.sizes.sum())
        if share > LARGE_SHARE:
            found.append(f"one cluster holds {share:.0%} of the samples")
        return tuple(found)


def clusters_of(labels: Sequence[Any] | ArrayLike | None, n: int) -> Clusters:
    """Group ``n`` samples by their labels; without labels every sample is a cluster of its own."""
    import numpy as np

    if labels is None:
        return Clusters(np.arange(n), np.ones(n, dtype=np.intp))
    array = np.asarray(labels)
    if array.shape != (n,):
        raise ValueError(f"{n} values but cluster labels of shape {array.shape}")
    _, codes, sizes = np.unique(array, return_inverse=True, return_counts=True)
    return Clusters(codes, sizes)


def se_independent(values: ArrayLike) -> float:
    """Standard error of the mean of independent samples, s/sqrt(n) with ddof 1 (Miller 2024, section 2)."""
    import numpy as np

    array = np.asarray(values, dtype=float)
    return float(array.std(ddof=1) / np.sqrt(len(array)))


def se_cluster(values: ArrayLike, clusters: ArrayLike | Sequence[Any], correction: bool = False) -> float:
    """Cluster-robust standard error of the mean (Miller 2024, eq. 4, as the sandwich estimator CR0).

    ``correction`` multiplies by sqrt(G/(G-1)): CR1.
    """
    import numpy as np

    array = np.asarray(values, dtype=float)
    groups = clusters_of(clusters, len(array))
    sums = np.bincount(groups.codes, weights=array - array.mean())
    factor = np.sqrt(groups.count / (groups.count - 1)) if correction else 1.0
    return float(np.sqrt((sums**2).sum()) / len(array) * factor)


def jackknife_covariance(a: ArrayLike, b: ArrayLike, groups: Clusters) -> float:
    """Of the means of ``a`` and ``b``, both (n,), as `se_jackknife` has the variance of one."""
    import numpy as np

    arrays = [np.asarray(values, dtype=float) for values in (a, b)]
    rest = [array - array.mean() for array in arrays]
    shifts = [np.bincount(groups.codes, weights=one) / (len(groups.codes) - groups.sizes) for one in rest]
    return float((groups.count - 1) / groups.count * (shifts[0] * shifts[1]).sum())


def se_jackknife(values: ArrayLike, clusters: ArrayLike | Sequence[Any] | Clusters) -> float:
    """CR3: the standard error of the mean by leaving one cluster out at a time (MacKinnon, Nielsen, Webb 2023, eq. 7).

    sqrt((G-1)/G * sum_g (mean without g - mean)^2); with clusters of one sample each this is s/sqrt(n).
    """
    import numpy as np

    array = np.asarray(values, dtype=float)
    groups = clusters if isinstance(clusters, Clusters) else clusters_of(clusters, len(array))
    # The mean without g differs from the mean by -(residual sum of g) / (n - n_g).
    sums = np.bincount(groups.codes, weights=array - array.mean())
    shifts = sums / (len(array) - groups.sizes)
    return float(np.sqrt((groups.count - 1) / groups.count * (shifts**2).sum()))

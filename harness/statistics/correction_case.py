"""The judged answers behind one cell, and the plain intervals of the judge alone and of the labels alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from ..records import Design, Estimate
from .clusters import clusters_of
from .intervals import Scale, mean_interval
from .pairs_of_rates import paired_rates
from .ppi import ppi_mean
from .ppi_limits import Rectified
from .ppi_parts import Strata
from .rates import rate_interval
from .two_phase import two_phase_mean

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

Kind = Literal["mean", "rate", "difference"]


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the labelled answers came to be labelled.

    ``strata`` (n,) names the stratum of every answer, '' where nobody knows (labelled answers must have one);
    ``shares`` are the strata's shares of all answers (default, where all are known: as counted). ``stable_judge``: the
    user answers for a judge that errs equally often everywhere.
    """

    design: Design
    strata: Sequence[str] | ArrayLike | None = None
    shares: Mapping[str, float] = field(default_factory=dict)
    stable_judge: bool = False


@dataclass(frozen=True, slots=True)
class Options:
    """What is known of the scores: the end of their ``scale``, whether they are pass or fail, the ``level`` wanted."""

    kind: Kind
    clusters: Sequence[Any] | ArrayLike | None
    scale: Scale | None
    level: float


@dataclass(frozen=True, slots=True)
class Case:
    """The answers that the judge has a score for: ``judge`` and ``human`` (n,), the latter NaN where not labelled.

    ``sides`` are the labels (2, n) that a difference was made of; ``left_out`` counts the labelled answers that the
    judge has no score for.
    """

    judge: Floats
    human: Floats
    sides: Floats
    strata: NDArray[Any] | None
    clusters: NDArray[Any] | None
    left_out: int
    kind: Kind
    scale: Scale | None
    level: float

    @property
    def labelled(self) -> NDArray[np.bool_]:
        """Which answers have a label (n,)."""
        import numpy as np

        return ~np.isnan(self.human)

    @property
    def n_labels(self) -> int:
        """Number of labelled answers."""
        return int(self.labelled.sum())

    @property
    def shared(self) -> bool:
        """Whether answers share a cluster."""
        return clusters_of(self.clusters, len(self.judge)).shared

    @property
    def labelled_clusters(self) -> NDArray[Any]:
        """The cluster of each labelled answer."""
        import numpy as np

        return np.flatnonzero(self.labelled) if self.clusters is None else self.clusters[self.labelled]


def case_of(judge: Floats, human: Floats, sides: Floats, sampling: Sampling, options: Options) -> Case:
    """Keep the answers that the judge has a score for."""
    import numpy as np

    there = ~np.isnan(judge)
    strata = None if sampling.strata is None else np.asarray(sampling.strata).astype(str)[there]
    clusters = None if options.clusters is None else np.asarray(options.clusters)[there]
    left_out = int((~there & ~np.isnan(human)).sum())
    kept = (judge[there], human[there], sides[:, there], strata, clusters, left_out)
    return Case(*kept, options.kind, options.scale, options.level)


def binary(values: Floats) -> bool:
    """Whether all ``values`` are 0 or 1."""
    import numpy as np

    return bool(np.isin(values, (0.0, 1.0)).all())


def judge_alone(case: Case) -> Estimate:
    """Mean of the judge's scores, biased as the judge is."""
    return _plain(case, case.judge, case.clusters)


def labels_alone(case: Case, strata: Strata | None) -> Estimate | None:
    """Mean of the labels, weighted by the strata where there are some; ``None`` without labels."""
    labels = case.human[case.labelled]
    if not len(labels):
        return None
    if strata is not None:
        return rectified(case, strata, 0.0).estimate
    clusters = case.labelled_clusters
    if case.kind == "difference" and binary(case.sides[:, case.labelled]):
        first, second = case.sides[:, case.labelled]
        return paired_rates(first, second, clusters, case.level).estimate
    return _plain(case, labels, clusters)


def rectified(case: Case, strata: Strata | None, lam: float | None = None) -> Rectified:
    """PPI++ of the case; two-phase where the strata are known of labelled answers alone."""
    if strata is not None and (strata.codes < 0).any():
        return two_phase_mean(
            case.judge, case.human, strata, clusters=case.clusters, lam=lam, level=case.level, scale=case.scale
        )
    return ppi_mean(
        case.judge, case.human, strata=strata, clusters=case.clusters, lam=lam, level=case.level, scale=case.scale
    )


def _plain(case: Case, values: Floats, clusters: NDArray[Any] | None) -> Estimate:
    if case.kind == "rate" and binary(values):
        return rate_interval(values, clusters, case.level)
    return mean_interval(values, clusters, case.level, case.scale)

"""The alternative annotator test: may a judge stand in for people? (Calderon, Reichart, Dror, ACL 2025, section 3)

For each annotator j, on the items that j and others labelled: who is closer to the others, the judge or j? The judge
wins against j where it is no worse more often than j is, but for an advantage of epsilon that a person's cost deserves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ..errors import InputError
from .clusters import clusters_of, se_jackknife

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

Scoring = Literal["accuracy", "neg_rmse"]
Test = Literal["t", "Wilcoxon", "t, CR3"]
ITEMS = 30
"""Items that an annotator needs."""
NEAR = 1e-12


@dataclass(frozen=True, slots=True)
class AgainstAnnotator:
    """The judge against one ``annotator`` (a column) on ``n`` items; ``won`` at the corrected level.

    ``advantage`` is the share of items where the judge is as close to the others or closer, ``behind`` the mean of how
    much more often the annotator is. ``p`` is that of behind >= epsilon, ``p_adjusted`` after Benjamini–Yekutieli.
    """

    annotator: int
    n: int
    advantage: float
    behind: float
    test: Test
    p: float
    p_adjusted: float
    won: bool


@dataclass(frozen=True, slots=True)
class AlternativeTest:
    """The judge passes with a ``winning_rate`` of one half; ``advantage`` (mean over annotators) compares judges.

    ``skipped`` annotators have too few items; ``dropped`` counts items without a grade or a second annotator.
    """

    winning_rate: float
    advantage: float
    epsilon: float
    scoring: Scoring
    against: tuple[AgainstAnnotator, ...]
    n: int
    skipped: tuple[int, ...]
    dropped: int
    notes: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether the judge may stand in for the annotators."""
        return self.winning_rate >= 0.5


def alternative_annotator_test(
    judge: ArrayLike,
    humans: ArrayLike,
    epsilon: float,
    scoring: Scoring,
    q: float = 0.05,
    minimum: int = ITEMS,
    clusters: Sequence[Any] | ArrayLike | None = None,
) -> AlternativeTest:
    """Test ``judge`` (n,) against each of ``humans`` (n, R), NaN for missing, at the false discovery rate ``q``.

    ``epsilon`` is set before looking: 0.2 for experts, 0.15 for skilled annotators, 0.1 for a crowd. ``neg_rmse`` suits
    ordered scores, ``accuracy`` names. Below 30 items (a smaller ``minimum``) the test is Wilcoxon's; where items share
    ``clusters`` (n,) it is t with the error by clusters (CR3) and df G-1. Raises `InputError` where no annotator has
    ``minimum`` items.
    """
    return _tested({"": _Trial.of(judge, humans, scoring, clusters)}, epsilon, scoring, q, minimum)[""]


def alternative_annotator_tests(
    domains: Mapping[str, tuple[ArrayLike, ArrayLike]],
    epsilon: float,
    scoring: Scoring,
    q: float = 0.05,
    minimum: int = ITEMS,
) -> dict[str, AlternativeTest]:
    """`alternative_annotator_test` of several domains; one correction over all (domain, annotator) tests."""
    trials = {name: _Trial.of(judge, humans, scoring, None) for name, (judge, humans) in domains.items()}
    return _tested(trials, epsilon, scoring, q, minimum)


def _tested(
    trials: Mapping[str, _Trial], epsilon: float, scoring: Scoring, q: float, minimum: int
) -> dict[str, AlternativeTest]:
    tested = {name: trial.annotators(minimum) for name, trial in trials.items()}
    for name, annotators in tested.items():
        if not annotators:
            raise InputError(_nobody(name, trials[name], minimum))
    tests = {
        (name, j): _p_value(trials[name].behind(j), trials[name].clusters_of(j), epsilon)
        for name, annotators in tested.items()
        for j in annotators
    }
    adjusted = dict(zip(tests, benjamini_yekutieli([p for _, p in tests.values()]), strict=True))
    found = {}
    for name, trial in trials.items():
        against = tuple(
            AgainstAnnotator(
                j,
                len(trial.behind(j)),
                trial.advantage(j),
                float(trial.behind(j).mean()),
                tests[name, j][0],
                tests[name, j][1],
                adjusted[name, j],
                adjusted[name, j] <= q,
            )
            for j in tested[name]
        )
        found[name] = trial.result(against, epsilon, scoring)
    return found


def benjamini_yekutieli(p_values: Sequence[float]) -> list[float]:
    """Adjusted p values that hold the false discovery rate under any dependence (Benjamini, Yekutieli 2001)."""
    harmonic = sum(1 / i for i in range(1, len(p_values) + 1))
    return [min(1.0, harmonic * p) for p in benjamini_hochberg(p_values)]


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Adjusted p values that hold the false discovery rate of independent tests (Benjamini, Hochberg 1995)."""
    m = len(p_values)
    adjusted, lowest = [0.0] * m, 1.0
    for rank, index in sorted(enumerate(sorted(range(m), key=lambda i: p_values[i]), 1), reverse=True):
        lowest = min(lowest, p_values[index] * m / rank)
        adjusted[index] = lowest
    return adjusted


@dataclass(frozen=True, slots=True)
class _Trial:
    """Where the judge and where each annotator is at least as close to the other annotators: (n, R), NaN if unknown."""

    judge_wins: Floats
    human_wins: Floats
    clusters: NDArray[Any] | None
    dropped: int

    @classmethod
    def of(
        cls, judge: ArrayLike, humans: ArrayLike, scoring: Scoring, clusters: Sequence[Any] | ArrayLike | None
    ) -> _Trial:
        import numpy as np

        graded, labelled = np.asarray(judge, dtype=float), np.asarray(humans, dtype=float)
        there = ~np.isnan(graded) & ((~np.isnan(labelled)).sum(axis=1) >= 2)
        graded, labelled = graded[there], labelled[there]
        judged, human = np.full(labelled.shape, np.nan), np.full(labelled.shape, np.nan)
        for j in range(labelled.shape[1]):
            rows = ~np.isnan(labelled[:, j])
            others = np.delete(labelled[rows], j, axis=1)
            # Errors order judge and annotator as -sqrt of their squares does, without the root's rounding.
            of_judge = _error(graded[rows], others, scoring)
            of_human = _error(labelled[rows, j], others, scoring)
            judged[rows, j] = of_judge <= of_human + NEAR
            human[rows, j] = of_human <= of_judge + NEAR
        labels = None if clusters is None else np.asarray(clusters)[there]
        return cls(judged, human, labels, int((~there).sum()))

    def annotators(self, minimum: int) -> list[int]:
        import numpy as np

        return [j for j, n in enumerate((~np.isnan(self.judge_wins)).sum(axis=0)) if n >= max(2, minimum)]

    def behind(self, j: int) -> Floats:
        """For each item of ``j``: 1 where the annotator is closer, -1 where the judge is, 0 where neither."""
        import numpy as np

        gaps = self.human_wins[:, j] - self.judge_wins[:, j]
        return np.asarray(gaps[~np.isnan(gaps)])

    def clusters_of(self, j: int) -> NDArray[Any] | None:
        """The clusters of the items of ``j``."""
        import numpy as np

        return None if self.clusters is None else self.clusters[~np.isnan(self.judge_wins[:, j])]

    def advantage(self, j: int) -> float:
        import numpy as np

        return float(np.nanmean(self.judge_wins[:, j]))

    def result(self, against: tuple[AgainstAnnotator, ...], epsilon: float, scoring: Scoring) -> AlternativeTest:
        tested = {one.annotator for one in against}
        notes = []
        if len(against) < 3:
            notes.append(f"only {len(against)} annotator{'s' if len(against) > 1 else ''}: three or more are advised")
        if min(one.n for one in against) < 50:
            notes.append("an annotator has fewer than 50 items: 50 to 100 are usual")
        return AlternativeTest(
            sum(one.won for one in against) / len(against),
            sum(one.advantage for one in against) / len(against),
            epsilon,
            scoring,
            against,
            len(self.judge_wins),
            tuple(j for j in range(self.judge_wins.shape[1]) if j not in tested),
            self.dropped,
            tuple(notes),
        )


def _error(ratings: Floats, others: Floats, scoring: Scoring) -> Floats:
    """Mean error of ``ratings`` (m,) against the others' (m, R-1): a share of misses, or a mean square."""
    import numpy as np

    gaps = ratings[:, None] - others
    misses = np.where(np.isnan(gaps), gaps, gaps != 0)
    return np.asarray(np.nanmean(gaps**2 if scoring == "neg_rmse" else misses, axis=1))


def _p_value(behind: Floats, clusters: NDArray[Any] | None, epsilon: float) -> tuple[Test, float]:
    """One-sided p of a mean of ``behind`` that is at least ``epsilon``; 1 where all items share one cluster."""
    import numpy as np
    from scipy import special

    n, mean, sd = len(behind), float(behind.mean()), float(behind.std(ddof=1))
    groups = clusters_of(clusters, n)
    test: Test = "t, CR3" if groups.shared else "t" if n >= ITEMS else "Wilcoxon"
    if groups.count < 2:
        return test, 1.0
    if sd == 0.0:
        return test, 0.0 if mean < epsilon else 1.0
    if test == "Wilcoxon":
        from scipy import stats  # half a second, which the other test does not need

        return test, float(stats.wilcoxon(behind - epsilon, alternative="less").pvalue)
    # Cluster sums can cancel exactly: no error at all would be an artefact of balance.
    by_cluster = se_jackknife(behind, groups)
    se = by_cluster if by_cluster > NEAR else sd / float(np.sqrt(n))
    return test, float(special.stdtr(groups.count - 1, (mean - epsilon) / se))


def _nobody(domain: str, trial: _Trial, minimum: int) -> str:
    import numpy as np

    most = int((~np.isnan(trial.judge_wins)).sum(axis=0).max(initial=0))
    where = f" in {domain!r}" if domain else ""
    return (
        f"the alternative annotator test needs an annotator{where} with {minimum} items that the judge graded and "
        f"another annotator labelled, too; the most that one has is {most} (label 50 to 100 items twice or more)"
    )

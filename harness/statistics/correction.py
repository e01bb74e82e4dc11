"""Which number to believe: the judge's mean corrected by labels, the labels alone, or the judge alone and said so.

The judge's word alone is never called corrected. Labels drawn at random correct by PPI++ once there are enough of
them; labels picked on purpose correct only a pass rate, and only where the user answers for a judge that errs equally
often everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from ..records import Estimate
from .correction_case import Case, Options, Sampling, binary, case_of, judge_alone, labels_alone, rectified
from .correction_strata import strata_of
from .equal_bias import EqualBias, equal_bias_test
from .intervals import Scale, t_quantile
from .ppi_parts import Strata
from .rogan_gladen import LEAST_INFORMED, Calibration, calibration_of, rogan_gladen

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = [
    "ASSUMED_RHO",
    "Corrected",
    "EqualBias",
    "Method",
    "Sampling",
    "correct_difference",
    "correct_mean",
    "equal_bias_test",
    "labels_needed",
    "seen_or_assumed",
]

Method = Literal["ppi++", "human-only", "rogan-gladen", "judge-only"]
LEAST_LABELS = 10
"""Fewer labels than this make no headline."""
ENOUGH_LABELS = 50
"""From here on the interval of PPI++ covers as it says."""
ASSUMED_RHO = (0.5, 0.7, 0.9)
"""Correlations of a judge with people before anybody knows: a poor judge, a middling and a good one."""
OF_EACH_KIND = 10
"""Labelled passes and labelled fails that a corrected rate needs."""


@dataclass(frozen=True, slots=True)
class Corrected:
    """The headline ``estimate``, how it was made and why so; the judge alone and the labels alone beside it.

    ``method`` ``judge-only`` means that nothing was corrected. ``lam`` is the weight of the judge in PPI++;
    ``width_ratio`` the width of its interval over that of the labels alone.
    """

    estimate: Estimate
    method: Method
    reason: str
    judge_only: Estimate
    human_only: Estimate | None
    n_labels: int
    n_judged: int
    lam: float | None = None
    width_ratio: float | None = None


def correct_mean(
    judge: ArrayLike,
    human: ArrayLike,
    sampling: Sampling,
    *,
    clusters: Sequence[Any] | ArrayLike | None = None,
    scale: Scale | None = None,
    rate: bool = False,
    level: float = 0.95,
) -> Corrected:
    """Mean human score of one candidate's answers from ``judge`` (n,) and ``human`` (n,), NaN where there is none.

    Human scores of several annotators come averaged. A ``rate`` has scores of 0 and 1. Answers without a judge's score
    are left out. The rule that chose the method is in ``reason``.
    """
    import numpy as np

    scores, labels = np.asarray(judge, dtype=float), np.asarray(human, dtype=float)
    options = Options("rate" if rate else "mean", clusters, (0.0, 1.0) if rate else scale, level)
    return _corrected(case_of(scores, labels, labels[None], sampling, options), sampling)


def correct_difference(
    judge_a: ArrayLike,
    human_a: ArrayLike,
    judge_b: ArrayLike,
    human_b: ArrayLike,
    sampling: Sampling,
    *,
    clusters: Sequence[Any] | ArrayLike | None = None,
    scale: Scale | None = None,
) -> Corrected:
    """Mean human score of ``a`` less that of ``b``, all (n,) aligned by question; ``scale`` is that of the scores.

    A question corrects only where both answers are labelled; a bias that the judge has for both cancels out. The
    interval is at 95 %.
    """
    import numpy as np

    first, second, a, b = (np.asarray(x, dtype=float) for x in (judge_a, judge_b, human_a, human_b))
    span = None if scale is None else (scale[0] - scale[1], scale[1] - scale[0])
    options = Options("difference", clusters, span, 0.95)
    return _corrected(case_of(first - second, a - b, np.array([a, b]), sampling, options), sampling)


def labels_needed(width: float, *, human_sd: float, rho: float, n_judged: int, level: float = 0.95) -> int | None:
    """Random labels among ``n_judged`` answers for an interval of full ``width``; ``None`` if all are too few.

    ``human_sd``: standard deviation of human scores; ``rho``: their correlation with the judge's. Below 50 labels the
    judge does not count, and fewer than 10 make no headline. Cutting to the scale and the rules for rare fails are not
    foreseen.
    """
    low, high = LEAST_LABELS, n_judged
    if high < low or _width(high, human_sd, rho, n_judged, level) > width:
        return None
    while low < high:
        middle = (low + high) // 2
        wide = _width(middle, human_sd, rho, n_judged, level) > width
        low, high = (middle + 1, high) if wide else (low, middle)
    return low


def seen_or_assumed(judge: ArrayLike, human: ArrayLike) -> tuple[float, tuple[float, ...], bool]:
    """For `labels_needed`: the sd of human scores, their correlations with the judge's, and whether that was seen.

    ``judge`` and ``human`` are (n,), NaN where there is none. With fewer than 10 pairs the judge's sd is taken for
    people's, and `ASSUMED_RHO`.
    """
    import numpy as np

    f, y = np.asarray(judge, dtype=float), np.asarray(human, dtype=float)
    both = ~np.isnan(f + y)
    if both.sum() < LEAST_LABELS:
        there = f[~np.isnan(f)]
        return float(there.std(ddof=1)) if len(there) > 1 else 0.0, ASSUMED_RHO, False
    y, f = y[both], f[both]
    constant = min(np.ptp(y), np.ptp(f)) == 0
    return float(y.std(ddof=1)), (0.0 if constant else float(np.corrcoef(y, f)[0, 1]),), True


def _width(n: int, human_sd: float, rho: float, n_judged: int, level: float) -> float:
    shared = 0.0 if n < ENOUGH_LABELS else max(0.0, rho) ** 2 * (1 - n / n_judged)
    return 2.0 * t_quantile(level, n - 1) * human_sd * float(((1 - shared) / n) ** 0.5)


def _corrected(case: Case, sampling: Sampling) -> Corrected:
    alone = judge_alone(case)
    start = Corrected(alone, "judge-only", "", alone, None, case.n_labels, len(case.judge))
    if not case.n_labels:
        lacking = "labels for this candidate" if len(case.judge) else "score by the judge"
        return replace(start, reason=f"uncorrected: no {lacking}")
    if sampling.design in ("chosen", "unknown") and case.n_labels < max(LEAST_LABELS, len(case.judge)):
        return _through_errors(start, case, sampling)
    strata, gap = strata_of(case, sampling)
    if gap:
        return replace(start, reason=f"uncorrected: {gap}")
    start = replace(start, human_only=labels_alone(case, strata))
    return replace(found := _by_labels(start, case, strata), reason=found.reason + _left_out(case))


def _by_labels(start: Corrected, case: Case, strata: Strata | None) -> Corrected:
    """Random labels: by their number uncorrected, the labels alone, or PPI++."""
    n = case.n_labels
    if n < LEAST_LABELS:
        return replace(start, reason=f"uncorrected: only {n} label{'s' if n > 1 else ''}")
    assert start.human_only is not None
    few = _too_few(case)
    if few:
        return replace(start, estimate=start.human_only, method="human-only", reason=f"labels alone: {few}")
    found = rectified(case, strata)
    how = "at random" if strata is None else f"at random within {len(strata.shares)} strata"
    reason = f"{n} of {len(case.judge)} answers labelled {how}"
    return replace(
        start, estimate=found.estimate, method="ppi++", reason=reason, lam=found.lam, width_ratio=found.width_ratio
    )


def _too_few(case: Case) -> str:
    """Why PPI++ would not cover as it says; '' where it does."""
    n, labels = case.n_labels, case.human[case.labelled]
    if n == len(case.judge):
        return f"no judged answer beside the {n} labelled ones"
    if n < ENOUGH_LABELS:
        return f"{n} labels, fewer than {ENOUGH_LABELS}"
    if case.kind == "rate" and min(labels.sum(), (1 - labels).sum()) < OF_EACH_KIND:
        return f"{labels.sum():g} labelled passes and {(1 - labels).sum():g} fails, fewer than {OF_EACH_KIND} of one"
    changed = int((labels != 0).sum())
    if case.kind == "difference" and binary(case.sides[:, case.labelled]) and changed < OF_EACH_KIND:
        return f"{changed} labelled questions with a difference, fewer than {OF_EACH_KIND}"
    return ""


def _through_errors(start: Corrected, case: Case, sampling: Sampling) -> Corrected:
    """Labels not drawn at random: Rogan–Gladen where the user answers for the judge, else nothing."""
    unsaid = sampling.design == "unknown"
    how = (
        "nobody said how the labelled answers were drawn" if unsaid else "the labelled answers were not drawn at random"
    )
    chosen = f"{how} (design: {sampling.design})"
    if not sampling.stable_judge or case.kind != "rate":
        return replace(start, reason=f"uncorrected: {chosen}")
    labels = case.human[case.labelled]
    unfit = _unfit(case)
    if unfit:
        return replace(start, reason=f"uncorrected: {chosen}, and {unfit}")
    found = rogan_gladen(float(case.judge.mean()), len(case.judge), calibration_of(case.judge, case.human), case.level)
    reason = f"{chosen}; assumes that the judge errs equally often everywhere, as on {len(labels)} labels"
    return replace(start, estimate=found, method="rogan-gladen", reason=reason + _left_out(case))


def _unfit(case: Case) -> str:
    """Why Rogan–Gladen has no honest interval; '' where it has."""
    labels = case.human[case.labelled]
    if not binary(case.judge) or not binary(labels):
        return "grades or labels between 0 and 1 have no error rates"
    if case.shared:
        return "answers share clusters, for which Rogan–Gladen has no interval"
    passes, fails = int(labels.sum()), int((1 - labels).sum())
    if len(labels) < ENOUGH_LABELS or min(passes, fails) < OF_EACH_KIND:
        return f"{passes} labelled passes and {fails} fails are too few for error rates"
    return _uninformed(calibration_of(case.judge, case.human))


def _uninformed(calibration: Calibration) -> str:
    total = calibration.specificity + calibration.sensitivity
    known = f"the judge's specificity and sensitivity sum to {total:.2f}, less than {LEAST_INFORMED}"
    return "" if calibration.informed else known


def _left_out(case: Case) -> str:
    many = "" if case.left_out == 1 else "s"
    return f"; {case.left_out} labelled answer{many} without a judge's score left out" if case.left_out else ""

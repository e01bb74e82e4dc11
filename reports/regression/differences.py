"""Paired differences, new less old: interval, test, and Holm's correction over the declared family."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ...harness.errors import InputError
from ...harness.records import Estimate
from ...harness.statistics.clusters import clusters_of, jackknife_covariance, se_independent, se_jackknife
from ...harness.statistics.intervals import mean_interval
from ...harness.statistics.not_inferior import lower_bound
from ...harness.statistics.paired import PairedDifference, holm, pair_differences
from ...harness.statistics.pairs_of_rates import PairedRates, paired_rates
from ...harness.statistics.rates import rate_interval
from .. import words
from ..exam import NEITHER_BETTER, JudgeView, leading_judge, measure_family
from .records import Difference, Subject
from .sides import FAILURES, OF_A_REPLY, SECONDS, Sides

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

OPERATIONS = (FAILURES, *SECONDS, *OF_A_REPLY)


@dataclass(frozen=True, slots=True)
class Family:
    """The subjects that Holm's correction goes over, and how to say so."""

    subjects: frozenset[Subject]
    words: str


def family_of(sides: Sequence[Sides], judges: Sequence[JudgeView], asked: Sequence[str] = ()) -> Family:
    """The declared family: what ``asked`` names (`measure` or `judge/measure`) for every candidate compared; else the
    headline of each judge and the measures without one.

    Raises InputError for a name that nothing has.
    """
    subjects = [one.subject for one in sides]
    if asked:
        for name in asked:
            if not any(name in _names(subject) for subject in subjects):
                known = ", ".join(dict.fromkeys(_names(subject)[-1] for subject in subjects))
                raise InputError(f"--family {name!r} is no measure of both sides; there are {known}")
        chosen = frozenset(s for s in subjects if not {*asked}.isdisjoint(_names(s)))
        return Family(chosen, _family_words(chosen, f"{words.listed(asked)}, as asked for"))
    chosen = frozenset(headlines(subjects, judges) + [s for s in subjects if _plain(s)])
    return Family(chosen, _family_words(chosen, "the headline of each judge and the measures without one"))


def headlines(subjects: Sequence[Subject], judges: Sequence[JudgeView]) -> list[Subject]:
    """The measure that candidates are ranked by, of each judge."""
    names = {(judge.name, judge.headline) for judge in judges}
    return [subject for subject in subjects if (subject.source, subject.measure) in names]


def headline_sides(sides: Sequence[Sides], judges: Sequence[JudgeView]) -> list[Sides]:
    """What slices and samples are told by: the headlines of the judges, the leading one's first; where there is no
    judge, the measures without one."""
    leading = leading_judge(judges)
    chosen = {*headlines([one.subject for one in sides], judges)}
    found = [one for one in sides if (one.subject in chosen if judges else _plain(one.subject))]
    return sorted(found, key=lambda one: leading is not None and one.subject.source != leading.name)


def differences(sides: Sequence[Sides], clusters: NDArray[Any], family: Family) -> tuple[Difference, ...]:
    """A `Difference` for each subject that some sample has on both sides, in the order given.

    Scores by t (CR3 where samples share a cluster) and a sign flip; shares of passes of independent samples by
    Tango's interval and McNemar's mid-p.
    """
    import numpy as np

    known = [one for one in sides if (~np.isnan(one.new - one.old)).any()]
    tested = dict(_tested(known, clusters))
    found = [_difference(one, clusters, tested[one.subject]) for one in known]
    inside = [one.subject in family.subjects for one in found]
    adjusted = iter(holm([one.p for one, own in zip(found, inside, strict=True) if own]))
    return tuple(
        replace(one, adjusted=next(adjusted)) if own else replace(one, exploratory=True)
        for one, own in zip(found, inside, strict=True)
    )


def readjusted(found: Sequence[Difference]) -> tuple[Difference, ...]:
    """The same with Holm's correction anew, after some p have changed."""
    adjusted = iter(holm([one.p for one in found if not one.exploratory]))
    return tuple(one if one.exploratory else replace(one, adjusted=next(adjusted)) for one in found)


def _tested(sides: Sequence[Sides], clusters: NDArray[Any]) -> Iterator[tuple[Subject, PairedDifference | PairedRates]]:
    """Subjects of one scale are tested together: one set of sign flips serves all of them."""
    import numpy as np

    shared = clusters_of(clusters, len(clusters)).shared
    by_scale: dict[Any, list[Sides]] = {}
    for one in sides:
        if one.rate and not shared and _is_binary(one):
            yield one.subject, paired_rates(one.new, one.old)
        else:
            by_scale.setdefault(one.scale, []).append(one)
    for scale, group in by_scale.items():
        matrix = np.array([one.new for one in group] + [one.old for one in group])
        pairs = [(i, i + len(group)) for i in range(len(group))]
        found = pair_differences(matrix, pairs, clusters, scale=scale)
        yield from ((one.subject, found[pair]) for one, pair in zip(group, pairs, strict=True))


def _difference(one: Sides, clusters: NDArray[Any], tested: PairedDifference | PairedRates) -> Difference:
    import numpy as np

    d = one.new - one.old
    there = ~np.isnan(d)
    kept, own = d[there], clusters[there]
    wins, ties, losses = _counts(kept, one.subject)
    sd, size = _spread(kept, own)
    varies, together = _shared(kept, one.old[there], own)
    return Difference(
        subject=one.subject,
        estimate=tested.estimate,
        new=_mean(one, one.new[there], own),
        old=_mean(one, one.old[there], own),
        wins=wins,
        ties=ties,
        losses=losses,
        test=tested.test,
        p=tested.p,
        adjusted=tested.p,
        sd=sd,
        effective_n=size,
        clusters=clusters_of(own, len(own)).count,
        missing_new=int((np.isnan(one.new) & ~np.isnan(one.old)).sum()),
        missing_old=int((np.isnan(one.old) & ~np.isnan(one.new)).sum()),
        scale=one.scale,
        binary=isinstance(tested, PairedRates),
        bound=None if isinstance(tested, PairedRates) else _bound(one, kept, own),
        old_variance=varies,
        old_covariance=together,
    )


def _bound(one: Sides, d: Floats, clusters: NDArray[Any]) -> float | None:
    span = None if one.scale is None else (one.scale[0] - one.scale[1], one.scale[1] - one.scale[0])
    return lower_bound(d if one.subject.better == "higher" else -d, clusters, span)


def _mean(one: Sides, values: Floats, clusters: NDArray[Any]) -> Estimate:
    import numpy as np

    if one.rate and np.isin(values, (0.0, 1.0)).all():
        return rate_interval(values, clusters)
    return mean_interval(values, clusters, scale=one.scale)


def _counts(d: Floats, subject: Subject) -> tuple[int, int, int]:
    from ...harness.statistics.paired import TIE

    up, down = int((d > TIE).sum()), int((d < -TIE).sum())
    wins, losses = (up, down) if subject.better == "higher" else (down, up)
    return wins, len(d) - up - down, losses


def _spread(d: Floats, clusters: NDArray[Any]) -> tuple[float | None, float | None]:
    """Standard deviation of the differences, and how many independent ones would give their standard error."""
    groups = clusters_of(clusters, len(d))
    if groups.count < 2:
        return None, None
    sd = float(d.std(ddof=1))
    se = se_jackknife(d, groups) if groups.shared else se_independent(d)
    return sd, (sd / se) ** 2 if se > 1e-12 else float(groups.count)


def _shared(d: Floats, old: Floats, clusters: NDArray[Any]) -> tuple[float | None, float]:
    """Variance of the baseline's mean, and its covariance with that of the differences."""
    groups = clusters_of(clusters, len(d))
    if groups.count < 2:
        return None, 0.0
    return jackknife_covariance(old, old, groups), jackknife_covariance(d, old, groups)


def _is_binary(one: Sides) -> bool:
    import numpy as np

    values = np.concatenate([one.new, one.old])
    return bool(np.isin(values[~np.isnan(values)], (0.0, 1.0)).all())


def _names(subject: Subject) -> tuple[str, ...]:
    return (subject.measure, f"{subject.source}/{subject.measure}") if subject.source else (subject.measure,)


def _plain(subject: Subject) -> bool:
    """Whether it is a measure of the answers without a judge, of which one side can be better."""
    name = subject.measure
    return not subject.source and name not in OPERATIONS and measure_family(name) not in NEITHER_BETTER


def _family_words(chosen: frozenset[Subject], which: str) -> str:
    return (
        f"Holm over {words.plural(len(chosen), 'comparison')}: {which}" if chosen else "no family: nothing to correct"
    )

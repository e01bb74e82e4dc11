"""A small model, the base that it was tuned from, and the large one: by every measure of a run."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass, replace

from ...harness.records import Estimate
from ...harness.store.frames import RunData
from .. import words
from ..cells import Scores
from ..exam import candidates_of
from ..regression.compare import Options, compared
from ..regression.records import Compared, Difference, Subject
from ..regression.sides import FAILURES
from .small_large_shares import share_of_gap, share_reached

Names = tuple[str, str, str]
"""Of the base, the small and the large model."""
NOT_HIGHER = "more is not better: no share"


@dataclass(frozen=True, slots=True)
class Three:
    """One measure of all three. ``base``, ``small`` and ``large`` are the means of their own samples, as in the report.

    ``gained`` is small less base, ``short`` small less large and ``gap`` large less base, each on the samples that both
    have. ``share`` is of the large model's score, ``closed`` of the gap on the samples that all three have.
    """

    subject: Subject
    base: Estimate
    small: Estimate
    large: Estimate
    gained: Difference
    short: Difference
    gap: Difference
    share: Estimate
    closed: Estimate


@dataclass(frozen=True, slots=True)
class Based:
    """The base model's ``name`` and ``model``, every measure of all three, and the one that the verdict is by."""

    name: str
    model: str
    measures: tuple[Three, ...]
    headline: Three | None
    notes: tuple[str, ...] = ()


def based(data: RunData, scores: Scores, names: Names, found: Compared, headline: Subject) -> Based:
    """``names`` = (base, small, large); ``found`` is small against large, ``headline`` what the verdict is by.

    Of a judge its headline stands for its criteria. A measure that two of the three have no sample of in common is left
    out.
    """
    base, small, large = names
    beside = compared(data, [data], Options(((small, base), (large, base)), worst=0))
    apart = {one.subject: one for one in beside.differences}
    heads = {(judge.name, judge.headline) for judge in scores.judges} | {(headline.source, headline.measure)}
    measures = tuple(
        _three(scores, names, (gained, short, gap))
        for short in found.differences
        if _is_score(short.subject, heads)
        and (gained := apart.get(short.subject))
        and (gap := apart.get(replace(short.subject, candidate=large)))
    )
    chosen = next((one for one in measures if one.subject == headline), None)
    view = next(view for view in candidates_of(data) if view.name == base)
    return Based(base, view.model, measures, chosen, tuple(_notes(beside, chosen, len(data.samples))))


def _is_score(about: Subject, heads: Container[tuple[str, str]]) -> bool:
    if about.unit or about.measure == FAILURES:
        return False
    return not about.source or (about.source, about.measure) in heads


def _three(scores: Scores, names: Names, apart: tuple[Difference, Difference, Difference]) -> Three:
    gained, short, gap = apart
    about = short.subject
    base, small, large = (scores.cells[name, about.source, about.measure].estimate for name in names)
    none = Estimate(None, None, None, 0, NOT_HIGHER)
    higher = about.better == "higher"
    return Three(
        about,
        base,
        small,
        large,
        gained,
        short,
        gap,
        share_reached(short, scores, names[1:]) if higher else none,
        share_of_gap(gained, gap, scores, names) if higher else none,
    )


def _notes(beside: Compared, headline: Three | None, samples: int) -> Iterator[str]:
    """Failures of the base model, and samples that are in no share of the gap."""
    for one in beside.differences:
        if one.subject.measure == FAILURES and one.old.value:
            yield f"the base model failed on {words.percent(one.old.value)} of the questions"
            break
    if headline is not None and 0 < headline.closed.n < samples:
        of = f"{headline.closed.n:,} of {samples:,} samples"
        yield f"the share of the gap is of {of}: those with a score of all three"

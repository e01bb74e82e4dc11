"""A small model against a large one, of one run: how much of the quality, for how much of the time and the money."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from ...harness.errors import InputError
from ...harness.records import Estimate
from ...harness.statistics.gates import Gain, decide
from ...harness.store.frames import RunData, RunInfo
from .. import words
from ..cells import Scores, score
from ..exam import candidates_of, leading_judge
from ..operations import candidate_costs, how_timed
from ..regression.compare import Options, compared
from ..regression.gate import excess_failures, gain_of, samples_needed
from ..regression.records import Compared, Difference
from ..regression.sides import FAILURES
from .cells import Cell
from .small_large_amounts import Ratio, in_run, memory, under_load
from .small_large_base import Based, based
from .small_large_shares import share_reached

Verdict = Literal["as good", "worse", "not shown"]


@dataclass(frozen=True, slots=True)
class SmallLarge:
    """``difference`` is the small model's score less the large one's on the same samples, ``gain`` has its bound.

    ``share`` is the part of the large model's score, above the lowest level, that the small one reaches. ``needed`` is
    how many samples would show that equal models are within the margin (with 80 %); ``why`` what forbids it. ``based``
    is what both are beside the small one's base model, ``untrained`` says that no sample here was trained on.
    """

    run: RunInfo
    small: str
    large: str
    models: tuple[str, str]
    margin: float
    difference: Difference
    gain: Gain
    verdict: Verdict
    why: str
    needed: int | None
    share: Estimate
    ratios: tuple[Ratio, ...]
    loads: tuple[tuple[str, tuple[Ratio, ...]], ...]
    bench: str
    timed: str
    notes: tuple[str, ...]
    based: Based | None = None
    untrained: str = ""

    def __repr__(self) -> str:
        from .said import plain
        from .small_large_said import verdict

        return plain(verdict(self))

    def _repr_html_(self) -> str:
        from ..notebook.systems import small_large_html

        return small_large_html(self)


def small_against_large(
    data: RunData,
    names: tuple[str, str],
    margin: float,
    measure: str = "",
    bench: tuple[str, Sequence[Cell]] = ("", ()),
    base: str = "",
) -> SmallLarge:
    """Compare two candidates of a run, ``names`` = (small, large); ``margin`` is in points of the measure.

    ``measure`` is `measure` or `judge/measure`; by default the headline of the leading judge. ``bench`` is the id and
    the cells of a load test of both, ``base`` the candidate that the small one was tuned from. Raises InputError for a
    name that the run does not have.
    """
    _check(data, (*names, base) if base else names, margin)
    found = compared(data, [data], Options((names,), worst=0))
    scores = score(data)
    difference = _difference(found, scores, measure)
    gain = gain_of(difference, excess_failures(found).get(names[0], 0.0))
    verdict, why = _verdict(difference, gain, margin)
    costs = {cost.candidate: cost for cost in candidate_costs(data, scores)}
    share = share_reached(difference, scores, names)
    return SmallLarge(
        data.info,
        *names,
        _models(data, names),
        margin,
        difference,
        gain,
        verdict,
        why,
        samples_needed(difference, margin),
        share,
        (*in_run(scores, costs, names), *memory(data, names)),
        tuple(under_load(data, names, bench[1])),
        bench[0],
        how_timed([costs[name] for name in names]),
        (*_notes(found), *_above_zero(difference, share)),
        based(data, scores, (base, *names), found, difference.subject) if base else None,
    )


def _notes(found: Compared) -> Iterator[str]:
    """Those that speak of a baseline are not about two candidates of one run."""
    yield from (note for note in found.notes if "baseline" not in note and "has another" not in note)
    for one in found.differences:
        if one.subject.measure == FAILURES and (one.new.value or one.old.value):
            shares = (words.percent(one.new.value), words.percent(one.old.value))
            yield f"the small model failed on {shares[0]} of the questions, the large one on {shares[1]}"


def _above_zero(difference: Difference, share: Estimate) -> Iterator[str]:
    if difference.scale is None and share.value is not None:
        yield f"no lowest level of {difference.subject.measure} is known: the share of its score is of what is above 0"


def _check(data: RunData, names: tuple[str, ...], margin: float) -> None:
    known = [view.name for view in candidates_of(data)]
    for option, name in zip(("--small", "--large", "--base"), names, strict=False):
        if name not in known:
            raise InputError(f"{option} {name!r}: run {data.info.id} has {', '.join(known)}")
    if names[0] == names[1]:
        raise InputError(f"--large {names[1]!r} is the small model, too: name two candidates of run {data.info.id}")
    if names[2:] and names[2] in names[:2]:
        role = "small" if names[2] == names[0] else "large"
        raise InputError(f"--base {names[2]!r} is the {role} model, too: name a third candidate of run {data.info.id}")
    if not margin > 0:
        raise InputError(f"--margin {margin:g} must be above 0: the loss in points that you would accept")


def _difference(found: Compared, scores: Scores, measure: str) -> Difference:
    """By the measure that was asked for, or the headline; failures, seconds and costs have their own lines."""
    scored = [one for one in found.differences if not one.subject.unit and one.subject.measure != FAILURES]
    judge = leading_judge(scores.judges)
    wanted = measure or ("" if judge is None else f"{judge.name}/{judge.headline}")
    chosen = [
        one
        for one in scored
        if not wanted or wanted in (one.subject.measure, f"{one.subject.source}/{one.subject.measure}")
    ]
    if chosen:
        return chosen[0]
    known = dict.fromkeys("/".join(filter(None, (d.subject.source, d.subject.measure))) for d in scored)
    if not known:
        raise InputError(f"run {found.new.id} has no score that both candidates have: grade it first")
    raise InputError(f"--measure {wanted!r} is no score of both candidates; there are {', '.join(known)}")


def _verdict(difference: Difference, gain: Gain, margin: float) -> tuple[Verdict, str]:
    """Not inferior where the one-sided 95 % bound lies above ``-margin``: the rule of a gate."""
    if gain.lower is None:
        return "not shown", f"no interval: {difference.estimate.method.removesuffix(': no interval')}"
    if decide(gain, difference.p, margin) == "pass":
        return "as good", ""
    if gain.high is not None and gain.high < -margin:
        return "worse", ""
    if gain.lower <= -margin < (gain_of(difference).lower or 0.0):
        return "not shown", "it fails more often, and with these answers at the lowest level the margin is crossed"
    return "not shown", ""


def _models(data: RunData, names: tuple[str, str]) -> tuple[str, str]:
    views = {view.name: view.model for view in candidates_of(data)}
    return views[names[0]], views[names[1]]

"""Whether a judge can be trusted: how far it agrees with people, or that nobody has asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..harness.alignment import COMPOSITE, Alignment, CriterionAlignment
from ..harness.records import Estimate
from . import words
from .exam import JudgeView


@dataclass(frozen=True, slots=True)
class Checked:
    """A judge against people on one criterion; the composite has no kappa and no share of equal scores.

    ``chance`` is the share of equal scores that raters with these margins reach by chance, ``people`` the kappa of
    people among themselves where two of them scored one answer.
    """

    criterion: str
    n: int
    exact: Estimate | None
    chance: float | None
    kappa: Estimate | None
    people: Estimate | None
    bias: Estimate | None


@dataclass(frozen=True, slots=True)
class Trust:
    """A judge and what is known of it; without ``rows`` nothing is, and ``advice`` is the command that helps."""

    judge: str
    words: str
    rows: tuple[Checked, ...] = ()
    advice: str = ""


def trusted(judges: Sequence[JudgeView], agreement: Alignment | None, run: str) -> tuple[Trust, ...]:
    """One per judge, in exam order."""
    return tuple(_trust(judge, agreement, run) for judge in judges)


def _trust(judge: JudgeView, agreement: Alignment | None, run: str) -> Trust:
    if agreement is not None and (found := [one for one in agreement.criteria if one.judge == judge.name and one.n]):
        return Trust(judge.name, _words(found) + _doubts(judge, agreement), tuple(map(_checked, found)))
    what = "It compares words, and nobody" if judge.embedded else "Nobody"
    said = (
        f"Unqualified. {what} has compared it with people, so that its scores are its own opinion. "
        "Score about 100 answers by hand, drawn at random, and run:"
    )
    return Trust(judge.name, said, advice=f"markscheme judge align {run} --labels labels.csv")


def _words(found: Sequence[CriterionAlignment]) -> str:
    whose = dict.fromkeys(name for one in found for name in one.annotators)
    most = max(one.n for one in found)
    people = " Beside kappa: that of people among themselves." if any(one.n_humans for one in found) else ""
    return f"Against {words.listed(whose)} on {words.plural(most, 'answer')}, 95 % intervals.{people}"


def _doubts(judge: JudgeView, agreement: Alignment) -> str:
    """What keeps the agreement from holding for other answers."""
    said = ""
    if any(used.n and used.name in judge.selected_on for used in agreement.labels):
        said += " The judge was chosen by labels that are among these, which flatters it."
    if any(used.n and used.design not in ("random", "stratified") for used in agreement.labels):
        said += " Not all of these answers were drawn by chance: it holds for answers like them."
    return said


def _checked(one: CriterionAlignment) -> Checked:
    get = one.estimates.get
    agreement = one.agreement
    return Checked(
        one.criterion,
        one.n,
        None if one.criterion == COMPOSITE else get("exact"),
        None if agreement is None else agreement.chance_exact,
        None if one.criterion == COMPOSITE else get("kappa_quadratic"),
        one.humans.get("kappa_quadratic"),
        get("bias"),
    )

"""What `markscheme compare` prints: a table, or one JSON object."""

from __future__ import annotations

from typing import TextIO

from pydantic import BaseModel, ConfigDict

from ...reports.regression import said
from ...reports.regression.records import Better, Compared, Difference, Moved, Slice
from ..output import EstimateOutput
from ..terminal import console, grid, say


class DifferenceOutput(BaseModel):
    """New less old by one measure; ``judge`` is '' for a measure without one. ``adjusted`` is Holm's p over the family,
    or ``p`` where the measure is ``exploratory``; ``wins`` counts samples on which the new run is better."""

    candidate: str
    judge: str
    measure: str
    better: Better
    unit: str
    difference: EstimateOutput
    new: EstimateOutput
    old: EstimateOutput
    wins: int
    ties: int
    losses: int
    test: str
    p: float
    adjusted: float
    exploratory: bool
    corrected: bool
    missing_new: int
    missing_old: int


class SliceOutput(BaseModel):
    """A headline difference within the samples of a tag; ``q`` is Benjamini and Hochberg's over all slices."""

    tag: str
    candidate: str
    judge: str
    measure: str
    difference: EstimateOutput
    q: float


class WorseOutput(BaseModel):
    """A sample that got worse by a headline: the means of both sides."""

    sample_id: str
    candidate: str
    judge: str
    measure: str
    new: float
    old: float


class CompareOutput(BaseModel):
    """`markscheme compare`: what it found in words (`verdict`), what to know about it, and every difference."""

    model_config = ConfigDict(extra="forbid")

    run: str
    baseline: list[str]
    verdict: str
    notes: list[str]
    samples: int
    clusters: int
    left_out: dict[str, int]
    answers: int
    shared_replies: int
    family: str
    differences: list[DifferenceOutput]
    slices: list[SliceOutput]
    worse: list[WorseOutput]
    report: str | None


def to_output(found: Compared, page: str | None) -> CompareOutput:
    """The numbers as plain JSON."""
    pairing = found.pairing
    return CompareOutput(
        run=found.new.id,
        baseline=[run.id for run in found.old],
        verdict=said.verdict(found),
        notes=list(said.notes(found)),
        samples=pairing.n,
        clusters=pairing.clusters,
        left_out=dict(pairing.left_out),
        answers=pairing.answers,
        shared_replies=pairing.shared_replies,
        family=found.family,
        differences=[_difference(one) for one in found.differences],
        slices=[_slice(one) for one in found.slices],
        worse=[_worse(one) for one in found.worse],
        report=page,
    )


def _difference(one: Difference) -> DifferenceOutput:
    return DifferenceOutput(
        candidate=one.subject.candidate,
        judge=one.subject.source,
        measure=one.subject.measure,
        better=one.subject.better,
        unit=one.subject.unit,
        difference=EstimateOutput.of(one.estimate),
        new=EstimateOutput.of(one.new),
        old=EstimateOutput.of(one.old),
        wins=one.wins,
        ties=one.ties,
        losses=one.losses,
        test=one.test,
        p=one.p,
        adjusted=one.adjusted,
        exploratory=one.exploratory,
        corrected=one.corrected,
        missing_new=one.missing_new,
        missing_old=one.missing_old,
    )


def _slice(one: Slice) -> SliceOutput:
    about = one.difference.subject
    return SliceOutput(
        tag=one.tag,
        candidate=about.candidate,
        judge=about.source,
        measure=about.measure,
        difference=EstimateOutput.of(one.difference.estimate),
        q=one.q,
    )


def _worse(one: Moved) -> WorseOutput:
    about, (new, old) = one.subject, one.means
    return WorseOutput(
        sample_id=one.sample_id, candidate=about.candidate, judge=about.source, measure=about.measure, new=new, old=old
    )


def print_comparison(found: Compared, out: TextIO) -> None:
    """The first lines, then a line a difference; a dagger marks p that are Holm's."""
    for text in said.first_lines(found):
        say(out, text)
    titles = ["candidate", "measure", "new", "old", "difference", "better/same/worse", "p", "test"]
    rows = (
        [
            said.candidate(one.subject, found),
            said.measure(one.subject, found),
            said.value(one.new, one),
            said.value(one.old, one),
            said.change(one),
            f"{one.wins:,}/{one.ties:,}/{one.losses:,}",
            said.p_words(one) + ("" if one.exploratory else "†"),
            one.test,
        ]
        for one in found.differences
    )
    out.write("\n")
    console(out).print(grid(titles, rows, left=2, wordy=["test"]))
    say(out, f"\n† {found.family}; the other p are not corrected, to explore only")
    for text in (*said.pointers(found), *(f"note: {note}" for note in said.notes(found))):
        say(out, text)

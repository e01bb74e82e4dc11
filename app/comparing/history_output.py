"""What `markscheme history` prints: the verdict and the last nights, or one JSON object."""

from __future__ import annotations

from pathlib import Path
from typing import TextIO

from pydantic import BaseModel, ConfigDict

from ...reports.regression import gate_words
from ...reports.regression import history_said as said
from ...reports.regression import history_tables as tables
from ...reports.regression.history_records import History, Night, Series, Step
from ..output import EstimateOutput
from ..terminal import console, grid, say
from .watched_output import WatchedOutput, watched_output

SHOWN = 20
"""Lines of the table on a terminal; the page has them all."""


class NightOutput(BaseModel):
    """A run. ``changes`` is what differs from the run before; the counts are of answers by candidate: expected, replies
    that an earlier run paid for, failed by the candidate, and not there."""

    run: str
    name: str
    created_at: float
    finished: bool
    changes: list[str]
    answers: dict[str, int]
    reused: dict[str, int]
    failed: dict[str, int]
    lost: dict[str, int]


class SeriesOutput(BaseModel):
    """A measure over the nights, in their order, null where there is none; ``judge`` is '' for one without a judge,
    ``quantile`` `median` or `p95` of seconds."""

    candidate: str
    judge: str
    measure: str
    quantile: str
    unit: str
    nights: list[EstimateOutput | None]


class StepOutput(BaseModel):
    """A night's headline less that of the night before, on the same samples; ``adjusted`` is Holm's p over all steps,
    ``side`` -1 where the night is worse by more than chance, 1 where it is better."""

    candidate: str
    judge: str
    measure: str
    run: str
    since: str
    difference: EstimateOutput
    p: float
    adjusted: float
    side: int


class HistoryOutput(BaseModel):
    """`markscheme history`: the nights of an exam, the oldest first."""

    model_config = ConfigDict(extra="forbid")

    exam: str
    verdict: str
    notes: list[str]
    earlier: int
    nights: list[NightOutput]
    series: list[SeriesOutput]
    steps: list[StepOutput]
    judges: list[WatchedOutput]
    report: str


def to_output(found: History, page: Path) -> HistoryOutput:
    """The numbers as plain JSON."""
    return HistoryOutput(
        exam=found.exam,
        verdict=said.verdict(found),
        notes=list(said.sentences(found)),
        earlier=found.earlier,
        nights=[_night(night) for night in found.nights],
        series=[_series(one) for one in found.series],
        steps=[_step(one, found) for one in found.steps],
        judges=[watched_output(one) for one in found.watched],
        report=str(page),
    )


def _night(night: Night) -> NightOutput:
    return NightOutput(
        run=night.run.id,
        name=night.run.name,
        created_at=night.run.created_at,
        finished=night.finished,
        changes=list(night.changes),
        answers=dict(night.answers),
        reused=dict(night.reused),
        failed=dict(night.failed),
        lost=dict(night.lost),
    )


def _series(one: Series) -> SeriesOutput:
    return SeriesOutput(
        candidate=one.subject.candidate,
        judge=one.subject.source,
        measure=one.subject.measure,
        quantile=one.quantile,
        unit=one.subject.unit,
        nights=[None if night is None else EstimateOutput.of(night) for night in one.nights],
    )


def _step(one: Step, found: History) -> StepOutput:
    return StepOutput(
        candidate=one.subject.candidate,
        judge=one.subject.source,
        measure=one.subject.measure,
        run=found.nights[one.night].run.id,
        since=found.nights[one.since].run.id,
        difference=EstimateOutput.of(one.estimate),
        p=one.p,
        adjusted=one.adjusted,
        side=said.side(one),
    )


def print_history(found: History, out: TextIO) -> None:
    """The verdict, the latest nights, what was changed, and what to know about it."""
    say(out, f"{said.title(found)}\n{said.verdict(found)}\n")
    rows = list(tables.rows(found))
    titles = ["night", "candidate", *tables.columns(found), "run", "changed"]
    cells = [[r.night, r.candidate, *r.values, ", ".join(filter(None, (r.run, r.state))), r.flag] for r in rows[:SHOWN]]
    console(out).print(grid(titles, cells, left=2, wordy=["run"]))
    out.write(f"and {len(rows) - SHOWN} earlier lines\n" if len(rows) > SHOWN else "")
    out.write("\n" if tables.changes(found) else "")
    for one in tables.changes(found):
        say(out, f"{one.number}  {one.night}  {'; '.join(one.words)}")
    for text in (*map(gate_words.watched, found.watched), *(f"note: {note}" for note in said.sentences(found))):
        say(out, text)

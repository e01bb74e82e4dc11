"""What `import feedback` and `feedback` print: one JSON object, or sentences and tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TextIO

from pydantic import BaseModel, ConfigDict

from ...reports.feedback import said
from ...reports.feedback.records import Acceptance, FeedbackReport, InWindow, Selection
from ...reports.serving.said import plain
from ..output import EstimateOutput
from ..shown import Shown
from ..terminal import console, grid, say


class ImportedFeedback(Shown):
    """`markscheme import feedback`: of ``rows`` that say something, ``attached`` hold for an answer of the run,
    ``unattached`` do not, by reason. ``added`` votes are new, ``replaced`` ones take the place of an earlier one of the
    same user; the others were there. ``gaps`` rows say nothing."""

    run: str
    rows: int
    gaps: int
    attached: int
    added: int
    replaced: int
    unattached: dict[str, int]
    notes: list[str]


class AcceptanceOutput(BaseModel):
    """A candidate: answers, those with feedback, votes and named users; ``edited`` is the share of the text that edits
    changed."""

    candidate: str
    answers: int
    with_feedback: int
    votes: int
    users: int
    accepted: EstimateOutput
    edited: EstimateOutput


class FeedbackWindowOutput(BaseModel):
    """A candidate in a window from ``start`` to before ``end`` (UTC); ``answers`` is null where nothing says when they
    were given."""

    window: str
    start: str
    end: str
    candidate: str
    answers: int | None
    with_feedback: int
    accepted: EstimateOutput


class PredictionOutput(BaseModel):
    """How well a measure of a judge predicts acceptance; ``candidate`` is '' for all together."""

    judge: str
    measure: str
    candidate: str
    auc: EstimateOutput


class LevelOutput(BaseModel):
    """Acceptance of the answers with scores from ``low`` to ``high``."""

    judge: str
    measure: str
    low: float
    high: float
    accepted: EstimateOutput


class SelectionOutput(BaseModel):
    """A judge's mean of answers with feedback, without, and the difference."""

    judge: str
    measure: str
    candidate: str
    with_feedback: EstimateOutput
    without: EstimateOutput
    difference: EstimateOutput
    p: float | None


class FeedbackOutput(BaseModel):
    """`markscheme feedback`: ``clock`` is what puts answers in windows: `asked`, `said`, or '' for none."""

    model_config = ConfigDict(extra="forbid")

    run: str
    words: str
    notes: list[str]
    acceptance: list[AcceptanceOutput]
    clock: str
    windows: list[FeedbackWindowOutput]
    untimed: int
    predictions: list[PredictionOutput]
    levels: list[LevelOutput]
    selections: list[SelectionOutput]
    report: str


def to_output(found: FeedbackReport, page: str) -> FeedbackOutput:
    """The numbers as plain JSON."""
    of = EstimateOutput.of
    return FeedbackOutput(
        run=found.run.id,
        words=plain(f"{said.verdict(found)} {said.second(found)}"),
        notes=list(said.caveats(found)),
        acceptance=[_acceptance(one) for one in found.acceptance],
        clock=found.clock,
        windows=[_window(one, found) for one in found.by_window],
        untimed=found.untimed,
        predictions=[
            PredictionOutput(judge=p.judge, measure=p.measure, candidate=p.candidate, auc=of(p.auc))
            for p in found.predictions
        ],
        levels=[
            LevelOutput(judge=c.judge, measure=c.measure, low=one.low, high=one.high, accepted=of(one.rate))
            for c in found.calibrations
            for one in c.levels
        ],
        selections=[_selection(one) for one in found.selections],
        report=page,
    )


def _acceptance(one: Acceptance) -> AcceptanceOutput:
    return AcceptanceOutput(
        candidate=one.candidate,
        answers=one.answers,
        with_feedback=one.heard,
        votes=one.votes,
        users=one.users,
        accepted=EstimateOutput.of(one.rate),
        edited=EstimateOutput.of(one.edited),
    )


def _window(one: InWindow, found: FeedbackReport) -> FeedbackWindowOutput:
    window = found.windows[one.window]
    return FeedbackWindowOutput(
        window=window.label,
        start=_iso(window.start),
        end=_iso(window.end),
        candidate=one.candidate,
        answers=one.answers,
        with_feedback=one.heard,
        accepted=EstimateOutput.of(one.rate),
    )


def _iso(unix: float) -> str:
    return datetime.fromtimestamp(unix, UTC).isoformat()


def _selection(one: Selection) -> SelectionOutput:
    of = EstimateOutput.of
    return SelectionOutput(
        judge=one.judge,
        measure=one.measure,
        candidate=one.candidate,
        with_feedback=of(one.heard),
        without=of(one.silent),
        difference=of(one.difference),
        p=one.p,
    )


def print_feedback(found: FeedbackReport, out: TextIO) -> None:
    """The first lines, the tables, and what to beware of."""
    for text in (said.verdict(found), said.second(found)):
        say(out, plain(text))
    tables: list[tuple[Sequence[str], Iterable[Sequence[str]], int]] = [
        (said.ACCEPTED, said.accepted_rows(found), 1),
        (said.IN_WINDOW, said.window_rows(found), 2),
        (said.PREDICTED, said.predicted_rows(found), 3),
        (said.SELECTED, said.selected_rows(found), 2),
    ]
    for titles, rows, left in tables:
        if shown := list(rows):
            out.write("\n")
            console(out).print(grid(titles, shown, left=left))
    out.write("\n")
    for note in said.caveats(found):
        say(out, f"note: {note}")

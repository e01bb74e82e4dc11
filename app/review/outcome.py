"""`markscheme review result`: what came of a review, as tables, pages and one JSON object."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ...harness.errors import InputError
from ...harness.review.orders import order_for
from ...harness.review.records import Item, Review, Shown
from ...harness.review.results import Dispute, ReviewResult
from ...harness.store import runs
from ...harness.store.reviews import Reviews
from ...harness.store.runs import Run
from ...harness.store.store import Store
from ...harness.store.verdicts import load_verdicts
from ..commands import emit
from ..references import opened
from .rubrics import rubric_of

if TYPE_CHECKING:
    from ...harness.review.sheet import Sheet
    from ...harness.store.frames import RunData
    from .verdicts import By


def show_outcome(name: str, workspace: str, output: Path | None, json: bool) -> None:
    """Print what came of the review ``name`` (or `latest`); write review.html and review.md into ``output``, or beside
    the run's report. Raises InputError where there is no such review, or nobody rated anything yet."""
    from ..reporting import report_folder
    from .outcome_output import to_output
    from .outcome_tables import print_result

    store = opened(workspace)
    try:
        found = result_of(store, Reviews(store).find(name))
        folder = output or report_folder(store, found.review.run) / "review" / found.review.name
        page = write_result(found, folder)
    finally:
        store.close()
    if json:
        emit(to_output(found, str(page)))
        return
    print_result(found, workspace, sys.stdout)
    typer.echo(f"report: {page}")


def result_of(store: Store, review: Review) -> ReviewResult:
    """Everything that the ratings say so far. Raises InputError where there are none."""
    from ...harness.review.agreement import criterion_agreement
    from ...harness.review.estimates import candidate_means, duels, strengths
    from ...harness.review.sheet import sheet_of
    from ...harness.review.work import disputes, rater_work
    from .verdicts import verdicts

    reviews, run = Reviews(store), runs.find(store, review.run)
    items, ratings = reviews.items(review), reviews.ratings(review)
    if not any(rating.round == 1 for rating in ratings):
        raise InputError(f"review {review.name!r}: nobody has rated anything yet; markscheme review serve begins")
    data = load_verdicts(store, run)
    clusters = dict(zip(data.samples["sample_id"], data.samples["cluster"], strict=True))
    sheet = sheet_of(review, items, ratings, clusters, _population(data, items))
    shown = {item.id: reviews.texts(review, item) for item in sheet.items}
    judged = verdicts(data, review, sheet, frozenset(k for k, one in shown.items() if one.stale in ("changed", "gone")))
    candidates = _candidates(run, sheet.items)
    weights, notes = _weights(store, review)
    pairs = review.mode == "pairs"
    return ReviewResult(
        review=review,
        title=str(run.config.get("name") or run.exam),
        date=datetime.fromtimestamp(run.created_at, UTC).date().isoformat(),
        candidates=candidates,
        judges=tuple(dict.fromkeys(name for by_judge in judged.values() for name in by_judge)),
        items=len(sheet.items),
        rated=sheet.rated,
        means=() if pairs else candidate_means(review, sheet, candidates, weights),
        duels=duels(review, sheet, candidates) if pairs else (),
        ratings=strengths(sheet, candidates) if pairs else None,
        agreement=tuple(criterion_agreement(sheet, name, judged[name]) for name in sheet.levels),
        work=rater_work(review, sheet.raters, items, ratings, _dealt(review, items)),
        disputes=tuple(_told(disputes(review, items, ratings), shown, judged, sheet)),
        notes=(*notes, *_stale(shown)),
    )


def disputed(store: Store, review: Review) -> list[Item]:
    """What a second pass is about: the items that raters differ on and nobody has settled yet, the worst first, then
    those that are settled, so that one may go back. Raises InputError where there are none."""
    from ...harness.review.work import disputes

    reviews = Reviews(store)
    found = disputes(review, reviews.items(review), reviews.ratings(review))
    if not found:
        raise InputError(
            f"review {review.name!r}: nothing to adjudicate; no item has two ratings that lie two levels apart"
        )
    return [one.item for one in sorted(found, key=lambda one: bool(one.settled))]


def write_result(found: ReviewResult, folder: Path) -> Path:
    """Write both pages into ``folder``; returns the HTML page's path."""
    from ...reports.review.html import render_review
    from ...reports.review.markdown import review_markdown

    folder.mkdir(parents=True, exist_ok=True)
    page = folder / "review.html"
    page.write_text(render_review(found), encoding="utf-8")
    (folder / "review.md").write_text(review_markdown(found), encoding="utf-8")
    return page


def _candidates(run: Run, items: Sequence[Item]) -> tuple[str, ...]:
    """Those whose answers were drawn, in the order of the exam."""
    drawn = {name for item in items for name in (item.left, item.right) if name}
    listed = [entry["name"] for entry in run.config.get("candidates", ())]
    return tuple(name for name in dict.fromkeys([*listed, *sorted(drawn)]) if name in drawn)


def _population(data: RunData, items: Sequence[Item]) -> dict[frozenset[str], int]:
    """Whose answers (or pairs of them) were drawn -> how many questions they have both answered."""
    answers = data.answers[data.answers["status"] == "ok"]
    answered = {str(name): frozenset(own["sample_id"]) for name, own in answers.groupby("candidate")}
    groups = {frozenset(name for name in (item.left, item.right) if name) for item in items}
    return {g: len(frozenset.intersection(*(answered.get(name, frozenset()) for name in g))) for g in groups}


def _weights(store: Store, review: Review) -> tuple[dict[str, float], list[str]]:
    """Criterion -> its weight in the composite; a note where the rubric cannot tell any more."""
    from ...judges.rubric import Rubric

    if review.mode == "pairs":
        return {}, []
    try:
        rubric = rubric_of(store, review)
    except InputError as error:
        return {}, [f"there is no composite: {error}"]
    return {c.name: c.weight for c in rubric.criteria} if isinstance(rubric, Rubric) else {}, []


def _dealt(review: Review, items: Sequence[Item]) -> dict[str, int]:
    return {rater: len(order_for(review, items, rater)) for rater in review.raters}


def _told(found: Sequence[Dispute], shown: Mapping[str, Shown], judged: By, sheet: Sheet) -> Iterator[Dispute]:
    """Disputes with their texts, and with what the judges say."""
    places = {item.id: row for row, item in enumerate(sheet.items)}
    for one in found:
        said: dict[str, dict[str, float]] = {}
        for criterion, by_judge in judged.items():
            for judge, values in by_judge.items():
                value = float(values[places[one.item.id]])
                if value == value:
                    said.setdefault(judge, {})[criterion] = value
        yield replace(one, shown=shown[one.item.id], judges=said)


def _stale(shown: Mapping[str, Shown]) -> list[str]:
    changed = sum(one.stale in ("changed", "gone") for one in shown.values())
    if not changed:
        return []
    many = "answers are" if changed > 1 else "answer is"
    return [f"{changed} {many} no longer what was rated: the ratings count here, the judges' grades of them do not"]

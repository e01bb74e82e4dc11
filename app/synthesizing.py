"""`markscheme dataset`: from documents to a file for review, and from the review to samples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ..harness.dispatch.tally import Tally
from ..harness.errors import InputError
from ..harness.synthesis import Author, from_headings, write_drafts
from ..harness.synthesis_review import Review, review_rows, write_rows
from ..harness.synthesis_review import accept as accept_rows
from ..harness.synthesis_sources import Draft, Source, choose_sources, documents_of
from .commands import emit
from .loops import run_anywhere
from .output import PathOutput, SynthesisOutput
from .progress import money

if TYPE_CHECKING:
    from ..harness.models.base import ChatModel


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be written, by whom, and for how much; ``model`` '' is the generator from headings."""

    corpus: str
    output: Path
    model: str
    base_url: str | None
    api_key_env: str | None
    count: int
    seed: int
    check: bool
    budget_usd: float | None
    concurrency: int
    workspace: str


def synthesize(order: Order, json: bool) -> None:
    """Write the file for review, and say what it holds."""
    tally = Tally()
    result = write_review(order, tally, _note)
    emit(result) if json else _say(result, tally)


def write_review(order: Order, tally: Tally, say: Callable[[str], None]) -> SynthesisOutput:
    """Write the file for review. Raises InputError before anything is paid where it could not be written."""
    from ..harness.retrieval.corpus import load_corpus

    if order.output.exists():
        raise InputError(f"{order.output}: is there already and may hold a review; name another file, or move it away")
    corpus = load_corpus(_located(order.corpus))
    for note in corpus.notes:
        say(note)
    sources = choose_sources(corpus, order.count, order.seed)
    if not sources:
        raise InputError(f"{order.corpus}: no document holds a passage long enough to ask about")
    if len(sources) < order.count:
        say(f"the documents hold {len(sources)} passages, so there are no {order.count} questions")
    drafts = (
        run_anywhere(lambda: _written(order, corpus.sha256, sources, tally, say))
        if order.model
        else from_headings(sources)
    )
    write_rows(review_rows(drafts), order.output)
    return _result(order, sources, drafts, tally)


def accept(review: Path, output: Path, undecided: str, json: bool) -> None:
    """Write the samples, and say how many."""
    done = accepted(review, output, undecided)
    if json:
        emit(PathOutput(paths=[str(output)], rows=done.kept))
    else:
        typer.echo(f"{done.kept} samples written to {output}, {done.dropped} rows dropped")


def accepted(review: Path, output: Path, undecided: str) -> Review:
    """Write the samples. Raises InputError for a decision that there is not."""
    if undecided not in ("", "keep", "drop"):
        raise InputError(f"--undecided {undecided!r}: write keep or drop")
    return accept_rows(review, output, {"keep": True, "drop": False}.get(undecided))


def _located(corpus: str) -> Path:
    from ..harness.exam_types import packaged_files

    return packaged_files("datasets").get(corpus, Path(corpus))


async def _written(
    order: Order, corpus_sha256: str, sources: Sequence[Source], tally: Tally, say: Callable[[str], None]
) -> list[Draft]:
    """Drafts by the model, each call recorded in the workspace: the same command pays for nothing twice."""
    from ..harness.dispatch.budget import Budget, budget_usd
    from ..harness.dispatch.dispatcher import Dispatcher
    from ..harness.prices import PriceBook
    from ..harness.store import queries
    from ..harness.store.recorded import Ledger, Recorded
    from ..harness.store.store import Store
    from ..harness.store.writer import Writer
    from .workflow import stopping_on_signals

    store, run = Store(order.workspace), f"synthesize-{corpus_sha256[:12]}"  # no run of an exam: `latest` stays
    try:
        prices, cap, model = PriceBook({}), budget_usd(order.budget_usd), _opened(order)
        budget = None if cap is None else Budget(cap, queries.spent_usd(store, run), prices.cost_usd)
        writer = Writer(store, run)
        dispatcher = Dispatcher(order.concurrency, tally, budget)
        author = Author(model, Recorded(Ledger(run, writer, dispatcher, prices.cost_usd), "other", "author", ""))
        author = author if order.check else Author(model, author.caller, checks=False)
        try:
            with stopping_on_signals(dispatcher.stop, say):
                return await write_drafts(sources, author, 2 * order.concurrency, dispatcher.stop)
        finally:
            await model.close()
            await writer.close()
    finally:
        store.close()


def _note(text: str) -> None:
    typer.echo(f"note: {text}", err=True)


def _opened(order: Order) -> ChatModel:
    from ..harness.exam import users_endpoints
    from ..harness.models.catalog import open_model

    provider = order.model.partition("/")[0]
    endpoints = {spec.name: spec.to_endpoint() for spec in users_endpoints({provider})}
    return open_model(order.model, base_url=order.base_url, api_key_env=order.api_key_env, endpoints=endpoints)


def _result(order: Order, sources: Sequence[Source], drafts: Sequence[Draft], tally: Tally) -> SynthesisOutput:
    reasons = Counter(_kind(draft.problems[0]) for draft in drafts if draft.problems)
    return SynthesisOutput(
        path=str(order.output),
        questions=sum(not draft.problems for draft in drafts),
        filtered=dict(sorted(reasons.items())),
        documents=documents_of(sources),
        calls={"live": tally.live, "reused": tally.reused},
        spent_usd=tally.spent_usd if not tally.unpriced else None,
    )


def _kind(problem: str) -> str:
    """``leaks: the question …`` -> ``leaks``; what a draft was filtered for, without the particulars."""
    head = problem.partition(":")[0].partition(" (")[0].partition(", says")[0]
    return "near-duplicate" if head.startswith("near-duplicate") else head


def _say(result: SynthesisOutput, tally: Tally) -> None:
    paid = (
        f"; {tally.live} calls made, {tally.reused} re-used, paid {money(tally)}" if tally.live + tally.reused else ""
    )
    typer.echo(f"{result.questions} questions from {result.documents} documents{paid}")
    for reason, count in result.filtered.items():
        typer.echo(f"  filtered, {reason}: {count}")
    typer.echo(f"review {result.path}: write keep: true or false in every row that has null, then")
    typer.echo(f"  markscheme dataset accept {result.path} --output samples.jsonl")

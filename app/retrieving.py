"""`markscheme retrieve`: the sweep of an exam's `retrieval:` section, its page and its numbers."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ..harness.data import load_dataset
from ..harness.dispatch.tally import Tally
from ..harness.errors import InputError
from ..harness.exam import Exam, load_exam
from ..harness.retrieval.corpus import Corpus, load_corpus
from ..harness.retrieval.spec import HASHED, MINILM, EmbedderSpec
from ..harness.retrieval.sweep import Paper, Ranking, sweep
from ..harness.retrieval.sweep_spec import SweepSpec
from ..harness.retrieval.sweep_targets import from_context, targets_of
from .loops import run_anywhere
from .retriever import own_corpus
from .retrieving_output import print_table, to_output
from .session import Options

if TYPE_CHECKING:
    from ..harness.candidates.base import Caller
    from ..harness.retrieval.embedders import Embedder
    from ..reports.retrieval import RetrievalReport

_LOCAL = (MINILM, HASHED, "sentence-transformers")


def retrieve(exam_file: Path, options: Options, output: Path | None, mlflow: str, json: bool, quiet: bool) -> None:
    """Sweep, write the page, print what came of it."""
    exam = load_exam(exam_file)
    report, page = swept(exam, options, output, mlflow, _note, _silent if quiet else _progress)
    if json:
        typer.echo(to_output(report, exam.name, str(page)).model_dump_json())
    else:
        print_table(report, str(page), sys.stdout)


def swept(
    exam: Exam,
    options: Options,
    output: Path | None,
    mlflow: str,
    note: Callable[[str], None],
    say: Callable[[str], None],
) -> tuple[RetrievalReport, Path]:
    """Sweep and write the page; what is in it, and where it is. ``say`` is told of the progress."""
    spec = _spec(exam)
    workspace = _folder(options)
    dataset = load_dataset(exam.dataset, limit=options.limit, seed=options.seed)
    corpus = load_corpus(spec.corpus or own_corpus(exam))
    texts = {document.id: document.text for document in corpus.documents}
    samples = dataset.samples
    if spec.passages == "context":
        samples = tuple(from_context(sample, texts) for sample in samples)
    targets = targets_of(samples, texts, corpus.name)
    paper = Paper(samples, targets, texts, corpus.name, corpus.sha256)
    for text in (*dataset.notes, *corpus.notes, *targets.notes):
        note(text)
    rankings = run_anywhere(lambda: _sweep(exam, spec, paper, corpus, workspace, options, say))
    report = _report(exam, spec, paper, rankings)
    page = _write(report, output or workspace / "reports" / f"retrieval-{exam.name}")
    if mlflow:
        from ..reports.mlflow import log_retrieval

        ids = log_retrieval(rankings, spec, paper, page, mlflow, exam.name)
        note(f"logged {len(ids)} runs to MLflow, experiment {exam.name!r}")
    return report, page


def _spec(exam: Exam) -> SweepSpec:
    if exam.retrieval is None:
        raise InputError(
            f"{exam.path}: has no section retrieval: to sweep; write for instance\n"
            "  retrieval: {embedders: [hashed/1024], sizes: [400, 800], k: [1, 3, 5]}"
        )
    return exam.retrieval


def _folder(options: Options) -> Path:
    """The workspace's folder; for a database server, the one under the current folder."""
    workspace = str(options.workspace)
    return Path(".markscheme") if "://" in workspace else Path(workspace)


async def _sweep(
    exam: Exam,
    spec: SweepSpec,
    paper: Paper,
    corpus: Corpus,
    workspace: Path,
    options: Options,
    say: Callable[[str], None],
) -> list[Ranking]:
    from ..harness.retrieval.embedders import open_embedder
    from ..harness.retrieval.sweep_build import Bench

    pays = any(embedder.model.partition("/")[0] not in _LOCAL for embedder in spec.embedders)
    tally = Tally()
    paying: AbstractAsyncContextManager[Caller | None] = (
        embedding_caller(exam, options, tally) if pays else nullcontext()
    )
    endpoints = {endpoint.name: endpoint.to_endpoint() for endpoint in exam.endpoints}
    async with paying as caller:

        def opened(embedder: EmbedderSpec) -> Embedder:
            return open_embedder(embedder, caller=caller, endpoints=endpoints)

        bench = Bench(spec, corpus, workspace, opened, lambda: tally.live)
        try:
            return await sweep(spec, paper, workspace / "retrieval" / "sweep", bench, say)
        finally:
            await bench.close()


@asynccontextmanager
async def embedding_caller(exam: Exam, options: Options, tally: Tally) -> AsyncIterator[Caller]:
    """Exactly-once calls for paid embedders, kept in the workspace's store under a name of the sweep's own.

    They belong to no run, so that the latest run stays the latest exam that was sat.
    """
    from ..harness.dispatch.budget import Budget, budget_usd
    from ..harness.dispatch.dispatcher import Dispatcher
    from ..harness.store import queries
    from ..harness.store.recorded import Ledger, Recorded
    from ..harness.store.store import Store
    from ..harness.store.writer import Writer
    from .session import exam_identity, price_book

    store = Store(options.workspace)
    try:
        run = f"retrieve-{hashlib.sha256(exam_identity(exam, store).encode()).hexdigest()[:12]}"
        prices, cap = price_book(exam), budget_usd(exam.budget_usd)
        spent = queries.spent_usd(store, run)
        budget = None if cap is None else Budget(cap, spent, prices.cost_usd)
        with store.lease(run):
            writer = Writer(store, run)
            ledger = Ledger(run, writer, Dispatcher(exam.concurrency, tally, budget), prices.cost_usd)
            try:
                yield Recorded(ledger, "other", "retrieve", "")
            finally:
                await writer.close()
    finally:
        store.close()


def _report(exam: Exam, spec: SweepSpec, paper: Paper, rankings: list[Ranking]) -> RetrievalReport:
    from .. import __version__
    from ..reports.retrieval import build_retrieval_report

    footer = (
        f"markscheme {__version__} · corpus {paper.corpus} {paper.corpus_sha256[:8]}… · "
        f"made by: markscheme retrieve {exam.path.name}"
    )
    title = " · ".join(dict.fromkeys((exam.dataset.name, exam.name)))
    return build_retrieval_report(rankings, spec, paper, title, f"{datetime.now(UTC):%Y-%m-%d}", footer)


def _write(report: RetrievalReport, folder: Path) -> Path:
    from ..reports.retrieval_html import render_retrieval

    folder.mkdir(parents=True, exist_ok=True)
    page = folder / "retrieval.html"
    page.write_text(render_retrieval(report), encoding="utf-8")
    return page


def _note(text: str) -> None:
    typer.echo(f"note: {text}", err=True)


def _progress(text: str) -> None:
    typer.echo(text, err=True)


def _silent(text: str) -> None:
    """With --quiet nobody hears."""

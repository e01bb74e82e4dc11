"""Opens the retriever of a candidate: its corpus, its embedder with the run's money, and the folder for its index."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..harness.candidates.base import Caller
from ..harness.errors import InputError
from ..harness.exam import Exam
from ..harness.records import Sample

if TYPE_CHECKING:
    from ..harness.retrieval.corpus import Corpus
    from ..harness.retrieval.embedders import Embedder
    from ..harness.retrieval.retrievers import Retriever
    from ..harness.retrieval.spec import EmbedderSpec, RetrieverSpec


async def open_retriever(
    spec: RetrieverSpec,
    exam: Exam,
    samples: Sequence[Sample],
    folder: Path,
    caller: Caller,
    say: Callable[[str], None],
) -> Retriever:
    """The retriever, its index made or loaded under ``folder``; embeddings are paid through ``caller``.

    ``say`` gets what the operator should know of the corpus. Raises InputError (or DataError, MissingExtra) for what
    cannot be used, and Unfinished where an endpoint gives no embeddings.
    """
    from ..harness.retrieval.corpus import load_corpus
    from ..harness.retrieval.embedders import open_embedder
    from ..harness.retrieval.retrievers import build_retriever

    corpus = await asyncio.to_thread(load_corpus, spec.corpus or own_corpus(exam))
    for note in (*corpus.notes, *unknown_documents(samples, corpus)):
        say(note)

    def opened(embedder: EmbedderSpec) -> Embedder:
        endpoints = {endpoint.name: endpoint.to_endpoint() for endpoint in exam.endpoints}
        return open_embedder(embedder, caller=caller, endpoints=endpoints)

    retriever = build_retriever(spec, corpus, folder, open_embedder=opened)
    try:
        await retriever.build()
    except BaseException:
        await retriever.close()
        raise
    return retriever


def own_corpus(exam: Exam) -> Path:
    """The corpus that lies with the exam's data set. Raises InputError where there is none."""
    path = exam.dataset.path
    folder = path if path.is_dir() else path.parent
    for place in (folder / "corpus", folder / "corpus.jsonl"):
        if place.exists():
            return place
    raise InputError(
        f"{exam.path}: a retriever names no corpus, and the data set {path} has none beside it (corpus/ or "
        "corpus.jsonl): write corpus: and a path under retriever:"
    )


def unknown_documents(samples: Sequence[Sample], corpus: Corpus) -> tuple[str, ...]:
    """A note on relevant documents that the corpus lacks: no retriever can find them."""
    known = corpus.by_id
    lacking = sorted({d for s in samples for d, grade in s.relevant.items() if grade > 0 and d not in known})
    if not lacking:
        return ()
    named = ", ".join(map(repr, lacking[:3]))
    return (
        f"{len(lacking)} relevant documents are not in the corpus {corpus.name!r} and can never be found ({named}"
        f"{' …' if len(lacking) > 3 else ''}): they count as missed",
    )

"""The sections on retrieved passages, as Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from ..harness.records import Estimate
from . import words
from .contexts import Contexts, Groups
from .markdown_tables import escape, table


def contexts_blocks(found: Contexts | None) -> Iterator[str]:
    """Headings, words and tables; nothing where no answer was given passages."""
    if found is None:
        return
    yield "## Answers by retrieved passages"
    yield "Recall, nDCG and hit rate of the passages shown, by document. Tokens and USD without embeddings."
    titles = ["Candidate", "Contexts", escape(found.quality), "Recall", "nDCG", "Hit rate", "Passages"]
    yield table([*titles, "Context tokens", "Prompt tokens", "USD per 1,000"], _rows(found))
    yield from _gains(found)
    if found.splits:
        yield "### Did the retriever or the model fail?"
        yield "Quality where a document of the question's highest grade was retrieved, and where none was."
        rows = (
            [escape(s.candidate), _counted(s.found), _counted(s.missed), words.percent(s.lost)] for s in found.splits
        )
        yield table(["Candidate", "Retrieved", "Not retrieved", "Quality lost there"], rows)
    yield from _groups("Where the relevant passage stood, by third of those shown", found.places)
    yield from _groups("By estimated tokens of the context", found.lengths)


def _rows(found: Contexts) -> Iterator[list[str]]:
    for row in found.rows:
        yield [
            escape(row.candidate),
            "its own" if row.contexts is None else str(row.contexts),
            *(words.estimate(e) for e in (row.quality, row.recall, row.ndcg, row.hit)),
            words.number(row.passages, 1),
            words.count(row.context_tokens),
            words.count(row.prompt_tokens),
            words.usd(row.usd_per_1000.value),
        ]


def _gains(found: Contexts) -> Iterator[str]:
    if not found.gains:
        return
    yield "### What each passage adds"
    yield "Against the same candidate with no context, paired by question; p by sign flips, by Holm within a measure."
    rows = (
        [
            escape(g.candidate),
            escape(g.measure),
            str(g.contexts),
            words.estimate(g.total, sign=True),
            words.estimate(g.each, sign=True),
            words.p_value(g.p),
        ]
        for g in found.gains
    )
    yield table(["Candidate", "Measure", "Contexts", "Gain over none", "Per passage", "p"], rows, left=2)


def _groups(title: str, groups: Groups) -> Iterator[str]:
    if groups.rows:
        yield f"### {title}"
        rows = ([escape(name), *map(_counted, estimates)] for name, estimates in groups.rows)
        yield table(["Candidate", *groups.labels], rows)


def _counted(estimate: Estimate) -> str:
    return f"{words.estimate(estimate)} (n {estimate.n})"

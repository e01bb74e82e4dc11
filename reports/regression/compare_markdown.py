"""A `Compared` as Markdown: the words and the tables, and of each sample that got worse the beginning of the texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .. import words
from ..markdown_tables import escape, table
from . import said
from .records import Compared, Difference, Moved, Side, Slice

SHOWN = 300
"""Letters of a text."""


def compare_markdown(found: Compared, gate: str = "") -> str:
    """GitHub-flavoured Markdown; names and what models wrote are escaped. ``gate`` is a section of its own."""
    blocks = [
        f"# {escape(said.title(found))}",
        *(f"**{escape(text)}**" for text in said.first_lines(found)),
        *(f"> {escape(note)}" for note in said.notes(found)),
        *([gate.rstrip("\n")] if gate else []),
        *_differences(found),
        *_slices(found),
        *_worse(found),
        " · ".join(escape(part) for part in said.facts(found)),
    ]
    return "\n\n".join(blocks) + "\n"


def _differences(found: Compared) -> Iterator[str]:
    yield "## Differences"
    titles = ["Candidate", "Measure", "New", "Baseline", "Difference, 95 %", "Better / same / worse", "p", "Test"]
    yield table(titles, (_difference(one, found) for one in found.differences), left=2)
    yield f"† {escape(found.family)}; the other p are not corrected, to explore only."


def _difference(one: Difference, found: Compared) -> list[str]:
    strong = "**" if said.side(one) and not one.exploratory else ""
    return [
        escape(said.candidate(one.subject, found)),
        escape(said.measure(one.subject, found)),
        said.value(one.new, one),
        said.value(one.old, one),
        f"{strong}{said.change(one)}{strong}",
        f"{one.wins:,} / {one.ties:,} / {one.losses:,}",
        escape(said.p_words(one)) + ("" if one.exploratory else "†"),
        one.test,
    ]


def _slices(found: Compared) -> Iterator[str]:
    if not found.slices and not found.too_small:
        return
    yield "## By tag"
    if found.slices:
        titles = ["Tag", "Candidate", "Measure", "Samples", "Difference, 95 %", "q"]
        yield table(titles, (_slice(one, found) for one in found.slices), left=3)
        yield "q is corrected over all slices by Benjamini and Hochberg: a hint where to look, not a finding."
    if small := said.too_small(found):
        yield escape(small)


def _slice(one: Slice, found: Compared) -> list[str]:
    about = one.difference.subject
    return [
        escape(one.tag),
        escape(said.candidate(about, found)),
        escape(said.measure(about, found)),
        f"{one.difference.estimate.n:,}",
        said.change(one.difference),
        escape(words.p_value(one.q)),
    ]


def _worse(found: Compared) -> Iterator[str]:
    moves = list(said.moves(found))
    if not moves:
        return
    yield "## Samples that got worse"
    yield "\n".join(f"- {escape(text)}" for text in moves)
    for one in found.worse:
        yield f"### {escape(one.sample_id)}: {escape(said.fall(one, found))}"
        yield "\n".join(_moved(one))


def _moved(one: Moved) -> Iterator[str]:
    yield f"- Question: {_trimmed(one.question)}"
    if one.reference:
        yield f"- Reference: {_trimmed(one.reference)}"
    for name, shown in (("Baseline", one.old), ("New", one.new)):
        yield f"- {name} ({words.number(shown.score)}): {_trimmed(shown.text) or said.silent(shown)}"
        yield from (f"  - {text}" for text in _reasons(shown))


def _reasons(shown: Side) -> Sequence[str]:
    levels = {name: words.number(level, 1).removesuffix(".0") for name, level in shown.levels.items()}
    heads = {name: f"{escape(name)} {levels.get(name, '')}" for name in shown.reasoning}
    return [f"{heads[name]}: {_trimmed(text)}" if text else heads[name] for name, text in shown.reasoning.items()]


def _trimmed(text: str) -> str:
    return escape(text if len(text) <= SHOWN else f"{text[:SHOWN].rstrip()} …")

"""The section on content safety in words, and as Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from ..harness.records import Estimate
from ..harness.statistics.classes import Detection
from . import words
from .markdown_tables import escape, table
from .safety import Guarded, Refusing, Safety, Unsafe

REFUSALS = (
    "By rules on English texts, which find too many full refusals and too few partial ones. Over-refusal: the share of "
    "prompts labelled safe that are refused in full. 95 % intervals, Wilson."
)
_LABELLED = (("User's messages against labels", "of_users"), ("Answers against labels", "of_answers"))


def guard(found: Guarded) -> str:
    """What was judged, in a sentence or two."""
    text = f"Verdicts of {found.judge.name} by the categories of the rubric {found.judge.rubric}."
    if found.users:
        text += f" Of {words.plural(found.users, 'user message')} {found.users_unsafe:,} were judged unsafe."
    return f"{text} An answer may fall in several categories."


def share(row: Unsafe) -> str:
    """Of the answers that were judged."""
    return fine(row.count / row.answers if row.answers else None)


def upper(row: Unsafe) -> str:
    """The bound, as fine as a gate's would be."""
    return fine(row.units.upper)


def units(row: Unsafe) -> str:
    """Of what: samples, or clusters of them."""
    return f"of {words.plural(row.units.n, 'cluster' if row.units.clustered else 'sample')}"


def fine(rate: float | None) -> str:
    """``0.34 %``: two digits below 10 %."""
    if rate is None or rate >= 0.1 or rate == 0:
        return words.percent(rate)
    return f"{100 * rate:.2g} %"


def against(found: Guarded) -> list[tuple[str, list[tuple[str, Detection]]]]:
    """The guard held against labels: a heading, and rows, the first of all categories together."""
    tables = []
    for title, name in _LABELLED:
        if (whole := getattr(found, name)) is not None:
            each = [(f"{row.code} {row.name}", getattr(row, name)) for row in found.categories]
            tables.append((title, [("any", whole), *((label, d) for label, d in each if d is not None)]))
    return tables


def refusals(row: Refusing) -> tuple[Estimate, ...]:
    """Full and partial, of safe prompts and then of unsafe ones."""
    return tuple(kind[name] for kind in (row.safe, row.unsafe) for name in ("full_refusal", "partial_refusal"))


def safety_blocks(found: Safety | None) -> Iterator[str]:
    """Blocks of Markdown."""
    if found is None:
        return
    for one in found.guards:
        yield from _guard_blocks(one, f": {one.judge.name}" if len(found.guards) > 1 else "")
    if found.refusing:
        yield "## Refusals"
        yield REFUSALS
        titles = ["Candidate", "Over-refusal", "Partial, of safe prompts", "Full, of unsafe", "Partial, of unsafe"]
        yield table(titles, ([escape(row.candidate), *map(_rate, refusals(row))] for row in found.refusing))
    if found.unread:
        yield f"> Refusals are not told: {found.unread}."


def _guard_blocks(found: Guarded, which: str) -> Iterator[str]:
    yield f"## Content safety{escape(which)}"
    yield escape(guard(found))
    rows = (
        [escape(row.candidate), f"{row.count:,} of {row.answers:,}", share(row), upper(row), units(row)]
        for row in found.unsafe
    )
    yield table(["Candidate", "Unsafe answers", "Share", "At most, with 95 %", "Bound"], rows)
    if found.categories:
        titles = ["Category", "User's messages", *(escape(row.candidate) for row in found.unsafe)]
        counts = ([escape(f"{c.code} {c.name}"), *map(words.count, (c.users, *c.answers))] for c in found.categories)
        yield table(titles, counts)
    for title, lines in against(found):
        yield f"**{title}**"
        yield table(["Unsafe", "By labels", "Found", "Precision", "Recall", "F1"], (_line(*line) for line in lines))


def _line(name: str, found: Detection) -> list[str]:
    measured = (found.precision, found.recall, found.f1)
    return [escape(name), f"{found.true:,} of {found.n:,}", words.count(found.flagged), *map(_rate, measured)]


def _rate(one: Estimate) -> str:
    if one.low is None:
        return words.percent(one.value)
    return f"{words.percent(one.value)} ({words.percent(one.low)} to {words.percent(one.high)})"

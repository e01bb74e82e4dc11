"""The sections on juries and on repeats, as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from . import repeats, words
from .juries import Bench, Disputed, Two, Unity
from .markdown_tables import escape, table
from .pairwise_words import share
from .repeats import Repeated


def jury_blocks(found: Sequence[Bench]) -> Iterator[str]:
    """Headings, words and tables of every jury."""
    for bench in found:
        yield "## Jury" + (f": {escape(bench.jury.name)}" if len(found) > 1 else "")
        yield escape(bench.words)
        titles = ["Criterion", "Answers", "Unanimous", "Mean range", "Krippendorff's alpha", "No score"]
        yield table(titles, (_unity(one) for one in bench.unity))
        titles = ["Members", "Criterion", "Answers", "Same score", "Mean difference"]
        yield table(titles, (_two(two) for two in bench.pairs), left=2)
        if bench.disputed:
            some = f"{len(bench.disputed)} of {bench.n_disputed:,}"
            yield f"Furthest apart, {some} with different scores; worth a person's look, but no random sample:"
            titles = ["Question", "Candidate", "Criterion", *(escape(name) for name in bench.jury.members)]
            yield table(titles, (_disputed(one) for one in bench.disputed), left=3)


def _unity(one: Unity) -> list[str]:
    return [
        escape(one.criterion),
        words.count(one.n),
        share(one.unanimous),
        words.estimate(one.spread),
        words.estimate(one.alpha),
        words.count(one.lost),
    ]


def _two(two: Two) -> list[str]:
    gap = words.estimate(two.difference, sign=True)
    names = f"{escape(two.first)} and {escape(two.second)}"
    return [names, escape(two.criterion), words.count(two.n), share(two.same), gap]


def _disputed(one: Disputed) -> list[str]:
    scores = (words.NONE if score is None else f"{score:.3g}" for score in one.scores)
    return [escape(one.where), escape(one.candidate), escape(one.criterion), *scores]


def repeats_blocks(found: Sequence[Repeated]) -> Iterator[str]:
    """The section on repeats; nothing where no answer was graded twice."""
    if found:
        yield "## Repeats"
        yield escape(repeats.WORDS)
        titles = "Candidate|Judge|Measure|Questions|Flip rate|Two differ|Sd within|Sd between|Noise"
        titles += "|More gradings|Endless gradings"
        yield table(titles.split("|"), (_repeated(row) for row in found), left=3)


def _repeated(row: Repeated) -> list[str]:
    found = row.found
    return [
        *(escape(text) for text in (row.candidate, row.judge, row.measure)),
        f"{words.count(found.n)} × {found.repeats:.3g}",
        share(found.flip_rate),
        share(found.pair_flip_rate),
        words.number(found.within**0.5),
        words.number(found.between**0.5),
        words.percent(row.noise),
        *(f"−{words.percent(less)}" for less in row.narrower),
    ]

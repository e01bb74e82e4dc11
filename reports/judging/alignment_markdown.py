"""An `Alignment` as Markdown: the words and the tables, without figures."""

from __future__ import annotations

from collections.abc import Iterator

from ...harness.alignment import Alignment, CriterionAlignment
from .. import words
from ..markdown_tables import escape, table
from . import alignment as said


def alignment_markdown(found: Alignment) -> str:
    """GitHub-flavoured Markdown; names are escaped, so that none of them becomes markup."""
    blocks = [
        f"# {escape(found.title)}: judges and people · {found.date}",
        f"**{escape(said.verdict(found))}**",
        *(f"> {escape(caveat)}" for caveat in said.caveats(found)),
        *_agreement(found),
        *_confusions(found),
        *_candidates(found),
        *_alternative(found),
        *_pairs(found),
        *_labels(found),
        f"run {found.run}",
    ]
    return "\n\n".join(blocks) + "\n"


def _agreement(found: Alignment) -> Iterator[str]:
    if not found.criteria:
        return
    yield "## Agreement"
    names = said.columns(found)
    titles = ["Judge", "Criterion", "Answers", *(said.COLUMNS[name] for name in names)]
    yield table(titles, (row for one in found.criteria for row in _rows(one, names)), left=2)


def _rows(one: CriterionAlignment, names: tuple[str, ...]) -> Iterator[list[str]]:
    cells = []
    for name in names:
        by_chance = said.chance(one, name)
        tail = "" if by_chance is None else f" (chance {words.number(by_chance)})"
        cells.append(words.estimate(one.estimates.get(name), name == "bias") + tail)
    yield [escape(one.judge), escape(one.criterion), f"{one.n:,}", *cells]
    if one.humans:
        yield ["people among themselves", escape(one.criterion), f"{one.n_humans:,}"] + [
            words.estimate(one.humans.get(name)) for name in names
        ]


def _confusions(found: Alignment) -> Iterator[str]:
    for one in found.criteria:
        if one.agreement is not None and one.n:
            yield f"### {escape(one.judge)}, {escape(one.criterion)}: judge down, people across"
            levels = [f"{level:g}" for level in one.agreement.levels]
            counts = ([words.number(n, 1).removesuffix(".0") for n in row] for row in one.agreement.confusion)
            yield table(["", *levels], ([name, *row] for name, row in zip(levels, counts, strict=True)))


def _candidates(found: Alignment) -> Iterator[str]:
    if not found.criteria:
        return
    yield "## By candidate"
    rows = (
        [
            escape(one.judge),
            escape(one.criterion),
            escape(c.candidate),
            f"{c.n:,}",
            words.estimate(c.bias, True),
            words.estimate(c.exact),
            words.estimate(c.kappa_quadratic),
        ]
        for one in found.criteria
        for c in one.candidates
    )
    yield table(["Judge", "Criterion", "Candidate", "Answers", "Bias", "Exact", "Quadratic kappa"], rows, left=3)


def _alternative(found: Alignment) -> Iterator[str]:
    tested = [(one, test) for one in found.criteria if (test := one.alternative)]
    if not tested:
        return
    yield f"## Alternative annotator test, epsilon {words.number(found.epsilon)}"
    rows = (
        [
            escape(one.judge),
            escape(one.criterion),
            "passes" if test.passed else "does not pass",
            words.number(test.winning_rate),
            words.number(test.advantage),
            f"{test.n:,}",
        ]
        for one, test in tested
    )
    yield table(["Judge", "Criterion", "Verdict", "Winning rate", "Advantage", "Answers"], rows, left=3)


def _pairs(found: Alignment) -> Iterator[str]:
    if not found.pairs:
        return
    yield "## Which of two answers is better"
    rows = []
    for pair in found.pairs:
        votes = (words.estimate(one.agreement) for one in (pair.s1, pair.s2))
        rows.append([escape(pair.judge), f"{pair.votes:,}", *votes])
        if pair.humans_s1 is not None and pair.humans_s2 is not None:
            people = (words.estimate(pair.humans_s1.agreement), words.estimate(pair.humans_s2.agreement))
            rows.append(["people among themselves", f"{pair.humans_s1.pairs:,}", *people])
    yield table(["Judge", "Votes", "S1 (chance 0.33)", "S2 without ties (chance 0.50)"], rows)


def _labels(found: Alignment) -> Iterator[str]:
    yield "## Labels"
    rows = (
        [
            escape(used.name),
            escape(", ".join(used.annotators)),
            escape(used.design) or "unknown",
            escape(used.labelled_at) or words.NONE,
            f"{used.n:,}",
            f"{sum(used.unattached.values()):,}",
        ]
        for used in found.labels
    )
    yield table(["Set", "Annotators", "How drawn", "When", "Labels", "Do not hold"], rows, left=4)

"""What came of a review as Markdown: the words and the tables, without figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ...harness.review.results import CriterionAgreement, Dispute, Duel, ReviewResult
from .. import words
from ..markdown_tables import escape, table
from ..pairwise_words import ranks, share
from . import said


def review_markdown(found: ReviewResult) -> str:
    """GitHub-flavoured Markdown; names and notes are escaped, so that none of them becomes markup."""
    blocks = [
        f"# {escape(found.title)}: what people say · {found.date}",
        f"**{escape(said.verdict(found))}**",
        *(f"> {escape(caveat)}" for caveat in said.caveats(found)),
        *_candidates(found),
        "## Agreement",
        *(block for one in found.agreement for block in _agreement(one, said.columns(found))),
        *_work(found),
        *_disputes(found),
        f"review {escape(found.review.name)} of run {found.review.run}: {said.drawn(found)}, seed {found.review.seed}",
    ]
    return "\n\n".join(blocks) + "\n"


def _candidates(found: ReviewResult) -> Iterator[str]:
    yield "## Candidates"
    if found.means:
        names = said.criteria(found)
        rows = (
            [escape(c), *(words.estimate(said.mean(found, c, name).estimate) for name in names)]
            for c in found.candidates
        )
        yield table(["Candidate", *map(escape, names)], rows)
    if found.duels:
        yield table(["Pair", "Win rate", "Without ties", "Won/tied/lost", "p"], map(_duel, found.duels))
    if found.ratings:
        rated = zip(found.candidates, found.ratings.models, strict=True)
        yield table(["Candidate", "Elo", "Rank"], ([escape(n), f"{one.elo.value:.0f}", ranks(one)] for n, one in rated))


def _duel(duel: Duel) -> list[str]:
    rate = duel.rate
    p = words.NONE if duel.p is None else words.p_value(duel.p)
    names = f"{escape(duel.left)} against {escape(duel.right)}"
    decided = words.NONE if duel.p is None else escape(share(rate.decided))
    return [names, escape(share(rate.estimate)), decided, f"{rate.wins}/{rate.ties}/{rate.losses}", p]


def _agreement(one: CriterionAgreement, columns: Mapping[str, str]) -> Iterator[str]:
    yield f"### {escape(said.named(one.criterion))}: everyone against the other people"
    rows = [["all people", f"{one.n:,}", *(words.estimate(one.people.get(said.ALL.get(n, ""))) for n in columns)]]
    for row in one.raters:
        cells = (words.estimate(row.estimates[name], name == "bias") for name in columns)
        rows.append([escape(said.who(row)), f"{row.n:,}", *cells])
    yield table(["Rater", "Items", *columns.values()], rows)
    if len(one.pairs) > 1:
        names = ("exact", "kappa_quadratic", "ac2", "alpha")
        pairs = (
            [f"{escape(p.first)} and {escape(p.second)}", f"{p.n:,}", *(words.estimate(p.estimates[n]) for n in names)]
            for p in one.pairs
        )
        yield table(["Every two", "Items", *(said.COLUMNS[name] for name in names)], pairs)


def _work(found: ReviewResult) -> Iterator[str]:
    yield "## Raters"
    rows = (
        [
            escape(one.rater),
            f"{one.rated:,} of {one.dealt:,}",
            words.seconds(one.seconds.value),
            f"{one.missed} of {one.attention}" if one.attention else words.NONE,
        ]
        for one in found.work
    )
    yield table(["Rater", "Rated", "Median seconds an item", "Attention items missed"], rows)


def _disputes(found: ReviewResult) -> Iterator[str]:
    if not found.disputes:
        return
    yield "## Worst disagreements"
    yield escape(said.adjudication(found))
    yield table(["Answer", "Raters", "Settled"], map(_dispute, found.disputes[: said.MOST]), left=3)


def _dispute(one: Dispute) -> list[str]:
    return [escape(text) or words.NONE for text in (said.about(one), said.gaps(one), said.settled(one))]

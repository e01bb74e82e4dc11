"""The pairwise sections, as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from . import pairwise_words as said
from . import words
from .markdown_tables import escape, table
from .pairwise import Duel, Pairwise


def pairwise_blocks(found: Sequence[Pairwise]) -> Iterator[str]:
    """Headings, words and tables of every pairwise judge."""
    for one in found:
        yield "## Pairwise" + (f": {escape(one.judge.name)}" if len(found) > 1 else "")
        yield escape(said.section(one))
        titles = ["Pair", "Win rate", "Without ties", "Won/tied/lost", "p", "Missing"]
        yield table(titles, (_duel(duel) for duel in one.duels))
        yield escape(said.order_effects(one.orders))
        if one.ratings is not None:
            yield escape(said.rating(one))
            yield table(["Candidate", "Elo", "95 %", "Rank"], _ratings(one))


def _duel(duel: Duel) -> list[str]:
    rate = duel.rate
    missing = ", ".join(f"{n} {escape(why)}" for why, n in duel.missing.items())
    return [
        f"{escape(duel.left)} against {escape(duel.right)}",
        escape(said.share(rate.estimate)),
        escape(said.share(rate.decided)),
        f"{rate.wins}/{rate.ties}/{rate.losses}",
        words.p_value(duel.p),
        missing or "0",
    ]


def _ratings(found: Pairwise) -> Iterator[list[str]]:
    for name, row in said.ranked(found):
        interval = "–" if row.elo.low is None else f"{row.elo.low:.0f} to {row.elo.high:.0f}"
        yield [escape(name), f"{row.elo.value:.0f}", interval, said.ranks(row)]

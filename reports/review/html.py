"""What came of a review as one HTML file, by the rules of the run's report: no network, words only as text."""

from __future__ import annotations

from markupsafe import Markup

from ...harness.review.results import CriterionAgreement, Duel, ReviewResult
from .. import words
from ..figures.agreement import Dot, dots, reach_of
from ..figures.rater_matrix import rater_matrix
from ..figures.win_matrix import Field, win_matrix
from ..html import static_page
from ..pairwise_words import limits, ranks, share
from . import said


def render_review(found: ReviewResult) -> str:
    """The page; the same result gives the same bytes."""
    return static_page(
        "review_result",
        found=found,
        said=said,
        share=share,
        limits=limits,
        ranks=ranks,
        plural=words.plural,
        wins=_wins(found),
        dots={one.criterion: _dots(one) for one in found.agreement},
        matrices={one.criterion: _matrix(found, one) for one in found.agreement},
        disputes=found.disputes[: said.MOST],
    )


def _wins(found: ReviewResult) -> Markup | None:
    """The win matrix; ``None`` for fewer than three candidates, where one line says it."""
    if len(found.candidates) < 3:
        return None
    fields: dict[tuple[str, str], Field] = {}
    for duel in found.duels:
        fields[duel.left, duel.right] = _field(duel)
        fields[duel.right, duel.left] = _field(duel.turned)
    return win_matrix(found.candidates, fields)


def _field(duel: Duel) -> Field:
    return duel.rate.estimate, limits(duel.rate.estimate), said.side(duel)


def _dots(one: CriterionAgreement) -> Markup | None:
    """Quadratic kappa of everyone against the other people."""
    rows = [Dot(said.who(row), row.estimates["kappa_quadratic"]) for row in one.raters if row.n]
    reach = reach_of((row.estimate for row in rows), 0.0, 1.0)
    return dots(rows, "quadratic kappa with the other people, 95 % interval", reach)


def _matrix(found: ReviewResult, one: CriterionAgreement) -> Markup | None:
    """Every two raters; ``None`` where the rows above say as much."""
    names = [row.rater for row in one.raters if row.n]
    if len(names) < 3:
        return None
    pairs = {(pair.first, pair.second): pair.estimates["kappa_quadratic"] for pair in one.pairs}
    return rater_matrix(names, found.judges, pairs, "quadratic kappa")

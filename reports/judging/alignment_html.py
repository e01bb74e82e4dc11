"""An `Alignment` as one HTML file, by the rules of the run's report: no network, names only as text."""

from __future__ import annotations

from markupsafe import Markup

from ...harness.alignment import Alignment
from .. import words
from ..figures.agreement import Dot, dots, reach_of
from ..figures.confusion import confusion
from ..html import static_page
from . import alignment as said


def render_alignment(found: Alignment) -> str:
    """The page; the same alignment gives the same bytes."""
    return static_page(
        "alignment",
        found=found,
        verdict=said.verdict(found),
        caveats=said.caveats(found),
        columns={name: said.COLUMNS[name] for name in said.columns(found)},
        chance=said.chance,
        ratios=said.RATIOS,
        candidates=said.candidates(found),
        agreement=agreement_figure(found),
        biases=_biases(found),
        confusions=_confusions(found),
    )


def agreement_figure(found: Alignment) -> Markup | None:
    """Quadratic kappa of every criterion, people's own beside it."""
    rows = [
        Dot(_name(found, one.judge, one.criterion), kappa, one.humans.get("kappa_quadratic"))
        for one in found.criteria
        if (kappa := one.estimates.get("kappa_quadratic")) is not None
    ]
    shown = [e for row in rows for e in (row.estimate, row.people)]
    return dots(rows, "quadratic kappa, 95 % interval", reach_of(shown, 0.0, 1.0))


def _biases(found: Alignment) -> list[tuple[str, Markup]]:
    """Judge minus people for each candidate: a figure a criterion, all on one axis."""
    reach = reach_of((c.bias for one in found.criteria for c in one.candidates), -0.5, 0.5)
    drawn = []
    for one in found.criteria:
        rows = [Dot(c.candidate, c.bias) for c in one.candidates]
        if (figure := dots(rows, "judge minus people, levels", reach, signed=True)) is not None:
            drawn.append((_name(found, one.judge, one.criterion), figure))
    return drawn


def _confusions(found: Alignment) -> list[tuple[str, str, Markup]]:
    drawn = []
    for one in found.criteria:
        if one.agreement is not None and one.n:
            figure = confusion(one.agreement.levels, one.agreement.confusion, one.judge)
            exact = words.percent(one.estimates["exact"].value)
            drawn.append((_name(found, one.judge, one.criterion), f"{one.n:,} answers, {exact} the same", figure))
    return drawn


def _name(found: Alignment, judge: str, criterion: str) -> str:
    return f"{judge}: {criterion}" if len(said.judges(found)) > 1 else criterion

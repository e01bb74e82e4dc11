"""A `Compared` as one HTML file without a script: no network, and what models wrote stands there as text."""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup

from .. import words
from ..exam import Scale
from ..figures.forest import Effect, forest
from ..html import environment, static_page
from . import said
from .records import Compared, Difference

LONG = 700
"""Letters of a text, above which it is folded."""


def render_compare(found: Compared, gate: Markup | None = None) -> str:
    """The page; the same comparison gives the same bytes. ``gate`` is a section of its own above the differences."""
    templates = environment()
    templates.globals.update(
        amount=said.amount,
        candidate=said.candidate,
        fall=said.fall,
        measure=said.measure,
        p_words=said.p_words,
        side=said.side,
        silent=said.silent,
        when=said.when,
    )
    return static_page(
        "compare",
        templates,
        found=found,
        title=said.title(found),
        first=list(said.first_lines(found)),
        notes=said.notes(found),
        moves=list(said.moves(found)),
        figures=list(forests(found)),
        gate=gate or Markup(""),
        small=said.too_small(found),
        long=LONG,
    )


def forests(found: Compared) -> Iterator[tuple[str, Markup]]:
    """A forest for each scale: differences on one axis can be compared."""
    by_scale: dict[Scale, list[Difference]] = {}
    for one in found.differences:
        if one.scale is not None:
            by_scale.setdefault(one.scale, []).append(one)
    for scale, group in by_scale.items():
        rows = [Effect(said.subject(one, found), one.estimate, said.side(one), not one.exploratory) for one in group]
        drawn = forest(rows, "new less old, 95 % interval", 0.02 * (scale[1] - scale[0]))
        if drawn is not None:
            yield f"Scale {words.scale_words(scale)}", drawn

"""Differences with their intervals around a line at zero: left or right of it, and by more than chance or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from ...harness.records import Estimate
from .. import words
from .agreement import reach_of
from .axes import Axis, label, linear

WIDTH, LEFT, RIGHT, TOP, ROW = 760, 250, 190, 8, 28
FITS = 34
"""Letters of a name."""


@dataclass(frozen=True, slots=True)
class Effect:
    """A line of the figure. ``side`` is 1 where it is better by more than chance, -1 where worse, else 0; ``strong``
    is what counts."""

    name: str
    estimate: Estimate
    side: int = 0
    strong: bool = False


def forest(rows: Sequence[Effect], unit: str, least: float) -> Markup | None:
    """The figure; its axis reaches ``least`` to both sides at the least. ``None`` without a value."""
    drawn = [row for row in rows if row.estimate.value is not None]
    if not drawn:
        return None
    axis = linear(*reach_of((row.estimate for row in drawn), -least, least), LEFT, WIDTH - RIGHT, 5)
    bottom = TOP + ROW * len(drawn)
    said = "; ".join(f"{row.name}: {words.estimate(row.estimate, sign=True)}" for row in drawn)
    parts = [
        Markup('<svg class="forest" viewBox="0 0 {} {}" width="100%" role="img" aria-label="{}. {}">').format(
            WIDTH, bottom + 40, unit, said
        )
    ]
    for tick in axis.ticks:
        x, kind = axis.at(tick), "zero" if tick == 0 else "grid"
        parts.append(Markup('<path class="{}" d="M{} {}V{}"/>').format(kind, x, TOP, bottom))
        parts.append(Markup('<text class="tick" x="{}" y="{}">{}</text>').format(x, bottom + 16, _tick(tick)))
    parts += [_line(row, axis, TOP + ROW * i + ROW // 2) for i, row in enumerate(drawn)]
    parts.append(Markup('<text class="unit end" x="{}" y="{}">{}</text>').format(WIDTH - RIGHT, bottom + 34, unit))
    return Markup("").join([*parts, Markup("</svg>")])


def _line(row: Effect, axis: Axis, y: int) -> Markup:
    one = row.estimate
    kind = {1: "better", -1: "worse"}.get(row.side, "same")
    whisker = Markup("")
    if one.low is not None and one.high is not None:
        a, b = axis.at(one.low), axis.at(one.high)
        whisker = Markup('<path class="ci" d="M{} {}H{}M{} {}v8M{} {}v8"/>').format(a, y, b, a, y - 4, b, y - 4)
    return Markup(
        '<g class="{}">{}{}<circle cx="{}" cy="{}" r="4.5"/><text class="figure" x="{}" y="{}">{}</text></g>'
    ).format(
        f"{kind} strong" if row.strong else kind,
        label("name" if row.strong else "minor", 0, y + 4, row.name, FITS),
        whisker, axis.at(one.value or 0.0), y, WIDTH - RIGHT + 14, y + 4, words.estimate(one, sign=True),
    )  # fmt: skip


def _tick(value: float) -> str:
    return f"{value:+g}".replace("-", "−") if value else "0"

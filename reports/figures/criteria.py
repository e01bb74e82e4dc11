"""One criterion: every candidate's mean as a bar on the scale, with its interval."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from ...harness.records import Estimate
from .. import words
from .axes import Axis, label, linear

WIDTH, LEFT, RIGHT, TOP, ROW = 344, 108, 44, 6, 26
FITS = 15
"""Characters of a name."""


def criterion_bars(title: str, rows: Sequence[tuple[str, Estimate]], scale: tuple[float, float] | None) -> Markup:
    """An SVG of a line a candidate; ``title`` is what a screen reader hears first. Without a scale bars end at the
    highest limit. A candidate without a mean has a dash and no bar."""
    low, high = scale or (0.0, max([e.high or e.value or 0.0 for _, e in rows], default=0.0) or 1.0)
    axis = linear(low, high, LEFT, WIDTH - RIGHT, 3)
    bottom = TOP + ROW * len(rows)
    said = "; ".join(f"{name}: {words.estimate(one)}" for name, one in rows)
    parts = [
        Markup('<svg class="criterion" viewBox="0 0 {} {}" width="100%" role="img" aria-label="{}. {}">').format(
            WIDTH, bottom + 20, title, said
        )
    ]
    for tick in axis.ticks:
        x = axis.at(tick)
        parts.append(Markup('<path class="grid" d="M{} {}V{}"/>').format(x, TOP, bottom))
        parts.append(Markup('<text class="tick" x="{}" y="{}">{}</text>').format(x, bottom + 15, f"{tick:g}"))
    parts += [_line(name, one, axis, TOP + ROW * i) for i, (name, one) in enumerate(rows)]
    return Markup("").join([*parts, Markup("</svg>")])


def _line(name: str, one: Estimate, axis: Axis, top: int) -> Markup:
    middle = top + ROW // 2
    parts = [label("name", 0, middle + 4, name, FITS)]
    if one.value is not None:
        width = round(max(1.0, axis.at(one.value) - LEFT), 1)
        bar = Markup('<rect class="bar" x="{}" y="{}" width="{}" height="12" rx="2"/>')
        parts.append(bar.format(LEFT, middle - 6, width))
    if one.low is not None and one.high is not None:
        a, b = axis.at(one.low), axis.at(one.high)
        whisker = Markup('<path class="ci" d="M{} {}H{}M{} {}v8M{} {}v8"/>')
        parts.append(whisker.format(a, middle, b, a, middle - 4, b, middle - 4))
    number = Markup('<text class="name end" x="{}" y="{}">{}</text>')
    return Markup("").join([*parts, number.format(WIDTH - 1, middle + 4, words.number(one.value))])

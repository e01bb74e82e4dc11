"""The variance of a mean of single gradings, cut in two: the judge's noise, and differences between questions."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from .. import words
from .axes import linear, trimmed

WIDTH, LEFT, RIGHT, TOP, ROW = 560, 190, 46, 8, 26


def noise(rows: Sequence[tuple[str, float]]) -> Markup | None:
    """A bar for each name with the share of noise, 0 to 1, drawn dark from the left; ``None`` without rows."""
    if not rows:
        return None
    axis = linear(0.0, 1.0, LEFT, WIDTH - RIGHT, 4)
    bottom = TOP + ROW * len(rows)
    said = "; ".join(f"{name}: {words.percent(share)}" for name, share in rows)
    parts = [
        Markup('<svg viewBox="0 0 {} {}" width="100%" role="img" aria-label="Share of the variance: {}">').format(
            WIDTH, bottom + 40, said
        )
    ]
    for tick in axis.ticks:
        x = axis.at(tick)
        parts.append(Markup('<path class="grid" d="M{} {}V{}"/>').format(x, TOP, bottom))
        parts.append(Markup('<text class="tick" x="{}" y="{}">{}</text>').format(x, bottom + 16, words.percent(tick)))
    parts += [_row(name, share, TOP + ROW * i, axis.at(share)) for i, (name, share) in enumerate(rows)]
    unit = "share of the variance that is the judge's noise, the rest is between questions"
    parts.append(Markup('<text class="unit end" x="{}" y="{}">{}</text>').format(WIDTH - RIGHT, bottom + 34, unit))
    return Markup("").join([*parts, Markup("</svg>")])


def _row(name: str, share: float, y: int, end: float) -> Markup:
    said = f"{name}: {words.percent(share)} noise of the judge"
    return Markup(
        '<g><title>{}</title><text class="name" x="0" y="{}">{}</text>'
        '<rect class="bar" x="{}" y="{}" width="{}" height="12" rx="2"/>'
        '<rect class="dot" x="{}" y="{}" width="{}" height="12" rx="2"/>'
        '<text x="{}" y="{}">{}</text></g>'
    ).format(
        said,
        y + 17,
        trimmed(name, 27),
        LEFT,
        y + 7,
        WIDTH - RIGHT - LEFT,
        LEFT,
        y + 7,
        round(max(0.0, end - LEFT), 1),
        WIDTH - RIGHT + 8,
        y + 17,
        words.percent(share),
    )

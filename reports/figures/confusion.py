"""A confusion matrix: the judge's levels down, people's across, the share of each of the judge's levels as shade."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from .. import words

CELL, LEFT, TOP, DARK = 46, 46, 34, 0.55
"""From the share ``DARK`` on, a field is so dark that its number is drawn light."""


def confusion(levels: Sequence[float], table: Sequence[Sequence[float]], judge: str) -> Markup:
    """``table`` (q, q) counts answers; one with several annotators counts in parts. Names its row's share on hover."""
    names = [f"{level:g}" for level in levels]
    wide, high = LEFT + CELL * len(names) + 2, TOP + CELL * len(names) + 2
    said = "; ".join(
        f"judge {name}: " + ", ".join(f"people {other} {_count(n)}" for other, n in zip(names, row, strict=True) if n)
        for name, row in zip(names, table, strict=True)
    )
    parts = [
        Markup(
            '<svg class="confusion" width="{}" height="{}" viewBox="0 0 {} {}" role="img" aria-label="{}: {}">'
        ).format(wide, high, wide, high, judge, said),
        Markup('<text class="unit" x="0" y="12">judge ↓ people →</text>'),
    ]
    for i, name in enumerate(names):
        middle = CELL * i + CELL / 2
        parts.append(Markup('<text class="name mid" x="{}" y="{}">{}</text>').format(LEFT + middle, TOP - 6, name))
        parts.append(Markup('<text class="name end" x="{}" y="{}">{}</text>').format(LEFT - 8, TOP + middle + 4, name))
    for i, row in enumerate(table):
        total = sum(row)
        for j, count in enumerate(row):
            parts.append(_field(i, j, count, count / total if total else 0.0))
    return Markup("").join([*parts, Markup("</svg>")])


def _field(row: int, column: int, count: float, share: float) -> Markup:
    x, y = LEFT + CELL * column, TOP + CELL * row
    kind = "cell" + (" same" if row == column else "") + (" dark" if share > DARK else "")
    return Markup(
        '<g class="{}"><title>{} of the judge’s row</title><rect class="rail" x="{}" y="{}" width="{}" height="{}" '
        'rx="3"/><rect class="shade" x="{}" y="{}" width="{}" height="{}" rx="3" fill-opacity="{}"/>'
        '<text x="{}" y="{}">{}</text></g>'
    ).format(
        kind,
        words.percent(share),
        *(x + 1, y + 1, CELL - 2, CELL - 2) * 2,
        round(0.9 * share, 2),
        x + CELL / 2,
        y + CELL / 2 + 4,
        _count(count) if count else "",
    )


def _count(count: float) -> str:
    return f"{count:,.0f}" if abs(count - round(count)) < 0.05 else f"{count:,.1f}"

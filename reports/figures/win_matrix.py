"""A win matrix: how often the row was preferred to the column, coloured where that is beyond chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from ...harness.records import Estimate
from .. import words
from .axes import label

LEFT, TOP, ROW, WIDE = 132, 30, 44, 104
_FITS = 14

Field = tuple[Estimate, str, int]
"""A win rate, its limits in words, and 1, -1 or 0 for better, worse, or not told apart."""


def win_matrix(names: Sequence[str], fields: Mapping[tuple[str, str], Field]) -> Markup:
    """``fields`` by (row, column); pairs that were not compared stay empty."""
    wide, high = LEFT + WIDE * len(names) + 2, TOP + ROW * len(names) + 2
    said = "; ".join(
        f"{row} preferred to {column}: {words.percent(estimate.value)}"
        for (row, column), (estimate, *_) in fields.items()
    )
    parts = [
        Markup('<svg class="wins" width="{}" viewBox="0 0 {} {}" role="img" aria-label="{}">').format(
            wide, wide, high, said
        )
    ]
    for j, name in enumerate(names):
        parts.append(label("tick", LEFT + WIDE * (j + 0.5), 18, name, _FITS))
    for i, row in enumerate(names):
        parts.append(label("name", 0, TOP + ROW * (i + 0.5) + 4, row, 19))
        for j, column in enumerate(names):
            if (field := fields.get((row, column))) is not None:
                parts.append(_field(LEFT + WIDE * j, TOP + ROW * i, *field))
    return Markup("").join([*parts, Markup("</svg>")])


def _field(x: float, y: float, estimate: Estimate, limits: str, side: int) -> Markup:
    kind = "win" + (" up" if side > 0 else " down" if side < 0 else "")
    strength = 0.0 if estimate.value is None else 0.12 + 0.5 * abs(2 * estimate.value - 1)
    return Markup(
        '<g class="{}"><rect x="{}" y="{}" width="{}" height="{}" rx="3" fill-opacity="{}"/>'
        '<text x="{}" y="{}">{}</text><text class="limits" x="{}" y="{}">{}</text></g>'
    ).format(
        kind,
        *(x + 1.5, y + 1.5, WIDE - 3, ROW - 3),
        round(strength, 2),
        *(x + WIDE / 2, y + ROW / 2 - 1, words.percent(estimate.value)),
        *(x + WIDE / 2, y + ROW / 2 + 14, limits),
    )

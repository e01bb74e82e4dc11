"""A heat map: chunkings down, retrievers across, the mean of a measure in every field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from .. import words
from .axes import trimmed

WIDTH, LEFT, TOP, ROW = 600, 132, 30, 34


def heat(
    rows: Sequence[str], columns: Sequence[str], values: Mapping[tuple[str, str], float], marked: tuple[str, str] | None
) -> Markup | None:
    """``values`` by (row, column); the darkest field is the best. ``marked`` gets a frame. ``None`` without a grid."""
    if len(values) < 2 or len(rows) * len(columns) < 2:
        return None
    least, most = min(values.values()), max(values.values())
    span = (most - least) or 1.0
    wide = (WIDTH - LEFT) / len(columns)
    said = "; ".join(f"{row}, {column}: {words.number(v)}" for (row, column), v in values.items())
    high = TOP + ROW * len(rows) + 4
    parts = [Markup('<svg viewBox="0 0 {} {}" width="100%" role="img" aria-label="{}">').format(WIDTH, high, said)]
    fits = max(4, int(wide / 7.2))
    for j, column in enumerate(columns):
        x = round(LEFT + (j + 0.5) * wide, 1)
        parts.append(
            Markup('<text class="tick" x="{}" y="18"><title>{}</title>{}</text>').format(
                x, column, trimmed(column, fits)
            )
        )
    for i, row in enumerate(rows):
        y = TOP + ROW * i
        parts.append(Markup('<text class="name" x="0" y="{}">{}</text>').format(y + ROW / 2 + 4, trimmed(row, 19)))
        for j, column in enumerate(columns):
            if (value := values.get((row, column))) is not None:
                share = 0.08 + 0.72 * (value - least) / span
                parts.append(_field(LEFT + j * wide, y, wide, value, share, (row, column) == marked))
    return Markup("").join([*parts, Markup("</svg>")])


def _field(x: float, y: float, wide: float, value: float, share: float, marked: bool) -> Markup:
    kind = ("heat marked" if marked else "heat") + (" dark" if share > 0.55 else "")
    return Markup(
        '<g class="{}"><rect x="{}" y="{}" width="{}" height="{}" rx="3" fill-opacity="{}"/>'
        '<text x="{}" y="{}">{}</text></g>'
    ).format(
        kind,
        round(x + 1.5, 1),
        y + 1.5,
        round(wide - 3, 1),
        ROW - 3,
        round(share, 2),
        round(x + wide / 2, 1),
        y + ROW / 2 + 4,
        words.number(value),
    )

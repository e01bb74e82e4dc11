"""Raters by raters: how far every two agree, the stronger the greener; a judge among people is marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from ...harness.records import Estimate
from .. import words
from .axes import label

LEFT, TOP, ROW, WIDE = 132, 30, 40, 84
_FITS = 11


def rater_matrix(
    names: Sequence[str], judges: Sequence[str], pairs: Mapping[tuple[str, str], Estimate], measure: str
) -> Markup:
    """``pairs`` by two of ``names`` in their order, from -1 to 1; who shares no item with whom stays empty."""
    wide, high = LEFT + WIDE * len(names) + 2, TOP + ROW * len(names) + 2
    told = "; ".join(f"{a} and {b}: {words.number(one.value)}" for (a, b), one in pairs.items())
    parts = [
        Markup('<svg class="raters" width="{}" viewBox="0 0 {} {}" role="img" aria-label="{}. {}">').format(
            wide, wide, high, measure, told
        )
    ]
    for i, name in enumerate(names):
        kind = "name graded" if name in judges else "name"
        parts.append(label(kind, 0, TOP + ROW * (i + 0.5) + 4, name, 19))
        parts.append(label("tick", LEFT + WIDE * (i + 0.5), 18, name, _FITS))
        for j, other in enumerate(names):
            one = pairs.get((name, other)) or pairs.get((other, name))
            if i != j and one is not None:
                parts.append(_field(LEFT + WIDE * j, TOP + ROW * i, one))
    return Markup("").join([*parts, Markup("</svg>")])


def _field(x: float, y: float, one: Estimate) -> Markup:
    value = one.value
    kind = "pair" if value is None or value >= 0 else "pair against"
    strength = 0.05 if value is None else 0.08 + 0.55 * min(1.0, abs(value))
    limits = "" if one.low is None or one.high is None else f"{words.number(one.low)} to {words.number(one.high)}"
    return Markup(
        '<g class="{}"><title>{}, n {}</title><rect x="{}" y="{}" width="{}" height="{}" rx="3" fill-opacity="{}"/>'
        '<text x="{}" y="{}">{}</text><text class="limits" x="{}" y="{}">{}</text></g>'
    ).format(
        kind,
        one.method,
        one.n,
        *(x + 1.5, y + 1.5, WIDE - 3, ROW - 3),
        round(strength, 2),
        *(x + WIDE / 2, y + ROW / 2 - 2, words.number(value)),
        *(x + WIDE / 2, y + ROW / 2 + 12, limits),
    )

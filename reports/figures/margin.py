"""A difference with its interval beside the loss that would be accepted."""

from __future__ import annotations

from markupsafe import Markup

from ...harness.statistics.gates import Gain
from .. import words
from .axes import linear

WIDTH, HEIGHT, LEFT, RIGHT, TOP = 640, 104, 16, 16, 26
FLOOR = 62


def margin_figure(gain: Gain, margin: float, unit: str) -> Markup:
    """An SVG of one line: the accepted zone right of ``-margin``, the 95 % interval, and the one-sided bound on it."""
    known = [gain.value, 0.0, -margin, *(v for v in (gain.low, gain.high, gain.lower) if v is not None)]
    reach = 0.12 * (max(known) - min(known))
    axis = linear(min(known) - reach, max(known) + reach, LEFT, WIDTH - RIGHT, 6)
    edge, middle = axis.at(-margin), (TOP + FLOOR) // 2
    bound = "none" if gain.lower is None else words.signed(gain.lower)
    parts = [
        Markup('<svg class="margin" viewBox="0 0 {} {}" width="100%" role="img" aria-label="{}">').format(
            WIDTH,
            HEIGHT,
            f"difference {words.signed(gain.value)}, bound {bound}, accepted down to {words.number(-margin)}",
        ),
        Markup('<rect class="zone" x="{}" y="{}" width="{}" height="{}"/>').format(
            edge, TOP, round(WIDTH - RIGHT - edge, 1), FLOOR - TOP
        ),
        Markup('<path class="cut" d="M{} {}V{}"/>').format(edge, TOP, FLOOR),
        Markup('<text class="tick" x="{}" y="{}">accepted from {} on</text>').format(
            min(max(edge, LEFT + 62), WIDTH - RIGHT - 62), TOP - 8, words.number(-margin)
        ),
    ]
    for tick in axis.ticks:
        kind = "zero" if tick == 0 else "grid"
        parts.append(Markup('<path class="{}" d="M{} {}V{}"/>').format(kind, axis.at(tick), TOP, FLOOR))
        parts.append(
            Markup('<text class="tick" x="{}" y="{}">{}</text>').format(axis.at(tick), FLOOR + 16, _tick(tick))
        )
    if gain.low is not None and gain.high is not None:
        a, b = axis.at(gain.low), axis.at(gain.high)
        path = Markup('<path class="ci" d="M{} {}H{}M{} {}v10M{} {}v10"/>')
        parts.append(path.format(a, middle, b, a, middle - 5, b, middle - 5))
    if gain.lower is not None:
        parts.append(Markup('<path class="bound" d="M{} {}v18"/>').format(axis.at(gain.lower), middle - 9))
    parts.append(Markup('<circle class="dot" cx="{}" cy="{}" r="4.5"/>').format(axis.at(gain.value), middle))
    parts.append(Markup('<text class="unit end" x="{}" y="{}">{}</text>').format(WIDTH - RIGHT, FLOOR + 34, unit))
    return Markup("").join([*parts, Markup("</svg>")])


def _tick(value: float) -> str:
    return f"{value:+g}".replace("-", "−") if value else "0"

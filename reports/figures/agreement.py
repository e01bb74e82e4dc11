"""Estimates as dots on one axis with their intervals, beside what chance gives and what people reach."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from ...harness.records import Estimate
from .. import words
from .axes import Axis, linear, trimmed

WIDTH, LEFT, RIGHT, TOP, ROW = 560, 178, 22, 8, 30


@dataclass(frozen=True, slots=True)
class Dot:
    """A line of the figure; ``people`` is a second estimate for comparison, drawn hollow."""

    name: str
    estimate: Estimate
    people: Estimate | None = None


def dots(rows: Sequence[Dot], unit: str, reach: tuple[float, float], signed: bool = False) -> Markup | None:
    """The figure, with a line at zero where ``reach``, both ends of the axis, encloses it; ``None`` without a value."""
    drawn = [row for row in rows if row.estimate.value is not None]
    if not drawn:
        return None
    axis = linear(*reach, LEFT, WIDTH - RIGHT, 5)
    bottom = TOP + ROW * len(drawn)
    said = "; ".join(f"{row.name}: {words.estimate(row.estimate, signed)}" for row in drawn)
    parts = [
        Markup('<svg viewBox="0 0 {} {}" width="100%" role="img" aria-label="{}. {}">').format(
            WIDTH, bottom + 40, unit, said
        )
    ]
    for tick in axis.ticks:
        x, kind = axis.at(tick), "axis" if tick == 0 else "grid"
        parts.append(Markup('<path class="{}" d="M{} {}V{}"/>').format(kind, x, TOP, bottom))
        parts.append(Markup('<text class="tick" x="{}" y="{}">{}</text>').format(x, bottom + 16, _tick(tick, signed)))
    parts += [_line(row, axis, TOP + ROW * i + ROW // 2, signed) for i, row in enumerate(drawn)]
    parts.append(Markup('<text class="unit end" x="{}" y="{}">{}</text>').format(WIDTH - RIGHT, bottom + 34, unit))
    return Markup("").join([*parts, Markup("</svg>")])


def reach_of(estimates: Iterable[Estimate | None], least: float, most: float) -> tuple[float, float]:
    """Both ends of an axis that shows all of these and goes from ``least`` to ``most`` at least."""
    known = [e for e in estimates if e is not None and e.value is not None]
    lows = [e.value if e.low is None else e.low for e in known]
    highs = [e.value if e.high is None else e.high for e in known]
    low, high = min([least, *(v for v in lows if v is not None)]), max([most, *(v for v in highs if v is not None)])
    pad = 0.03 * (high - low)
    return low - pad if low < least else low, high + pad if high > most else high


def _line(row: Dot, axis: Axis, y: int, signed: bool) -> Markup:
    said = f"{row.name}: {words.estimate(row.estimate, signed)}"
    parts = [
        Markup("<g><title>{}</title>").format(said),
        Markup('<text class="name" x="0" y="{}">{}</text>').format(y + 4, trimmed(row.name, 25)),
    ]
    if row.people is not None and row.people.value is not None:
        parts.append(_mark(row.people, axis, y + 6, "people"))
    parts.append(_mark(row.estimate, axis, y, "own"))
    return Markup("").join([*parts, Markup("</g>")])


def _mark(one: Estimate, axis: Axis, y: int, kind: str) -> Markup:
    x = axis.at(one.value or 0.0)
    whisker = Markup("")
    if one.low is not None and one.high is not None:
        whisker = Markup('<path class="ci" d="M{} {}H{}"/>').format(axis.at(one.low), y, axis.at(one.high))
    return Markup('<g class="{}">{}<circle cx="{}" cy="{}" r="4.5"/></g>').format(kind, whisker, x, y)


def _tick(value: float, signed: bool) -> str:
    text = f"{value:+g}" if signed and value else f"{value:g}"
    return text.replace("-", "−")

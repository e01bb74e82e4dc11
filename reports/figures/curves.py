"""Curves with their intervals: quality by number of contexts, by tokens, and what the retriever found by number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from ...harness.records import Estimate
from .. import words
from .axes import Axis, linear, trimmed

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 360, 230, 44, 14, 18, 42
COLOURS = 5
"""Classes `curve0` … of the style sheet; further curves start over."""
LEGEND = 18
_COUNTED, _TICKS = 100, 8


@dataclass(frozen=True, slots=True)
class Curve:
    """A name and its points, x ascending."""

    name: str
    points: tuple[tuple[float, Estimate], ...]


def curves(found: Sequence[Curve], across: str, up: str, scale: tuple[float, float] | None) -> Markup | None:
    """The figure; ``across`` and ``up`` name the axes. ``None`` where no curve has two points to join."""
    drawn = [Curve(c.name, tuple((x, e) for x, e in c.points if e.value is not None)) for c in found]
    drawn = [c for c in drawn if c.points]
    if not any(len({x for x, _ in c.points}) > 1 for c in drawn):
        return None
    x, y = _across([x for c in drawn for x, _ in c.points]), _up([e for c in drawn for _, e in c.points], scale)
    height = HEIGHT + LEGEND * (len(drawn) if len(drawn) > 1 else 0)
    said = "; ".join(f"{c.name}: " + ", ".join(f"{words.number(e.value)} at {x:g}" for x, e in c.points) for c in drawn)
    parts = [
        Markup('<svg viewBox="0 0 {} {}" width="100%" role="img" aria-label="{} by {}. {}">').format(
            WIDTH, height, up, across, said
        ),
        *_frame(x, y, across, up),
    ]
    for number, curve in enumerate(drawn):
        parts.append(_curve(curve, f"curve{number % COLOURS}", x, y))
    if len(drawn) > 1:
        parts += [_legend(curve.name, number) for number, curve in enumerate(drawn)]
    return Markup("").join([*parts, Markup("</svg>")])


def _across(values: Sequence[float]) -> Axis:
    """From zero; small counts have their ticks where points are."""
    most, own = max(values), tuple(sorted(set(values)))
    axis = linear(min(0.0, *values), most * 1.04 if most else 1.0, LEFT + 6, WIDTH - RIGHT, 5)
    counted = most <= _COUNTED and len(own) <= _TICKS and all(value == int(value) for value in own)
    return replace(axis, ticks=own) if counted else axis


def _up(estimates: Sequence[Estimate], scale: tuple[float, float] | None) -> Axis:
    lows = [e.value if e.low is None else e.low for e in estimates]
    highs = [e.value if e.high is None else e.high for e in estimates]
    low, high = min(v for v in lows if v is not None), max(v for v in highs if v is not None)
    pad = max(0.08 * (high - low), 0.02 * (scale[1] - scale[0]) if scale else 1e-6)
    low, high = low - pad, high + pad
    if scale:
        low, high = max(low, scale[0] - pad / 2), min(high, scale[1] + pad / 2)
    return linear(low, high, HEIGHT - BOTTOM, TOP)


def _frame(x: Axis, y: Axis, across: str, up: str) -> list[Markup]:
    floor = HEIGHT - BOTTOM
    parts = [Markup('<path class="axis" d="M{} {}V{}H{}"/>').format(LEFT, TOP, floor, WIDTH - RIGHT)]
    for tick in y.ticks:
        at = y.at(tick)
        parts.append(Markup('<path class="grid" d="M{} {}H{}"/>').format(LEFT, at, WIDTH - RIGHT))
        parts.append(Markup('<text class="tick end" x="{}" y="{}">{}</text>').format(LEFT - 7, at + 4, f"{tick:g}"))
    tick_text = Markup('<text class="tick" x="{}" y="{}">{}</text>')
    parts += [tick_text.format(x.at(tick), floor + 16, f"{tick:,g}") for tick in x.ticks]
    parts.append(Markup('<text class="unit end" x="{}" y="{}">{}</text>').format(WIDTH - RIGHT, floor + 34, across))
    parts.append(Markup('<text class="unit" x="{}" y="{}">{}</text>').format(4, TOP - 6, trimmed(up, 44)))
    return parts


def _curve(curve: Curve, kind: str, x: Axis, y: Axis) -> Markup:
    places = [(x.at(at), y.at(e.value or 0.0), e, at) for at, e in curve.points]
    path = "L".join(f"{px} {py}" for px, py, _, _ in places)
    parts = [Markup('<g class="curve {}"><path d="M{}"/>').format(kind, path)]
    for px, py, e, at in places:
        said = f"{curve.name}: {words.estimate(e)} at {at:,g}"
        parts.append(Markup('<g><title>{}</title><circle cx="{}" cy="{}" r="3.5"/>').format(said, px, py))
        if e.low is not None and e.high is not None:
            parts.append(Markup('<path d="M{} {}V{}"/>').format(px, y.at(e.low), y.at(e.high)))
        parts.append(Markup("</g>"))
    return Markup("").join([*parts, Markup("</g>")])


def _legend(name: str, number: int) -> Markup:
    at = HEIGHT + LEGEND * number
    return Markup('<g class="curve curve{}"><path d="M4 {}h22"/></g><text class="name" x="34" y="{}">{}</text>').format(
        number % COLOURS, at + 4, at + 8, trimmed(name, 44)
    )

"""Quality against cost, bubbles as large as the p95 latency, with the Pareto front.

Where no cost is known, or all cost the same, quality stands against latency.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from .. import words
from .axes import Axis, amounts, linear, trimmed

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 600, 292, 46, 24, 16, 44
GUTTER = 46
"""Room left of a logarithmic axis for what costs nothing."""
LETTER = 6.7
LEAST, MOST = 4.5, 20.0


@dataclass(frozen=True, slots=True)
class Point:
    """A candidate's quality with its interval, cost and latency; ``None`` is unknown."""

    candidate: str
    quality: float
    low: float | None
    high: float | None
    usd_per_1000: float | None
    p50_s: float | None
    p95_s: float | None


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture and what to say about it; ``svg`` is ``None`` where there is nothing to draw."""

    title: str
    words: str
    svg: Markup | None


@dataclass(frozen=True, slots=True)
class _Dot:
    point: Point
    x: float
    y: float
    r: float
    front: bool


def pareto(points: Sequence[Point], quality: str, scale: tuple[float, float] | None) -> Figure:
    """The figure for ``points``; ``quality`` names what stands on the y axis."""
    by_cost = _worth(points, lambda p: p.usd_per_1000)
    if by_cost:
        unknown = [p.candidate for p in points if p.usd_per_1000 is None]
        missing = f" Not shown, price unknown: {words.listed(unknown)}." if unknown else ""
        said = f"Higher and further left is better. Bubble: p95 latency. Dashed: the Pareto front.{missing}"
        svg = _draw(by_cost, lambda p: p.usd_per_1000 or 0.0, quality, scale, "USD per 1,000 answers", True)
        return Figure("Quality against cost", said, svg)
    by_latency = _worth(points, lambda p: p.p50_s)
    why = (
        "No price is known"
        if all(p.usd_per_1000 is None for p in points)
        else "All candidates whose price is known cost the same"
    )
    if by_latency:
        unknown = [p.candidate for p in points if p.p50_s is None]
        missing = f" Not shown, no live replies: {words.listed(unknown)}." if unknown else ""
        said = f"{why}, so quality stands against latency. Dashed: the Pareto front.{missing}"
        svg = _draw(by_latency, lambda p: p.p50_s or 0.0, quality, scale, "seconds per answer, p50", False)
        return Figure("Quality against latency", said, svg)
    return Figure(
        "Quality against cost",
        f"No figure: {why[0].lower()}{why[1:]}, and latencies do not differ or were not taken.",
        None,
    )


def front(points: Sequence[Point], price: Callable[[Point], float]) -> list[Point]:
    """Points that no other beats: cheapest first, each better than all cheaper ones."""
    found: list[Point] = []
    for point in sorted(points, key=lambda p: (price(p), -p.quality)):
        if not found or point.quality > found[-1].quality:
            found.append(point)
    return found


def _worth(points: Sequence[Point], price: Callable[[Point], float | None]) -> list[Point]:
    """The points with a known price, if at least two differ and not all are free."""
    known = [(p, v) for p in points if (v := price(p)) is not None]
    return [p for p, _ in known] if len({v for _, v in known}) > 1 else []


def _draw(
    points: Sequence[Point],
    price: Callable[[Point], float],
    quality: str,
    scale: tuple[float, float] | None,
    unit: str,
    dollars: bool,
) -> Markup:
    x, y = _x_axis([price(p) for p in points]), _y_axis(points, scale)
    best = front(points, price)
    slowest = max((p.p95_s or 0.0 for p in points), default=0.0)
    dots = [
        _Dot(p, x.at(price(p)) if price(p) or not x.log else LEFT + 12, y.at(p.quality), _radius(p, slowest), p in best)
        for p in points
    ]
    said = "; ".join(f"{p.candidate}: {words.number(p.quality)} at {price(p):.3g} {unit}" for p in points)
    parts = [Markup('<svg viewBox="0 0 {} {}" width="100%" role="img" aria-label="{}">').format(WIDTH, HEIGHT, said)]
    parts += _frame(x, y, quality, unit, dollars, any(price(p) == 0 for p in points))
    steps = [next(dot for dot in dots if dot.point is p) for p in best]
    path = f"M{steps[0].x} {steps[0].y}" + "".join(f"H{dot.x}V{dot.y}" for dot in steps[1:])
    parts.append(Markup('<path class="front" d="{}H{}"/>').format(path, WIDTH - RIGHT))
    parts += [_bubble(dot, y, price) for dot in sorted(dots, key=lambda dot: -dot.r)]
    return Markup("").join([*parts, *_names(dots), Markup("</svg>")])


def _x_axis(prices: Sequence[float]) -> Axis:
    axis = amounts(prices, LEFT, WIDTH - RIGHT)
    if axis.log and min(prices) == 0:
        return amounts(prices, LEFT + GUTTER, WIDTH - RIGHT)
    return axis


def _y_axis(points: Sequence[Point], scale: tuple[float, float] | None) -> Axis:
    low = min(p.quality if p.low is None else p.low for p in points)
    high = max(p.quality if p.high is None else p.high for p in points)
    pad = max(0.12 * (high - low), 0.02 * (scale[1] - scale[0]) if scale else 1e-6)
    low, high = low - pad, high + pad
    if scale:
        low, high = max(low, scale[0] - pad / 2), min(high, scale[1] + pad / 2)
    return linear(low, high, HEIGHT - BOTTOM, TOP)


def _radius(point: Point, slowest: float) -> float:
    if point.p95_s is None or slowest <= 0:
        return LEAST
    share: float = (point.p95_s / slowest) ** 0.5
    return round(max(LEAST, MOST * share), 1)


def _frame(x: Axis, y: Axis, quality: str, unit: str, dollars: bool, free: bool) -> list[Markup]:
    floor = HEIGHT - BOTTOM
    parts = [Markup('<path class="axis" d="M{} {}V{}H{}"/>').format(LEFT, TOP, floor, WIDTH - RIGHT)]
    for tick in y.ticks:
        at = y.at(tick)
        parts.append(Markup('<path class="grid" d="M{} {}H{}"/>').format(LEFT, at, WIDTH - RIGHT))
        parts.append(Markup('<text class="tick end" x="{}" y="{}">{}</text>').format(LEFT - 8, at + 4, f"{tick:g}"))
    ticks = [(x.at(t), t) for t in x.ticks] + ([(LEFT + 12.0, 0.0)] if x.log and free else [])
    for at, tick in ticks:
        label = f"${tick:g}" if dollars else f"{tick:g} s"
        parts.append(Markup('<text class="tick" x="{}" y="{}">{}</text>').format(at, floor + 17, label))
    if x.log and free:
        cut = LEFT + GUTTER - 14
        parts.append(
            Markup('<path class="axis cut" d="M{} {}l5 -10M{} {}l5 -10"/>').format(cut, floor + 5, cut + 5, floor + 5)
        )
    parts.append(Markup('<text class="unit end" x="{}" y="{}">{}</text>').format(WIDTH - RIGHT, floor + 36, unit))
    parts.append(Markup('<text class="unit" x="{}" y="{}">{}</text>').format(LEFT + 6, TOP - 4, quality))
    return parts


def _bubble(dot: _Dot, y: Axis, price: Callable[[Point], float]) -> Markup:
    p = dot.point
    said = f"{p.candidate}: {words.number(p.quality)}, {price(p):.3g}, p95 {words.seconds(p.p95_s)} s"
    kind = "dot" if dot.front else "dim"
    parts = [
        Markup('<g><title>{}</title><circle class="{}" cx="{}" cy="{}" r="{}"/>').format(
            said, kind, dot.x, dot.y, dot.r
        )
    ]
    if p.low is not None and p.high is not None:
        parts.append(Markup('<path class="ci" d="M{} {}V{}"/>').format(dot.x, y.at(p.low), y.at(p.high)))
    return Markup("").join([*parts, Markup("</g>")])


def _names(dots: Sequence[_Dot]) -> list[Markup]:
    """Names beside their bubbles, on the first side where they hit nothing."""
    taken = [(d.x - d.r, d.y - d.r, d.x + d.r, d.y + d.r) for d in dots]
    parts = []
    for dot in sorted(dots, key=lambda d: (not d.front, d.x)):
        text = trimmed(dot.point.candidate)
        wide = LETTER * len(text)
        sides = (
            (dot.x + dot.r + 7, dot.y - 6),
            (dot.x - dot.r - 7 - wide, dot.y - 6),
            (dot.x - wide / 2, dot.y - dot.r - 19),
            (dot.x - wide / 2, dot.y + dot.r + 5),
            (dot.x + dot.r + 7, dot.y + 8),
            (dot.x + dot.r + 7, dot.y - 20),
        )
        boxes = [(left, top, left + wide, top + 13) for left, top in sides]
        free = [box for box in boxes if _inside(box) and not any(_overlap(box, other) for other in taken)]
        box = free[0] if free else boxes[0]
        taken.append(box)
        parts.append(Markup('<text class="name" x="{:.1f}" y="{:.1f}">{}</text>').format(box[0], box[1] + 10, text))
    return parts


Box = tuple[float, float, float, float]


def _inside(box: Box) -> bool:
    return box[0] >= LEFT + 2 and box[2] <= WIDTH - 2 and box[1] >= 2 and box[3] <= HEIGHT - BOTTOM


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]

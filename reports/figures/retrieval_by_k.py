"""A measure against the number of chunks: a line a configuration, a colour a retriever, the best of each on top."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from .. import words
from .axes import Axis, linear, trimmed

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 600, 300, 44, 148, 18, 42
COLOURS = 6
LINE = 15.0


@dataclass(frozen=True, slots=True)
class Curve:
    """Means (with intervals) of one configuration by k; ``retriever`` decides the colour."""

    name: str
    retriever: str
    points: tuple[tuple[int, float, float | None, float | None], ...]


def by_k(curves: Sequence[Curve], measure: str) -> Markup | None:
    """The figure; ``None`` for a single k. The best configuration of a retriever (at the largest k) is drawn strong,
    with its interval; its others are faint."""
    ks = sorted({k for curve in curves for k, *_ in curve.points})
    if len(ks) < 2:
        return None
    retrievers = list(dict.fromkeys(curve.retriever for curve in curves))
    best = {r: max((c for c in curves if c.retriever == r), key=lambda c: c.points[-1][1]) for r in retrievers}
    x = {k: round(LEFT + 14 + (WIDTH - LEFT - RIGHT - 28) * i / (len(ks) - 1), 1) for i, k in enumerate(ks)}
    y = _axis(curves)
    said = "; ".join(f"{c.name}: {words.number(c.points[-1][1])} at k = {ks[-1]}" for c in best.values())
    parts = [Markup('<svg viewBox="0 0 {} {}" width="100%" role="img" aria-label="{}">').format(WIDTH, HEIGHT, said)]
    parts += _frame(x, y, measure)
    strong = list(best.values())
    parts += [_line(c, x, y, retrievers.index(c.retriever), False) for c in curves if c not in strong]
    parts += [_line(c, x, y, retrievers.index(c.retriever), True) for c in strong]
    return Markup("").join([*parts, *_names(strong, y, retrievers), Markup("</svg>")])


def _axis(curves: Sequence[Curve]) -> Axis:
    low = min(low if low is not None else v for c in curves for _, v, low, _ in c.points)
    high = max(high if high is not None else v for c in curves for _, v, _, high in c.points)
    return linear(max(0.0, low - 0.03), min(1.0, high + 0.03), HEIGHT - BOTTOM, TOP)


def _frame(x: dict[int, float], y: Axis, measure: str) -> list[Markup]:
    floor, end = HEIGHT - BOTTOM, WIDTH - RIGHT
    parts = [Markup('<path class="axis" d="M{} {}V{}H{}"/>').format(LEFT, TOP, floor, end)]
    for tick in y.ticks:
        at = y.at(tick)
        parts.append(Markup('<path class="grid" d="M{} {}H{}"/>').format(LEFT, at, end))
        parts.append(Markup('<text class="tick end" x="{}" y="{}">{}</text>').format(LEFT - 8, at + 4, f"{tick:g}"))
    for k, at in x.items():
        parts.append(Markup('<text class="tick" x="{}" y="{}">{}</text>').format(at, floor + 17, k))
    parts.append(Markup('<text class="unit end" x="{}" y="{}">chunks (k)</text>').format(end, floor + 35))
    parts.append(Markup('<text class="unit" x="{}" y="{}">{}@k</text>').format(LEFT + 6, TOP - 5, measure))
    return parts


def _line(curve: Curve, x: dict[int, float], y: Axis, colour: int, strong: bool) -> Markup:
    path = "M" + "L".join(f"{x[k]} {y.at(v)}" for k, v, *_ in curve.points)
    shift = 2.5 * (colour - 1) if strong else 0.0  # whiskers of several curves side by side
    kind = f"curve c{colour % COLOURS}" + ("" if strong else " faint")
    said = ", ".join(f"{words.number(v)} at {k}" for k, v, *_ in curve.points)
    parts = [Markup('<g class="{}"><title>{}: {}</title><path d="{}"/>').format(kind, curve.name, said, path)]
    for k, value, low, high in curve.points if strong else ():
        at = x[k] + shift
        parts.append(Markup('<circle cx="{}" cy="{}" r="3"/>').format(x[k], y.at(value)))
        if low is not None and high is not None:
            parts.append(Markup('<path class="whisker" d="M{} {}V{}"/>').format(at, y.at(low), y.at(high)))
    return Markup("").join([*parts, Markup("</g>")])


def _names(strong: Sequence[Curve], y: Axis, retrievers: Sequence[str]) -> list[Markup]:
    """Beside the last points, moved apart where they would overlap."""
    wanted = sorted(((y.at(c.points[-1][1]), c) for c in strong), key=lambda pair: pair[0])
    parts, last = [], TOP - LINE
    most = HEIGHT - BOTTOM
    places: list[float] = []
    for at, _ in wanted:
        last = max(at, last + LINE)
        places.append(last)
    excess = max(0.0, (places[-1] if places else 0.0) - most)
    for (_, curve), place in zip(wanted, places, strict=True):
        colour = retrievers.index(curve.retriever) % COLOURS
        parts.append(
            Markup('<text class="label c{}" x="{}" y="{}"><title>{}</title>{}</text>').format(
                colour, WIDTH - RIGHT + 8, round(place - excess + 4, 1), curve.name, trimmed(curve.retriever, 20)
            )
        )
    return parts

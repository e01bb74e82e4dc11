"""What figures with lines share: an axis that holds all ends, its grid, names under it, names of the lines."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import isfinite

from markupsafe import Markup

from .axes import Axis, linear, trimmed

COLOURS = 5
"""Classes `curve0` … of the style sheet; further lines start over."""
ROW, LETTER, TICK = 18, 7, 6.2
"""Pixels: a row of names, a letter of them, a letter on the axis."""


@dataclass(frozen=True, slots=True)
class Box:
    """Where lines are drawn, in pixels: its edges, and the ``width`` and ``height`` of the whole figure."""

    left: float
    right: float
    top: float
    floor: float
    width: float
    height: float


def kind(number: int, dashed: bool = False) -> str:
    """The classes of a line by its place among them."""
    return f"curve curve{number % COLOURS}{' dashed' if dashed else ''}"


def axis_of(ends: Iterable[float | None], box: Box, limits: tuple[float, float] | None, zero: bool) -> Axis:
    """An axis up that holds all ``ends`` and keeps within ``limits``; with ``zero`` it begins at 0 or below."""
    known = [end for end in ends if end is not None and isfinite(end)]
    low, high = min(known), max(known)
    pad = 0.08 * (high - low) or 0.05 * (abs(high) or 1.0)
    low, high = (min(0.0, low) if zero else low - pad), high + pad
    if limits is not None:
        low, high = max(low, limits[0]), min(high, limits[1])
    return linear(low, high if high > low else low + 1.0, box.floor, box.top)


def grid(box: Box, y: Axis, up: str, unit: Callable[[float], str]) -> Iterator[Markup]:
    """Both axes, a line a tick, and over them what is measured. Ticks that ``unit`` makes the same are said once."""
    said = ""
    yield Markup('<path class="axis" d="M{} {}V{}H{}"/>').format(box.left, box.top, box.floor, box.right)
    for tick in y.ticks:
        at = y.at(tick)
        yield Markup('<path class="grid" d="M{} {}H{}"/>').format(box.left, at, box.right)
        if unit(tick) != said:
            said = unit(tick)
            yield Markup('<text class="tick end" x="{}" y="{}">{}</text>').format(box.left - 7, at + 4, said)
    yield Markup('<text class="unit" x="{}" y="{}">{}</text>').format(4, 12, trimmed(up, 60))


def names_under(names: Sequence[str], at: Callable[[int], float], box: Box) -> Iterator[Markup]:
    """Names under the axis, from the last one back, as many as do not touch."""
    need, free = TICK * max(map(len, names)) + 14, float(box.width)
    for place in range(len(names) - 1, -1, -1):
        x = min(at(place), round(box.width - need / 2, 1))
        if x + need / 2 <= free:
            yield Markup('<text class="tick" x="{}" y="{}">{}</text>').format(x, box.floor + 17, names[place])
            free = x - need / 2


def legend(names: Sequence[str], box: Box, dashed: Collection[str] = ()) -> tuple[list[Markup], float]:
    """Names beside each other under the figure, and the height of both; nothing for one."""
    if len(names) < 2:
        return [], box.height
    parts, x, row = [], 4.0, 0
    for number, name in enumerate(names):
        short = trimmed(name, 40)
        long = 42 + LETTER * len(short)
        if x + long > box.width and x > 4:
            x, row = 4.0, row + 1
        y = box.height + ROW * row + 4
        parts.append(
            Markup('<g class="{}"><path d="M{} {}h20"/></g><text class="name" x="{}" y="{}">{}</text>').format(
                kind(number, name in dashed), x, y, x + 26, y + 4, short
            )
        )
        x += long
    return parts, box.height + ROW * (row + 1)

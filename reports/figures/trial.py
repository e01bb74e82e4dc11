"""Agreement of judges against what they cost, with the lower bounds of those that were tested."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from .. import words
from .axes import Axis, amounts, linear, trimmed

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 344, 46, 24, 34, 44
GUTTER = 46
"""Room left of the axis for what costs nothing."""
LETTER, LINE = 6.6, 14.0


@dataclass(frozen=True, slots=True)
class Entry:
    """One configuration: USD per 1,000 answers (``None`` is unknown), agreement, and the lower bound of one tested."""

    name: str
    usd: float | None
    value: float
    bound: float | None
    tested: bool
    clears: bool


def trial(entries: Sequence[Entry], threshold: float, measure: str) -> Markup | None:
    """The figure; ``None`` where no price above zero is known."""
    known = [entry for entry in entries if entry.usd is not None]
    if not any(entry.usd for entry in known):
        return None
    free = any(not entry.usd for entry in known)
    x = amounts([entry.usd for entry in known if entry.usd], LEFT + (GUTTER if free else 10), WIDTH - RIGHT)
    heights = [threshold, *(e.value for e in known), *(e.bound for e in known if e.bound is not None)]
    pad = max(0.03, 0.08 * (max(heights) - min(heights)))
    y = linear(min(heights) - pad, min(1.0, max(heights) + pad), HEIGHT - BOTTOM, TOP)
    said = "; ".join(f"{e.name}: {words.number(e.value)} at {words.usd(e.usd)}" for e in known)
    head = Markup('<svg viewBox="0 0 {} {}" width="100%" role="img" aria-label="{} by price. {}">')
    parts = [head.format(WIDTH, HEIGHT, measure, said), *_frame(x, y, measure, threshold, free)]
    parts += [_mark(entry, x, y) for entry in sorted(known, key=lambda entry: entry.tested)]
    return Markup("").join([*parts, *_names([e for e in known if e.tested], x, y), Markup("</svg>")])


def _across(entry: Entry, x: Axis) -> float:
    return x.at(entry.usd) if entry.usd else LEFT + 14.0


def _frame(x: Axis, y: Axis, measure: str, threshold: float, free: bool) -> list[Markup]:
    floor = HEIGHT - BOTTOM
    parts = [Markup('<path class="axis" d="M{} {}V{}H{}"/>').format(LEFT, TOP, floor, WIDTH - RIGHT)]
    for tick in y.ticks:
        at = y.at(tick)
        parts.append(Markup('<path class="grid" d="M{} {}H{}"/>').format(LEFT, at, WIDTH - RIGHT))
        parts.append(Markup('<text class="tick end" x="{}" y="{}">{}</text>').format(LEFT - 8, at + 4, f"{tick:g}"))
    ticks = [(x.at(tick), f"${tick:g}") for tick in x.ticks if tick] + ([(LEFT + 14.0, "$0")] if free else [])
    parts += [Markup('<text class="tick" x="{}" y="{}">{}</text>').format(at, floor + 17, text) for at, text in ticks]
    line = y.at(threshold)
    parts.append(Markup('<path class="threshold" d="M{} {}H{}"/>').format(LEFT, line, WIDTH - RIGHT))
    label = Markup('<text class="threshold end" x="{}" y="{}">to clear: {}</text>')
    parts.append(label.format(WIDTH - RIGHT, line - 5, f"{threshold:g}"))
    unit = Markup('<text class="unit end" x="{}" y="{}">USD per 1,000 graded answers</text>')
    parts.append(unit.format(WIDTH - RIGHT, floor + 36))
    parts.append(Markup('<text class="unit" x="{}" y="{}">{}</text>').format(4, 12, measure))
    return parts


def _mark(entry: Entry, x: Axis, y: Axis) -> Markup:
    at, up = _across(entry, x), y.at(entry.value)
    bound = "" if entry.bound is None else f", at least {words.number(entry.bound)}"
    said = f"{entry.name}: {words.number(entry.value)}{bound}, {words.usd(entry.usd)}"
    kind = "clears" if entry.clears else "tested" if entry.tested else "dim"
    parts = [Markup('<g class="{}"><title>{}</title>').format(kind, said)]
    if entry.bound is not None:
        low = y.at(entry.bound)
        parts.append(Markup('<path class="ci" d="M{} {}V{}M{} {}h10"/>').format(at, up, low, round(at - 5, 1), low))
    parts.append(Markup('<circle cx="{}" cy="{}" r="{}"/></g>').format(at, up, 6 if entry.tested else 4))
    return Markup("").join(parts)


def _names(tested: Sequence[Entry], x: Axis, y: Axis) -> list[Markup]:
    """Names above their marks, each on a line that no other name is on."""
    taken: list[tuple[float, float, float]] = []
    parts = []
    for entry in sorted(tested, key=lambda entry: -entry.value):
        text = trimmed(entry.name, 34)
        half = LETTER * len(text) / 2
        middle = min(max(_across(entry, x), LEFT + half), WIDTH - 4 - half)
        line = y.at(entry.value) - 11
        while any(
            abs(line - other) < LINE and middle + half > left and middle - half < right for other, left, right in taken
        ):
            line += LINE
        taken.append((line, middle - half, middle + half))
        parts.append(Markup('<text class="name tick" x="{:.1f}" y="{:.1f}">{}</text>').format(middle, line, text))
    return parts

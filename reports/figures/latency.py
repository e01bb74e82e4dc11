"""Seconds per answer as box plots: p5, quartiles, median, p95 of live replies."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from .. import words
from .axes import amounts, trimmed

WIDTH, LEFT, RIGHT, TOP = 600, 150, 34, 6


def latency(spreads: Sequence[tuple[str, tuple[float, ...]]]) -> Markup | None:
    """``spreads`` are names with (p5, p25, p50, p75, p95) in seconds; ``None`` where nobody was timed."""
    timed = [(name, spread) for name, spread in spreads if spread and spread[-1] > 0]
    if not timed:
        return None
    row = min(56, max(34, 230 // len(timed)))
    axis = amounts([max(v, 1e-6) for _, spread in timed for v in spread], LEFT, WIDTH - RIGHT)
    bottom = TOP + row * len(timed)
    said = "; ".join(f"{name}: median {words.seconds(s[2])} s, p95 {words.seconds(s[4])} s" for name, s in timed)
    parts = [
        Markup('<svg viewBox="0 0 {} {}" width="100%" role="img" aria-label="{}">').format(WIDTH, bottom + 26, said)
    ]
    for tick in axis.ticks:
        x = axis.at(tick)
        parts.append(Markup('<path class="grid" d="M{} {}V{}"/>').format(x, TOP, bottom))
        parts.append(Markup('<text class="tick" x="{}" y="{}">{} s</text>').format(x, bottom + 18, _tick(tick)))
    for i, (name, spread) in enumerate(timed):
        parts.append(_box(name, [axis.at(v) for v in spread], TOP + row * i + row // 2, spread))
    return Markup("").join([*parts, Markup("</svg>")])


def _box(name: str, x: Sequence[float], y: int, spread: Sequence[float]) -> Markup:
    said = f"{name}: p5 {words.seconds(spread[0])}, median {words.seconds(spread[2])}, p95 {words.seconds(spread[4])} s"
    return Markup("").join(
        (
            Markup("<g><title>{}</title>").format(said),
            Markup('<text class="name" x="0" y="{}">{}</text>').format(y + 4, trimmed(name, 21)),
            Markup('<path class="ci" d="M{} {}H{}M{} {}v8M{} {}v8"/>').format(x[0], y, x[4], x[0], y - 4, x[4], y - 4),
            Markup('<rect class="box" x="{}" y="{}" width="{}" height="16" rx="2"/>').format(
                x[1], y - 8, round(max(1.0, x[3] - x[1]), 1)
            ),
            Markup('<path class="median" d="M{} {}v16"/></g>').format(x[2], y - 8),
        )
    )


def _tick(value: float) -> str:
    return f"{value:g}"

"""Curves over load: throughput, cost, and latency against throughput with the knee in a ring."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite

from markupsafe import Markup

from ...harness.records import Estimate
from .axes import Axis, amounts, label, linear, logarithmic, trimmed

WIDTH, HEIGHT, LEFT, RIGHT, TOP = 460, 262, 52, 16, 20
FLOOR = HEIGHT - 42
COLOURS = 5
"""Classes `curve0` … of the style sheet; further curves start over."""
LINE = 18
SPREAD = 6.0
"""Levels of load whose largest is more than this many times the smallest stand on a logarithmic axis."""


@dataclass(frozen=True, slots=True)
class Dot:
    """A place on a curve; ``mark`` is written beside it, ``ringed`` draws a ring round it."""

    x: float
    y: Estimate
    mark: str = ""
    ringed: bool = False


@dataclass(frozen=True, slots=True)
class Track:
    """A name and its places in the order in which they are joined."""

    name: str
    dots: tuple[Dot, ...]


def load_curves(tracks: Sequence[Track], across: str, up: str, unit: Callable[[float], str]) -> Markup | None:
    """The figure: ``across`` is a load, ticked at its levels, ``up`` an amount. ``None`` where nothing is joined."""
    shown = _known(tracks)
    if shown is None:
        return None
    levels = sorted({dot.x for track in shown for dot in track.dots})
    wide = levels[0] > 0 and levels[-1] / levels[0] > SPREAD
    x = (logarithmic if wide else _linear)(levels, LEFT + 14, WIDTH - RIGHT - 14)
    return _drawn(shown, x, [(x.at(level), f"{level:g}") for level in _spaced(levels, x)], across, up, unit)


def trade_off(tracks: Sequence[Track], across: str, up: str, unit: Callable[[float], str]) -> Markup | None:
    """The figure: both axes are amounts, and each place has the load that led to it as its ``mark``."""
    shown = _known(tracks)
    if shown is None:
        return None
    x = linear(0.0, 1.08 * max(dot.x for track in shown for dot in track.dots), LEFT, WIDTH - RIGHT)
    return _drawn(shown, x, [(x.at(tick), f"{tick:,g}") for tick in x.ticks], across, up, unit)


def frame(
    ticks: Sequence[tuple[float, str]], y: Axis, across: str, up: str, unit: Callable[[float], str] = "{:g}".format
) -> list[Markup]:
    """Both axes; ``ticks`` are pixels from the left with their words."""
    parts = [Markup('<path class="axis" d="M{} {}V{}H{}"/>').format(LEFT, TOP, FLOOR, WIDTH - RIGHT)]
    for tick in y.ticks:
        at = y.at(tick)
        parts.append(Markup('<path class="grid" d="M{} {}H{}"/>').format(LEFT, at, WIDTH - RIGHT))
        parts.append(Markup('<text class="tick end" x="{}" y="{}">{}</text>').format(LEFT - 7, at + 4, unit(tick)))
    tick_text = Markup('<text class="tick" x="{}" y="{}">{}</text>')
    parts += [tick_text.format(round(at, 1), FLOOR + 16, trimmed(text, 12)) for at, text in ticks]
    parts.append(Markup('<text class="unit end" x="{}" y="{}">{}</text>').format(WIDTH - RIGHT, FLOOR + 34, across))
    parts.append(Markup('<text class="unit" x="{}" y="{}">{}</text>').format(4, TOP - 7, up))
    return parts


def legend(names: Sequence[str]) -> tuple[list[Markup], int]:
    """A line a name under the figure, and the height of both; nothing for one name."""
    if len(names) < 2:
        return [], HEIGHT
    parts = [
        Markup('<g class="curve curve{}"><path d="M4 {}h22"/></g>{}').format(
            i % COLOURS, HEIGHT + LINE * i + 4, label("name", 34, HEIGHT + LINE * i + 8, name, 52)
        )
        for i, name in enumerate(names)
    ]
    return parts, HEIGHT + LINE * len(names)


def _known(tracks: Sequence[Track]) -> list[Track] | None:
    shown = [Track(t.name, tuple(d for d in t.dots if d.y.value is not None and isfinite(d.y.value))) for t in tracks]
    shown = [track for track in shown if track.dots]
    return shown if any(len(track.dots) > 1 for track in shown) else None


def _drawn(
    shown: Sequence[Track],
    x: Axis,
    ticks: Sequence[tuple[float, str]],
    across: str,
    up: str,
    unit: Callable[[float], str],
) -> Markup:
    y = _up([dot.y for track in shown for dot in track.dots])
    said = "; ".join(
        f"{track.name}: " + ", ".join(f"{unit(d.y.value or 0.0)} at {d.mark or format(d.x, 'g')}" for d in track.dots)
        for track in shown
    )
    lines, height = legend([track.name for track in shown])
    parts = [
        Markup('<svg viewBox="0 0 {} {}" width="100%" role="img" aria-label="{}">').format(
            WIDTH, height, f"{up} by {across}. {said}"
        ),
        *frame(ticks, y, across, up, unit),
    ]
    parts += [_track(track, i % COLOURS, x, y, unit) for i, track in enumerate(shown)]
    return Markup("").join([*parts, *lines, Markup("</svg>")])


def _up(estimates: Sequence[Estimate]) -> Axis:
    highs = [v for e in estimates for v in (e.value, e.high) if v is not None and isfinite(v)]
    if max(highs) <= 0:
        return linear(0.0, 1.0, FLOOR, TOP)
    return amounts([v for v in highs if v > 0], FLOOR, TOP)


def _track(track: Track, colour: int, x: Axis, y: Axis, unit: Callable[[float], str]) -> Markup:
    places = [(x.at(dot.x), y.at(dot.y.value or 0.0), dot) for dot in track.dots]
    path = "L".join(f"{at} {up}" for at, up, _ in places)
    parts = [Markup('<g class="curve curve{}"><path d="M{}"/>').format(colour, path)]
    for at, up, dot in places:
        said = f"{track.name}: {unit(dot.y.value or 0.0)} at {dot.mark or format(dot.x, 'g')}"
        parts.append(Markup('<g><title>{}</title><circle cx="{}" cy="{}" r="3.5"/>').format(said, at, up))
        if dot.y.low is not None and dot.y.high is not None:
            parts.append(Markup('<path d="M{} {}V{}"/>').format(at, y.at(dot.y.low), y.at(dot.y.high)))
        if dot.ringed:
            parts.append(Markup('<circle class="ring" cx="{}" cy="{}" r="8"/>').format(at, up))
        if dot.mark:
            parts.append(
                Markup('<text x="{}" y="{}">{}</text>').format(at + 9, round(up - 7, 1), trimmed(dot.mark, 12))
            )
        parts.append(Markup("</g>"))
    return Markup("").join([*parts, Markup("</g>")])


def _linear(values: Sequence[float], start: float, end: float) -> Axis:
    low, high = min(values), max(values)
    return linear(low, high if high > low else low + 1.0, start, end)


def _spaced(levels: Sequence[float], x: Axis) -> list[float]:
    """Levels whose ticks do not touch."""
    kept: list[float] = []
    for level in levels:
        if not kept or x.at(level) - x.at(kept[-1]) >= 22:
            kept.append(level)
    return kept

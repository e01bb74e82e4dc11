"""A line a candidate over the nights: intervals, hollow points for repeated replies, flags where something changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite

from markupsafe import Markup

from ...harness.records import Estimate
from .axes import Axis, linear, trimmed

WIDTH, HEIGHT, LEFT, RIGHT, TOP = 1060, 236, 68, 16, 34
NARROW = 520
"""Width of a figure that shares its row."""
FLOOR = HEIGHT - 30
COLOURS = 5
"""Classes `curve0` … of the style sheet; further lines start over."""
ROW = 18
LETTER = 7
TICK = 6.2
"""Pixels of a letter on the axis."""
CROWDED = 9
"""Pixels between nights below which points are small."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A night of a line by its place on the axis. ``hollow``: its replies are those of an earlier night; ``open``: the
    run is not finished; ``step`` is 1 or -1 where it is better or worse than the night before by more than chance."""

    at: int
    estimate: Estimate
    hollow: bool = False
    open: bool = False
    step: int = 0


@dataclass(frozen=True, slots=True)
class Trace:
    """A name and its nights."""

    name: str
    spots: tuple[Spot, ...]


@dataclass(frozen=True, slots=True)
class Flag:
    """A numbered line across the figure at a night, and what was changed there."""

    at: int
    number: int
    words: str


@dataclass(frozen=True, slots=True)
class Frame:
    """What the figures of a page share: the nights' names, in full and as on the axis, and the flags."""

    nights: tuple[str, ...]
    ticks: tuple[str, ...]
    flags: tuple[Flag, ...] = ()
    wide: bool = True

    @property
    def width(self) -> int:
        """In pixels of the drawing."""
        return WIDTH if self.wide else NARROW

    @property
    def step(self) -> float:
        """Pixels from a night to the next."""
        return (self.width - LEFT - RIGHT - 24) / max(1, len(self.nights) - 1)

    def at(self, night: int) -> float:
        """Pixel of a night."""
        return round(LEFT + 12 + self.step * night, 1)


def trend(
    traces: Sequence[Trace],
    frame: Frame,
    up: str,
    unit: Callable[[float], str],
    limits: tuple[float, float] | None = None,
    zero: bool = False,
) -> Markup | None:
    """The figure; ``up`` names its axis, which stays within ``limits`` and with ``zero`` begins at 0. ``None`` where
    there is no value."""
    shown = [Trace(one.name, tuple(s for s in one.spots if _known(s))) for one in traces]
    shown = [one for one in shown if one.spots]
    if not shown:
        return None
    y = _up([spot.estimate for one in shown for spot in one.spots], limits, zero)
    legend, height = _legend([one.name for one in shown], frame)
    parts = [
        Markup('<svg class="trend" viewBox="0 0 {} {}" width="100%" role="img" aria-label="{}">').format(
            frame.width, height, f"{up} over {len(frame.nights)} nights; the numbers are in the table of nights"
        ),
        *_axes(frame, y, up, unit),
        *(_flag(flag, frame) for flag in frame.flags),
        *(_trace(one, number % COLOURS, frame, y, unit) for number, one in enumerate(shown)),
        *legend,
        Markup("</svg>"),
    ]
    return Markup("").join(parts)


def _known(spot: Spot) -> bool:
    return spot.estimate.value is not None and isfinite(spot.estimate.value)


def _up(estimates: Sequence[Estimate], limits: tuple[float, float] | None, zero: bool) -> Axis:
    ends = [v for e in estimates for v in (e.low, e.value, e.high) if v is not None and isfinite(v)]
    low, high = min(ends), max(ends)
    pad = 0.08 * (high - low) or 0.05 * (abs(high) or 1.0)
    low, high = (0.0 if zero else low - pad), high + pad
    if limits is not None:
        low, high = max(low, limits[0]), min(high, limits[1])
    return linear(low, high if high > low else low + 1.0, FLOOR, TOP)


def _axes(frame: Frame, y: Axis, up: str, unit: Callable[[float], str]) -> list[Markup]:
    right = frame.width - RIGHT
    parts = [Markup('<path class="axis" d="M{} {}V{}H{}"/>').format(LEFT, TOP, FLOOR, right)]
    for tick in y.ticks:
        at = y.at(tick)
        parts.append(Markup('<path class="grid" d="M{} {}H{}"/>').format(LEFT, at, right))
        parts.append(Markup('<text class="tick end" x="{}" y="{}">{}</text>').format(LEFT - 7, at + 4, unit(tick)))
    parts += _nights(frame)
    parts.append(Markup('<text class="unit" x="{}" y="{}">{}</text>').format(4, 12, trimmed(up, 60)))
    return parts


def _nights(frame: Frame) -> list[Markup]:
    """Names under the axis, from the last one back, as many as do not touch."""
    need, free = TICK * max(map(len, frame.ticks)) + 14, float(frame.width)
    parts = []
    for night in range(len(frame.nights) - 1, -1, -1):
        x = min(frame.at(night), round(frame.width - need / 2, 1))
        if x + need / 2 <= free:
            parts.append(Markup('<text class="tick" x="{}" y="{}">{}</text>').format(x, FLOOR + 17, frame.ticks[night]))
            free = x - need / 2
    return parts


def _flag(flag: Flag, frame: Frame) -> Markup:
    x = frame.at(flag.at)
    before = round(x - min(frame.step / 2, 12), 1)
    return Markup('<g class="flag"><title>{}</title><path d="M{} {}V{}"/><text x="{}" y="{}">{}</text></g>').format(
        flag.words, before, TOP - 8, FLOOR, before, TOP - 12, flag.number
    )


def _trace(one: Trace, colour: int, frame: Frame, y: Axis, unit: Callable[[float], str]) -> Markup:
    places = [(frame.at(spot.at), y.at(spot.estimate.value or 0.0), spot) for spot in one.spots]
    parts = [Markup('<g class="curve curve{}">').format(colour), _joined(places)]
    radius = 3.6 if frame.step >= CROWDED else 2.2
    parts += [_spot(one.name, place, radius, frame, y, unit) for place in places]
    return Markup("").join([*parts, Markup("</g>")])


def _joined(places: Sequence[tuple[float, float, Spot]]) -> Markup:
    return Markup('<path class="line" d="M{}"/>').format("L".join(f"{x} {at}" for x, at, _ in places))


def _spot(
    name: str,
    place: tuple[float, float, Spot],
    radius: float,
    frame: Frame,
    y: Axis,
    unit: Callable[[float], str],
) -> Markup:
    x, at, spot = place
    kind = "hollow" if spot.hollow else "open" if spot.open else "full"
    said = f"{frame.nights[spot.at]}, {name}: {told(spot, unit)}"
    parts = [Markup("<g><title>{}</title>").format(said)]
    if spot.estimate.low is not None and spot.estimate.high is not None:
        ends = y.at(spot.estimate.low), y.at(spot.estimate.high)
        parts.append(Markup('<path class="reach" d="M{} {}V{}"/>').format(x, *ends))
    parts.append(Markup('<circle class="{}" cx="{}" cy="{}" r="{}"/>').format(kind, x, at, radius))
    if spot.step:
        way = "better" if spot.step > 0 else "worse"
        parts.append(Markup('<circle class="step {}" cx="{}" cy="{}" r="{}"/>').format(way, x, at, radius + 4))
    return Markup("").join([*parts, Markup("</g>")])


def told(spot: Spot, unit: Callable[[float], str]) -> str:
    """``2.61 [2.52, 2.70], not finished``."""
    one = spot.estimate
    reach = f" [{unit(one.low)}, {unit(one.high)}]" if one.low is not None and one.high is not None else ""
    said = [f"{unit(one.value or 0.0)}{reach}"]
    said += ["mostly replies of earlier runs"] if spot.hollow else []
    said += ["the run is not finished"] if spot.open else []
    if spot.step:
        said.append(f"{'better' if spot.step > 0 else 'worse'} than the night before by more than chance")
    return ", ".join(said)


def _legend(names: Sequence[str], frame: Frame) -> tuple[list[Markup], int]:
    """Names beside each other under the figure, and the height of both; nothing for one."""
    if len(names) < 2:
        return [], HEIGHT
    parts, x, row = [], 4.0, 0
    for number, name in enumerate(names):
        short = trimmed(name, 40)
        long = 42 + LETTER * len(short)
        if x + long > frame.width and x > 4:
            x, row = 4.0, row + 1
        y = HEIGHT + ROW * row + 4
        parts.append(
            Markup(
                '<g class="curve curve{}"><path d="M{} {}h20"/></g><text class="name" x="{}" y="{}">{}</text>'
            ).format(number % COLOURS, x, y, x + 26, y + 4, short)
        )
        x += long
    return parts, HEIGHT + ROW * (row + 1)

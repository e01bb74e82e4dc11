"""A line a candidate over the nights: intervals, hollow points for repeated replies, flags where something changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite

from markupsafe import Markup

from ...harness.records import Estimate
from .axes import Axis
from .lines import Box, axis_of, grid, kind, legend, names_under

WIDTH, HEIGHT, LEFT, RIGHT, TOP = 1060, 236, 68, 16, 34
NARROW = 520
"""Width of a figure that shares its row."""
FLOOR = HEIGHT - 30
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
    def box(self) -> Box:
        """Where the lines are drawn."""
        width = WIDTH if self.wide else NARROW
        return Box(LEFT, width - RIGHT, TOP, FLOOR, width, HEIGHT)

    @property
    def step(self) -> float:
        """Pixels from a night to the next."""
        return (self.box.right - LEFT - 24) / max(1, len(self.nights) - 1)

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
    box = frame.box
    estimates = [spot.estimate for one in shown for spot in one.spots]
    y = axis_of((end for e in estimates for end in (e.low, e.value, e.high)), box, limits, zero)
    names, height = legend([one.name for one in shown], box)
    parts = [
        Markup('<svg class="trend" viewBox="0 0 {} {}" width="100%" role="img" aria-label="{}">').format(
            box.width, height, f"{up} over {len(frame.nights)} nights; the numbers are in the table of nights"
        ),
        *grid(box, y, up, unit),
        *names_under(frame.ticks, frame.at, box),
        *(_flag(flag, frame) for flag in frame.flags),
        *(_trace(one, number, frame, y, unit) for number, one in enumerate(shown)),
        *names,
        Markup("</svg>"),
    ]
    return Markup("").join(parts)


def _known(spot: Spot) -> bool:
    return spot.estimate.value is not None and isfinite(spot.estimate.value)


def _flag(flag: Flag, frame: Frame) -> Markup:
    x = frame.at(flag.at)
    before = round(x - min(frame.step / 2, 12), 1)
    return Markup('<g class="flag"><title>{}</title><path d="M{} {}V{}"/><text x="{}" y="{}">{}</text></g>').format(
        flag.words, before, TOP - 8, FLOOR, before, TOP - 12, flag.number
    )


def _trace(one: Trace, number: int, frame: Frame, y: Axis, unit: Callable[[float], str]) -> Markup:
    places = [(frame.at(spot.at), y.at(spot.estimate.value or 0.0), spot) for spot in one.spots]
    parts = [Markup('<g class="{}">').format(kind(number)), _joined(places)]
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
    mark = "hollow" if spot.hollow else "open" if spot.open else "full"
    said = f"{frame.nights[spot.at]}, {name}: {told(spot, unit)}"
    parts = [Markup("<g><title>{}</title>").format(said)]
    if spot.estimate.low is not None and spot.estimate.high is not None:
        ends = y.at(spot.estimate.low), y.at(spot.estimate.high)
        parts.append(Markup('<path class="reach" d="M{} {}V{}"/>').format(x, *ends))
    parts.append(Markup('<circle class="{}" cx="{}" cy="{}" r="{}"/>').format(mark, x, at, radius))
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

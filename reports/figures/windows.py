"""Lines over windows of time: a point a window with its band, the reference shaded, rings where something moved."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from markupsafe import Markup

from .axes import Axis
from .lines import Box, axis_of, grid, kind, legend, names_under

WIDTH, NARROW, HEIGHT, LEFT, RIGHT, TOP = 1060, 520, 220, 68, 16, 30
FLOOR = HEIGHT - 30


@dataclass(frozen=True, slots=True)
class Spot:
    """A window by its place: the value, the ends of its band, and whether it moved (-1 worse, 1 better, 2 neither)."""

    at: int
    value: float
    low: float | None = None
    high: float | None = None
    moved: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """A name and its windows; none where a window has no value."""

    name: str
    spots: tuple[Spot, ...]
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Frame:
    """The windows' names, those that are the reference, and whether the figure has a row of its own."""

    labels: tuple[str, ...]
    reference: tuple[int, ...] = ()
    wide: bool = True

    @property
    def box(self) -> Box:
        """Where the lines are drawn."""
        width = WIDTH if self.wide else NARROW
        return Box(LEFT, width - RIGHT, TOP, FLOOR, width, HEIGHT)

    @property
    def step(self) -> float:
        """Pixels from a window to the next."""
        return (self.box.right - LEFT) / len(self.labels)

    def at(self, window: int) -> float:
        """Pixel of a window's middle."""
        return round(LEFT + self.step * (window + 0.5), 1)


def over_windows(
    lines: Sequence[Line],
    frame: Frame,
    up: str,
    unit: Callable[[float], str],
    limits: tuple[float, float] | None = None,
    zero: bool = False,
) -> Markup | None:
    """The figure; ``up`` names its axis, which stays within ``limits`` and with ``zero`` begins at 0. ``None`` where
    there is no value."""
    shown = [one for one in lines if one.spots]
    if not shown:
        return None
    box = frame.box
    y = axis_of((end for one in shown for s in one.spots for end in (s.low, s.value, s.high)), box, limits, zero)
    names, height = legend([one.name for one in shown], box, {one.name for one in shown if one.dashed})
    parts = [
        Markup('<svg class="windows" viewBox="0 0 {} {}" width="100%" role="img" aria-label="{}">').format(
            box.width, height, f"{up} over {len(frame.labels)} windows; the numbers are in the tables"
        ),
        *_reference(frame),
        *grid(box, y, up, unit),
        *names_under([label.partition(" to ")[0] for label in frame.labels], frame.at, box),
        *(_line(one, number, frame, y, unit) for number, one in enumerate(shown)),
        *names,
        Markup("</svg>"),
    ]
    return Markup("").join(parts)


def _reference(frame: Frame) -> Iterator[Markup]:
    if frame.reference:
        x = frame.at(frame.reference[0]) - frame.step / 2
        width = frame.step * (frame.reference[-1] - frame.reference[0] + 1)
        yield Markup('<rect class="rail" x="{}" y="{}" width="{}" height="{}"/>').format(
            round(x, 1), TOP, round(width, 1), FLOOR - TOP
        )


def _line(one: Line, number: int, frame: Frame, y: Axis, unit: Callable[[float], str]) -> Markup:
    parts = [Markup('<g class="{}">').format(kind(number, one.dashed))]
    for run in _unbroken(one.spots):
        places = [(frame.at(spot.at), spot) for spot in run]
        banded = [(x, y.at(s.low), y.at(s.high)) for x, s in places if s.low is not None and s.high is not None]
        if len(banded) > 1:
            edge = [f"{x} {low}" for x, low, _ in banded] + [f"{x} {high}" for x, _, high in reversed(banded)]
            parts.append(Markup('<path class="band" d="M{}Z"/>').format("L".join(edge)))
        line = "L".join(f"{x} {y.at(spot.value)}" for x, spot in places)
        parts.append(Markup('<path class="line" d="M{}"/>').format(line))
    parts += [_spot(one.name, spot, frame, y, unit) for spot in one.spots]
    return Markup("").join([*parts, Markup("</g>")])


def _unbroken(spots: Sequence[Spot]) -> Iterator[list[Spot]]:
    """Windows that follow each other: a line over an empty one would say something of it."""
    for _, group in groupby(enumerate(spots), key=lambda pair: pair[1].at - pair[0]):
        yield [spot for _, spot in group]


def _spot(name: str, spot: Spot, frame: Frame, y: Axis, unit: Callable[[float], str]) -> Markup:
    x, at = frame.at(spot.at), y.at(spot.value)
    parts = [Markup("<g><title>{}</title>").format(_told(name, spot, frame, unit))]
    if spot.low is not None and spot.high is not None:
        parts.append(Markup('<path class="reach" d="M{} {}V{}"/>').format(x, y.at(spot.low), y.at(spot.high)))
    parts.append(Markup('<circle cx="{}" cy="{}" r="3.2"/>').format(x, at))
    if spot.moved:
        way = {1: "better", -1: "worse"}.get(spot.moved, "other")
        parts.append(Markup('<circle class="moved {}" cx="{}" cy="{}" r="7.4"/>').format(way, x, at))
    return Markup("").join([*parts, Markup("</g>")])


def _told(name: str, spot: Spot, frame: Frame, unit: Callable[[float], str]) -> str:
    reach = "" if spot.low is None or spot.high is None else f" [{unit(spot.low)}, {unit(spot.high)}]"
    moved = ", another than the reference by more than chance" if spot.moved else ""
    return f"{frame.labels[spot.at]}, {name}: {unit(spot.value)}{reach}{moved}"

"""Shares of accepted answers from 0 to 100 %: over windows of time as a line with its band, and by score as points."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from ...harness.records import Estimate
from .. import words
from .axes import Axis, linear, trimmed
from .lines import Box, kind, legend

WIDTH, NARROW, HEIGHT, LEFT, RIGHT, TOP = 1060, 280, 240, 52, 16, 30
FLOOR = HEIGHT - 30
TICK = 6.4
"""Pixels of a letter on the axis."""


@dataclass(frozen=True, slots=True)
class Shares:
    """A name and its shares by place on the axis, ``None`` where there is none."""

    name: str
    shares: tuple[Estimate | None, ...]


@dataclass(frozen=True, slots=True)
class _Frame:
    names: Sequence[str]
    width: int
    y: Axis

    def at(self, place: int) -> float:
        """The middle of a place."""
        step = (self.width - LEFT - RIGHT) / max(1, len(self.names))
        return round(LEFT + step * (place + 0.5), 1)


def acceptance_over_time(lines: Sequence[Shares], windows: Sequence[str]) -> Markup:
    """A line a candidate with the band of its 95 % intervals; it is broken where a window has no feedback."""
    frame = _Frame(windows, WIDTH, linear(0.0, 1.0, FLOOR, TOP))
    box = Box(LEFT, WIDTH - RIGHT, TOP, FLOOR, WIDTH, HEIGHT)
    names, height = legend([one.name for one in lines], box)
    drawn = (
        Markup('<g class="{}">{}</g>').format(kind(number), Markup("").join(_line(one, frame)))
        for number, one in enumerate(lines)
    )
    return _svg(frame, height, f"share of votes that accept in {len(windows)} windows", [*drawn, *names])


def acceptance_by_score(name: str, levels: Sequence[str], shares: Sequence[Estimate]) -> Markup:
    """A point a level of the score with its 95 % interval, the lowest score on the left."""
    frame = _Frame(levels, NARROW, linear(0.0, 1.0, FLOOR, TOP))
    one = Shares(name, tuple(shares))
    drawn = Markup('<g class="curve curve0">{}</g>').format(Markup("").join(_points(one, frame, whiskers=True)))
    return _svg(frame, HEIGHT, f"share of votes that accept by {name}", [drawn])


def _svg(frame: _Frame, height: float, said: str, parts: Sequence[Markup]) -> Markup:
    opened = Markup(
        '<svg class="acceptance" viewBox="0 0 {} {}" width="100%" role="img" aria-label="{}; the numbers are in the '
        'table">'
    ).format(frame.width, height, said)
    return Markup("").join([opened, *_axes(frame), *parts, Markup("</svg>")])


def _axes(frame: _Frame) -> Iterator[Markup]:
    right = frame.width - RIGHT
    for tick in frame.y.ticks:
        y = frame.y.at(tick)
        yield Markup('<path class="{}" d="M{} {}H{}"/>').format("grid" if tick else "axis", LEFT, y, right)
        yield Markup('<text class="tick end" x="{}" y="{}">{}</text>').format(LEFT - 8, y + 4, words.percent(tick))
    yield Markup('<text class="unit" x="4" y="10">accepted</text>')
    yield from _names(frame)


def _names(frame: _Frame) -> Iterator[Markup]:
    """From the left, as many as do not touch."""
    free = 0.0
    for place, name in enumerate(frame.names):
        shown = trimmed(name, 34)
        half = TICK * len(shown) / 2
        x = min(max(frame.at(place), half + 2), frame.width - half - 2)
        if x - half >= free:
            yield Markup('<text class="tick" x="{}" y="{}">{}</text>').format(round(x, 1), FLOOR + 17, shown)
            free = x + half + 12


def _line(one: Shares, frame: _Frame) -> Iterator[Markup]:
    for run in _unbroken(one.shares):
        known = [(frame.at(place), share) for place, share in run]
        band = [
            (x, frame.y.at(s.low), frame.y.at(s.high)) for x, s in known if s.low is not None and s.high is not None
        ]
        if len(band) > 1:
            up = "L".join(f"{x} {high}" for x, _, high in band)
            down = "L".join(f"{x} {low}" for x, low, _ in reversed(band))
            yield Markup('<path class="band" d="M{}L{}Z"/>').format(up, down)
        yield Markup('<path class="line" d="M{}"/>').format("L".join(f"{x} {_y(s, frame)}" for x, s in known))
    lonely = {run[0][0] for run in _unbroken(one.shares) if len(run) == 1}
    yield from _points(one, frame, lambda place: place in lonely)


def _unbroken(shares: Sequence[Estimate | None]) -> list[list[tuple[int, Estimate]]]:
    """Stretches without a gap."""
    found: list[list[tuple[int, Estimate]]] = [[]]
    for place, share in enumerate(shares):
        if share is None or share.value is None:
            found.append([])
        else:
            found[-1].append((place, share))
    return [run for run in found if run]


def _points(one: Shares, frame: _Frame, whiskers: bool | Callable[[int], bool]) -> Iterator[Markup]:
    """``whiskers`` are for points that have no band."""
    for place, share in enumerate(one.shares):
        if share is None or share.value is None:
            continue
        x = frame.at(place)
        yield Markup("<g><title>{}</title>").format(told(one.name, frame.names[place], share))
        wanted = whiskers(place) if callable(whiskers) else whiskers
        if wanted and share.low is not None and share.high is not None:
            low, high = frame.y.at(share.low), frame.y.at(share.high)
            yield Markup('<path class="reach" d="M{} {}V{}M{} {}h8M{} {}h8"/>').format(
                x, low, high, x - 4, low, x - 4, high
            )
        yield Markup('<circle class="full" cx="{}" cy="{}" r="3.6"/></g>').format(x, _y(share, frame))


def _y(share: Estimate, frame: _Frame) -> float:
    return frame.y.at(share.value or 0.0)


def told(name: str, where: str, share: Estimate) -> str:
    """``2026-W46, mini: 71 % [65, 77] of 120 votes``."""
    limits = "" if share.low is None or share.high is None else f" [{100 * share.low:.0f}, {100 * share.high:.0f}]"
    return f"{where}, {name}: {words.percent(share.value)}{limits} of {words.plural(share.n, 'vote')}"

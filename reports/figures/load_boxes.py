"""Latencies as box plots on a logarithmic axis: loads from left to right, a colour a number of contexts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from markupsafe import Markup

from .. import words
from .axes import Axis, logarithmic
from .load_curves import COLOURS, HEIGHT, LEFT, RIGHT, TOP, WIDTH, frame, legend

BOTTOM = HEIGHT - 42
WIDEST = 26.0


@dataclass(frozen=True, slots=True)
class Box:
    """p5, quartiles, median and p95 in seconds (``spread``) of one ``group`` at one load; +inf: so many failed."""

    load: str
    group: str
    spread: tuple[float, ...]


def load_boxes(boxes: Sequence[Box], across: str, up: str) -> Markup | None:
    """The figure; ``across`` and ``up`` name the axes. ``None`` where nothing was timed."""
    known = [v for box in boxes for v in box.spread if isfinite(v) and v > 0]
    if not known:
        return None
    loads, groups = (list(dict.fromkeys(getattr(box, part) for box in boxes)) for part in ("load", "group"))
    y = logarithmic(known, BOTTOM, TOP)
    slot = (WIDTH - LEFT - RIGHT) / len(loads)
    wide = min(WIDEST, 0.8 * slot / len(groups))
    centres = {load: LEFT + slot * (i + 0.5) for i, load in enumerate(loads)}
    said = "; ".join(f"{_name(box)}: median {_seconds(box.spread[2])} s" for box in boxes)
    parts = [
        Markup('<svg viewBox="0 0 {} {}" width="100%" role="img" aria-label="{}">').format(
            WIDTH, legend(groups)[1], f"{up} by {across}. {said}"
        ),
        *frame([(centres[load], load) for load in loads], y, across, up),
    ]
    for box in boxes:
        shift = (groups.index(box.group) - (len(groups) - 1) / 2) * wide
        parts.append(_box(box, centres[box.load] + shift, wide, y, groups.index(box.group)))
    return Markup("").join([*parts, *legend(groups)[0], Markup("</svg>")])


def _box(box: Box, centre: float, wide: float, y: Axis, colour: int) -> Markup:
    low, first, middle, third, high = (y.at(v) if isfinite(v) else y.end for v in box.spread)
    x, half = round(centre, 1), round(max(2.0, wide * 0.38), 1)
    said = (
        f"{_name(box)}: p5 {_seconds(box.spread[0])}, median {_seconds(box.spread[2])}, p95 {_seconds(box.spread[4])} s"
    )
    return Markup(
        '<g class="load-box curve{}"><title>{}</title><path d="M{} {}V{}M{} {}V{}"/>'
        '<rect x="{}" y="{}" width="{}" height="{}" rx="1"/><path class="median" d="M{} {}h{}"/></g>'
    ).format(
        colour % COLOURS, said, x, low, first, x, third, high,
        x - half, third, 2 * half, round(max(1.0, first - third), 1), x - half, middle, 2 * half,
    )  # fmt: skip


def _name(box: Box) -> str:
    return f"{box.group}, {box.load}" if box.group else box.load


def _seconds(value: float) -> str:
    return words.seconds(value) if isfinite(value) else "∞"

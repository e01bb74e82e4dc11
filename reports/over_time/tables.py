"""What was followed as rows of words: the same tables on the page, in Markdown and on a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .. import words
from . import said
from .records import Against, Change, Kind, OverTime, Point, Slice, Track

COLUMNS = ("reference", "last window", "change", "p", "before", "moved in")
SLICE_COLUMNS = ("reference", "last window", "change", "p", "samples")
PART_COLUMNS = ("change", "by another mix", "within slices")


@dataclass(frozen=True, slots=True)
class Row:
    """A subject. ``values`` are those of `COLUMNS`; ``side`` says better or worse, ``moved`` whether it did at all."""

    kind: Kind
    name: str
    values: tuple[str, ...]
    side: int
    moved: bool


def rows(found: OverTime) -> Iterator[Row]:
    """Kind by kind."""
    for track in sorted(found.tracks, key=lambda one: list(said.TITLES).index(one.subject.kind)):
        last, step = _last(track, found, "reference"), _last(track, found, "before")
        moved = [one for one in track.changes if one.moved and one.against == "reference"]
        yield Row(
            track.subject.kind,
            said.subject(track.subject, found),
            (
                _before(track, last),
                _now(track, last),
                _effect(last, track),
                _p(last),
                f"{_effect(step, track)}, p {_p(step)}" if step and step.p is not None else _effect(step, track),
                ", ".join(found.periods[one.window].label for one in moved) or words.NONE,
            ),
            said.side(last, track.subject) if last else 0,
            bool(moved) or any(one.moved for one in track.changes),
        )


def _last(track: Track, found: OverTime, against: Against) -> Change | None:
    return next((one for one in track.changes if one.window == found.last and one.against == against), None)


def _before(track: Track, last: Change | None) -> str:
    """The reference; of a mix and of what is new, what chance makes of a window like the last one."""
    if track.base is None and last is not None and last.chance is not None:
        return f"by chance {said.by_chance(last.chance, track.subject)}"
    return said.point(track.base, track.subject)


def _now(track: Track, last: Change | None) -> str:
    if last is None:
        return words.NONE
    if last.distance is not None:
        return said.by_chance(last.distance, track.subject)
    return said.point(track.points[last.window], track.subject)


def _effect(one: Change | None, track: Track) -> str:
    return words.NONE if one is None else said.effect(one, track.subject)


def _p(one: Change | None) -> str:
    return words.NONE if one is None or one.adjusted is None else words.p_value(one.adjusted)


def slice_rows(found: OverTime) -> Iterator[tuple[str, tuple[str, ...], int]]:
    """Name, values of `SLICE_COLUMNS` and the side of every slice; those that moved most surely first."""
    if found.sliced is None:
        return
    about = found.sliced.headline
    for one in found.sliced.slices:
        yield (
            said.named(one.candidate, one.name, found),
            (
                said.point(_point(one, late=False), about),
                said.point(_point(one, late=True), about),
                said.effect(one.change, about),
                _p(one.change),
                f"{one.early.n:,}, {one.late.n:,}",
            ),
            said.side(one.change, about),
        )


def _point(one: Slice, late: bool) -> Point:
    return Point(one.late if late else one.early)


def part_rows(found: OverTime) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Window and values of `PART_COLUMNS`."""
    for part in found.sliced.parts if found.sliced else ():
        one = part.composition
        values = tuple(words.estimate(each, sign=True) for each in (one.total, one.mix, one.within))
        yield said.named(part.candidate, found.periods[part.window].label, found), values


def mover_rows(track: Track, found: OverTime) -> Iterator[tuple[str, str, str]]:
    """Name and its share of samples in the reference and in the last window."""
    for one in track.movers:
        yield said.named(track.subject.candidate, one.name, found), words.percent(one.early), words.percent(one.late)

"""An `OverTime` as one HTML file without a script: a verdict, figures and a table by kind, and slices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from ..figures.windows import Frame, Line, Spot, over_windows
from ..html import environment, static_page
from . import said, tables
from .records import SAME, Kind, OverTime, Track

_CHANCE = "by chance, 95 %"


@dataclass(frozen=True, slots=True)
class Drawing:
    """A figure with its heading, and what rose and fell."""

    title: str
    svg: Markup
    movers: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """A kind: its verdict, figures and table. ``wide`` is the headline's figure. What never changes is not drawn."""

    title: str
    verdict: str
    behind: str
    wide: tuple[Drawing, ...]
    drawings: tuple[Drawing, ...]
    rows: tuple[tables.Row, ...]


def render_over_time(found: OverTime) -> str:
    """The page; the same run gives the same bytes."""
    rows = tuple(tables.rows(found))
    return static_page(
        "over_time",
        environment(),
        found=found,
        title=said.title(found),
        verdict=said.verdict(found),
        notes=said.notes(found),
        reference=said.reference(found),
        sections=[_section(found, kind, told, behind, rows) for kind, told, behind in said.lines(found)],
        columns=tables.COLUMNS,
        slices=tuple(tables.slice_rows(found)),
        slices_line=said.slices_line(found),
        slice_columns=tables.SLICE_COLUMNS,
        parts=tuple(tables.part_rows(found)),
        part_columns=tables.PART_COLUMNS,
    )


def _section(found: OverTime, kind: Kind, told: str, behind: str, rows: Sequence[tables.Row]) -> Section:
    groups: dict[tuple[str, str], list[Track]] = {}
    for track in (one for one in found.of(kind) if not all(change.few == SAME for change in one.changes)):
        groups.setdefault((track.subject.source, track.subject.measure), []).append(track)
    drawn = [
        (kind == "scores" and not number, tuple(_drawings(found, group, kind == "scores" and not number)))
        for number, group in enumerate(groups.values())
    ]
    return Section(
        said.TITLES[kind],
        told,
        behind,
        tuple(one for wide, own in drawn for one in own if wide),
        tuple(one for wide, own in drawn for one in own if not wide),
        tuple(row for row in rows if row.kind == kind),
    )


def _drawings(found: OverTime, group: Sequence[Track], wide: bool) -> Iterator[Drawing]:
    about = group[0].subject
    frame = Frame(tuple(period.label for period in found.periods), found.reference, wide)
    if about.how == "mix":
        svg = over_windows(
            list(_distances(found, group)), frame, "bits from the reference", lambda v: f"{v:.3f}", zero=True
        )
    else:
        lines = [Line(one.subject.candidate or said.subject(one.subject, found), _spots(one)) for one in group]
        lines += [Line(_CHANCE, _limits(group[0]), dashed=True)] if about.how == "new" and len(group) == 1 else []
        limits = (0.0, float("inf")) if about.how == "amount" else group[0].scale
        svg = over_windows(
            lines, frame, _up(group[0]), lambda v: said.amount(v, about), limits, about.how in ("share", "new")
        )
    if svg is not None:
        movers = tuple(row for one in group for row in tables.mover_rows(one, found))
        yield Drawing(said.measure(about, found), svg, movers)


def _up(track: Track) -> str:
    about = track.subject
    if about.how == "amount":
        return f"{about.unit or about.measure}: median, quartiles"
    if about.how in ("share", "new"):
        return "share"
    return f"mean, scale {track.scale[0]:g}–{track.scale[1]:g}" if track.scale else "mean"


def _spots(track: Track) -> tuple[Spot, ...]:
    moved = {
        one.window: said.side(one, track.subject) or 2
        for one in track.changes
        if one.moved and one.against == "reference"
    }
    found = []
    for at, point in enumerate(track.points):
        if point is not None and point.estimate.value is not None:
            ends = point.quartiles or (point.estimate.low, point.estimate.high)
            found.append(Spot(at, point.estimate.value, ends[0], ends[1], moved.get(at, 0)))
    return tuple(found)


def _limits(track: Track) -> tuple[Spot, ...]:
    return tuple(Spot(one.window, one.limit) for one in track.changes if one.limit is not None)


def _distances(found: OverTime, group: Sequence[Track]) -> Iterator[Line]:
    """Of each mix its distance, and what chance passes in 5 % of windows."""
    for track in group:
        known = [one for one in track.changes if one.distance is not None and one.against == "reference"]
        name = track.subject.candidate or "distance"
        yield Line(name, tuple(Spot(one.window, one.distance or 0.0, moved=2 * one.moved) for one in known))
        if len(group) == 1:
            yield Line(_CHANCE, tuple(Spot(one.window, one.limit or 0.0) for one in known), dashed=True)

"""What `markscheme compare RUN --over-time` prints: a verdict by kind and the tables, or one JSON object."""

from __future__ import annotations

from pathlib import Path
from typing import TextIO

from pydantic import BaseModel, ConfigDict

from ...harness.records import Estimate
from ...reports.over_time import said, tables
from ...reports.over_time.records import Change, OverTime, Part, Period, Slice, Track
from ..output import EstimateOutput
from ..terminal import console, grid, say

SHOWN = 12
"""Slices and words on a terminal; the page has them all."""


class WindowOutput(BaseModel):
    """A window from ``start`` to before ``end``, Unix seconds; others are compared with a ``reference``."""

    label: str
    start: float
    end: float
    samples: int
    clusters: int
    reference: bool


class WindowChangeOutput(BaseModel):
    """A window against ``reference``, or against the one ``before``. ``effect`` is a difference (mean, share), or a
    chance that is 0.5 for no change (amount), or bits beyond chance (mix). ``distance`` is of a mix, in bits;
    ``chance`` is what chance makes of it, or of a share of new names."""

    window: str
    against: str
    effect: EstimateOutput | None
    p: float | None
    adjusted: float | None
    moved: bool
    few: str
    distance: float | None
    chance: float | None


class MoverOutput(BaseModel):
    """A word, tag or document and its share of samples in the reference and in the last window."""

    name: str
    reference: float
    last: float


class TrackOutput(BaseModel):
    """A subject over the windows: mean, share or median of each, null where there is none."""

    kind: str
    candidate: str
    judge: str
    measure: str
    how: str
    unit: str
    reference: EstimateOutput | None
    windows: list[EstimateOutput | None]
    changes: list[WindowChangeOutput]
    movers: list[MoverOutput]


class DriftSliceOutput(BaseModel):
    """The headline of a slice, in the reference and in the last window."""

    candidate: str
    name: str
    reference: EstimateOutput
    last: EstimateOutput
    change: WindowChangeOutput


class PartOutput(BaseModel):
    """The change of the headline since the reference: ``total`` is ``mix`` and ``within`` together."""

    candidate: str
    window: str
    total: EstimateOutput
    mix: EstimateOutput
    within: EstimateOutput


class OverTimeOutput(BaseModel):
    """`markscheme compare RUN --over-time`: ``verdicts`` by kind are moved, no change seen, or too few."""

    model_config = ConfigDict(extra="forbid")

    run: str
    verdict: str
    verdicts: dict[str, str]
    moved: bool
    windows: list[WindowOutput]
    tracks: list[TrackOutput]
    by: str
    slices: list[DriftSliceOutput]
    parts: list[PartOutput]
    tests: int
    untimed: int
    notes: list[str]
    report: str


def to_output(found: OverTime, page: Path) -> OverTimeOutput:
    """The numbers as plain JSON."""
    slices, parts = (found.sliced.slices, found.sliced.parts) if found.sliced else ((), ())
    return OverTimeOutput(
        run=found.run.id,
        verdict=said.verdict(found),
        verdicts={str(kind): text for kind, text in found.verdicts().items()},
        moved=found.moved,
        windows=[_window(one) for one in found.periods],
        tracks=[_track(one, found) for one in found.tracks],
        by=found.sliced.by if found.sliced else "",
        slices=[_slice(one, found) for one in slices],
        parts=[_part(one, found) for one in parts],
        tests=found.tests,
        untimed=found.untimed,
        notes=list(said.notes(found)),
        report=str(page),
    )


def _window(one: Period) -> WindowOutput:
    return WindowOutput(
        label=one.label,
        start=one.start,
        end=one.end,
        samples=one.samples,
        clusters=one.clusters,
        reference=one.reference,
    )


def _track(one: Track, found: OverTime) -> TrackOutput:
    about = one.subject
    return TrackOutput(
        kind=about.kind,
        candidate=about.candidate,
        judge=about.source,
        measure=about.measure,
        how=about.how,
        unit=about.unit,
        reference=_of(one.base.estimate if one.base else None),
        windows=[_of(point.estimate if point else None) for point in one.points],
        changes=[_change(change, found) for change in one.changes],
        movers=[MoverOutput(name=m.name, reference=m.early, last=m.late) for m in one.movers],
    )


def _change(one: Change, found: OverTime) -> WindowChangeOutput:
    return WindowChangeOutput(
        window=found.periods[one.window].label,
        against=one.against,
        effect=_of(one.estimate),
        p=one.p,
        adjusted=one.adjusted,
        moved=one.moved,
        few=one.few,
        distance=one.distance,
        chance=one.chance,
    )


def _slice(one: Slice, found: OverTime) -> DriftSliceOutput:
    of = EstimateOutput.of
    return DriftSliceOutput(
        candidate=one.candidate,
        name=one.name,
        reference=of(one.early),
        last=of(one.late),
        change=_change(one.change, found),
    )


def _part(one: Part, found: OverTime) -> PartOutput:
    of, parts = EstimateOutput.of, one.composition
    return PartOutput(
        candidate=one.candidate,
        window=found.periods[one.window].label,
        total=of(parts.total),
        mix=of(parts.mix),
        within=of(parts.within),
    )


def _of(one: Estimate | None) -> EstimateOutput | None:
    return None if one is None else EstimateOutput.of(one)


def print_over_time(found: OverTime, out: TextIO) -> None:
    """A verdict by kind, the subjects that moved, the slices and what to know about it."""
    say(out, f"{said.title(found)}, reference {said.reference(found)}")
    for kind in found.verdicts():
        say(out, said.line(found, kind))
    if told := said.slices_line(found):
        say(out, told)
    out.write("\n")
    chosen = [at for at, name in enumerate(tables.COLUMNS) if name != "before"]
    rows = [[row.name, *(row.values[at] for at in chosen)] for row in tables.rows(found)]
    console(out).print(grid(["", *(tables.COLUMNS[at] for at in chosen)], rows, left=1, wordy=["moved in"]))
    for track in found.tracks:
        _print_movers(track, found, out)
    _print_slices(found, out)
    for note in said.notes(found):
        say(out, f"note: {note}")


def _print_movers(track: Track, found: OverTime, out: TextIO) -> None:
    shown = [f"{name} {early} → {late}" for name, early, late in tables.mover_rows(track, found)]
    if shown:
        say(out, f"{said.subject(track.subject, found)}, rose and fell: {', '.join(shown[:SHOWN])}")


def _print_slices(found: OverTime, out: TextIO) -> None:
    if found.sliced is None:
        return
    out.write("\n")
    slices = list(tables.slice_rows(found))
    titles = [f"{said.measure(found.sliced.headline, found)} by {found.sliced.by}", *tables.SLICE_COLUMNS]
    console(out).print(grid(titles, ([name, *values] for name, values, _ in slices[:SHOWN]), left=1))
    out.write(f"and {len(slices) - SHOWN} more\n" if len(slices) > SHOWN else "")
    parts = list(tables.part_rows(found))
    if parts:
        out.write("\n")
        console(out).print(grid(["since the reference", *tables.PART_COLUMNS], ([n, *v] for n, v in parts), left=1))
    out.write("\n")

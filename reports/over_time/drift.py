"""A run of traces -> what drifted between its windows: scores, answers, questions and retrieval, and which slices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ...harness.errors import InputError
from ...harness.statistics.alternative import benjamini_hochberg
from ...harness.store.frames import RunData
from ..exam import candidates_of, judges_of, leading_judge
from ..grid import Grid, grid_of
from .columns import answer_columns, retrieval_measures, score_columns
from .periods import FIRST, Placed, placed_samples
from .questions import question_columns
from .records import OverTime, Slice, Sliced, Track
from .retrieved import retrieval_columns
from .slices import sliced
from .tracks import Column, Mixed, mixed_track, new_track, track_of, with_movers

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

WEEK = "week"
_SEEDS = 10_000
"""Between the seeds of two subjects: more than there are windows."""


@dataclass(frozen=True, slots=True)
class Options:
    """Width of a window, the reference, what slices are made of, and whose answers are meant ('' for all)."""

    window: str = WEEK
    reference: str = FIRST
    by: str = ""
    candidate: str = ""


@dataclass(frozen=True)
class Asked:
    """Of the samples, by id: when each was asked (Unix seconds), where that is known, and their metadata."""

    times: Mapping[str, float]
    metadata: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def over_time(data: RunData, asked: Asked, options: Options) -> OverTime:
    """Everything there is to say of the windows.

    Raises InputError where the run has no answers, the samples no times, or a name stands for nothing.
    """
    own = _chosen(data, options.candidate)
    placed = placed_samples(own, asked.times, options.window, options.reference)
    grid, names = grid_of(own), [view.name for view in candidates_of(own)]
    found = list(_columns(own, grid, names))
    pairs = _tracks(found, placed)
    slices = sliced(own, _headlines(own, names, found), placed, options.by, asked.metadata)
    tracks, slices = _adjusted([track for _, track in pairs], slices)
    told = (
        with_movers(track, one, placed) if isinstance(one, Mixed) else track
        for track, (one, _) in zip(tracks, pairs, strict=True)
    )
    return OverTime(own.info, placed.periods, placed.reference, placed.last, tuple(told), slices, placed.untimed)


def _chosen(data: RunData, candidate: str) -> RunData:
    """The run, or the samples that one candidate answered and what it said."""
    if not len(data.answers):
        raise InputError(f"run {data.info.id}: holds no answers; nothing can be followed over time")
    if not candidate:
        return data
    own = data.answers[data.answers["candidate"] == candidate]
    if not len(own):
        known = ", ".join(map(str, data.answers["candidate"].unique()))
        raise InputError(f"--candidate {candidate!r}: run {data.info.id} has no answers of it; it has those of {known}")
    config = dict(data.info.config)
    config["candidates"] = [one for one in config.get("candidates") or () if one.get("name") == candidate]
    samples = data.samples[data.samples["sample_id"].isin(own["sample_id"])].reset_index(drop=True)
    grades, scores = (table[table["candidate"] == candidate] for table in (data.grades, data.scores))
    return replace(
        data, info=replace(data.info, config=config), samples=samples, answers=own, grades=grades, scores=scores
    )


def _columns(data: RunData, grid: Grid, names: Sequence[str]) -> Iterator[Column | Mixed]:
    for name in names:
        yield from score_columns(data, grid, name)
    for name in names:
        yield from answer_columns(data, grid, name)
    yield from question_columns(data)
    for name in names:
        yield from retrieval_measures(data, grid, name)
        yield from retrieval_columns(data, name)


def _tracks(found: Sequence[Column | Mixed], placed: Placed) -> list[tuple[Column | Mixed, Track]]:
    """All that have a value, each with what it is made of."""
    import numpy as np

    kept: list[Column | Mixed] = [
        one for one in found if isinstance(one, Mixed) or not np.isnan(one.values[placed.window >= 0]).all()
    ]
    return [(one, track) for number, one in enumerate(kept) for track in _followed(one, placed, _SEEDS * number)]


def _followed(one: Column | Mixed, placed: Placed, seed: int) -> Iterator[Track]:
    if isinstance(one, Column):
        yield track_of(one, placed)
        return
    yield mixed_track(one, placed, seed)
    if one.new:
        yield new_track(one, one.new, placed, seed)


def _adjusted(tracks: Sequence[Track], slices: Sliced | None) -> tuple[list[Track], Sliced | None]:
    """The same with p corrected over all tests together; the slices whose change is the surest come first."""
    every = [one for track in tracks for one in track.changes] + [
        one.change for one in (slices.slices if slices else ())
    ]
    qs = iter(benjamini_hochberg([one.p for one in every if one.p is not None]))
    done = [replace(one, adjusted=None if one.p is None else next(qs)) for one in every]
    changes = iter(done)
    made = [replace(track, changes=tuple(next(changes) for _ in track.changes)) for track in tracks]
    if slices is None:
        return made, None
    own = [replace(one, change=next(changes)) for one in slices.slices]
    return made, replace(slices, slices=tuple(sorted(own, key=_order)))


def _order(one: Slice) -> tuple[float, int]:
    return 2.0 if one.change.p is None else one.change.p, -(one.early.n + one.late.n)


def _headlines(data: RunData, names: Sequence[str], found: Sequence[Column | Mixed]) -> dict[str, Column]:
    """By candidate the leading judge's headline, else the first measure."""
    judge = leading_judge(judges_of(data))
    scores = [one for one in found if isinstance(one, Column) and one.subject.kind == "scores"]
    if judge is not None:
        scores = [one for one in scores if (one.subject.source, one.subject.measure) == (judge.name, judge.headline)]
    heads = ((name, [one for one in scores if one.subject.candidate == name]) for name in names)
    return {name: own[0] for name, own in heads if own and _any(own[0].values)}


def _any(values: NDArray[np.float64]) -> bool:
    import numpy as np

    return not bool(np.isnan(values).all())

"""A run of traces -> what drifted between its windows: scores, answers, questions and retrieval, and which slices."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ...harness.errors import InputError
from ...harness.statistics.alternative import benjamini_hochberg
from ...harness.statistics.two_samples_mix import DRAWS
from ...harness.store.frames import RunData
from ..exam import candidates_of, judges_of, leading_judge
from ..grid import Grid, grid_of
from .columns import answer_columns, retrieval_measures, score_columns
from .periods import FIRST, Placed, placed_samples
from .questions import question_columns
from .records import ALPHA, OverTime, Slice, Sliced, Track
from .retrieved import retrieval_columns
from .slices import sliced
from .tracks import Column, Mixed, mixed_track, new_track, track_of, with_movers

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

WEEK = "week"
_SEEDS = 10_000
"""Between the seeds of two subjects: more than there are windows."""
_MOST = 99_999
"""Draws, however many tests there are."""


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
    followed = _tracks(found, placed)
    slices = sliced(own, _headlines(own, names, found), placed, options.by, asked.metadata)
    tracks, slices = _adjusted([one.made(DRAWS) for one in followed], slices)
    finer = [_finer(one, track, _tests(tracks, slices)) for one, track in zip(followed, tracks, strict=True)]
    tracks, slices = _adjusted(finer, slices)
    told = (
        with_movers(track, one.of, placed) if isinstance(one.of, Mixed) else track
        for track, one in zip(tracks, followed, strict=True)
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


@dataclass(frozen=True)
class _Followed:
    """What a track is made of, and how, with so many draws where it is held against chance."""

    of: Column | Mixed
    made: Callable[[int], Track]


def _tracks(found: Sequence[Column | Mixed], placed: Placed) -> list[_Followed]:
    """All that have a value."""
    import numpy as np

    kept: list[Column | Mixed] = [
        one for one in found if isinstance(one, Mixed) or not np.isnan(one.values[placed.window >= 0]).all()
    ]
    return [track for number, one in enumerate(kept) for track in _followed(one, placed, _SEEDS * number)]


def _followed(one: Column | Mixed, placed: Placed, seed: int) -> Iterator[_Followed]:
    if isinstance(one, Column):
        yield _Followed(one, lambda draws: track_of(one, placed))
        return
    yield _Followed(one, lambda draws: mixed_track(one, placed, seed, draws))
    if one.new:
        yield _Followed(one, lambda draws: new_track(one, placed, seed, draws))


def _finer(one: _Followed, track: Track, tests: int) -> Track:
    """The track, with more draws where none was as far apart and that is still not enough among so many ``tests``."""
    draws, least = min(_MOST, round(tests / ALPHA)), 1 / (1 + DRAWS)
    short = any(change.p == least and not change.moved for change in track.changes)
    return one.made(draws) if short and draws > DRAWS and isinstance(one.of, Mixed) else track


def _tests(tracks: Sequence[Track], slices: Sliced | None) -> int:
    changes = [one for track in tracks for one in track.changes]
    return sum(one.p is not None for one in (*changes, *(own.change for own in (slices.slices if slices else ()))))


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

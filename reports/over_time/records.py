"""What drifted between windows of time, as plain records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ...harness.records import Estimate
from ...harness.statistics.two_samples_slices import Composition
from ...harness.store.frames import RunInfo
from ..exam import Scale

Kind = Literal["scores", "answers", "questions", "retrieval"]
KINDS: tuple[Kind, ...] = ("scores", "answers", "questions", "retrieval")
How = Literal["mean", "share", "amount", "mix", "new"]
"""How windows are compared: means by their difference, shares likewise, amounts by the chance that a later one is the
larger, mixes (of words, tags, documents) by their distance, what is new in a mix by what chance alone brings."""
Against = Literal["reference", "before"]
LEAST, LEAST_CLUSTERS = 20, 10
"""Samples and clusters of a window, below which nothing is said of it."""
SAME = "always the same"
"""Of a number that has one value only: there is nothing to test."""
ALPHA = 0.05


@dataclass(frozen=True, slots=True)
class Subject:
    """What is followed. ``candidate`` is '' for questions, ``source`` the judge, '' for what no judge gave."""

    kind: Kind
    candidate: str
    source: str
    measure: str
    how: How
    unit: str = ""
    better: Literal["higher", "lower", ""] = ""


@dataclass(frozen=True, slots=True)
class Period:
    """A window, and how many samples and clusters fall into it."""

    label: str
    start: float
    end: float
    samples: int
    clusters: int
    reference: bool

    @property
    def enough(self) -> bool:
        """Whether it can be compared at all."""
        return self.samples >= LEAST and self.clusters >= LEAST_CLUSTERS


@dataclass(frozen=True, slots=True)
class Point:
    """A subject in a window: the mean, the share, or the median with its quartiles."""

    estimate: Estimate
    quartiles: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A window (its place) against the reference, or against the window with samples before it.

    ``estimate`` is a difference (of what is new: from chance), of amounts the chance that one of this window is the
    larger (0.5 for no change), of mixes the bits beyond chance. ``distance`` is that of a mix in bits; ``chance`` is
    what chance makes of it, or of a share of new names, and ``limit`` what chance passes in 5 % of windows. ``few``
    says why there is no ``p``; ``adjusted`` is that of Benjamini and Hochberg over all tests of the page.
    """

    window: int
    against: Against
    estimate: Estimate | None = None
    p: float | None = None
    adjusted: float | None = None
    few: str = ""
    distance: float | None = None
    chance: float | None = None
    limit: float | None = None

    @property
    def moved(self) -> bool:
        """Whether it is more than chance."""
        return self.adjusted is not None and self.adjusted < ALPHA


@dataclass(frozen=True, slots=True)
class Mover:
    """Of a mix: in what share of samples a word, tag or document stood in the reference, and in the last window."""

    name: str
    early: float
    late: float


@dataclass(frozen=True, slots=True)
class Track:
    """A subject over the windows; no points for a mix. ``base`` is the reference as one window.

    ``movers`` are told where the mix of the last window moved.
    """

    subject: Subject
    points: tuple[Point | None, ...]
    changes: tuple[Change, ...]
    scale: Scale | None = None
    base: Point | None = None
    movers: tuple[Mover, ...] = ()


@dataclass(frozen=True, slots=True)
class Slice:
    """The headline of a slice in the reference and in the last window, and its change."""

    candidate: str
    name: str
    early: Estimate
    late: Estimate
    change: Change


@dataclass(frozen=True, slots=True)
class Part:
    """The change of a headline from the reference to a window, as another mix of slices and another level within."""

    candidate: str
    window: int
    composition: Composition


@dataclass(frozen=True, slots=True)
class Sliced:
    """The slices of a headline, ``by`` what they are made of."""

    by: str
    headline: Subject
    slices: tuple[Slice, ...]
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class OverTime:
    """The windows of a run, the earliest first, and everything over them.

    ``reference`` are places of windows, ``last`` is that of the last one with enough samples to be compared.
    """

    run: RunInfo
    periods: tuple[Period, ...]
    reference: tuple[int, ...]
    last: int
    tracks: tuple[Track, ...]
    sliced: Sliced | None = None
    untimed: int = 0
    """Samples that do not say when they were asked."""

    @property
    def tests(self) -> int:
        """Size of the family."""
        return sum(change.p is not None for change in self.changes())

    def changes(self) -> tuple[Change, ...]:
        """Those of all tracks, and of the slices."""
        found = [change for track in self.tracks for change in track.changes]
        return (*found, *(one.change for one in (self.sliced.slices if self.sliced else ())))

    @property
    def moved(self) -> bool:
        """Whether anything did, slices included."""
        return any(change.moved for change in self.changes())

    def of(self, kind: Kind) -> tuple[Track, ...]:
        """The tracks of a kind."""
        return tuple(track for track in self.tracks if track.subject.kind == kind)

    def verdicts(self) -> Mapping[Kind, str]:
        """``moved``, ``no change seen`` or ``too few`` by kind; a kind of which nothing is known is not there."""
        return {kind: _verdict(own) for kind in KINDS if (own := self.of(kind))}

    def __repr__(self) -> str:
        from .said import title, verdict

        return f"OverTime: {title(self)}. {verdict(self)}"

    def _repr_html_(self) -> str:
        from ..notebook.production import over_time_html

        return over_time_html(self)


def _verdict(tracks: tuple[Track, ...]) -> str:
    changes = [change for track in tracks for change in track.changes]
    if any(change.moved for change in changes):
        return "moved"
    tested = any(change.p is not None for change in changes)
    return "no change seen" if tested or not any(change.few not in ("", SAME) for change in changes) else "too few"

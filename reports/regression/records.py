"""What a comparison of runs says, as plain records. `new` is the run in question, `old` the pool of baseline runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ...harness.records import Estimate
from ...harness.store.frames import RunInfo

Better = Literal["higher", "lower"]


@dataclass(frozen=True, slots=True)
class Pairing:
    """Which samples both sides have. They are matched by the hash of their content, not by id alone.

    ``left_out`` counts, by reason in words, what one side has alone (only on an intersection that was asked for).
    ``shared_replies`` counts answers of the new run that are replies which a baseline run already had, of ``answers``.
    """

    n: int
    clusters: int
    left_out: Mapping[str, int]
    shared_replies: int
    answers: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Subject:
    """What is compared: a candidate by one measure. ``source`` is the judge, '' for a measure without one."""

    candidate: str
    source: str
    measure: str
    better: Better = "higher"
    unit: str = ""
    """'' for scores; s, USD or tokens."""


@dataclass(frozen=True, slots=True)
class Difference:
    """New minus old on the same samples. ``wins`` counts samples where the new run is better (by ``subject.better``).

    ``p`` is that of ``test``; ``adjusted`` is Holm's over the declared family. ``sd`` is the standard deviation of the
    differences by sample and ``effective_n`` is n over the design effect: ``sd² / effective_n`` is the squared standard
    error of the mean difference. ``missing_new`` and ``missing_old`` count samples without a value on that side alone.
    """

    subject: Subject
    estimate: Estimate
    new: Estimate
    old: Estimate
    wins: int
    ties: int
    losses: int
    test: str
    p: float
    adjusted: float
    sd: float | None
    effective_n: float | None
    clusters: int
    missing_new: int = 0
    missing_old: int = 0
    scale: tuple[float, float] | None = None
    binary: bool = False
    corrected: bool = False
    """Whether human labels stand behind the estimate."""
    exploratory: bool = False
    """Whether it is outside the declared family: then ``adjusted`` is ``p``."""
    bound: float | None = None
    """The one-sided 95 % bound of the mean gain, turned so that more is better; ``None`` where it is another one than
    `not_inferior.lower_bound` on the samples."""
    old_variance: float | None = None
    """Of the mean of ``old``, and below its covariance with the mean difference: for margins that are a share of it."""
    old_covariance: float = 0.0


@dataclass(frozen=True, slots=True)
class Slice:
    """The same difference within the samples of one tag; ``q`` is Benjamini and Hochberg's over all slices."""

    tag: str
    difference: Difference
    q: float


@dataclass(frozen=True, slots=True)
class Side:
    """One side's answer to a sample: its text (or why there is none), score, and the judges' reasoning by criterion."""

    run: str
    text: str
    status: str
    score: float | None
    reasoning: Mapping[str, str]
    levels: Mapping[str, float | None] = field(default_factory=dict)
    """What the judges gave by criterion, keyed as ``reasoning`` is."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A sample whose score fell (or rose), with both answers. ``difference`` is new minus old by ``subject``."""

    sample_id: str
    question: str
    reference: str
    subject: Subject
    difference: float
    new: Side
    old: Side
    means: tuple[float, float] = (0.0, 0.0)
    """Of the new run over its trials, and of the baseline over trials and runs: the answers shown are one of each."""


@dataclass(frozen=True, slots=True)
class Compared:
    """A run against the pool of its baseline."""

    new: RunInfo
    old: tuple[RunInfo, ...]
    pairing: Pairing
    family: str
    """Words that say over which comparisons Holm's correction goes."""
    differences: tuple[Difference, ...]
    slices: tuple[Slice, ...] = ()
    worse: tuple[Moved, ...] = ()
    notes: tuple[str, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()
    """Candidates compared: the new run's name, the baseline's."""
    too_small: Mapping[str, int] = field(default_factory=dict)
    """Tags with too few samples for a slice, and how many they have."""
    warning: str = ""
    """What stands above everything else, '' for nothing."""

    def __repr__(self) -> str:
        from .said import first_lines, title

        return f"Compared: {title(self)}. {' '.join(first_lines(self))}"

    def _repr_html_(self) -> str:
        from ..notebook.regression import compared_html

        return compared_html(self)

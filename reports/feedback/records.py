"""What `markscheme feedback` found, as plain records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ...harness.records import Estimate
from ...harness.store.frames import RunInfo
from ...harness.windows import Window

Clock = Literal["asked", "said", ""]
"""What puts answers in windows: when the question was asked, when feedback was given, or nothing, for neither is
known."""


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A candidate's ``answers``, those with feedback (``heard``), and the share of ``votes`` that accept.

    A vote is what one user said of one answer; ``users`` are those who are named. ``edited`` is the share of the text
    that was changed, over those that are edits.
    """

    candidate: str
    answers: int
    heard: int
    votes: int
    users: int
    rate: Estimate
    edited: Estimate


@dataclass(frozen=True, slots=True)
class InWindow:
    """A candidate in the window with this number; ``answers`` is ``None`` where nothing says when they were given."""

    window: int
    candidate: str
    answers: int | None
    heard: int
    rate: Estimate


@dataclass(frozen=True, slots=True)
class Prediction:
    """How well a judge's measure tells accepted answers of a candidate ('' for all) from rejected ones."""

    candidate: str
    judge: str
    measure: str
    auc: Estimate


@dataclass(frozen=True, slots=True)
class Level:
    """Acceptance of the answers with scores from ``low`` to ``high``."""

    low: float
    high: float
    rate: Estimate


@dataclass(frozen=True, slots=True)
class Calibration:
    """Acceptance by a judge's score, over all candidates."""

    judge: str
    measure: str
    levels: tuple[Level, ...]


@dataclass(frozen=True, slots=True)
class Selection:
    """A judge's mean of a candidate's answers ``heard`` of, and of the ``silent`` ones; ``difference`` is heard less
    silent, ``p`` is corrected by Benjamini and Hochberg over all of them, ``None`` where nothing could be tested."""

    candidate: str
    judge: str
    measure: str
    heard: Estimate
    silent: Estimate
    difference: Estimate
    p: float | None


@dataclass(frozen=True, slots=True)
class FeedbackReport:
    """All that a run's feedback says. ``judges`` are those that were asked for, the leading one first, with their
    headline; ``untimed`` answers are in no window; ``loudest`` is the largest share of votes of one user."""

    run: RunInfo
    acceptance: tuple[Acceptance, ...]
    clock: Clock
    windows: tuple[Window, ...]
    by_window: tuple[InWindow, ...]
    untimed: int
    judges: Mapping[str, str]
    predictions: tuple[Prediction, ...]
    calibrations: tuple[Calibration, ...]
    selections: tuple[Selection, ...]
    loudest: float
    crossed: bool
    """Whether users vote in several clusters and clusters hold several users: intervals know the clusters alone."""

    def __repr__(self) -> str:
        from ..serving.said import plain
        from .pages import lines
        from .said import title

        return f"{title(self)}: {' '.join(map(plain, lines(self)))}"

    def _repr_html_(self) -> str:
        from ..notebook.production import feedback_html

        return feedback_html(self)

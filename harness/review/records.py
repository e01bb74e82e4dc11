"""The nouns of a review: what is to be rated, by whom in which order, and a rating."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ..records import Design, Winner

Mode = Literal["grade", "pairs"]


@dataclass(frozen=True, slots=True)
class Review:
    """A review of one run. Everything that decides what a rater sees is fixed when it begins, ``seed`` included.

    ``criteria``: name -> the scores on offer, lowest first (empty for pairs). ``shares``: stratum -> its share of the
    answers of its candidate (of its pair), where the draw is stratified. ``overlap``: share of the items that every
    rater gets.
    """

    name: str
    run: str
    mode: Mode
    rubric: str
    criteria: Mapping[str, tuple[int, ...]]
    raters: tuple[str, ...]
    design: Design
    seed: int
    overlap: float = 1.0
    shares: Mapping[str, float] = field(default_factory=dict)
    begun_at: str = ""
    """ISO date."""
    rubric_sha256: str = ""
    """Of all that raters are told to grade by."""
    n: int = 0
    """How many items were asked for; there may have been fewer."""
    strata: str = ""
    """What a stratified draw tells apart: candidate, score or disagreement."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to rate: an answer, or two (``right`` is '' where answers are graded one by one).

    ``id`` is opaque and tells nothing of the candidate. ``sha256``: of the answer's text (of both, joined by a colon).
    ``attention`` is the score (or winner) that a rater who reads must give; such items never become labels. They show
    the answer to another sample, ``answer_of``: of a pair it stands on the side that must not win.
    """

    id: str
    position: int
    sample_id: str
    left: str
    right: str
    trial: int
    sha256: str
    stratum: str = ""
    attention: str = ""
    answer_of: str = ""


@dataclass(frozen=True, slots=True)
class Rating:
    """What a rater said of an item: ``scores`` by criterion, or a ``winner``; ``round`` 2 is the adjudication."""

    item: str
    rater: str
    scores: Mapping[str, int] = field(default_factory=dict)
    winner: Winner | None = None
    note: str = ""
    seconds: float = 0.0
    rated_at: float = 0.0
    round: int = 1


Stale = Literal["", "changed", "purged", "gone"]
"""Why the text that an item is about cannot be shown: the answer is another one by now, its words were purged, or the
run has no such answer or sample any more. '' where it can."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a rater sees of an item: one answer, or two in the order left, right; none where it is ``stale``.

    ``passages``: for each answer what the candidate's retriever gave it, ``context`` what the sample says.
    """

    question: str
    context: tuple[str, ...]
    reference: str | None
    answers: tuple[str, ...]
    passages: tuple[tuple[str, ...], ...] = ()
    stale: Stale = ""

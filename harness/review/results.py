"""What came of a review, as plain records: means and win rates, agreement, how raters worked, what they differ on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..records import Estimate
from ..statistics.ranking import WinRate
from ..statistics.rating import Ratings
from .records import Item, Rating, Review, Shown

COMPOSITE = "composite"


@dataclass(frozen=True, slots=True)
class CandidateMean:
    """People's mean for one candidate on one criterion, or on the composite. ``n`` of the estimate counts answers that
    somebody rated; ``reason`` says why there is none although somebody did."""

    candidate: str
    criterion: str
    scale: tuple[float, float]
    estimate: Estimate
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Duel:
    """Two candidates: how often people prefer ``left``, over questions. ``p`` is Holm's over all pairs.

    In a stratified draw the estimate of ``rate`` is weighted; there is no p then, since the sign flip knows no weights.
    """

    left: str
    right: str
    rate: WinRate
    p: float | None
    reason: str = ""

    @property
    def turned(self) -> Duel:
        """The same from the other side."""
        return Duel(self.right, self.left, self.rate.turned, self.p, self.reason)


@dataclass(frozen=True, slots=True)
class RaterRow:
    """One rater, a person or a judge, against all (other) people on the items that they share, by name of estimate.

    ``n`` counts items; ``estimates`` are those of `statistics.agreement`.
    """

    rater: str
    judge: bool
    n: int
    estimates: Mapping[str, Estimate]


@dataclass(frozen=True, slots=True)
class RaterPair:
    """Two raters on the items that both rated."""

    first: str
    second: str
    n: int
    estimates: Mapping[str, Estimate]


@dataclass(frozen=True, slots=True)
class CriterionAgreement:
    """How alike raters are on one criterion. ``people`` holds `statistics.reliability` of all people together, and
    ``exact``, ``kappa`` and ``kappa_quadratic`` of two random ones; ``n`` items have two people's ratings.

    ``chance_exact`` is what two independent people with the same margins would reach.
    """

    criterion: str
    levels: tuple[float, ...]
    n: int
    people: Mapping[str, Estimate]
    chance_exact: float | None
    raters: tuple[RaterRow, ...]
    pairs: tuple[RaterPair, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RaterWork:
    """How one rater worked. ``dealt`` and ``rated`` count items of the first round, attention items among them;
    ``seconds`` is the median per item. ``missed`` of the ``attention`` items seen have another answer than expected."""

    rater: str
    dealt: int
    rated: int
    seconds: Estimate
    attention: int
    missed: int


@dataclass(frozen=True, slots=True)
class Dispute:
    """An item that people differ on: ``spread`` from 0 to 1 is the widest gap on a criterion as a share of its scale,
    ``criteria`` are those that they differ on.

    ``ratings`` are those of the first round, ``settled`` those of the second. ``judges``: judge -> criterion -> score.
    """

    item: Item
    spread: float
    criteria: tuple[str, ...]
    ratings: tuple[Rating, ...]
    settled: tuple[Rating, ...] = ()
    judges: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    shown: Shown | None = None


@dataclass(frozen=True, slots=True)
class ReviewResult:
    """All of it. ``items`` counts those that count (no attention items), ``rated`` those that somebody rated.

    ``ratings`` follow ``candidates``; ``None`` for fewer than three of them, or where some have met no other.
    """

    review: Review
    title: str
    date: str
    """ISO date of the run."""
    candidates: tuple[str, ...]
    judges: tuple[str, ...]
    items: int
    rated: int
    means: tuple[CandidateMean, ...]
    duels: tuple[Duel, ...]
    ratings: Ratings | None
    agreement: tuple[CriterionAgreement, ...]
    work: tuple[RaterWork, ...]
    disputes: tuple[Dispute, ...]
    notes: tuple[str, ...] = ()

    @property
    def open_disputes(self) -> int:
        """How many nobody has settled."""
        return sum(not one.settled for one in self.disputes)

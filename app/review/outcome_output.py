"""What `markscheme review result --json` prints."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel

from ...harness.records import Estimate
from ...harness.review.results import CriterionAgreement, Dispute, Duel, ReviewResult
from ...reports.review import said
from ..output import EstimateOutput


class ReviewMeanOutput(BaseModel):
    """People's mean for a candidate; weighted by strata where the draw was stratified."""

    candidate: str
    criterion: str
    mean: EstimateOutput


class ReviewPairOutput(BaseModel):
    """How often people prefer ``left``; ``p`` is Holm's, null in a stratified draw."""

    left: str
    right: str
    win_rate: EstimateOutput
    wins: int
    ties: int
    losses: int
    p: float | None


class ReviewRatingOutput(BaseModel):
    """A Bradley–Terry strength as Elo."""

    candidate: str
    elo: EstimateOutput
    ranks: list[int]


class ReviewRaterOutput(BaseModel):
    """One rater, a person or a judge, against all (other) people."""

    rater: str
    judge: bool
    n: int
    estimates: dict[str, EstimateOutput]


class RatersPairOutput(BaseModel):
    """Two raters on what both rated."""

    first: str
    second: str
    n: int
    estimates: dict[str, EstimateOutput]


class ReviewAgreementOutput(BaseModel):
    """How alike raters are on one criterion."""

    criterion: str
    n: int
    people: dict[str, EstimateOutput]
    chance_exact: float | None
    raters: list[ReviewRaterOutput]
    pairs: list[RatersPairOutput]
    notes: list[str]

    @classmethod
    def of(cls, one: CriterionAgreement) -> ReviewAgreementOutput:
        """The record as printed."""
        return cls(
            criterion=one.criterion,
            n=one.n,
            people=_estimates(one.people),
            chance_exact=one.chance_exact,
            raters=[
                ReviewRaterOutput(rater=row.rater, judge=row.judge, n=row.n, estimates=_estimates(row.estimates))
                for row in one.raters
            ],
            pairs=[
                RatersPairOutput(first=row.first, second=row.second, n=row.n, estimates=_estimates(row.estimates))
                for row in one.pairs
            ],
            notes=list(one.notes),
        )


class RaterWorkOutput(BaseModel):
    """How one rater worked."""

    rater: str
    dealt: int
    rated: int
    median_s: EstimateOutput
    attention: int
    missed: int


class DisputeOutput(BaseModel):
    """An item that people differ on."""

    item: str
    sample_id: str
    left: str
    right: str
    trial: int
    spread: float
    criteria: list[str]
    ratings: dict[str, str]
    judges: dict[str, str]
    settled: dict[str, str]

    @classmethod
    def of(cls, one: Dispute) -> DisputeOutput:
        """The record as printed."""
        return cls(
            item=one.item.id,
            sample_id=one.item.sample_id,
            left=one.item.left,
            right=one.item.right,
            trial=one.item.trial,
            spread=one.spread,
            criteria=list(one.criteria),
            ratings={rating.rater: said.rating(rating, one.item) for rating in one.ratings},
            judges={name: said.verdict_of(scored, one.item) for name, scored in one.judges.items()},
            settled={rating.rater: said.rating(rating, one.item) for rating in one.settled},
        )


class ReviewResultOutput(BaseModel):
    """`markscheme review result`."""

    review: str
    run: str
    mode: str
    design: str
    items: int
    rated: int
    means: list[ReviewMeanOutput]
    pairs: list[ReviewPairOutput]
    ratings: list[ReviewRatingOutput]
    agreement: list[ReviewAgreementOutput]
    raters: list[RaterWorkOutput]
    disputes: list[DisputeOutput]
    notes: list[str]
    report: str


def to_output(found: ReviewResult, report: str) -> ReviewResultOutput:
    """The records as one object."""
    rated = zip(found.candidates, found.ratings.models if found.ratings else (), strict=False)
    return ReviewResultOutput(
        review=found.review.name,
        run=found.review.run,
        mode=found.review.mode,
        design=found.review.design,
        items=found.items,
        rated=found.rated,
        means=[
            ReviewMeanOutput(candidate=one.candidate, criterion=one.criterion, mean=EstimateOutput.of(one.estimate))
            for one in found.means
        ],
        pairs=[_pair(duel) for duel in found.duels],
        ratings=[
            ReviewRatingOutput(candidate=name, elo=EstimateOutput.of(one.elo), ranks=list(one.ranks))
            for name, one in rated
        ],
        agreement=[ReviewAgreementOutput.of(one) for one in found.agreement],
        raters=[
            RaterWorkOutput(
                rater=one.rater,
                dealt=one.dealt,
                rated=one.rated,
                median_s=EstimateOutput.of(one.seconds),
                attention=one.attention,
                missed=one.missed,
            )
            for one in found.work
        ],
        disputes=[DisputeOutput.of(one) for one in found.disputes],
        notes=list(said.caveats(found)),
        report=report,
    )


def _estimates(found: Mapping[str, Estimate]) -> dict[str, EstimateOutput]:
    return {name: EstimateOutput.of(one) for name, one in found.items()}


def _pair(duel: Duel) -> ReviewPairOutput:
    rate = duel.rate
    return ReviewPairOutput(
        left=duel.left,
        right=duel.right,
        win_rate=EstimateOutput.of(rate.estimate),
        wins=rate.wins,
        ties=rate.ties,
        losses=rate.losses,
        p=duel.p,
    )

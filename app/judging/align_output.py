"""What `judge align --json` and `import labels --json` print, and the tables that a person sees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TextIO

from pydantic import BaseModel

from ...harness.alignment import Alignment, CandidateAgreement, CriterionAlignment, PairAlignment
from ...harness.statistics.votes import VoteAgreement
from ...reports import words
from ..output import EstimateOutput
from ..shown import Shown
from ..terminal import console, grid

_SHOWN = (
    ("exact", "exact"),
    ("within_1", "within 1"),
    ("kappa", "kappa"),
    ("kappa_quadratic", "quadratic"),
    ("ac2", "AC2"),
    ("alpha", "alpha"),
    ("spearman", "Spearman"),
    ("bias", "bias"),
)


class CandidateAlignmentOutput(BaseModel):
    """A judge against people on one candidate's answers; `exact` and `kappa_quadratic` are null for the composite."""

    candidate: str
    n: int
    bias: EstimateOutput
    exact: EstimateOutput | None
    kappa_quadratic: EstimateOutput | None

    @classmethod
    def of(cls, one: CandidateAgreement) -> CandidateAlignmentOutput:
        """The record as printed."""
        exact, kappa = one.exact, one.kappa_quadratic
        return cls(
            candidate=one.candidate,
            n=one.n,
            bias=EstimateOutput.of(one.bias),
            exact=EstimateOutput.of(exact) if exact else None,
            kappa_quadratic=EstimateOutput.of(kappa) if kappa else None,
        )


class AlternativeOutput(BaseModel):
    """The alternative annotator test: whether the judge may stand in for the annotators."""

    passed: bool
    winning_rate: float
    advantage: float
    epsilon: float
    annotators: dict[str, float]


class CriterionAlignmentOutput(BaseModel):
    """One judge on one criterion, or on `composite`. `humans` are people among themselves on the same answers."""

    judge: str
    criterion: str
    n: int
    annotators: dict[str, int]
    levels: list[float]
    confusion: list[list[float]]
    chance_exact: float | None
    chance_within_1: float | None
    estimates: dict[str, EstimateOutput]
    humans: dict[str, EstimateOutput]
    alternative: AlternativeOutput | None
    candidates: list[CandidateAlignmentOutput]
    lost: dict[str, int]
    notes: list[str]

    @classmethod
    def of(cls, one: CriterionAlignment) -> CriterionAlignmentOutput:
        """The record as printed."""
        table = one.agreement
        return cls(
            judge=one.judge,
            criterion=one.criterion,
            n=one.n,
            annotators=dict(one.annotators),
            levels=list(table.levels) if table else [],
            confusion=[list(row) for row in table.confusion] if table else [],
            chance_exact=table.chance_exact if table else None,
            chance_within_1=table.chance_within_1 if table else None,
            estimates={name: EstimateOutput.of(e) for name, e in one.estimates.items()},
            humans={name: EstimateOutput.of(e) for name, e in one.humans.items()},
            alternative=_alternative(one),
            candidates=[CandidateAlignmentOutput.of(candidate) for candidate in one.candidates],
            lost=dict(one.lost),
            notes=list(one.notes),
        )


class VotesOutput(BaseModel):
    """Agreement of pairs of votes, by chance 1/3 in S1 and 1/2 in S2, which drops pairs with a tie."""

    agreement: EstimateOutput
    pairs: int
    dropped: int

    @classmethod
    def of(cls, one: VoteAgreement) -> VotesOutput:
        """The record as printed."""
        return cls(agreement=EstimateOutput.of(one.agreement), pairs=one.pairs, dropped=one.dropped)


class PairAlignmentOutput(BaseModel):
    """A pairwise judge against people's preferences, in the setups S1 and S2 of MT-Bench."""

    judge: str
    pairs: int
    votes: int
    s1: VotesOutput
    s2: VotesOutput
    humans_s1: VotesOutput | None
    humans_s2: VotesOutput | None
    inconsistent: int
    lost: dict[str, int]

    @classmethod
    def of(cls, one: PairAlignment) -> PairAlignmentOutput:
        """The record as printed."""
        people = [VotesOutput.of(votes) if votes else None for votes in (one.humans_s1, one.humans_s2)]
        return cls(
            judge=one.judge,
            pairs=one.pairs,
            votes=one.votes,
            s1=VotesOutput.of(one.s1),
            s2=VotesOutput.of(one.s2),
            humans_s1=people[0],
            humans_s2=people[1],
            inconsistent=one.inconsistent,
            lost=dict(one.lost),
        )


class LabelSetOutput(BaseModel):
    """A set of labels: how many hold for the run's answers, and why the others do not."""

    name: str
    annotators: list[str]
    design: str
    labelled_at: str
    attached: int
    unattached: dict[str, int]


class AlignOutput(BaseModel):
    """`markscheme judge align`: all judges against the labels that hold for the run's answers."""

    run: str
    criteria: list[CriterionAlignmentOutput]
    pairs: list[PairAlignmentOutput]
    labels: list[LabelSetOutput]
    report: str


class ImportedLabels(Shown):
    """`markscheme import labels`: `attached` of the `rows` with a score hold for the run's answers."""

    run: str
    name: str
    rows: int
    gaps: int
    attached: int
    unattached: dict[str, int]


def to_output(found: Alignment, report: str) -> AlignOutput:
    """The records as one object."""
    return AlignOutput(
        run=found.run,
        criteria=[CriterionAlignmentOutput.of(one) for one in found.criteria],
        pairs=[PairAlignmentOutput.of(one) for one in found.pairs],
        labels=[
            LabelSetOutput(
                name=used.name,
                annotators=list(used.annotators),
                design=used.design,
                labelled_at=used.labelled_at,
                attached=used.n,
                unattached=dict(used.unattached),
            )
            for used in found.labels
        ],
        report=report,
    )


def print_alignment(found: Alignment, out: TextIO) -> None:
    """A line a judge and criterion with what chance gives and what people reach, then the bias by candidate."""
    screen = console(out)
    rows = [_agreement_line(one) for one in found.criteria]
    if rows:
        screen.print(grid(["judge", "criterion", "n", *(title for _, title in _SHOWN)], rows, left=2))
    candidates = list(dict.fromkeys(c.candidate for one in found.criteria for c in one.candidates))
    if len(candidates) > 1:
        biases = (_bias_line(one, candidates) for one in found.criteria)
        screen.print(grid(["bias by candidate", "", *candidates], biases, left=2))
    for pair in found.pairs:
        screen.print(grid(["judge of pairs", "votes", "S1", "S2 (without ties)"], _pair_lines(pair), left=2))


def _alternative(one: CriterionAlignment) -> AlternativeOutput | None:
    test = one.alternative
    if test is None:
        return None
    beaten = {one.raters[against.annotator]: against.advantage for against in test.against}
    return AlternativeOutput(
        passed=test.passed,
        winning_rate=test.winning_rate,
        advantage=test.advantage,
        epsilon=test.epsilon,
        annotators=beaten,
    )


def _agreement_line(one: CriterionAlignment) -> list[str]:
    chance: Mapping[str, float | None] = {}
    if one.agreement is not None:
        chance = {"exact": one.agreement.chance_exact, "within_1": one.agreement.chance_within_1}
    shown = []
    for name, _ in _SHOWN:
        lines = [words.estimate(one.estimates.get(name), sign=name == "bias")]
        if chance.get(name) is not None:
            lines.append(f"chance {chance[name]:.2f}")
        if (people := one.humans.get(name)) is not None and people.value is not None:
            lines.append(f"people {words.number(people.value)}")
        shown.append("\n".join(lines))
    return [one.judge, one.criterion, str(one.n), *shown]


def _bias_line(one: CriterionAlignment, candidates: Sequence[str]) -> list[str]:
    known = {c.candidate: c.bias for c in one.candidates}
    return [one.judge, one.criterion, *(words.estimate(known.get(name), sign=True) for name in candidates)]


def _pair_lines(one: PairAlignment) -> list[list[str]]:
    lines = [[one.judge, str(one.votes), words.estimate(one.s1.agreement), words.estimate(one.s2.agreement)]]
    if one.humans_s1 is not None and one.humans_s2 is not None:
        people = [words.estimate(votes.agreement) for votes in (one.humans_s1, one.humans_s2)]
        lines.append(["people among themselves", str(one.humans_s1.pairs), *people])
    return lines

"""What the lab found: plain records that travel from the judges to the reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .records import Estimate


@dataclass(frozen=True, slots=True)
class Configuration:
    """One way of judging. ``varied`` says in what it differs from the judge as the exam has it, '' for that one."""

    name: str
    judge: str
    model: str
    rubric: str
    scale: tuple[int, int]
    shots: int
    calls: str
    varied: str = ""


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a configuration.

    ``selection`` is its agreement on the half that selects, ``held_out`` on the other, with the interval that it has
    alone; ``bound`` is the lower bound that holds together with those of all that were tested. ``held_out`` and
    ``bound`` are ``None`` for one that was not tested; ``why`` says why, or why it does not clear the threshold.
    Prices are for 1,000 graded answers: USD (``None`` where unknown) and seconds of calls, one after another.
    """

    configuration: Configuration
    n: int
    unscored: int
    selection: Estimate
    held_out: Estimate | None
    bound: float | None
    clears: bool
    why: str
    usd_per_1000: float | None
    seconds_per_1000: float | None


@dataclass(frozen=True, slots=True)
class Advice:
    """The cheapest judge that clears the threshold, or why there is none. ``more_labels``: about how many more
    labelled answers would tell; ``None`` where more would not help, or nobody knows."""

    configuration: str | None
    why: str
    more_labels: int | None = None


@dataclass(frozen=True, slots=True)
class Alignment:
    """A judge as configured against the labels. ``candidate`` is '' for all; ``estimates`` by name of the measure."""

    configuration: str
    candidate: str
    criterion: str
    estimates: Mapping[str, Estimate]


@dataclass(frozen=True, slots=True)
class Spread:
    """How the scores of one configuration lie on its scale. ``sd`` in shares of the scale's length, entropy in bits;
    ``ceiling`` and ``floor`` are the shares of the highest and the lowest score, ``unused`` counts levels."""

    n: int
    sd: float | None
    entropy_bits: float
    ceiling: float
    floor: float
    unused: int


@dataclass(frozen=True, slots=True)
class Shots:
    """Zero-shot against few-shot. ``flips`` are shares of answers that got another score when graded again."""

    judge: str
    criterion: str
    zero: Spread
    few: Spread
    zero_flips: Estimate | None
    few_flips: Estimate | None
    zero_agreement: Estimate
    few_agreement: Estimate
    difference: Estimate
    """Quadratic kappa of few-shot less that of zero-shot, on the same answers."""


@dataclass(frozen=True, slots=True)
class Scale:
    """One scale. ``same_ranking`` is Kendall's tau-b of the candidates' means with those of the judge as configured,
    ``true_ranking`` with those of the labels; agreement is after mapping to the labels' scale."""

    configuration: str
    judge: str
    scale: tuple[int, int]
    criterion: str
    spread: Spread
    agreement: Estimate
    spearman: Estimate
    candidates: int
    same_ranking: float | None
    true_ranking: float | None


@dataclass(frozen=True, slots=True)
class Calls:
    """One call for all criteria against one each: the mean correlation between criteria (halo), and the agreement."""

    judge: str
    n: int
    halo_one: float | None
    halo_each: float | None
    halo_labels: float | None
    halo_difference: Estimate
    """Correlation with one call each less that with one for all."""
    agreement_difference: Estimate


@dataclass(frozen=True, slots=True)
class Transfer:
    """A judge on one tag. ``difference`` is its quadratic kappa there less that on the other answers;
    ``judge_ranking`` is tau-b of the candidates' means by judge and by labels on this tag, ``benchmark_ranking`` of
    the labels' means on this tag and on the others."""

    configuration: str
    tag: str
    n: int
    agreement: Estimate
    difference: Estimate
    candidates: int
    judge_ranking: float | None
    benchmark_ranking: float | None


@dataclass(frozen=True, slots=True)
class Lab:
    """Everything. ``experiments`` are the numbers of those that were asked for."""

    run: str
    exam: str
    date: str
    measure: str
    criterion: str
    threshold: float
    seed: int
    label_sets: tuple[str, ...]
    annotators: int
    labelled: int
    """Labelled answers in all."""
    selection_n: int
    held_out_n: int
    held_out_clusters: int
    tried: tuple[Tried, ...]
    tested: int
    advice: Advice
    experiments: tuple[int, ...]
    alignment: tuple[Alignment, ...] = ()
    shots: tuple[Shots, ...] = ()
    scales: tuple[Scale, ...] = ()
    calls: tuple[Calls, ...] = ()
    transfer: tuple[Transfer, ...] = ()
    ceiling: Estimate | None = None
    """Agreement between annotators, where there are several."""
    notes: tuple[str, ...] = ()

"""How far judges agree with people: what `judge align` found, as plain records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .records import Estimate
from .statistics.agreement import Agreement

if TYPE_CHECKING:
    import pandas as pd

    from .statistics.alternative import AlternativeTest
    from .statistics.votes import VoteAgreement

COMPOSITE = "composite"


@dataclass(frozen=True, slots=True)
class CandidateAgreement:
    """A judge and the people on the answers of one candidate. The composite has a bias alone."""

    candidate: str
    n: int
    bias: Estimate
    exact: Estimate | None = None
    kappa_quadratic: Estimate | None = None


@dataclass(frozen=True, slots=True)
class CriterionAlignment:
    """One judge on one criterion, or on the composite, against the people's labels.

    ``estimates`` are those of the ``agreement`` on the levels; of the composite, which has none, those on the scale.
    ``humans`` is the agreement of people with one another on the same answers, where two labelled one. ``lost`` counts
    labelled answers that could not be compared, by reason.
    """

    judge: str
    criterion: str
    scale: tuple[float, float]
    n: int
    annotators: Mapping[str, int]
    estimates: Mapping[str, Estimate]
    agreement: Agreement | None
    humans: Mapping[str, Estimate]
    n_humans: int
    candidates: tuple[CandidateAgreement, ...]
    raters: tuple[str, ...] = ()
    """Annotators by the numbers that the ``alternative`` annotator test gives them."""
    alternative: AlternativeTest | None = None
    why_no_alternative: str = ""
    lost: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def ratio(self, name: str) -> float | None:
        """The judge's agreement with people as a share of their own; ``None`` where either is unknown or not above
        chance."""
        judge, people = self.estimates.get(name), self.humans.get(name)
        if judge is None or people is None or judge.value is None or not people.value or people.value < 0:
            return None
        return judge.value / people.value


@dataclass(frozen=True, slots=True)
class PairAlignment:
    """A pairwise judge against people: which of two answers is better (Zheng et al. 2023, setups S1 and S2).

    S1 counts all votes with ties as a class of their own, S2 only pairs that neither calls a tie. ``humans_s1`` and
    ``humans_s2`` are people among themselves.
    """

    judge: str
    pairs: int
    votes: int
    s1: VoteAgreement
    s2: VoteAgreement
    humans_s1: VoteAgreement | None
    humans_s2: VoteAgreement | None
    inconsistent: int
    lost: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LabelsUsed:
    """A set of labels that was compared: ``n`` that hold for the run, ``unattached`` that do not, by reason."""

    name: str
    annotators: tuple[str, ...]
    design: str
    labelled_at: str
    n: int
    unattached: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Alignment:
    """All judges of a run against the labels that hold for its answers."""

    run: str
    title: str
    date: str
    """ISO date of the run."""
    criteria: tuple[CriterionAlignment, ...]
    pairs: tuple[PairAlignment, ...]
    labels: tuple[LabelsUsed, ...]
    epsilon: float
    notes: tuple[str, ...] = ()

    def table(self) -> pd.DataFrame:
        """judge, criterion, candidate ('' for all), measure, n, value, low, high, method: a row an estimate."""
        import pandas as pd

        rows = []
        for one in self.criteria:
            by_candidate = [(c.candidate, "bias", c.bias) for c in one.candidates]
            by_candidate += [(c.candidate, "exact", c.exact) for c in one.candidates if c.exact]
            by_candidate += [(c.candidate, "kappa_quadratic", k) for c in one.candidates if (k := c.kappa_quadratic)]
            for candidate, measure, e in [*(("", name, e) for name, e in one.estimates.items()), *by_candidate]:
                rows.append((one.judge, one.criterion, candidate, measure, e.n, e.value, e.low, e.high, e.method))
        columns = ["judge", "criterion", "candidate", "measure", "n", "value", "low", "high", "method"]
        return pd.DataFrame(rows, columns=columns).sort_values(["judge", "criterion", "candidate"], kind="stable")

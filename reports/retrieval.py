"""The sweep as a report: every configuration at every k and budget, with intervals and differences from the baseline.

Calls nothing and reads no clock; what it is given are rankings that were made before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..harness.records import Estimate
from ..harness.retrieval.sweep import Paper, Ranking, score_all
from ..harness.retrieval.sweep_choice import Choice, choose
from ..harness.retrieval.sweep_scores import FAMILIES, Cut, Scores
from ..harness.retrieval.sweep_spec import SweepSpec
from ..harness.statistics.intervals import mean_interval
from ..harness.statistics.paired import holm, sign_flip_ps
from ..harness.statistics.quantiles import quantile_interval
from ..harness.statistics.rates import rate_interval
from . import words
from .retrieval_answers import questions_payload

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SCALE = (0.0, 1.0)
ALPHA = 0.05


@dataclass(frozen=True, slots=True)
class Difference:
    """A configuration minus the baseline on the same questions; ``p`` by sign flips, ``adjusted`` by Holm."""

    estimate: Estimate
    p: float
    adjusted: float

    @property
    def sign(self) -> int:
        """1 or -1 where the adjusted p is below 0.05, else 0."""
        value = self.estimate.value or 0.0
        return 0 if self.adjusted >= ALPHA or not value else 1 if value > 0 else -1


@dataclass(frozen=True, slots=True)
class Cell:
    """The leading measure of a configuration at one cut; ``tokens`` is the mean length of the context."""

    cut: Cut
    estimate: Estimate
    tokens: float
    difference: Difference | None


@dataclass(frozen=True, slots=True)
class Row:
    """One configuration: the leading measure at every cut, all measures at one of them, and what it takes."""

    ranking: Ranking
    cells: tuple[Cell, ...]
    estimates: Mapping[tuple[str, Cut], Estimate]
    """Every measure at every cut."""
    p50_s: Estimate
    p95_s: Estimate
    returned_nothing: float | None
    """Share of the questions without an answer for which it returned nothing."""
    is_baseline: bool
    is_chosen: bool

    @property
    def name(self) -> str:
        """The configuration's name."""
        return self.ranking.configuration.name

    def measures(self, cut: Cut) -> dict[str, Estimate]:
        """All measures at one cut."""
        return {measure: estimate for (measure, at), estimate in self.estimates.items() if at == cut}

    def at(self, kind: str) -> tuple[Cell, ...]:
        """The cells of cuts by `k` or by `tokens`."""
        return tuple(cell for cell in self.cells if cell.cut.kind == kind)


@dataclass(frozen=True, slots=True)
class RetrievalReport:
    """Everything that the page and the command say."""

    title: str
    date: str
    measure: str
    has_passages: bool
    baseline: str
    rows: tuple[Row, ...]
    shown_cut: Cut
    """Where all measures are shown side by side."""
    choice: Choice | None
    price: float
    questions: int
    no_answer: int
    clusters: int
    notes: tuple[str, ...]
    comparisons: int
    corpus: str
    documents: int
    payload: Mapping[str, Any]
    footer: str

    @property
    def counts(self) -> str:
        """What recall and nDCG count."""
        return "documents and marked passages" if self.has_passages else "documents"

    @property
    def verdict(self) -> str:
        """The first line."""
        choice = self.choice
        if choice is None:
            return f"{len(self.rows)} configurations tried; too few clusters of questions to choose one fairly"
        parts = words.plural(choice.k, "chunk")
        value = f"{self.measure} {words.estimate(choice.value)}"
        return f"{choice.configuration} with {parts}: {value} on questions that did not choose it"

    def __repr__(self) -> str:
        return f"Sweep of {self.title}: {self.verdict}"

    def _repr_html_(self) -> str:
        from .notebook.systems import retrieval_html

        return retrieval_html(self)


def build_retrieval_report(
    rankings: Sequence[Ranking], spec: SweepSpec, paper: Paper, title: str, date: str, footer: str
) -> RetrievalReport:
    """Score the rankings and compare them. Raises DataError where a ranking cannot be scored."""
    import numpy as np

    scores = score_all(rankings, spec, paper)
    by_id = {sample.id: sample for sample in paper.samples}
    clusters = [by_id[question].cluster or question for question in paper.targets.targets]
    baseline = spec.baseline_configuration.name
    choice = choose(scores, clusters, spec.measure, baseline, spec.price_per_1000_tokens, spec.seed)
    cut = Cut("k", choice.k if choice else spec.cuts[-1])
    labels = np.array(clusters)
    differences = _differences(scores, labels, spec.measure, baseline)
    rows = tuple(
        _row(ranking, scores[ranking.configuration.name], labels, spec, differences, paper.targets.no_answer, choice)
        for ranking in rankings
    )
    return RetrievalReport(
        title=title,
        date=date,
        measure=spec.measure,
        has_passages=paper.targets.has_passages,
        baseline=baseline,
        rows=rows,
        shown_cut=cut,
        choice=choice,
        price=spec.price_per_1000_tokens,
        questions=len(clusters),
        no_answer=len(paper.targets.no_answer),
        clusters=len(set(clusters)),
        notes=(*paper.targets.notes, *_notes(rankings), *_edge(choice)),
        comparisons=len(differences),
        corpus=paper.corpus,
        documents=len(paper.documents),
        payload=questions_payload(rankings, scores, paper, spec, choice, baseline),
        footer=footer,
    )


def _row(
    ranking: Ranking,
    scores: Mapping[Cut, Scores],
    labels: NDArray[np.str_],
    spec: SweepSpec,
    differences: Mapping[tuple[str, Cut], Difference],
    no_answer: Sequence[str],
    choice: Choice | None,
) -> Row:
    name = ranking.configuration.name
    estimates = {(m, cut): _estimate(m, found.values[m], labels) for cut, found in scores.items() for m in FAMILIES}
    cells = tuple(
        Cell(cut, estimates[spec.measure, cut], float(found.tokens.mean()), differences.get((name, cut)))
        for cut, found in scores.items()
    )
    seconds = list(ranking.latencies_s.values())
    return Row(
        ranking,
        cells,
        estimates,
        quantile_interval(seconds, 0.5),
        quantile_interval(seconds, 0.95),
        _returned_nothing(ranking, no_answer),
        ranking.configuration == spec.baseline_configuration,
        choice is not None and name == choice.configuration,
    )


def _estimate(measure: str, values: NDArray[np.float64], labels: NDArray[np.str_]) -> Estimate:
    if measure == "hit":
        return rate_interval(values, labels)
    return mean_interval(values, labels, scale=SCALE)


def _differences(
    scores: Mapping[str, Mapping[Cut, Scores]], labels: NDArray[np.str_], measure: str, baseline: str
) -> dict[tuple[str, Cut], Difference]:
    """Every other configuration at every cut; Holm's correction over all of them, one family."""
    import numpy as np

    places = [(name, cut) for name, at in scores.items() if name != baseline for cut in at]
    if not places:
        return {}
    d = np.array([scores[name][cut].values[measure] - scores[baseline][cut].values[measure] for name, cut in places])
    ps = sign_flip_ps(d, labels)
    return {
        place: Difference(mean_interval(row, labels, scale=(-1.0, 1.0)), p, adjusted)
        for place, row, p, adjusted in zip(places, d, ps, holm(ps), strict=True)
    }


def _returned_nothing(ranking: Ranking, no_answer: Sequence[str]) -> float | None:
    if not no_answer:
        return None
    return sum(ranking.passages.get(question) == () for question in no_answer) / len(no_answer)


def _notes(rankings: Sequence[Ranking]) -> list[str]:
    notes = []
    for ranking in rankings:
        name = ranking.configuration.name
        if ranking.missing:
            question, why = next(iter(ranking.missing.items()))
            notes.append(
                f"{name}: no ranking for {words.plural(len(ranking.missing), 'question')}, scored 0 ({question}: {why})"
            )
    return notes


def _edge(choice: Choice | None) -> list[str]:
    if choice is None or not choice.gains or choice.k != choice.gains[-1].k:
        return []
    return [f"the largest k tried still pays ({choice.k}, about {choice.tokens:,.0f} tokens): larger ones may, too"]

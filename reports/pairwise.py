"""What pairwise judges say: win rates of every two candidates, how far the order of answers decided, and ratings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..harness.records import Estimate
from ..harness.statistics.intervals import mean_interval
from ..harness.statistics.paired import holm
from ..harness.statistics.pairs_of_rates import mcnemar
from ..harness.statistics.ranking import WinRate, win_rate
from ..harness.statistics.rates import rate_interval
from ..harness.statistics.rating import Ratings, ratings
from ..harness.store.frames import RunData
from . import words
from .exam import CandidateView, JudgeView, candidates_of, pairwise_judges_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

ALPHA = 0.05
_LEFT_WON = {"left": 1.0, "right": 0.0}


@dataclass(frozen=True, slots=True)
class Duel:
    """Two candidates: how often ``left`` was preferred, over questions. ``p`` is Holm's over the judge's pairs.

    ``expected`` and ``missing`` (reason -> count) count comparisons, one a question and trial.
    """

    left: str
    right: str
    rate: WinRate
    p: float
    expected: int
    missing: Mapping[str, int]

    @property
    def side(self) -> int:
        """1 where ``left`` is preferred beyond chance, -1 where ``right`` is, else 0."""
        value = self.rate.estimate.value
        return 0 if value is None or self.p >= ALPHA else 1 if value > 0.5 else -1

    @property
    def turned(self) -> Duel:
        """The same from the other side."""
        return replace(self, left=self.right, right=self.left, rate=self.rate.turned)


@dataclass(frozen=True, slots=True)
class Orders:
    """Comparisons asked in both orders: ``consistent`` is the share with the same winner (twice a tie is one).

    ``first`` and ``second`` count those that the first or the second place won both times, ``preference`` is their
    difference per comparison; ``p`` is McNemar's, exact. Intervals are by cluster of questions; ``p`` takes comparisons
    as independent, which they are only where ``independent``.
    """

    consistent: Estimate
    preference: Estimate
    first: int
    second: int
    p: float
    independent: bool


@dataclass(frozen=True, slots=True)
class Pairwise:
    """All that one pairwise judge said. ``ratings`` follow ``candidates``; ``None`` for fewer than three of them, or
    where some have met no other."""

    judge: JudgeView
    candidates: tuple[str, ...]
    duels: tuple[Duel, ...]
    orders: Orders
    ratings: Ratings | None
    undecided: Mapping[str, int]
    """Verdicts without an outcome by status."""
    verdicts: int

    def duel(self, left: str, right: str) -> Duel | None:
        """The two from the side of ``left``; ``None`` where they were not compared."""
        for duel in self.duels:
            if (duel.left, duel.right) == (left, right):
                return duel
            if (duel.left, duel.right) == (right, left):
                return duel.turned
        return None

    @property
    def preferred(self) -> str:
        """The candidate that is preferred to each of the others beyond chance, or ''."""
        for name in self.candidates:
            against = [duel for other in self.candidates if other != name and (duel := self.duel(name, other))]
            if len(against) == len(self.candidates) - 1 and all(duel.side > 0 for duel in against):
                return name
        return ""


@dataclass(frozen=True, slots=True)
class _Comparison:
    """One pair of answers and its winners: with ``left`` shown first, and shown second; '' where there is none.

    ``asked`` says that a judge was: what the rubric decides says nothing about the order.
    """

    sample: str
    pair: tuple[str, str]
    trial: int
    winners: tuple[str, str]
    status: str
    asked: bool

    @property
    def value(self) -> float | None:
        """1 where ``left`` won in both orders, 0 where it lost in both, else a half; ``None`` without both verdicts."""
        if not all(self.winners):
            return None
        return _LEFT_WON.get(self.winners[0], 0.5) if self.winners[0] == self.winners[1] else 0.5


def compared(data: RunData) -> tuple[Pairwise, ...]:
    """One per pairwise judge, in exam order."""
    candidates = candidates_of(data)
    return tuple(_judged(data, judge, candidates) for judge in pairwise_judges_of(data))


def _judged(data: RunData, judge: JudgeView, candidates: Sequence[CandidateView]) -> Pairwise:
    import numpy as np

    rows = data.preferences[data.preferences["rater"] == judge.name]
    found = list(_comparisons(rows))
    names = tuple(candidate.name for candidate in candidates)
    trials = {candidate.name: candidate.trials for candidate in candidates}
    pairs = [
        (a, b) for i, a in enumerate(names) for b in names[i + 1 :] if not judge.against or judge.against in (a, b)
    ]
    clusters = data.samples["cluster"].to_numpy(dtype=object).astype(str)
    values = {pair: _values(found, pair, list(data.samples["sample_id"])) for pair in pairs}
    rates = [win_rate(own[there], clusters[there]) for own in values.values() for there in (~np.isnan(own),)]
    adjusted = holm([rate.p for rate in rates])
    failed = _failed(data)
    duels = []
    for pair, rate, p in zip(pairs, rates, adjusted, strict=True):
        places = [(s, t) for s in data.samples["sample_id"] for t in range(min(trials[pair[0]], trials[pair[1]]))]
        duels.append(Duel(*pair, rate, p, len(places), _missing(found, pair, places, failed)))
    rated = ratings(_outcomes(values, names), clusters) if len(names) > 2 and found else None
    by_status = Counter(str(status) for status in rows["status"] if status != "scored")
    cluster_of = dict(zip(data.samples["sample_id"], clusters, strict=True))
    orders = _orders(found, cluster_of)
    return Pairwise(judge, names, tuple(duels), orders, rated, dict(sorted(by_status.items())), len(rows))


def _comparisons(rows: Any) -> Iterator[_Comparison]:
    keys = ["sample_id", "left", "right", "trial", "repeat"]
    for (sample, left, right, trial, _), both in rows.groupby(keys, sort=False):
        by_order = {row.shown_order: row for row in both.itertuples(index=False)}
        verdicts = [by_order.get(order) for order in ("left_first", "right_first")]
        winners = [row.winner if row is not None else "" for row in verdicts]
        status = next((row.status for row in by_order.values() if row.status != "scored"), "")
        asked = any(row is not None and row.calls != "[]" for row in verdicts)
        yield _Comparison(str(sample), (str(left), str(right)), int(trial), (winners[0], winners[1]), status, asked)


def _values(compared: Iterable[_Comparison], pair: tuple[str, str], samples: Sequence[str]) -> Floats:
    """Per sample the mean over repeats, then over trials, NaN where there is none."""
    import numpy as np

    found: dict[str, dict[int, list[float]]] = {}
    for comparison in compared:
        if comparison.pair == pair and (value := comparison.value) is not None:
            found.setdefault(comparison.sample, {}).setdefault(comparison.trial, []).append(value)
    means = {sample: [float(np.mean(own)) for own in trials.values()] for sample, trials in found.items()}
    return np.array([float(np.mean(means[sample])) if sample in means else np.nan for sample in samples], dtype=float)


def _outcomes(values: Mapping[tuple[str, str], Floats], names: Sequence[str]) -> Floats:
    """Of each question the value of every candidate against every other, (n, k, k)."""
    import numpy as np

    place = {name: i for i, name in enumerate(names)}
    n = len(next(iter(values.values())))
    found = np.full((n, len(names), len(names)), np.nan)
    for (left, right), own in values.items():
        found[:, place[left], place[right]] = own
        found[:, place[right], place[left]] = 1 - own
    return found


def _failed(data: RunData) -> dict[tuple[str, str, int], str]:
    """Why an answer is no party to a comparison."""
    answers = data.answers[data.answers["status"] != "ok"]
    places = zip(answers["sample_id"], answers["candidate"], answers["trial"], strict=True)
    return {place: f"answer {words.reason(why)}" for place, why in zip(places, answers["status"], strict=True)}


def _missing(
    compared: Iterable[_Comparison],
    pair: tuple[str, str],
    places: Iterable[tuple[str, int]],
    failed: Mapping[tuple[str, str, int], str],
) -> dict[str, int]:
    """How many comparisons have no value, by reason."""
    known: dict[tuple[str, int], str] = {}
    for comparison in compared:
        if comparison.pair == pair:
            place = (comparison.sample, comparison.trial)
            why = "" if comparison.value is not None else words.reason(comparison.status or "not compared")
            known[place] = known.get(place, why) and why
    found: Counter[str] = Counter()
    for sample, trial in places:
        failures = [failed[sample, name, trial] for name in pair if (sample, name, trial) in failed]
        found[failures[0] if failures else known.get((sample, trial), "not compared")] += 1
    del found[""]
    return dict(sorted(found.items()))


def _orders(compared: Iterable[_Comparison], cluster_of: Mapping[str, str]) -> Orders:
    both = [comparison for comparison in compared if comparison.asked and comparison.value is not None]
    clusters = [cluster_of[comparison.sample] for comparison in both]
    winners = [comparison.winners for comparison in both]
    first, second = winners.count(("left", "right")), winners.count(("right", "left"))
    towards_first = [(won == ("left", "right")) - (won == ("right", "left")) for won in winners]
    return Orders(
        rate_interval([float(a == b) for a, b in winners], clusters),
        mean_interval(towards_first, clusters, scale=(-1.0, 1.0)),
        first,
        second,
        mcnemar(first, second).exact,
        len(set(clusters)) == len(clusters),
    )

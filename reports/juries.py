"""What the members of a jury make of the same answers: where they agree, and which answers they disagree about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

from ..harness.records import Estimate
from ..harness.statistics.intervals import mean_interval
from ..harness.statistics.raters import reliability
from ..harness.statistics.rates import rate_interval
from ..harness.store.frames import RunData
from . import words
from .exam import JudgeView, judges_of

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

UNIT = ["sample_id", "cluster", "candidate", "trial", "turn"]
MOST_DISPUTED = 12


@dataclass(frozen=True, slots=True)
class Unity:
    """How alike the members' scores on one criterion are, over ``n`` answers that two or more of them scored.

    ``unanimous`` is the share of these with one score only, ``spread`` the mean of highest less lowest, ``alpha``
    Krippendorff's (ordinal). ``lost`` counts verdicts of members without a score.
    """

    criterion: str
    n: int
    unanimous: Estimate
    spread: Estimate
    alpha: Estimate
    lost: int


@dataclass(frozen=True, slots=True)
class Two:
    """Two members on one criterion: share of ``n`` answers with the same score, and mean of first less second."""

    first: str
    second: str
    criterion: str
    n: int
    same: Estimate
    difference: Estimate


@dataclass(frozen=True, slots=True)
class Disputed:
    """An answer and a criterion with the members' scores, in their order; ``None`` where there is none."""

    sample_id: str
    candidate: str
    trial: int
    turn: int
    criterion: str
    scores: tuple[float | None, ...]

    @property
    def where(self) -> str:
        """``q-12``, and the trial and the turn where there are several."""
        parts = [f"trial {self.trial + 1}"] * bool(self.trial) + [f"turn {self.turn}"] * bool(self.turn)
        return ", ".join([self.sample_id, *parts])


@dataclass(frozen=True, slots=True)
class Bench:
    """A jury of ``members`` and what they made of the run's answers."""

    jury: JudgeView
    unity: tuple[Unity, ...]
    pairs: tuple[Two, ...]
    disputed: tuple[Disputed, ...]
    n_disputed: int
    """How many there are in all; ``disputed`` are those furthest apart."""

    @property
    def words(self) -> str:
        """What the tables show."""
        return (
            f"{self.jury.name} is the {self.jury.aggregate} of {words.listed(self.jury.members)} on each criterion. "
            "Agreement among members is no agreement with people: models may share a mistake. First grading of each "
            "answer; 95 % intervals by clusters of questions."
        )


def sat(data: RunData) -> tuple[Bench, ...]:
    """A bench for each jury of the run, in exam order."""
    return tuple(_bench(data, jury) for jury in judges_of(data) if jury.members)


def _bench(data: RunData, jury: JudgeView) -> Bench:
    own = data.grades[data.grades["judge"].isin(jury.members) & (data.grades["repeat"] == 0)]
    unity: list[Unity] = []
    pairs: list[Two] = []
    found: list[Disputed] = []
    for criterion in jury.criteria:
        rows = own[own["criterion"] == criterion]
        if not len(rows):
            continue
        table = rows.pivot(index=UNIT, columns="judge", values="score").reindex(columns=list(jury.members))
        lost = int((~rows["status"].isin(("scored", "not_applicable"))).sum())
        unity.append(_unity(criterion, table, jury, lost))
        pairs += [two for a, b in combinations(jury.members, 2) if (two := _two(table, a, b, criterion, jury))]
        found += _apart(table, criterion)
    order = {sample: i for i, sample in enumerate(data.samples["sample_id"])}
    found.sort(key=lambda one: (-_range(one), order[one.sample_id], one.candidate, one.trial, one.turn))
    return Bench(jury, tuple(unity), tuple(pairs), tuple(found[:MOST_DISPUTED]), len(found))


def _unity(criterion: str, table: pd.DataFrame, jury: JudgeView, lost: int) -> Unity:
    import numpy as np

    scores, clusters = table.to_numpy(dtype=float), _clusters(table)
    several = (~np.isnan(scores)).sum(axis=1) >= 2
    kept, labels = scores[several], clusters[several]
    ranges = np.nanmax(kept, axis=1) - np.nanmin(kept, axis=1) if len(kept) else np.zeros(0)
    return Unity(
        criterion,
        len(kept),
        rate_interval((ranges == 0).astype(float), labels),
        mean_interval(ranges, labels, scale=_reach(jury)),
        reliability(scores, levels_of(jury, scores), clusters)["alpha_ordinal"],
        lost,
    )


def _two(table: pd.DataFrame, first: str, second: str, criterion: str, jury: JudgeView) -> Two | None:
    import numpy as np

    difference = (table[first] - table[second]).to_numpy(dtype=float)
    there = ~np.isnan(difference)
    if not there.any():
        return None
    kept, labels = difference[there], _clusters(table)[there]
    reach = _reach(jury)
    gap = mean_interval(kept, labels, scale=None if reach is None else (-reach[1], reach[1]))
    return Two(first, second, criterion, len(kept), rate_interval((kept == 0).astype(float), labels), gap)


def _apart(table: pd.DataFrame, criterion: str) -> Iterator[Disputed]:
    for place, scores in zip(table.index, table.to_numpy(dtype=float), strict=True):
        known = tuple(None if score != score else float(score) for score in scores)
        sample_id, _, candidate, trial, turn = place
        one = Disputed(str(sample_id), str(candidate), int(trial), int(turn), criterion, known)
        if _range(one) > 0:
            yield one


def _range(one: Disputed) -> float:
    known = [score for score in one.scores if score is not None]
    return max(known) - min(known) if known else 0.0


def _clusters(table: pd.DataFrame) -> NDArray[Any]:
    return table.index.get_level_values("cluster").to_numpy(dtype=object).astype(str)


def _reach(jury: JudgeView) -> tuple[float, float] | None:
    """Both ends of a difference between two scores."""
    return None if jury.scale is None else (0.0, jury.scale[1] - jury.scale[0])


def levels_of(jury: JudgeView, scores: Floats) -> list[float]:
    """The levels of the scale; what was given, where no scale is known or members score between its levels."""
    import numpy as np

    given = {float(level) for level in np.unique(scores[~np.isnan(scores)])}
    scale = jury.scale or (0.0, -1.0)
    levels = {float(level) for level in range(int(scale[0]), int(scale[1]) + 1)}
    return sorted(given if given - levels else levels)


def differences(bench: Bench) -> Mapping[tuple[str, str], tuple[Two, ...]]:
    """The pairs of members, each with a line for every criterion that both scored."""
    found: dict[tuple[str, str], tuple[Two, ...]] = {}
    for two in bench.pairs:
        found[two.first, two.second] = (*found.get((two.first, two.second), ()), two)
    return found

"""Which configuration, and how many chunks: chosen on one half of the questions, reported on the other.

Trying many configurations and reporting the best on the same questions would overstate it. So the halves are drawn by
cluster (questions of one document depend on each other), the choice sees one of them, and the numbers that are
reported for it come from the other.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from ..records import Estimate
from ..statistics.intervals import mean_interval
from ..statistics.paired import PairedDifference, paired_difference
from .sweep_scores import Cut, Scores

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SCALE = (0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Gain:
    """What going from ``smaller`` to ``k`` chunks gains on the half that chooses, and what its tokens cost.

    ``price`` is in units of the measure: the added tokens (mean) times the user's price of 1,000.
    """

    smaller: int
    k: int
    gain: Estimate
    added_tokens: float
    price: float

    @property
    def pays(self) -> bool:
        """Whether the lower bound of the gain is above the price."""
        return self.gain.low is not None and self.gain.low > self.price


@dataclass(frozen=True, slots=True)
class Choice:
    """What is recommended; ``value``, ``tokens`` and ``versus_baseline`` are of the half that did not choose.

    ``tried`` counts configurations, ``cut`` is where they were compared, ``chosen_on`` and ``reported_on`` count
    questions.
    """

    configuration: str
    k: int
    tried: int
    cut: Cut
    gains: tuple[Gain, ...]
    value: Estimate
    tokens: float
    baseline: str
    versus_baseline: PairedDifference | None
    chosen_on: int
    reported_on: int


def halves(clusters: Sequence[str], seed: int) -> NDArray[np.bool_]:
    """Which questions choose, (n,): whole clusters in random order, each to the half that is smaller so far."""
    import numpy as np

    sizes = Counter(clusters)
    names = sorted(sizes)
    random.Random(seed).shuffle(names)  # noqa: S311 - a split, no secret
    chooses: set[str] = set()
    counts = [0, 0]
    for name in names:
        half = int(counts[0] > counts[1])
        counts[half] += sizes[name]
        if half == 0:
            chooses.add(name)
    return np.array([cluster in chooses for cluster in clusters], dtype=bool)


def choose(
    scores: Mapping[str, Mapping[Cut, Scores]],
    clusters: Sequence[str],
    measure: str,
    baseline: str,
    price: float,
    seed: int,
) -> Choice | None:
    """The recommendation; ``None`` where the questions fill fewer than two clusters.

    The configuration with the highest mean at the middle one of the budgets of tokens (of the k, without budgets), so
    that larger chunks win nothing by bringing more text; ties go to the first. Then the largest k whose gain over the
    next smaller one has a lower bound above the price of the tokens that it adds.
    """
    import numpy as np

    first = halves(clusters, seed)
    if first.all() or not first.any():
        return None
    cuts = list(next(iter(scores.values())))
    cut = _middle([c for c in cuts if c.kind == "tokens"] or cuts)
    means = {name: float(at[cut].values[measure][first].mean()) for name, at in scores.items()}
    best = max(means, key=lambda name: means[name])
    labels = np.array(clusters)
    at_k = {c.most: scores[best][c] for c in cuts if c.kind == "k"}
    gains = _gains(at_k, labels, first, measure, price)
    k = max([min(at_k), *(gain.k for gain in gains if gain.pays)])
    rest, chosen, base = ~first, at_k[k], scores[baseline][Cut("k", k)]
    value = mean_interval(chosen.values[measure][rest], labels[rest], scale=SCALE)
    versus = None
    if best != baseline:
        a, b = chosen.values[measure][rest], base.values[measure][rest]
        versus = paired_difference(a, b, labels[rest], scale=SCALE)
    tokens = float(chosen.tokens[rest].mean())
    counts = int(first.sum()), int(rest.sum())
    return Choice(best, k, len(scores), cut, gains, value, tokens, baseline, versus, *counts)


def _middle(cuts: Sequence[Cut]) -> Cut:
    return sorted(cuts, key=lambda cut: cut.most)[len(cuts) // 2]


def _gains(
    at_k: Mapping[int, Scores], labels: NDArray[np.str_], first: NDArray[np.bool_], measure: str, price: float
) -> tuple[Gain, ...]:
    found = []
    for smaller, k in pairwise(sorted(at_k)):
        gain = (at_k[k].values[measure] - at_k[smaller].values[measure])[first]
        added = float((at_k[k].tokens - at_k[smaller].tokens)[first].mean())
        estimate = mean_interval(gain, labels[first], scale=(-1.0, 1.0))
        found.append(Gain(smaller, k, estimate, added, price * added / 1000))
    return tuple(found)

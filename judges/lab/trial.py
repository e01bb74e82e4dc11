"""The trial: all configurations on the half that selects, the shortlist on the other, and what follows from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...harness.labwork import Advice, Tried
from ...harness.records import Estimate
from ...harness.statistics.agreement import human_agreement
from ...harness.statistics.concordance import concordance
from .choice import MOST_UNSCORED, Choice, Entrant, advice, choose
from .experiments import Sheet, agreement
from .labelled import COMPOSITE, Labelled

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MEASURES = ("kappa_quadratic", "kappa", "kappa_linear", "ac1", "ac2", "alpha", "exact", "spearman", "tau_b")
"""What a threshold may be set on; more is better in each."""
OF_COMPOSITES = ("kappa_quadratic", "spearman", "tau_b")
_KIN = 1e-9


@dataclass(frozen=True, slots=True)
class Aim:
    """What must be reached: agreement by ``measure`` on ``criterion`` (or the composite)."""

    measure: str
    criterion: str
    threshold: float


@dataclass(frozen=True, slots=True)
class Price:
    """Of 1,000 graded answers: USD, ``None`` where unknown, and seconds of calls, one after another."""

    usd: float | None
    seconds: float | None


@dataclass(frozen=True)
class Trial:
    """Labelled answers in two halves: ``selection`` and ``held`` are (n,); an answer may be in neither."""

    labelled: Labelled
    selection: NDArray[np.bool_]
    held: NDArray[np.bool_]
    aim: Aim

    @property
    def held_out_n(self) -> int:
        """Held-out answers with a label that counts."""
        return self._count(self.held)

    @property
    def selection_n(self) -> int:
        """The others."""
        return self._count(self.selection)

    @property
    def held_out_clusters(self) -> int:
        """Clusters that the held-out answers are of."""
        return len(set(self.labelled.clusters[self.held]))

    def _count(self, rows: NDArray[np.bool_]) -> int:
        import numpy as np

        people = self.labelled.people(self.aim.criterion)[rows]
        return int((~np.isnan(people)).any(axis=1).sum())

    def measured(self, sheet: Sheet, rows: NDArray[np.bool_], level: float = 0.95) -> Estimate:
        """Agreement of one configuration on some of the answers."""
        judge = sheet.on(self.labelled, self.aim.criterion)[rows]
        return agreement(judge, self.labelled.taken(rows), self.aim.criterion, self.aim.measure, level)


def held_trial(trial: Trial, sheets: Sequence[Sheet], prices: Sequence[Price]) -> tuple[list[Tried], Advice, Choice]:
    """Put every configuration on trial."""
    selected = [trial.measured(sheet, trial.selection) for sheet in sheets]
    lacking = [_unscored(sheet, trial) for sheet in sheets]
    entrants = [
        Entrant(found.value, price.usd, price.seconds, missing / max(1, len(trial.labelled.places)))
        for found, price, missing in zip(selected, prices, lacking, strict=True)
    ]

    def lower(i: int, alpha: float) -> float | None:
        return trial.measured(sheets[i], trial.held, 1 - 2 * alpha).low

    chosen = choose(entrants, trial.aim.threshold, lower)
    held = {i: trial.measured(sheets[i], trial.held) for i in chosen.tested}
    tried = [
        Tried(
            sheet.configuration,
            len(trial.labelled.places) - missing,
            missing,
            found,
            held.get(i),
            chosen.bounds.get(i),
            i in chosen.clear,
            _why(i, chosen, entrants, trial.aim.threshold),
            price.usd,
            price.seconds,
        )
        for i, (sheet, found, missing, price) in enumerate(zip(sheets, selected, lacking, prices, strict=True))
    ]
    names = [sheet.configuration.name for sheet in sheets]
    values: Mapping[int, float | None] = {i: found.value for i, found in held.items()}
    return tried, advice(chosen, names, values, trial.held_out_n, trial.aim.threshold), chosen


def _unscored(sheet: Sheet, trial: Trial) -> int:
    """Answers without a score on what is aimed at."""
    import numpy as np

    return int(np.isnan(sheet.on(trial.labelled, trial.aim.criterion)).sum())


def _why(i: int, chosen: Choice, entrants: Sequence[Entrant], threshold: float) -> str:
    entrant = entrants[i]
    if i in chosen.clear:
        return ""
    if i in chosen.tested:
        return "its lower bound does not clear the threshold"
    if entrant.value is None:
        return "its agreement is undefined: nothing varies, or it has no scores"
    if entrant.unscored_share > MOST_UNSCORED:
        return f"{entrant.unscored_share:.0%} of the answers have no score"
    if entrant.value < threshold - _KIN:
        return "below the threshold on the half that selects"
    price = "is not known to cost more" if entrant.usd is None else "costs no more"
    return f"another that {price} agreed at least as well on the half that selects"


def ceiling(labelled: Labelled, aim: Aim) -> Estimate | None:
    """Agreement of each annotator with the others, by the measure aimed at; ``None`` with fewer than two."""
    import numpy as np

    people = labelled.people(aim.criterion)
    if not ((~np.isnan(people)).sum(axis=1) >= 2).any():
        return None
    if aim.measure == "kappa_quadratic":
        raters = people.shape[1]
        others = np.concatenate([np.where(np.arange(raters) == rater, np.nan, people) for rater in range(raters)])
        return concordance(people.T.reshape(-1), others, labelled.scale, np.tile(labelled.clusters, raters))
    if aim.criterion == COMPOSITE:
        return None
    low, high = labelled.scale
    found = human_agreement(people, range(low, high + 1), labelled.clusters)
    return None if found is None else found.estimates[aim.measure]

"""P3, position: does a pairwise judge prefer what stands first? From preferences that were asked in both orders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...harness.probing import Failing, Finding, Limit, Power, Probe
from ...harness.statistics.paired import sign_flip_p
from ...harness.statistics.pairs_of_rates import mcnemar
from ...harness.statistics.probe_power import position_power
from ...harness.statistics.rates import rate_interval
from .base import MOST_EXAMPLES, change_interval, percent

if TYPE_CHECKING:
    import pandas as pd

CODE, NAME = "P3", "position"
WANTED = 200
CONSISTENT, PREFERENCE = Limit(low=0.8), Limit(-0.1, 0.1)
ASSUMED = 0.9


@dataclass(frozen=True, slots=True)
class Swap:
    """One pair of answers in both orders; the winners are `left`, `right` or `tie`."""

    sample_id: str
    pair: str
    left_first: str
    right_first: str

    @property
    def consistent(self) -> bool:
        """The same winner both times; twice a tie is consistent."""
        return self.left_first == self.right_first

    @property
    def preference(self) -> int:
        """1 where the first answer won in both orders, -1 where the second did."""
        won = (self.left_first, self.right_first)
        return {("left", "right"): 1, ("right", "left"): -1}.get(won, 0)


def power(n: int) -> Power:
    """See `Power`; the pairs are taken to be about different questions."""
    chance = position_power(n, ASSUMED, CONSISTENT.low or 0.0, PREFERENCE.high or 0.0)
    return Power(n, WANTED, chance, f"consistent in {percent(ASSUMED)} of the pairs, favouring neither place")


def raters(preferences: pd.DataFrame) -> list[str]:
    """The pairwise judges of a run."""
    return list(dict.fromkeys(preferences["rater"]))


def assess(judge: str, preferences: pd.DataFrame) -> Probe:
    """``preferences`` with PREFERENCE_COLUMNS; those of other raters are left out."""
    swaps, lost = _swaps(preferences[preferences["rater"] == judge])
    if not swaps:
        why = "no pair was compared in both orders: position is a matter of pairwise judges (mode: pairwise)"
        return Probe(CODE, NAME, judge, why=why)
    where = [swap.sample_id for swap in swaps]
    consistent = [float(swap.consistent) for swap in swaps]
    preference = change_interval([swap.preference for swap in swaps], where)
    findings = (
        Finding("same winner after the swap", rate_interval(consistent, where), CONSISTENT, "pairs"),
        Finding("preference for the first place", preference, PREFERENCE, "pairs"),
    )
    first = sum(swap.preference > 0 for swap in swaps)
    second = sum(swap.preference < 0 for swap in swaps)
    notes = [f"the first place won both times in {first} pairs, the second in {second}: {_p(swaps, first, second)}"]
    if lost:
        notes.append(f"{lost} pairs lack a verdict in one order and are left out")
    examples = tuple(
        Failing(swap.sample_id, swap.pair, "", f"{swap.left_first} also after the swap", swap.right_first)
        for swap in swaps
        if not swap.consistent
    )
    return Probe(CODE, NAME, judge, findings, power(len(swaps)), examples[:MOST_EXAMPLES], tuple(notes))


def _p(swaps: Sequence[Swap], first: int, second: int) -> str:
    """McNemar's p holds for pairs about different questions only."""
    where = [swap.sample_id for swap in swaps]
    if len(set(where)) == len(where):
        return f"exact McNemar p {mcnemar(first, second).exact:.3f}"
    return f"p {sign_flip_p([swap.preference for swap in swaps], where):.3f} by flipping the signs of whole questions"


def _swaps(rows: pd.DataFrame) -> tuple[list[Swap], int]:
    """The pairs that have a verdict in both orders, and how many have not."""
    swaps, lost = [], 0
    for (sample, left, right, _, _), pair in rows.groupby(
        ["sample_id", "left", "right", "trial", "repeat"], sort=False
    ):
        won = dict(zip(pair["shown_order"], pair["winner"], strict=True))
        if won.get("left_first") and won.get("right_first"):
            swaps.append(Swap(str(sample), f"{left} / {right}", won["left_first"], won["right_first"]))
        else:
            lost += 1
    return swaps, lost

"""Pairwise judges against people's preferences: setups S1 and S2 of MT-Bench (Zheng et al. 2023)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..harness.alignment import PairAlignment
from ..harness.preference_labels import HumanPreference
from ..harness.statistics.votes import Votes, vote_agreement
from ..harness.store.frames import RunData

if TYPE_CHECKING:
    import pandas as pd

Item = tuple[str, str, str, int]
"""Sample, left and right candidate in the order of the exam, trial."""
TIE = "tie"
ONE_ORDER = "pairs without a verdict in both orders"
NOT_ASKED = "people's preferences between answers that the judge did not compare"


def align_pairs(data: RunData, people: Sequence[HumanPreference], judge: str = "") -> tuple[PairAlignment, ...]:
    """Every pairwise judge (or ``judge`` alone) against ``people``; none where there is nothing to compare.

    A judge prefers a side only where it does so in both orders; otherwise it is a tie. First repeats count.
    """
    raters = [str(rater) for rater in data.preferences["rater"].unique() if not judge or rater == judge]
    if not people or not raters:
        return ()
    order = {entry["name"]: place for place, entry in enumerate(data.info.config.get("candidates", ()))}
    human = [_in_order(one, order) for one in people]
    clusters = dict(zip(data.samples["sample_id"], data.samples["cluster"], strict=True))
    known = [one for one in human if one.sample_id in clusters]
    votes = Votes([_item(one) for one in known], [one.winner for one in known])
    by_item: Mapping[object, object] = {item: clusters[item[0]] for item in map(_item, known)}
    people_s1, people_s2 = vote_agreement(votes, None, by_item) if _shared(votes) else (None, None)
    found = []
    for rater in raters:
        verdicts, lost, inconsistent = verdicts_of(data.preferences[data.preferences["rater"] == rater])
        if missing := sum(_item(one) not in verdicts for one in human):
            lost[NOT_ASKED] = missing
        s1, s2 = vote_agreement(Votes(list(verdicts), list(verdicts.values())), votes, by_item)
        compared = [item for item in votes.items if item in verdicts]
        found.append(
            PairAlignment(
                rater, len(set(compared)), len(compared), s1, s2, people_s1, people_s2, inconsistent, dict(lost)
            )
        )
    return tuple(found)


def _in_order(one: HumanPreference, order: Mapping[str, int]) -> HumanPreference:
    last = len(order)
    return one if order.get(one.left, last) <= order.get(one.right, last) else one.turned()


def _item(one: HumanPreference) -> Item:
    return one.sample_id, one.left, one.right, one.trial


def _shared(votes: Votes) -> bool:
    return max(Counter(votes.items).values(), default=0) > 1


def verdicts_of(rows: pd.DataFrame) -> tuple[dict[Item, str], Counter[str], int]:
    """The judge's winner of every pair that it saw in both orders, what is lost, and how often the orders disagree."""
    found: dict[Item, str] = {}
    lost: Counter[str] = Counter()
    inconsistent = 0
    first = rows[rows["repeat"] == 0]
    shown: dict[Item, list[str]] = {}
    places = zip(first["sample_id"], first["left"], first["right"], first["trial"], strict=True)
    for (sample, left, right, trial), winner in zip(places, first["winner"], strict=True):
        shown.setdefault((sample, left, right, int(trial)), []).append(winner)
    for item, winners in shown.items():
        if len(winners) < 2 or not all(winners):
            lost[ONE_ORDER] += 1
            continue
        agreed = len(set(winners)) == 1
        inconsistent += not agreed
        found[item] = winners[0] if agreed else TIE
    return found, lost, inconsistent

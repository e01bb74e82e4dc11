"""P10, family preference: is the judge kinder to models of its own family than people are?

After Wataoka et al. 2024, *Self-preference bias in LLM-as-a-judge* (arXiv:2410.21819): what the judge gives beyond the
people's labels, for its own family against the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

from ...harness.probing import Finding, Limit, Power, Probe
from ...harness.records import Estimate
from ...harness.statistics.clusters import clusters_of
from ...harness.statistics.intervals import constant_bounds, mean_interval, t_quantile
from ...harness.statistics.probe_power import change_power
from ..rubric import Rubric
from .base import SAME, drawn_note, percent

if TYPE_CHECKING:
    import pandas as pd

CODE, NAME = "P10", "family preference"
LIMIT = Limit(-0.1, 0.1)
ASSUMED = 0.1
FAMILIES: Mapping[str, str] = {
    "gpt": "openai", "chatgpt": "openai", "o1": "openai", "o3": "openai", "o4": "openai", "davinci": "openai",
    "claude": "anthropic", "gemini": "google", "gemma": "google", "llama": "meta", "codellama": "meta",
    "mistral": "mistral", "mixtral": "mistral", "ministral": "mistral", "magistral": "mistral", "qwen": "qwen",
    "qwq": "qwen", "deepseek": "deepseek", "phi": "microsoft", "command": "cohere", "grok": "xai", "nova": "amazon",
    "olmo": "ai2", "granite": "ibm", "glm": "zhipu", "kimi": "moonshot", "nemotron": "nvidia", "falcon": "tii",
}  # fmt: skip
"""Beginning of a model's name, without provider and owner -> its family."""


@dataclass(frozen=True, slots=True)
class Excess:
    """What a judge gave one answer beyond the people's mean, in steps, and whether the answer is of its own family."""

    cluster: str
    own: bool
    value: float


def family_of(model: str) -> str:
    """The family of ``provider/owner/model``; '' where the name tells none."""
    name = model.rpartition("/")[2].casefold()
    return next((FAMILIES[start] for start in sorted(FAMILIES, key=len, reverse=True) if name.startswith(start)), "")


def power(own: int, others: int) -> Power:
    """See `Power`: as for one mean over as many answers as tell as much as the two groups together."""
    n = int(1 / (1 / own + 1 / others)) if own and others else 0
    assumed = f"no preference, and {percent(ASSUMED)} of its scores a step from the people's by chance"
    return Power(own + others, own + others, change_power(n, ASSUMED, LIMIT.high or 0.0), assumed)


def assess(
    judge: str, grades: pd.DataFrame, labels: pd.DataFrame, rubric: Rubric, families: Mapping[str, str], own: str
) -> Probe:
    """``grades`` and ``labels`` are the run's tables; ``families`` by candidate, ``own`` is the judge's."""
    if labels.empty:
        return Probe(CODE, NAME, judge, why="the run has no labels: only people can say what the answers deserve")
    if not own:
        return Probe(
            CODE, NAME, judge, why=f"the family of judge {judge!r} is unknown: name it, --family {judge}=FAMILY"
        )
    found = excesses(grades[grades["judge"] == judge], labels, rubric, {c for c, f in families.items() if f == own})
    mine, theirs = [e for e in found if e.own], [e for e in found if not e.own]
    if not mine or not theirs:
        lacking = f"of its own family ({own})" if not mine else "of another family"
        return Probe(CODE, NAME, judge, why=f"no labelled answer {lacking} is graded by this judge: nothing to compare")
    findings = (
        Finding("excess for its own family, in steps", preference(found), LIMIT, "answers"),
        Finding(f"judge − people, {own}", _mean(mine), None, "answers"),
        Finding("judge − people, other families", _mean(theirs), None, "answers"),
    )
    unknown = sorted(candidate for candidate, family in families.items() if not family)
    lumped = (f"family unknown, counted among the others: {', '.join(unknown)}",) if unknown else ()
    notes = (*lumped, *drawn_note(labels["design"]))
    return Probe(CODE, NAME, judge, findings, power(len(mine), len(theirs)), (), notes)


def excesses(grades: pd.DataFrame, labels: pd.DataFrame, rubric: Rubric, own: set[str]) -> list[Excess]:
    """Per labelled answer the weighted mean of judge − people over the criteria that both scored."""
    place = ["sample_id", "candidate", "trial", "criterion"]
    scored = grades[grades["status"] == "scored"]
    both = scored.groupby(place)["score"].mean().to_frame("judge")
    said = labels.groupby(place).agg(people=("score", "mean"), cluster=("cluster", "first"))
    both = both.join(said, how="inner").reset_index()
    both["weight"] = both["criterion"].map({criterion.name: criterion.weight for criterion in rubric.criteria})
    both = both.dropna(subset=["judge", "people", "weight"])
    both["excess"] = (both["judge"] - both["people"]) * both["weight"]
    sums = both.groupby([*place[:3], "cluster"], sort=False)[["excess", "weight"]].sum().reset_index()
    return [
        Excess(str(cluster), candidate in own, float(excess) / float(weight))
        for cluster, candidate, excess, weight in zip(
            sums["cluster"], sums["candidate"], sums["excess"], sums["weight"], strict=True
        )
    ]


def preference(found: Sequence[Excess]) -> Estimate:
    """Mean excess of its own minus that of the others, by leaving out one cluster at a time (jackknife, t)."""
    import numpy as np

    values = np.array([e.value for e in found])
    own = np.array([e.own for e in found])
    groups = clusters_of([e.cluster for e in found], len(found))
    sums = [np.bincount(groups.codes, weights=values * side, minlength=groups.count) for side in (own, ~own)]
    counts = [np.bincount(groups.codes, weights=side.astype(float), minlength=groups.count) for side in (own, ~own)]
    value = float(values[own].mean() - values[~own].mean())
    left = [side.sum() - side for side in counts]
    if groups.count < 2 or min(float(side.min()) for side in left) <= 0:
        return Estimate(value, None, None, len(found), "too few clusters: no interval")
    without = (sums[0].sum() - sums[0]) / left[0] - (sums[1].sum() - sums[1]) / left[1]
    se = sqrt((groups.count - 1) / groups.count * float(((without - value) ** 2).sum()))
    reach, method = t_quantile(0.95, groups.count - 1) * se, f"t, jackknife over {groups.count} clusters"
    if se < SAME:  # all alike: what chance may have hidden is taken to be a step
        kinds = [len({e.cluster for e in found if e.own is side}) for side in (True, False)]
        reach = sum(constant_bounds(0.0, n, (-1.0, 1.0))[1] for n in kinds)
        method = f"all alike: bound over {min(kinds)} clusters"
    return Estimate(value, value - reach, value + reach, len(found), method)


def _mean(found: Sequence[Excess]) -> Estimate:
    return mean_interval([e.value for e in found], [e.cluster for e in found])

"""The share of samples that pass a test which is run once a sample, judged by its interval at the end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...harness.records import Estimate
from ...harness.statistics.rates import rate_interval
from ...harness.statistics.thresholds import State, held
from ...reports import words
from .verdict import Row

PASSED, BELOW, NONE = "passed", "below", "none"


@dataclass(frozen=True, slots=True)
class Share:
    """One test and candidate. ``lost`` counts answers without a verdict, ``below`` names those that did not pass."""

    test: str
    candidate: str
    estimate: Estimate
    wanted: float | None
    state: State | None
    lost: int
    below: tuple[tuple[str, str], ...]

    @property
    def row(self) -> Row:
        """Its line of the summary."""
        one, wanted = self.estimate, "–" if self.wanted is None else f"at least {self.wanted:g}"
        measure = f"pass share of {self.test.rpartition('::')[2]}"
        return Row(self.candidate, "", measure, wanted, one.value, one.low, one.high, one.n, self.state or "")


def shares(found: Iterable[Mapping[str, Any]]) -> list[Share]:
    """A share for each test and candidate, in the order of their first sample.

    Trials of one sample, and samples of one cluster, count as not independent.
    """
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for one in found:
        groups.setdefault((one["test"], one["candidate"]), []).append(one)
    return [_share(test, candidate, own) for (test, candidate), own in groups.items()]


def _share(test: str, candidate: str, found: Sequence[Mapping[str, Any]]) -> Share:
    in_order = sorted(found, key=lambda one: (one["cluster"], one["id"]))  # whichever process came first
    known = [one for one in in_order if one["outcome"] != NONE]
    outcomes = [float(one["outcome"] == PASSED) for one in known]
    estimate = rate_interval(outcomes, [one["cluster"] for one in known])
    wanted: float | None = found[0]["pass_share"]
    lost = len(found) - len(known)
    state = None if wanted is None else held(estimate, "at least", wanted, lost / len(found), 0.0)
    below = tuple((one["id"], one["why"]) for one in in_order if one["outcome"] != PASSED)
    return Share(test, candidate, estimate, wanted, state, lost, below)


def said(share: Share) -> str:
    """``test_each, mini: 81 of 88 pass, 0.92 [0.84, 0.96]``, and what is missing."""
    one = share.estimate
    passed = round((one.value or 0.0) * one.n)
    text = f"{share.test}, {share.candidate}: {passed} of {one.n} pass, {words.estimate(one)}"
    text += f"; {share.lost} without a verdict" if share.lost else ""
    if share.wanted is None:
        return text
    return f"{text}; wanted at least {share.wanted:g}"

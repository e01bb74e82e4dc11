"""Whether a mean reaches a threshold: yes, no, or the interval cannot tell."""

from __future__ import annotations

from typing import Literal

from ..records import Estimate

State = Literal["pass", "fail", "inconclusive"]
Direction = Literal["at least", "at most"]


def held(estimate: Estimate, direction: Direction, threshold: float, lost: float = 0.0, worst: float = 0.0) -> State:
    """*pass* where the nearer limit of the interval (its lower one for `at least`) reaches ``threshold``, *fail* where
    the farther one does not; *inconclusive* in between, and wherever there is no interval.

    The share ``lost`` of all answers has no value: in a pass these count as ``worst``, so that nothing passes by
    failing. A fail leaves them out.
    """
    if estimate.low is None or estimate.high is None:
        return "inconclusive"
    sign = 1 if direction == "at least" else -1
    near, far = (estimate.low, estimate.high) if sign > 0 else (estimate.high, estimate.low)
    if sign * far < sign * threshold:
        return "fail"
    cautious = near if not lost else (1 - lost) * near + lost * worst
    return "pass" if sign * cautious >= sign * threshold else "inconclusive"

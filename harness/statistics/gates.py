"""The verdict of a gate on one measure: passed, regression, or inconclusive; and what it could have shown.

A ``gain`` is the mean paired difference, new less old, turned so that more is better; a loss is a negative gain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from .intervals import t_quantile
from .paired import holm
from .power import mde, n_paired

State = Literal["pass", "regression", "inconclusive"]
ALPHA = 0.05
ONE_SIDED = 0.9
"""Level of the two-sided interval whose lower limit is the one-sided 95 % bound."""
POWER = 0.8


@dataclass(frozen=True, slots=True)
class Gain:
    """A gain with its two-sided 95 % interval, the one-sided 95 % bound ``lower``, and the two-sided p of its test.

    ``low``, ``high`` and ``lower`` are ``None`` where there is no honest interval.
    """

    value: float
    low: float | None
    high: float | None
    lower: float | None
    p: float = 1.0


def decide(gain: Gain, adjusted: float, margin: float, margin_min: float = 0.0) -> State:
    """The three-state gate, in this order.

    *pass*: not inferior, which is to say that the one-sided 95 % bound lies above ``-margin``. A small loss may be
    proven and pass. *regression* (an alarm): the two-sided 95 % interval lies below 0, the loss is at least
    ``margin_min``, and ``adjusted`` is below 0.05. *inconclusive*: all else, and wherever there is no interval.

    ``adjusted`` is the p of this measure after Holm's correction over every measure of the gate (`alarms_adjusted`).
    An unchanged model thus gets any alarm in at most 5 % of comparisons, and since half of all differences that are
    due to chance are gains, in about 2.5 %. A pass asks for no correction: a model passes a gate only if it passes
    every measure, and of several bounds each holds with 95 %.
    """
    if gain.low is None or gain.high is None or gain.lower is None:
        return "inconclusive"
    if gain.lower > -margin:
        return "pass"
    if gain.high < 0 and -gain.value >= margin_min and adjusted < ALPHA:
        return "regression"
    return "inconclusive"


def alarms_adjusted(gains: Sequence[Gain]) -> list[float]:
    """Holm's adjusted p over the measures of a gate, in their order; one without an interval counts with p = 1."""
    return holm([gain.p if gain.low is not None else 1.0 for gain in gains])


def one_sided_bound(value: float, low: float, df: float) -> float:
    """The one-sided 95 % lower bound of a mean, from the lower limit of its two-sided t interval."""
    return value - (value - low) * t_quantile(ONE_SIDED, df) / t_quantile(0.95, df)


def bound_of_share(gain: float, lower: float, share: float, variances: tuple[float, float, float]) -> float:
    """``lower``, to be held against ``-share`` times the baseline's mean, which varies itself: the bound of
    gain + share · old, less share · old. ``variances`` are those of the gain and of the baseline, and their covariance.
    """
    own, old, both = variances
    if own <= 0:
        return lower
    wider = max(0.0, own + share**2 * old + 2 * share * both) / own
    return gain - (gain - lower) * float(wider**0.5)


def bound_with_lost(lower: float, lost: float, fall: float) -> float:
    """``lower``, the bound of a mean gain, had the share ``lost`` of all samples each lost ``fall``.

    Answers that failed must not help a run to pass.
    """
    return (1 - lost) * lower - lost * fall


def detectable(sd: float, effective_n: float, lines: int = 1) -> float:
    """The smallest loss that raises an alarm with 80 %, two-sided at 5 % over so many ``lines`` (Holm's first step).

    ``sd`` is that of the differences by sample, ``effective_n`` the samples over their design effect.
    """
    return mde(effective_n, sd**2, 1 - ALPHA / lines)


def certifiable(sd: float, effective_n: float, power: float = POWER) -> float:
    """The smallest margin that an unchanged model passes with ``power``: (z.95 + z.80) · sd/√n, 2.49 by default."""
    return mde(effective_n, sd**2, ONE_SIDED, power)


def n_to_certify(margin: float, sd: float, deff: float = 1.0, power: float = POWER) -> float:
    """Samples at which an unchanged model passes ``margin`` with ``power``; ``deff`` is their design effect."""
    return n_paired(margin, sd**2, ONE_SIDED, power) * deff


def n_by_reach(n: int, margin: float, se: float, reach: float, df: float) -> float:
    """`n_to_certify` from ``n`` samples whose mean difference has the standard error ``se``, and its one-sided bound so
    far below it. What ``reach`` has beyond t · se is for losses that are rare (`not_inferior`): it falls with 1/n, not
    with 1/√n."""
    whole = mde(1.0, se**2, ONE_SIDED)
    rare = max(0.0, reach - t_quantile(ONE_SIDED, df) * se)
    root = margin / whole if rare <= 1e-9 * whole else ((whole**2 + 4 * rare * margin) ** 0.5 - whole) / (2 * rare)
    return float(n / root**2)


def pass_chance(margin: float, sd: float, effective_n: float) -> float:
    """Chance that an unchanged model passes ``margin``."""
    from scipy import special

    df = max(1.0, effective_n - 1)
    room = margin * effective_n**0.5 / sd if sd else float("inf")
    return float(special.ndtr(room - t_quantile(ONE_SIDED, df)))

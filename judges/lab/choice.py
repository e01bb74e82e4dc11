"""The choice among judges: selected on one half of the labels, tested on the other.

Of 24 judges that all lie exactly at the threshold, choosing and reporting on the same 60 answers qualifies one in more
than a quarter of all cases. Here the half that selects only says who is worth a test, and bounds of the tested, on
answers that selected nobody, hold together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, inf, isnan, log

from ...harness.labwork import Advice

ALPHA = 0.05
"""Chance that the lab recommends a judge whose agreement does not reach the threshold: at most."""
FEWEST = 50
"""Held-out answers below which nothing is recommended."""
MOST_UNSCORED = 0.05
"""Share of answers without a score from which on a judge is not recommended, however well it agrees on the others."""

SAME_TIME = 1.2
"""Factor between two durations below which the difference is the network's and not the judge's."""

Lower = Callable[[int, float], float | None]
"""(configuration, alpha) -> its one-sided lower bound at 1 - alpha on the held-out half; ``None``: there is none."""


@dataclass(frozen=True, slots=True)
class Entrant:
    """What the half that selects knows of a configuration. ``value`` is its agreement there."""

    value: float | None
    usd: float | None
    seconds: float | None
    unscored_share: float = 0.0

    @property
    def price(self) -> tuple[float, float]:
        """For sorting: dollars, then steps of time; unknown is dearest."""
        steps = inf if self.seconds is None else round(log(max(self.seconds, 1.0), SAME_TIME))
        return inf if self.usd is None else self.usd, steps


@dataclass(frozen=True, slots=True)
class Choice:
    """``tested`` are configurations by number, ``bounds`` their simultaneous lower bounds, ``clear`` those that reach
    the threshold, ``best`` the cheapest of these. ``priced``: the dollars that the best one costs are known."""

    tested: tuple[int, ...]
    bounds: Mapping[int, float | None]
    clear: frozenset[int]
    best: int | None
    priced: bool = True


def shortlist(entrants: Sequence[Entrant], threshold: float) -> tuple[int, ...]:
    """Who is tested: those whose agreement reaches the threshold, unless a cheaper one agrees at least as well.

    Where nobody reaches it, the one who comes nearest.
    """
    able = [
        i
        for i, e in enumerate(entrants)
        if e.value is not None and not isnan(e.value) and e.unscored_share <= MOST_UNSCORED
    ]
    reach = [i for i in able if (entrants[i].value or 0.0) >= threshold]
    if not reach:
        return tuple(sorted(able, key=lambda i: -(entrants[i].value or 0.0))[:1])
    front: list[int] = []
    highest = -inf
    for i in sorted(reach, key=lambda i: (entrants[i].price, -(entrants[i].value or 0.0))):
        value = entrants[i].value
        if value is not None and value > highest:
            front.append(i)
            highest = value
    return tuple(front)


def choose(entrants: Sequence[Entrant], threshold: float, lower: Lower, alpha: float = ALPHA) -> Choice:
    """Test the shortlist and take the cheapest that clears ``threshold``.

    Who clears is decided by Holm's procedure: among the r that have not cleared yet, a bound at 1 - ``alpha``/r is
    enough (Holm 1979). The bounds that are reported are Bonferroni's, at 1 - ``alpha``/m for all m tested, and the
    threshold itself for one that cleared at a later step.
    """
    tested = shortlist(entrants, threshold)
    left, clear = list(tested), set[int]()
    while left:
        passed = [i for i in left if _reaches(lower(i, alpha / len(left)), threshold)]
        if not passed:
            break
        clear |= set(passed)
        left = [i for i in left if i not in clear]
    bounds = {i: lower(i, alpha / len(tested)) for i in tested}
    for i in clear:
        bounds[i] = max(threshold, bounds[i] or threshold)
    best = min(clear, key=lambda i: entrants[i].price, default=None)
    return Choice(tested, bounds, frozenset(clear), best, best is None or entrants[best].usd is not None)


def _reaches(bound: float | None, threshold: float) -> bool:
    return bound is not None and bound >= threshold


def advice(
    chosen: Choice, names: Sequence[str], held_out: Mapping[int, float | None], n: int, threshold: float
) -> Advice:
    """What the choice means: the recommendation, or the refusal with the number of labels that could change it.

    ``held_out`` are the agreements of the tested on the ``n`` held-out answers.
    """
    if n < FEWEST:
        lacking = FEWEST - n
        why = f"only {n} labelled answers are held out, and fewer than {FEWEST} recommend nobody"
        return Advice(None, why, 2 * lacking)
    if chosen.best is not None:
        bound = chosen.bounds[chosen.best]
        first = "it is the cheapest" if chosen.priced else "its price is unknown, and it is the quickest"
        what = f"{first} of those tested whose lower bound ({bound:.2f}) clears {threshold:g}"
        return Advice(names[chosen.best], what)
    if not chosen.tested:
        return Advice(None, "no configuration graded enough answers to be tested")
    return _refusal(chosen, names, held_out, n, threshold)


def _refusal(
    chosen: Choice, names: Sequence[str], held_out: Mapping[int, float | None], n: int, threshold: float
) -> Advice:
    nearest = max(chosen.tested, key=lambda i: -inf if chosen.bounds[i] is None else chosen.bounds[i] or 0.0)
    value, bound = held_out[nearest], chosen.bounds[nearest]
    if value is None or bound is None:
        return Advice(None, f"the labels cannot tell: {names[nearest]} has no lower bound (too little varies)")
    if value <= threshold:
        why = f"no judge reaches {threshold:g}: the nearest, {names[nearest]}, agrees {value:.2f} on the held-out half"
        return Advice(None, why)
    # A bound comes nearer to its value with the square root of the number of answers.
    needed = ceil(n * ((value - bound) / (value - threshold)) ** 2)
    why = (
        f"the labels cannot tell: {names[nearest]} agrees {value:.2f} on the held-out half, "
        f"but its lower bound is {bound:.2f}, below {threshold:g}"
    )
    return Advice(None, why, 2 * max(1, needed - n))

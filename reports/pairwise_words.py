"""What the pairwise section says in words, and what of it belongs to the head of the report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..harness.records import Estimate
from ..harness.statistics.rating import Rating
from . import words
from .headline import Fact, Line, line, strong
from .pairwise import ALPHA, Duel, Orders, Pairwise

CONSISTENT, PREFERENCE = 0.8, 0.1
"""A judge that names the same winner less often, or may prefer a place by more, is told of."""


def limits(estimate: Estimate, sign: bool = False) -> str:
    """``[55, 72]``, in percent, or nothing where there is no interval."""
    if estimate.low is None or estimate.high is None:
        return ""
    return (
        "["
        + ", ".join(f"{100 * v:{'+' if sign else ''}.0f}".replace("-", "−") for v in (estimate.low, estimate.high))
        + "]"
    )


def share(estimate: Estimate) -> str:
    """``64 % [55, 72]``."""
    return f"{words.percent(estimate.value)} {limits(estimate)}".strip()


def _signed(value: float | None) -> str:
    """``+6 %``."""
    return words.NONE if value is None else f"{100 * value:+.0f} %".replace("-", "−")


def section(found: Pairwise) -> str:
    """How the verdicts were made and what they count."""
    judge = found.judge
    shots = "" if judge.shots is None else f", {words.plural(judge.shots, 'worked example')} per outcome"
    model = f" ({judge.model}{shots})" if judge.model else ""
    pairs = (
        f"The answers of {judge.against} and of each other candidate"
        if judge.against
        else "Every two answers to a question"
    )
    return (
        f"{pairs} were compared by {judge.name}{model} in both orders, uncorrected. A candidate gets 1 where both "
        "orders name it, 0 where both name the other, else one half; 50 % is no difference. Wilson intervals of 95 % "
        f"over questions; p by sign flips, Holm over {words.plural(len(found.duels), 'pair')}."
    )


def order_effects(orders: Orders) -> str:
    """Consistency and the preference for a place."""
    if not orders.consistent.n:
        return "No comparison has a verdict in both orders: nothing is known about what the order does."
    caution = "" if orders.independent else ", which takes all comparisons as independent"
    signed = _signed(orders.preference.value)
    return (
        f"Same winner in both orders: {share(orders.consistent)} of {orders.consistent.n:,} comparisons. Preference "
        f"for the first place: {signed} {limits(orders.preference, sign=True)}".rstrip()
        + f"; it won both times in {orders.first:,}, the second place in {orders.second:,}, McNemar's exact p "
        f"{words.p_value(orders.p)}{caution}."
    )


def rating(found: Pairwise) -> str:
    """How the ratings were made and how far one line can hold them."""
    rated = found.ratings
    if rated is None:
        return ""
    fit = (
        f"Observed and fitted win rates differ by up to {words.percent(rated.misfit)}; "
        f"{words.plural(rated.cycles, 'circle')} of three that no ranking can show."
    )
    if rated.models[0].strength.low is not None:
        how = f"95 % intervals: {rated.models[0].strength.method}, refitted"
    elif len(rated.groups) > 1:
        best = words.listed(found.candidates[i] for i in rated.groups[0])
        how = (
            f"{best} never lost to and never tied with those below, so that no finite strengths exist: posterior modes "
            f"under a normal prior (L2 {rated.l2:g}), without intervals"
        )
    elif rated.l2:
        how = f"so few questions went against the leaders that no interval is finite: posterior modes (L2 {rated.l2:g})"
    else:
        how = rated.models[0].strength.method
    ranks = "Rank ranges hold for all candidates together."
    rough = "".join(f" The intervals are rough: {note}." for note in rated.notes)
    return f"Bradley–Terry strengths as Elo, with a mean of 1000; {how}. {ranks} {fit}{rough}"


def headline(found: Sequence[Pairwise]) -> Line:
    """The first line of a report on pairwise judges alone."""
    first = found[0]
    if not any(duel.rate.estimate.n for duel in first.duels):
        return line("No answers have been compared yet.")
    if len(first.duels) == 1:
        return line(_of_two(first.duels[0]))
    if best := first.preferred:
        rivals = [duel for other in first.candidates if (duel := first.duel(best, other)) is not None]
        nearest = min(rivals, key=lambda duel: duel.rate.estimate.value or 0.0)
        rate = share(nearest.rate.estimate)
        return line(f"{strong(best)} is preferred to every other candidate, to {strong(nearest.right)} with {rate}.")
    certain = sum(duel.side != 0 for duel in first.duels)
    return line(f"No candidate is preferred to all others; {certain} of {len(first.duels)} pairs differ beyond chance.")


def _of_two(duel: Duel) -> str:
    if duel.side == 0:
        return f"{strong(duel.left)} and {strong(duel.right)} cannot be told apart ({share(duel.rate.estimate)})."
    shown = duel if duel.side > 0 else duel.turned
    return f"{strong(shown.left)} is preferred to {strong(shown.right)}: {share(shown.rate.estimate)} of the questions."


def caveats(found: Sequence[Pairwise]) -> tuple[Line, ...]:
    """What is said under the verdict."""
    text = "Preferences are uncorrected: they are the judge's own, and no person's stand behind them."
    return (line(text),) if found else ()


def facts(found: Sequence[Pairwise]) -> Iterator[Fact]:
    """A judge each, and what is wrong with its verdicts."""
    for one in found:
        judge = one.judge
        shots = "" if judge.shots is None else ", zero-shot" if not judge.shots else f", {judge.shots}-shot"
        yield Fact(line(f"judge {strong(judge.name)}: {judge.model}{shots}, pairwise, uncorrected"))
        for status, n in one.undecided.items():
            text = f"{n:,} of {one.verdicts:,} verdicts of {judge.name} on pairs missing ({words.reason(status)})"
            yield Fact(line(text), warn=True)
        yield from (Fact(line(text), warn=True) for text in _order_troubles(one))
        notes = dict.fromkeys(note for duel in one.duels for note in duel.rate.estimate.notes)
        yield from (Fact(line(f"intervals of {judge.name} are rough: {note}"), warn=True) for note in notes)


def _order_troubles(found: Pairwise) -> Iterator[str]:
    name, orders = found.judge.name, found.orders
    if orders.consistent.value is not None and orders.consistent.value < CONSISTENT:
        yield f"{name} names the same winner in both orders in only {share(orders.consistent)} of its comparisons"
    low, high = orders.preference.low, orders.preference.high
    beyond = low is not None and high is not None and (low > 0 or high < 0) and max(-low, high) > PREFERENCE
    if orders.p < ALPHA and beyond:
        place = "first" if orders.first > orders.second else "second"
        yield f"{name} prefers what stands {place} ({_signed(orders.preference.value)})"


def ranked(found: Pairwise) -> list[tuple[str, Rating]]:
    """Candidates with their ratings, the highest first."""
    rows = zip(found.candidates, found.ratings.models if found.ratings else (), strict=False)
    return sorted(rows, key=lambda row: -(row[1].strength.value or 0.0))


def ranks(row: Rating) -> str:
    """``1–2``, or ``3``."""
    best, worst = row.ranks
    return str(best) if best == worst else f"{best}–{worst}"

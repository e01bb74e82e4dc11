"""An `Alignment` in words: the first sentence, what to know before believing it, and the rows of its tables."""

from __future__ import annotations

from collections.abc import Mapping

from ...harness.alignment import COMPOSITE, Alignment, CriterionAlignment
from ...harness.records import Estimate
from .. import words

COLUMNS: Mapping[str, str] = {
    "bias": "Bias",
    "mae": "MAE",
    "exact": "Exact",
    "within_1": "Within 1",
    "within_1_corrected": "Within 1, corrected",
    "kappa": "Kappa",
    "kappa_linear": "Linear",
    "kappa_quadratic": "Quadratic",
    "ac1": "AC1",
    "ac2": "AC2",
    "alpha": "Alpha",
    "spearman": "Spearman",
    "tau_b": "Tau-b",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
}
HOW: Mapping[str, str] = {
    "chosen": "the labelled answers were picked on purpose: the judge agrees so far on answers like these",
    "unknown": "nobody said how the labelled answers were drawn: the judge agrees so far on answers like these",
}
"""What a design that is no draw means for the agreement."""
RATIOS = ("exact", "kappa_quadratic", "ac2", "alpha")
"""Of which the judge's value is told as a share of people's own."""


def verdict(found: Alignment) -> str:
    """What a reader should take away: how far each judge agrees with people, weakest criterion first."""
    said = [_of_judge(judge, [one for one in found.criteria if one.judge == judge]) for judge in judges(found)]
    for pair in found.pairs:
        s1 = pair.s1.agreement
        said.append(
            f"{pair.judge} prefers the answer that people prefer in {words.percent(s1.value)} of "
            f"{words.plural(pair.s1.pairs, 'vote')}, ties among them (chance 33 %)."
        )
    return " ".join(said)


def judges(found: Alignment) -> list[str]:
    """Judges with criteria, in order."""
    return list(dict.fromkeys(one.judge for one in found.criteria))


def caveats(found: Alignment) -> tuple[str, ...]:
    """Too few labels, labels that do not hold, answers that could not be compared: a sentence each."""
    notes = dict.fromkeys(note for one in found.criteria for note in one.notes)
    said = [*found.notes, *(f"{words.listed(_whose(note, found))}: {note}." for note in notes)]
    said += [f"{used.name}: {HOW[used.design]}." for used in found.labels if used.n and used.design in HOW]
    said += [f"{used.name}, not counted: {_reasons(used.unattached)}." for used in found.labels if used.unattached]
    said += [f"{one.judge}, {one.criterion}, left out: {_reasons(one.lost)}." for one in found.criteria if one.lost]
    said += [f"{pair.judge}, left out: {_reasons(pair.lost)}." for pair in found.pairs if pair.lost]
    return tuple(said)


def chance(one: CriterionAlignment, name: str) -> float | None:
    """What independent raters with the same margins would reach."""
    if one.agreement is None:
        return None
    return {"exact": one.agreement.chance_exact, "within_1": one.agreement.chance_within_1}.get(name)


def columns(found: Alignment) -> tuple[str, ...]:
    """Names of the estimates that some criterion has, in the order of the table; Pearson is of the composite alone,
    sensitivity and specificity of scales of pass and fail."""
    return tuple(name for name in COLUMNS if any(name in one.estimates for one in found.criteria))


def candidates(found: Alignment) -> tuple[str, ...]:
    """Everybody whose answers were compared."""
    return tuple(dict.fromkeys(c.candidate for one in found.criteria for c in one.candidates))


def _of_judge(judge: str, rows: list[CriterionAlignment]) -> str:
    known = [(e.value, one) for one in rows if (e := one.estimates.get("kappa_quadratic")) and e.value is not None]
    most = max((one.n for one in rows), default=0)
    if not known:
        return f"{judge} and people were compared on {words.plural(most, 'answer')}; kappa is undefined."
    (low, worst), (high, best) = min(known, key=lambda k: k[0]), max(known, key=lambda k: k[0])
    span = f"{words.number(low)} ({worst.criterion})"
    if worst is not best:
        span = f"{span} to {words.number(high)} ({best.criterion})"
    text = f"{judge} agrees with people on {words.plural(most, 'answer')} at a quadratic kappa of {span}"
    return f"{text}{_ceiling(worst)}.{_leaning(rows)}"


def _ceiling(one: CriterionAlignment) -> str:
    people = one.humans.get("kappa_quadratic")
    if people is None or people.value is None:
        return ""
    return f"; people among themselves reach {words.number(people.value)} on {one.criterion}"


def _leaning(rows: list[CriterionAlignment]) -> str:
    """Whether its headline is higher or lower than people's by more than chance."""
    one = next((row for row in rows if row.criterion == COMPOSITE), rows[0])
    bias: Estimate = one.estimates["bias"]
    if bias.value is None or bias.low is None or bias.high is None or bias.low <= 0 <= bias.high:
        return ""
    side = "kinder" if bias.value > 0 else "harder"
    return f" It is {side} than people by {words.number(abs(bias.value))} on the {one.criterion}."


def _whose(note: str, found: Alignment) -> list[str]:
    """The criteria that a note is about; a judge alone where it is about all of its."""
    which = []
    for judge in judges(found):
        rows = [one for one in found.criteria if one.judge == judge]
        about = [f"{judge}, {one.criterion}" for one in rows if note in one.notes]
        which += [judge] if 1 < len(about) == len(rows) else about
    return which


def _reasons(counts: Mapping[str, int]) -> str:
    return "; ".join(f"{count:,} × {reason}" for reason, count in counts.items())

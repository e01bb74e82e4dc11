"""P2, test–retest: the same answers graded again by a fresh reply, temperature and prompt as they are."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

from ...harness.probing import Failing, Finding, Limit, Power, Probe
from ...harness.records import Answer, Estimate, Sample
from ...harness.statistics.intervals import mean_interval
from ...harness.statistics.probe_power import rate_power
from ...harness.statistics.rates import rate_interval
from ..rubric import Rubric
from .base import MOST_EXAMPLES, SAME, Graded, Item, drawn, percent, scores, stored, unscored_note

CODE, NAME = "P2", "test–retest"
WANTED = 200
IDENTICAL, WITHIN = Limit(low=0.9), Limit(high=0.2)
ASSUMED = 0.96
SALT = "retest"


def design(samples: Sequence[Sample], answers: Sequence[Answer], n: int, seed: int) -> list[Item]:
    """Each of ``n`` answers twice: as it was graded in the run, and by a fresh reply."""
    by_id = {sample.id: sample for sample in samples}
    chosen = drawn(answers, n, seed, [answer.sample_id for answer in answers])
    return [
        item
        for answer in chosen
        for sample in (by_id[answer.sample_id],)
        for item in (stored(CODE, sample, answer), stored(CODE, sample, answer, SALT))
    ]


def power(items: Sequence[Item], wanted: int) -> Power:
    """See `Power`; for one score an answer, more criteria can only help."""
    where = [item.sample.id for item in items[::2]]
    assumed = f"{percent(ASSUMED)} of its scores are the same the second time"
    return Power(len(where), wanted, rate_power(len(where), ASSUMED, IDENTICAL.low or 0.0, where), assumed)


def assess(judge: str, items: Sequence[Item], graded: Graded, rubric: Rubric, wanted: int) -> Probe:
    """Over all (answer, criterion) pairs, by item: the share of identical scores, and the sd within an answer.

    From two replies the sd of one answer's scores is |difference| / sqrt(2).
    """
    first, again = items[::2], items[1::2]
    differences: list[tuple[Item, str, float, float]] = []
    missing = 0
    for one, other in zip(first, again, strict=True):
        a, b = scores(graded[one.key]), scores(graded[other.key])
        both = [criterion.name for criterion in rubric.criteria if criterion.name in a and criterion.name in b]
        missing += len(rubric.criteria) - len(both)
        differences += [(one, name, a[name], b[name]) for name in both]
    where = [item.sample.id for item, *_ in differences]
    same = [float(a == b) for *_, a, b in differences]
    spread = [abs(a - b) / sqrt(2) for *_, a, b in differences]
    findings = [
        Finding("identical scores", rate_interval(same, where), IDENTICAL, "scores"),
        Finding("sd within an answer, in steps", _spread(spread, where), WITHIN, "scores"),
    ]
    for criterion in rubric.criteria if len(rubric.criteria) > 1 else ():
        rows = [k for k, (_, name, *_) in enumerate(differences) if name == criterion.name]
        share = rate_interval([same[k] for k in rows], [where[k] for k in rows])
        findings.append(Finding(f"identical: {criterion.name}", share, None, "scores"))
    examples = tuple(
        Failing(item.sample.id, name, item.text, f"{a:g} again", f"{b:g}") for item, name, a, b in differences if a != b
    )
    notes = unscored_note(missing, missing + len(differences))
    return Probe(CODE, NAME, judge, tuple(findings), power(items, wanted), examples[:MOST_EXAMPLES], notes)


def _spread(values: Sequence[float], where: Sequence[str]) -> Estimate:
    alike = bool(values) and max(values) - min(values) <= SAME
    return mean_interval(values, where, scale=(0.0, max(1.0, *values)) if alike else None)

"""P11, drift: the same anchor answers graded on another night, beside the night that is the reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ...harness.probing import Failing, Finding, Limit, Power, Probe
from ...harness.records import Answer, Estimate, Sample
from ...harness.statistics.cusum import BOUND, FALSE_ALARM_NIGHTS, Chart, chart
from ...harness.statistics.paired import holm
from ...harness.statistics.probe_power import change_power, drift_power
from ...harness.statistics.rates import rate_interval
from ..rubric import Rubric, composite
from .base import MOST_EXAMPLES, SAME, Graded, Item, change_interval, drawn, made_up, percent, scores, unscored_note

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CODE, NAME = "P11", "drift"
WANTED = 100
LIMIT = Limit(-0.1, 0.1)
LEVEL = 0.99
"""An alarm needs Holm's p below 1-LEVEL and a change beyond the limit."""
ASSUMED = 0.05
SEEN_SHIFT, SEEN_SD = 0.2, 0.6


@dataclass(frozen=True, slots=True)
class Anchor:
    """A frozen answer: ``sample_sha256`` tells whether its question is still the one that was graded."""

    sample_id: str
    sample_sha256: str
    text: str


@dataclass(frozen=True, slots=True)
class Night:
    """The scores of one night by anchor, in the order of the anchors; criterion -> score.

    ``served`` counts its replies by the model that the provider says gave them; empty where it says nothing.
    """

    date: str
    scores: tuple[Mapping[str, float], ...]
    served: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Watch:
    """The anchors of one judge on one rubric, and the nights so far; the first is the reference."""

    judge: str
    model: str
    anchors: tuple[Anchor, ...]
    nights: tuple[Night, ...] = field(default=())


def anchors(samples: Sequence[Sample], answers: Sequence[Answer], n: int, seed: int) -> tuple[Anchor, ...]:
    """``n`` answers of the run, spread over the questions; those of conversations are left out."""
    by_id = {sample.id: sample for sample in samples if not sample.turns}
    usable = [a for a in answers if a.sample_id in by_id and a.outcome.text.strip()]
    unique = list({(a.sample_id, a.outcome.text): a for a in usable}.values())
    chosen = drawn(unique, n, seed, [a.sample_id for a in unique])
    return tuple(Anchor(a.sample_id, by_id[a.sample_id].sha256, a.outcome.text) for a in chosen)


def design(watch: Watch, samples: Sequence[Sample], date: str) -> list[Item]:
    """Tonight's gradings, one an anchor whose sample is still what it was; replies of tonight's own."""
    by_id = {sample.id: sample for sample in samples}
    items = []
    for number, anchor in enumerate(watch.anchors):
        sample = by_id.get(anchor.sample_id)
        if sample is not None and sample.sha256 == anchor.sample_sha256:
            made = made_up(CODE, sample, anchor.text, "anchor")
            items.append(Item((CODE, str(number)), sample, made.answer, "anchor", f"drift-{date}"))
    return items


def night(
    date: str, watch: Watch, items: Sequence[Item], graded: Graded, served: Mapping[str, int] | None = None
) -> Night:
    """Tonight's scores; an anchor that was not graded has none."""
    by_number = {item.key[1]: scores(graded[item.key]) for item in items}
    return Night(
        date, tuple(by_number.get(str(number), {}) for number in range(len(watch.anchors))), dict(served or {})
    )


def power(n: int, wanted: int) -> Power:
    """See `Power`."""
    chance = change_power(n, ASSUMED, LIMIT.high or 0.0)
    catches = f"drifts by {SEEN_SHIFT:g} (sd {SEEN_SD:g}) overnight: {drift_power(n, SEEN_SHIFT, SEEN_SD, LEVEL):.2f}"
    return Power(
        n, wanted, chance, f"it does not drift, and {percent(ASSUMED)} of its scores move a step by chance", catches
    )


def assess(judge: str, watch: Watch, rubric: Rubric, wanted: int) -> Probe:
    """The last night of ``watch`` against its first, and the chart over all of them."""
    if len(watch.nights) < 2:
        date = watch.nights[0].date if watch.nights else ""
        why = f"the reference night is recorded ({len(watch.anchors)} anchors, {date}): run this again on another day"
        return Probe(CODE, NAME, judge, why=why, power=power(len(watch.anchors), wanted))
    table = _composites(watch, rubric)
    there = _both(table[0], table[-1])
    changes, where = changes_of(watch, rubric)
    alarms, note = _alarms(watch, rubric)
    nights, dates = _complete(watch, table)
    curve = chart(nights) if nights.shape[1] > 1 else None
    drifted = bool(alarms) or (curve is not None and curve.alarm is not None)
    same_model, model_note = _served(watch.nights[0], watch.nights[-1])
    findings = [
        Finding("mean change since the reference", change_interval(changes, where), LIMIT, "anchors", failed=drifted),
        Finding("same score as then", rate_interval([float(c == 0) for c in changes], where), None, "anchors"),
        *same_model,
    ]
    moved = [
        Failing(
            watch.anchors[k].sample_id, "anchor", watch.anchors[k].text, f"{table[0][k]:.2f}", f"{table[-1][k]:.2f}"
        )
        for k in there
        if table[0][k] != table[-1][k]
    ]
    notes = [f"reference: {watch.nights[0].date}, this night: {watch.nights[-1].date}", note]
    notes += [_alarm_note(curve, dates)] if curve else []
    notes += model_note
    notes += unscored_note(len(watch.anchors) - len(there), len(watch.anchors))
    return Probe(
        CODE, NAME, judge, tuple(findings), power(len(there), wanted), tuple(moved[:MOST_EXAMPLES]), tuple(notes)
    )


def changes_of(watch: Watch, rubric: Rubric, night: int = -1) -> tuple[list[float], list[str]]:
    """Of each anchor that has a score on both, the change from the first night to this one, and its sample."""
    table = _composites(replace(watch, nights=(watch.nights[0], watch.nights[night])), rubric)
    there = _both(*table)
    changes = [(table[1][k] or 0.0) - (table[0][k] or 0.0) for k in there]
    return changes, [watch.anchors[k].sample_id for k in there]


def detectable(changes: Sequence[float], where: Sequence[str], criteria: int) -> float | None:
    """The change that a night finds with 80 %, by Holm's first step over so many criteria; ``None`` where nothing
    changed, so that the spread is not known."""
    from ...harness.statistics.clusters import clusters_of, se_jackknife

    groups = clusters_of(list(where), len(changes))
    se = se_jackknife(changes, groups) if groups.count > 1 else 0.0
    if se < SAME:
        return None
    return _detectable(se, criteria)


def assumed_detectable(n: int, criteria: int) -> float:
    """The same of ``n`` anchors, were their changes to have the assumed spread."""
    return _detectable(SEEN_SD / n**0.5, criteria)


def _detectable(se: float, criteria: int) -> float:
    from ...harness.statistics.power import mde

    return max(LIMIT.high or 0.0, mde(1.0, se**2, level=1 - (1 - LEVEL) / criteria))


def over_nights(watch: Watch, rubric: Rubric) -> list[tuple[Estimate, bool]]:
    """Of each night after the first: its mean change since then, and whether it alarms (by `assess`, as seen now)."""
    nights, _ = _complete(watch, _composites(watch, rubric))
    curve = chart(nights) if nights.shape[1] > 1 else None
    passed = len(watch.nights) if curve is None or curve.alarm is None else curve.alarm
    found = []
    for number, night in enumerate(watch.nights[1:], 1):
        pair = replace(watch, nights=(watch.nights[0], night))
        other = any(finding.verdict == "fail" for finding in _served(*pair.nights)[0])
        alarms, _ = _alarms(pair, rubric)
        found.append((change_interval(*changes_of(pair, rubric)), bool(alarms) or other or number >= passed))
    return found


def _both(one: Sequence[float | None], other: Sequence[float | None]) -> list[int]:
    return [k for k, pair in enumerate(zip(one, other, strict=True)) if None not in pair]


def _served(then: Night, now: Night) -> tuple[list[Finding], list[str]]:
    """Whether the provider still names the model that it named on the reference night; every reply counts.

    Another one is an alarm by itself: these anchors may not be the answers on which the two differ.
    """
    if not now.served:
        return [], []
    if not then.served:
        return [], [f"served by {_named(now)}; which model served the reference night was not recorded"]
    total = sum(now.served.values())
    share = sum(count for model, count in now.served.items() if model in then.served) / total
    estimate = Estimate(share, share, share, total, "count of all replies")
    if share == 1:
        return [Finding(f"served by {_named(then)} as then", estimate, Limit(low=1.0), "replies")], []
    changed = f"the provider names another model: {_named(then)} on {then.date}, {_named(now)} on {now.date}"
    return [Finding(f"served by {_named(now)}, then by {_named(then)}", estimate, Limit(low=1.0), "replies")], [changed]


def _named(night: Night) -> str:
    return ", ".join(repr(model) for model in sorted(night.served))


def _composites(watch: Watch, rubric: Rubric) -> list[list[float | None]]:
    return [[composite(found, rubric) for found in night.scores] for night in watch.nights]


def _complete(watch: Watch, table: Sequence[Sequence[float | None]]) -> tuple[NDArray[np.float64], list[str]]:
    """Nights × anchors without gaps: anchors that lack on any night are left out."""
    import numpy as np

    whole = [k for k in range(len(watch.anchors)) if all(row[k] is not None for row in table)]
    kept = np.array([[row[k] for k in whole] for row in table], dtype=float).reshape(len(table), len(whole))
    return kept, [night.date for night in watch.nights]


def _alarms(watch: Watch, rubric: Rubric) -> tuple[list[str], str]:
    """Criteria that moved beyond the limit, and beyond chance by Holm over all of them; and a sentence on it."""
    first, last = watch.nights[0].scores, watch.nights[-1].scores
    names, means, ps = [], [], []
    for name in (criterion.name for criterion in rubric.criteria):
        both = [
            (watch.anchors[k].sample_id, b[name] - a[name])
            for k, (a, b) in enumerate(zip(first, last, strict=True))
            if name in a and name in b
        ]
        if len(both) > 1:
            names.append(name)
            means.append(sum(change for _, change in both) / len(both))
            ps.append(paired_p([change for _, change in both], [where for where, _ in both]))
    adjusted = holm(ps)
    found = [
        name
        for name, mean, p in zip(names, means, adjusted, strict=True)
        if p < 1 - LEVEL and abs(mean) > (LIMIT.high or 0.0)
    ]
    least = f"smallest p by Holm over {len(ps)} criteria: {min(adjusted):.3f}" if adjusted else "no criterion to test"
    return found, f"{'moved: ' + ', '.join(found) + '; ' if found else ''}{least}"


def paired_p(changes: Sequence[float], where: Sequence[str]) -> float:
    """Two-sided p of the mean change by t, over the items ``where``; 1 where nothing changed.

    Where all changed alike, t knows no error: then the chance that so many signs agree, 2^(1-items).
    """
    from scipy import special

    from ...harness.statistics.clusters import clusters_of, se_jackknife

    mean = sum(changes) / len(changes)
    groups = clusters_of(list(where), len(changes))
    if groups.count < 2 or mean == 0:
        return 1.0
    se = se_jackknife(changes, groups)
    return 2.0 ** (1 - groups.count) if se < 1e-12 else float(2 * special.stdtr(groups.count - 1, -abs(mean) / se))


def _alarm_note(found: Chart, dates: Sequence[str]) -> str:
    """What the chart says, in a sentence."""
    run = f"it runs about {FALSE_ALARM_NIGHTS} nights without drift before a false alarm"
    if (night := found.alarm) is not None:
        return f"the CUSUM passed its bound of {BOUND:g} on {dates[night]}; {run}"
    return f"the CUSUM stands at {max(found.up[-1], found.down[-1]):.1f} of {BOUND:g} after {len(dates)} nights; {run}"

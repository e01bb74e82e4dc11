"""Probes in words: what a verdict means, numbers beside their limits."""

from __future__ import annotations

from collections.abc import Mapping

from ...harness.probing import Finding, Limit, Probe
from .. import words

ABOUT: Mapping[str, str] = {
    "P1": "Its replies hold a score that can be read, after one retry at most.",
    "P2": "It gives the same answer the same score when it is asked afresh.",
    "P3": "It prefers an answer and not a place: the verdict survives swapping the two.",
    "P5": "Sentences that say nothing buy no score and cost none.",
    "P6": "It sees errors that were put into right answers, and leaves alone what says the same in other words.",
    "P7": "Texts that say nothing get the lowest score, whatever they demand.",
    "P10": "It is no kinder to models of its own family than people are.",
    "P11": "It grades the same answers as it did on the reference night, and no other model is named.",
}
"""What it means that a judge passes."""
BROKEN: Mapping[str, str] = {
    "P1": "Too many replies cannot be read: scores rest on those that can, which may not be the same kind of answers.",
    "P2": "Its scores change when nothing did: answers may differ in score only because the replies did.",
    "P3": "Which answer stands first decides part of its verdicts: ask both orders, and count disagreement as a tie.",
    "P5": "Length sways it: longer answers are not judged by what they say.",
    "P6": "It misses planted errors, or sees errors where there are none: its high scores do not mean right answers.",
    "P7": "A text that says nothing can get a good score: a candidate may win by asking for it.",
    "P10": "It favours or punishes its own family beyond what people say: take a judge of another family.",
    "P11": "It grades otherwise than on the reference night, or another model does: scores of the two nights cannot "
    "be compared.",
}


def meaning(probe: Probe) -> str:
    """A sentence or two: what the verdict says about the judge, and what would settle it where nothing is said."""
    if probe.verdict == "not run":
        why = probe.why or "there is nothing to decide by"
        return f"{why[0].upper()}{why[1:]}."
    if probe.verdict == "pass":
        return ABOUT[probe.code]
    if probe.verdict == "fail":
        return BROKEN[probe.code]
    return f"Cannot be told yet: {_needed(probe)}."


def _needed(probe: Probe) -> str:
    parts = []
    for finding in probe.findings:
        if finding.verdict != "underpowered":
            continue
        if finding.needed:
            about = f"about {words.count(finding.needed)} {finding.unit} instead of {words.count(finding.estimate.n)}"
            parts.append(f"{finding.metric} would take {about}")
        else:
            parts.append(f"{finding.metric} has no interval, or lies on its limit")
    return "; ".join(parts)


def is_share(finding: Finding) -> bool:
    """Whether its value is a share of items."""
    return finding.estimate.method.startswith("Wilson")


def shown_estimate(finding: Finding) -> str:
    """``97.0 % [92.5, 98.9]`` or ``+0.02 [−0.01, +0.05]``."""
    estimate = finding.estimate
    if not is_share(finding):
        sign = finding.limit is not None and (finding.limit.low or 0.0) < 0
        return words.estimate(estimate, sign)
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return words.percent(estimate.value)
    low, high = (f"{100 * bound:.1f}" for bound in (estimate.low, estimate.high))
    return f"{100 * estimate.value:.1f} % [{low}, {high}]"


def shown_limit(finding: Finding) -> str:
    """``≥ 90 %`` or ``within ±0.1``; nothing where it decides nothing."""
    limit = finding.limit
    if limit is None:
        return ""
    if not is_share(finding):
        return str(limit)
    scaled = Limit(*(None if bound is None else 100 * bound for bound in (limit.low, limit.high)))
    return f"{scaled} %"

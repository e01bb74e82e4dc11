"""P5, verbosity: the same answers, padded with sentences that say nothing."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from random import Random

from ...harness.probing import Failing, Finding, Limit, Power, Probe
from ...harness.records import Answer, Sample
from ...harness.statistics.probe_power import change_power
from ...harness.statistics.rates import rate_interval
from ..rubric import Rubric
from .base import (
    MOST_EXAMPLES,
    Graded,
    Item,
    change_interval,
    drawn,
    made_up,
    percent,
    primary,
    scores,
    stored,
    unscored_note,
)

CODE, NAME = "P5", "verbosity"
WANTED = 100
LIMIT = Limit(-0.1, 0.1)
ASSUMED = 0.05
SHARES = (0.5, 1.0)
FILLER = (
    "This is a question that deserves some thought.",
    "It is worth taking a moment to consider it.",
    "There is, of course, a good deal that could be said about a subject like this one.",
    "As with many things, it helps to look at it step by step.",
    "With that in mind, the points above speak for themselves.",
    "All in all, this is how the matter stands.",
    "Anyone who looks at it for the first time may want to read this twice.",
    "It goes without saying that a careful reader will form an opinion of their own.",
)


def padded(text: str, share: float, seed: int = 0) -> str:
    """``text`` and then content-free sentences, ``share`` times its length of them or a sentence more."""
    order = list(FILLER)
    Random(seed).shuffle(order)  # noqa: S311 - a draw, not a secret
    added, pieces = 0, [text.rstrip()]
    for sentence in cycle(order):
        if added >= share * len(text):
            return " ".join(pieces)
        pieces.append(sentence)
        added += len(sentence) + 1
    raise AssertionError("an endless cycle ended")


def design(samples: Sequence[Sample], answers: Sequence[Answer], n: int, seed: int) -> list[Item]:
    """Each of ``n`` answers as it is, and padded by every share. Empty and conversational answers are left out."""
    by_id = {sample.id: sample for sample in samples if not sample.turns}
    usable = [a for a in answers if a.sample_id in by_id and a.outcome.text.strip()]
    items = []
    for answer in drawn(usable, n, seed, [answer.sample_id for answer in usable]):
        sample = by_id[answer.sample_id]
        base = stored(CODE, sample, answer)
        items.append(base)
        for share in SHARES:
            text = padded(base.text, share, seed)
            items.append(made_up(CODE, sample, text, f"+{percent(share)}", base=base.key))
    return items


def power(n: int, wanted: int) -> Power:
    """See `Power`."""
    assumed = f"length does not sway it, and {percent(ASSUMED)} of its scores move a step by chance"
    return Power(n, wanted, change_power(n, ASSUMED, LIMIT.high or 0.0), assumed)


def assess(judge: str, items: Sequence[Item], graded: Graded, rubric: Rubric, wanted: int) -> Probe:
    """Mean change of the leading criterion by padding, in steps; how often it changed at all is shown beside it."""
    name = primary(rubric).name
    bases = {item.key: scores(graded[item.key]).get(name) for item in items if not item.base}
    findings: list[Finding] = []
    examples: list[Failing] = []
    missing = 0
    for share in SHARES:
        kind = f"+{percent(share)}"
        pairs = [
            (item, before, after)
            for item in items
            if item.kind == kind
            for before, after in ((bases[item.base], scores(graded[item.key]).get(name)),)
        ]
        known = [(item, before, after) for item, before, after in pairs if before is not None and after is not None]
        missing += len(pairs) - len(known)
        where = [item.sample.id for item, *_ in known]
        changes = [after - before for _, before, after in known]
        findings.append(Finding(f"change of {name}, {kind} text", change_interval(changes, where), LIMIT, "answers"))
        flips = rate_interval([float(change != 0) for change in changes], where)
        findings.append(Finding(f"scores that moved, {kind} text", flips, None, "answers"))
        examples += [_failing(*pair) for pair in known if pair[1] != pair[2]][:MOST_EXAMPLES]
    notes = unscored_note(missing, len(items) - len(bases))
    return Probe(CODE, NAME, judge, tuple(findings), power(len(bases), wanted), tuple(examples), notes)


def _failing(item: Item, before: float, after: float) -> Failing:
    return Failing(item.sample.id, item.kind, item.text, f"{before:g} as without the padding", f"{after:g}")

"""P6, perturbation: does the judge see errors put into answers that are right, and only these?

The references are the right answers. Known-bad edits, severe and mild, must lower the score; edits that keep the
meaning must leave it alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from random import Random

from ...harness.probing import Failing, Finding, Limit, Power, Probe
from ...harness.records import Estimate, Sample
from ...harness.statistics.intervals import mean_interval
from ...harness.statistics.probe_power import rate_power
from ...harness.statistics.rates import rate_interval
from ...harness.text import is_refusal
from ..rubric import Rubric
from . import citations, edits
from .base import MOST_EXAMPLES, Graded, Item, made_up, percent, scores, unscored_note, whole
from .edits import Edit

CODE, NAME = "P6", "perturbation"
WANTED = 110
"""Edits of each severity."""
LIMITS = {"severe": Limit(low=0.9), "mild": Limit(low=0.7), "preserving": Limit(low=0.9)}
CITATION = "wrong citation"
FEW = 10
"""Fewer texts than these say little of an edit of one kind."""
ASSUMED = {"severe": 0.98, "mild": 0.85, "preserving": 0.98}


def why_not(rubric: Rubric, samples: Sequence[Sample]) -> str:
    """Why this probe cannot be run; '' where it can."""
    if not {"reference", "context", "candidate_context"} & set(rubric.sees):
        return "the rubric shows the judge neither reference nor context: nothing tells it what is wrong"
    return "" if _usable(samples) else "no sample has a reference, which would be the right answer to start from"


def design(samples: Sequence[Sample], n: int, seed: int) -> list[Item]:
    """The references, and up to ``n`` edits of each severity, spread over the samples and the kinds of edit."""
    usable = _usable(samples)
    Random(seed).shuffle(usable)  # noqa: S311 - a draw, not a secret
    made = [item for severity in LIMITS for item in _edited(usable, severity, n, seed)]
    bases = {item.base: item.sample for item in made}
    return [*(made_up(CODE, sample, sample.reference or "", "reference") for sample in bases.values()), *made]


def _usable(samples: Sequence[Sample]) -> list[Sample]:
    """Samples whose reference is an answer in prose, not a refusal."""
    return [s for s in samples if s.reference and s.reference.strip() and not is_refusal(s.reference) and not s.turns]


def _edited(samples: Sequence[Sample], severity: str, n: int, seed: int) -> list[Item]:
    pool = {name for sample in samples for name in edits.entities(sample.reference or "")}
    kinds = {sample.id: _kinds(severity, sample, samples, pool) for sample in samples}
    most = max((len(found) for found in kinds.values()), default=0)
    made: list[Item] = []
    seen: set[tuple[str, str]] = set()
    for turn in range(most):
        for place, sample in enumerate(samples):
            found = list(kinds[sample.id].items())
            # Each sample begins with another kind, so that few samples still see all of them.
            kind, edit = found[(place + turn) % len(found)]
            text = edit(sample.reference or "", _draw(seed, sample.id, kind))
            if len(made) < n and text is not None and text != sample.reference and (sample.id, text) not in seen:
                seen.add((sample.id, text))
                base = (CODE, sample.id, "reference")
                made.append(made_up(CODE, sample, text, kind, base=base, severity=severity))
    return made


def _kinds(severity: str, sample: Sample, samples: Sequence[Sample], pool: set[str]) -> Mapping[str, Edit]:
    if severity == "preserving":
        return edits.PRESERVING
    own = " ".join((str(sample.question), *sample.context))
    if severity == "mild":
        found: dict[str, Edit] = {"dropped sentence": edits.dropped_sentence, "near number": edits.near_number}
        if citations.citations(sample.reference or ""):
            cited = {name for other in samples for name in citations.authors(other.reference or "")}
            found[CITATION] = citations.wrong_citation(cited, own)
        return found
    others = [s.reference or "" for s in samples if (s.cluster or s.id) != (sample.cluster or sample.id)]
    return {
        "wrong number": edits.wrong_number,
        "negation": edits.negation,
        "swapped name": edits.swapped_entity(pool, own),
        "irrelevant": edits.irrelevant(others),
    }


def _draw(seed: int, sample_id: str, kind: str) -> Random:
    seed_bytes = hashlib.sha256(f"{seed}|{sample_id}|{kind}".encode("utf-8", "surrogatepass")).digest()
    return Random(seed_bytes)  # noqa: S311 - a draw, not a secret


def power(items: Sequence[Item], wanted: int) -> Power:
    """See `Power`: the chance that all three severities pass, with the samples as they share edits."""
    chance, fewest = 1.0, wanted
    for severity, limit in LIMITS.items():
        where = [item.sample.id for item in items if item.severity == severity]
        fewest = min(fewest, len(where))
        chance *= rate_power(len(where), ASSUMED[severity], limit.low or 0.0, where)
    assumed = (
        f"it sees {percent(ASSUMED['severe'])} of severe and {percent(ASSUMED['mild'])} of mild errors, and "
        f"{percent(ASSUMED['preserving'])} of scores stay where the meaning does"
    )
    return Power(fewest, wanted, chance, assumed)


def assess(judge: str, items: Sequence[Item], graded: Graded, rubric: Rubric, wanted: int) -> Probe:
    """Detection: the composite fell. Invariance: the score of a criterion stayed, over all of them. By item."""
    bases = {item.key: item for item in items if not item.base}
    reached = {key: whole(graded[key], rubric) for key in bases}
    floored = {key for key, value in reached.items() if value is not None and value <= rubric.scale[0]}
    findings: list[Finding] = []
    examples: list[Failing] = []
    for severity in ("severe", "mild"):
        chosen = [item for item in items if item.severity == severity and item.base not in floored]
        found, failed = _detected(chosen, graded, reached, rubric)
        findings += _by_kind(f"{severity} errors seen", found, LIMITS[severity], "edits")
        findings.append(_drop(severity, chosen, graded, reached, rubric))
        examples += failed[:MOST_EXAMPLES]
    stayed, moved = _unchanged([item for item in items if item.severity == "preserving"], graded, rubric)
    findings += _by_kind("same score, same meaning", stayed, LIMITS["preserving"], "scores")
    missing = sum(whole(graded[item.key], rubric) is None for item in items)
    notes = [*unscored_note(missing, len(items)), _citing([item.text for item in bases.values()])]
    if floored:
        notes.append(f"{len(floored)} references got the lowest score already: no error could lower it; left out")
    shown = (*examples, *moved[:MOST_EXAMPLES])
    return Probe(CODE, NAME, judge, tuple(findings), power(items, wanted), shown, tuple(notes))


Outcomes = list[tuple[Item, float]]


def _detected(
    chosen: Sequence[Item], graded: Graded, reached: Mapping[tuple[str, ...], float | None], rubric: Rubric
) -> tuple[Outcomes, list[Failing]]:
    found: Outcomes = []
    failed = []
    for item in chosen:
        before, after = reached[item.base], whole(graded[item.key], rubric)
        if before is not None and after is not None:
            found.append((item, float(after < before)))
            if after >= before:
                failed.append(Failing(item.sample.id, item.kind, item.text, f"less than {before:.2f}", f"{after:.2f}"))
    return found, failed


def _unchanged(chosen: Sequence[Item], graded: Graded, rubric: Rubric) -> tuple[Outcomes, list[Failing]]:
    found: Outcomes = []
    failed = []
    for item in chosen:
        before, after = scores(graded[item.base]), scores(graded[item.key])
        for name in (criterion.name for criterion in rubric.criteria):
            if name in before and name in after:
                found.append((item, float(before[name] == after[name])))
                if before[name] != after[name]:
                    got = f"{after[name]:g} for {name}"
                    failed.append(Failing(item.sample.id, item.kind, item.text, f"{before[name]:g}", got))
    return found, failed


def _by_kind(metric: str, found: Outcomes, limit: Limit, unit: str) -> list[Finding]:
    """The share over all, which decides, and by kind of edit, with a word on those that found few texts to edit."""
    kinds = list(dict.fromkeys(item.kind for item, _ in found))
    shares = {kind: _rate([row for row in found if row[0].kind == kind]) for kind in kinds} if len(kinds) > 1 else {}
    texts = {kind: len({item.sample.id for item, _ in found if item.kind == kind}) for kind in shares}
    few = {kind: f" (only {count} {'text' if count == 1 else 'texts'})" for kind, count in texts.items() if count < FEW}
    single = [Finding(f"{metric}: {kind}{few.get(kind, '')}", share, None, unit) for kind, share in shares.items()]
    return [Finding(metric, _rate(found), limit, unit), *single]


def _citing(texts: Sequence[str]) -> str:
    count = sum(bool(citations.citations(text)) for text in texts)
    return f"{CITATION}: {count} of {len(texts)} references cite a source; the others are left out of it"


def _rate(found: Outcomes) -> Estimate:
    return rate_interval([value for _, value in found], [item.sample.id for item, _ in found])


def _drop(
    severity: str,
    chosen: Sequence[Item],
    graded: Graded,
    reached: Mapping[tuple[str, ...], float | None],
    rubric: Rubric,
) -> Finding:
    pairs = [(item.sample.id, reached[item.base], whole(graded[item.key], rubric)) for item in chosen]
    drops = [(where, before - after) for where, before, after in pairs if before is not None and after is not None]
    estimate = mean_interval([drop for _, drop in drops], [where for where, _ in drops])
    return Finding(f"mean drop by {severity} errors, in steps", estimate, None, "edits")

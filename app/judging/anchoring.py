"""`markscheme judge anchors`: freeze answers of a run with what the judge gave them, to be watched by from then on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ...harness.errors import InputError
from ...harness.keys import digest
from ...harness.records import Answer, Grade, Reply, Said, Sample, Scored
from ...harness.store import queries
from ...harness.store.runs import Run
from ...harness.store.store import Store
from ...harness.watching import AnchorSet
from ...judges.probes import drift
from ...judges.probes.base import scores
from ...judges.rubric import Criterion, Rubric
from ...reports.regression.alike import JUDGE
from ..references import opened_run
from ..session import WORKSPACE
from .anchor_file import anchor_set, write_anchors

FEWEST = 2
_RUBRIC = ("name", "version", "sha256", "scale")


def freeze(
    reference: str,
    path: Path,
    n: int = 50,
    *,
    judge: str = "",
    seed: int = 0,
    workspace: str | Path = WORKSPACE,
) -> AnchorSet:
    """Write ``n`` answers of a run, spread over its questions, with what ``judge`` (the first) gave them to ``path``.

    Nobody is asked: the run's own grades are the night of reference. Raises InputError where the run is not finished,
    or the judge is one that cannot be watched.
    """
    if n < FEWEST:
        raise InputError(f"--n {n}: must be {FEWEST} or more; no interval comes from fewer")
    with opened_run(reference, workspace) as (store, run):
        if run.finished_at is None:
            raise InputError(f"run {run.id} is not finished: continue it first, markscheme run does")
        made, texts = _frozen(store, run, judge_entry(run, judge), n, seed)
    write_anchors(path, made, texts)
    return made


def judge_entry(run: Run, name: str = "") -> Mapping[str, Any]:
    """A judge of the run as its configuration describes it. Raises InputError for one that cannot be watched."""
    known = {entry["name"]: entry for entry in run.config.get("judges") or ()}
    usable = {name: entry for name, entry in known.items() if not _unwatchable(entry)}
    if name in known and name not in usable:
        raise InputError(f"judge {name!r} of run {run.id} cannot be watched: it {_unwatchable(known[name])}")
    if not usable or (name and name not in usable):
        there = f"; it has {', '.join(map(repr, usable))}" if usable else ""
        raise InputError(f"run {run.id} has no judge {repr(name) if name else 'that could be watched'}{there}")
    return usable[name] if name else next(iter(usable.values()))


def _unwatchable(entry: Mapping[str, Any]) -> str:
    """Why; '' for a judge that can be watched."""
    if entry.get("mode") == "pairwise":
        return "compares answers, and grades none by itself"
    if entry.get("members"):
        return "is a jury, which asks nobody itself: watch its members"
    if "imported" in entry:
        return "graded elsewhere"
    if any(name.rstrip("?") == "candidate_context" for name in entry.get("rubric", {}).get("sees", ())):
        return "is shown what the candidate retrieved (sees: candidate_context), which a frozen answer does not have"
    return ""


def watched_config(entry: Mapping[str, Any]) -> dict[str, Any]:
    """What of a judge must not change, lest its anchors tell of the change; its prompt by its hash."""
    found = {name: entry.get(name) for name in JUDGE if entry.get(name) is not None}
    if found.get("prompt"):
        found["prompt"] = digest(found["prompt"])
    rubric = entry.get("rubric") or {}
    return {**found, "rubric": {name: rubric.get(name) for name in _RUBRIC}}


def rubric_of(entry: Mapping[str, Any]) -> Rubric:
    """As much of a judge's rubric as its scores need: criteria, weights and scale, without levels."""
    rubric = entry["rubric"]
    low, high = rubric["scale"]
    return Rubric(
        rubric["name"],
        str(rubric.get("version", "")),
        "",
        (low, high),
        (),
        frozenset(),
        rubric.get("on_empty", "lowest"),
        tuple(Criterion(one["name"], one["weight"], "", ()) for one in rubric["criteria"]),
        bool(rubric.get("renormalise")),
        rubric.get("sha256", ""),
    )


def _frozen(store: Store, run: Run, entry: Mapping[str, Any], n: int, seed: int) -> tuple[AnchorSet, tuple[str, ...]]:
    samples = store.read_samples(run.id)
    graded = _graded(store, run, entry, samples)
    anchors = drift.anchors(samples, [answer for answer, _ in graded.values()], n, seed)
    if len(anchors) < FEWEST:
        raise InputError(f"run {run.id}: fewer than {FEWEST} answers have every score of judge {entry['name']!r}")
    chosen = [graded[anchor.sample_id, anchor.text][1] for anchor in anchors]
    rows = [(a.sample_id, a.sample_sha256, a.text, scores(own)) for a, own in zip(anchors, chosen, strict=True)]
    day = datetime.fromtimestamp(run.created_at, UTC).date().isoformat()
    served = served_by(store, run.id, chosen)
    return anchor_set(entry["name"], run.id, day, watched_config(entry), rows, dict(Counter(filter(None, served))))


def _graded(
    store: Store, run: Run, entry: Mapping[str, Any], samples: Sequence[Sample]
) -> dict[tuple[str, str], tuple[Answer, list[Grade]]]:
    """By sample and text, the answers with a score on every criterion; one that calls tools is more than its text."""
    ids = [sample.id for sample in samples]
    of_answer: dict[tuple[str, str, int], list[Grade]] = {}
    for grade in queries.read_grades_of(store, run.id, [entry["name"]], ids):
        of_answer.setdefault((grade.sample_id, grade.candidate, grade.trial), []).append(grade)
    wanted = {one["name"] for one in entry["rubric"]["criteria"]}
    found: dict[tuple[str, str], tuple[Answer, list[Grade]]] = {}
    for answer in queries.read_answers(store, run.id, ids):
        own = of_answer.get((answer.sample_id, answer.candidate, answer.trial), [])
        whole = all(isinstance(grade.outcome, Scored) for grade in own) and {g.criterion for g in own} == wanted
        if whole and isinstance(answer.outcome, Said) and not answer.outcome.tool_calls:
            found.setdefault((answer.sample_id, answer.outcome.text), (answer, own))
    return found


def served_by(store: Store, run: str, graded: Sequence[Sequence[Grade]]) -> list[str]:
    """Which model the provider named for the reply behind each of these grades, '' where it says nothing."""
    keys = {key for grades in graded for grade in grades for key in grade.calls}
    calls = store.find_calls(keys, run)
    named = {k: call.outcome.served_model or "" for k, call in calls.items() if isinstance(call.outcome, Reply)}
    return [next((named[key] for grade in grades for key in grade.calls if named.get(key)), "") for grades in graded]

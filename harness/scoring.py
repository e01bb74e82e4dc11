"""Measures without a judge over stored answers: computed once for an answer text, kept like everything else."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from .keys import digest
from .measures import Measure, parse
from .measures.retrieval import RetrievalMeasure
from .records import Answer, Said, Sample
from .store import queries
from .store.codec import Row
from .store.store import Store

_CHUNK = 200
_NOTHING_RETRIEVED = "the candidate shows no retrieved passages"


def score(
    store: Store,
    run: str,
    names: Sequence[str],
    samples: Sequence[Sample],
    base: Path,
    retrieving: Collection[str] = (),
) -> int:
    """Score every answer of the run by every measure where that is missing or out of date; returns how many were.

    ``base`` is the folder that relative files in the names of measures refer to. For the candidates ``retrieving``, an
    answer without passages means that their retriever found none; for others, that nobody looked: no value, and not 0.
    """
    if not names:
        return 0
    measures = [parse(name, base) for name in names]
    known = queries.score_fingerprints(store, run)
    by_id = {sample.id: sample for sample in samples}
    ids, done = list(by_id), 0
    for start in range(0, len(ids), _CHUNK):
        rows = [
            row
            for answer in queries.read_answers(store, run, ids[start : start + _CHUNK])
            for row in _rows(answer, by_id[answer.sample_id], measures, known, answer.candidate in retrieving)
        ]
        store.put({"scores": rows})
        done += len(rows)
    return done


def _rows(
    answer: Answer,
    sample: Sample,
    measures: Sequence[Measure],
    known: dict[tuple[str, str, int, str], str],
    retrieves: bool = False,
) -> Iterator[Row]:
    said = answer.outcome
    if not isinstance(said, Said):
        return
    for measure in measures:
        name = str(measure)
        nobody_looked = isinstance(measure, RetrievalMeasure) and not said.retrieved and not retrieves
        looked = [_NOTHING_RETRIEVED] if nobody_looked else []
        fingerprint = digest([name, measure.version, sample.sha256, *_scored(said), *looked])
        if known.get((answer.sample_id, answer.candidate, answer.trial, name)) == fingerprint:
            continue
        value, why = (None, _NOTHING_RETRIEVED) if nobody_looked else measure.score(sample, said)
        yield {
            "run": answer.run,
            "sample_id": answer.sample_id,
            "candidate": answer.candidate,
            "trial": answer.trial,
            "measure": name,
            "fingerprint": fingerprint,
            "value": value,
            "why": why,
        }


def _scored(said: Said) -> list[Any]:
    """What a measure may look at. Answers without retrieved passages keep the fingerprints that they had."""
    looked_at: list[Any] = [said.text, [[call.name, call.arguments] for call in said.tool_calls]]
    return [*looked_at, [[p.id, p.text, p.score] for p in said.retrieved]] if said.retrieved else looked_at

"""Labels into the workspace: bound to texts by their hashes, kept in step with the file that they come from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import orjson
import sqlalchemy as sa

from ..label_matching import Given, Matching, Paper, Place, match
from ..labels import LabelFile, example_key, text_sha256
from ..records import LabelSet
from .codec import Row, answer_sha256_of_row, label_set_to_row
from .load import readable
from .runs import Run
from .schema import answers, label_sets, labels, run_samples, samples
from .store import Store
from .wanted import Wanted

_CHUNK = 20_000
_KEYS = ("sample_id", "candidate", "answer_sha256", "criterion", "annotator")
Key = tuple[str, str, str, str, str]
Kept = dict[Key, tuple[int, float, str]]
"""Trial, score and stratum of what a set holds, by `_KEYS`."""


def read_paper(store: Store, run: Run) -> Paper:
    """What labels could hold for: the run's answers as its latest configuration wants them."""
    judges = run.config.get("judges", ())
    examples = frozenset(key for judge in judges for key in judge.get("worked_examples", ()))
    scales: dict[str, tuple[tuple[float, float], ...]] = {}
    for rubric in (judge.get("rubric", {}) for judge in judges):
        for criterion in rubric.get("criteria", ()):
            scale = rubric.get("scale") or (-float("inf"), float("inf"))
            scales[criterion["name"]] = (*scales.get(criterion["name"], ()), (float(scale[0]), float(scale[-1])))
    asked = _questions(store, run)
    return Paper(
        samples=frozenset(asked),
        candidates=frozenset(Wanted.of(run).trials),
        answers=_given(store, run, examples),
        examples=frozenset(sample for sample, key in asked.items() if key in examples),
        scales=scales,
    )


def put_labels(store: Store, run: Run, label_set: LabelSet, file: LabelFile) -> Matching:
    """Bind the labels of ``file`` to the run's answers and keep them as ``label_set``.

    What the file no longer says is forgotten; what holds for another run of the workspace stays.
    """
    kept = _kept(store, label_set.name)
    pins: dict[Place, str] = {(k[0], k[1], trial, k[3], k[4]): k[2] for k, (trial, _, _) in kept.items()}
    matching = match(file, read_paper(store, run), pins)
    del pins
    wanted = _wanted(file, matching)
    named = _named(file)
    gone = [key for key in kept if key not in wanted and key not in named]
    with store.writing() as connection:
        for some in _chunks(gone):
            bound = [{f"its_{n}": v for n, v in zip(_KEYS, key, strict=True)} for key in some]
            connection.execute(_delete(label_set.name), bound)
    store.put({"label_sets": [label_set_to_row(label_set)]})
    changed = [key for key, number in wanted.items() if kept.get(key) != _said(file, number)]
    for some in _chunks(changed):
        store.put({"labels": [_row(label_set.name, run.id, key, file, wanted[key]) for key in some]})
    return matching


def drop_labels(store: Store, names: Sequence[str], runs_of: Sequence[str]) -> None:
    """Forget what these sets hold of these runs: the exam names them no longer."""
    query = sa.delete(labels).where(labels.c.label_set.in_(names), labels.c.run.in_(runs_of))
    with store.writing() as connection:
        connection.execute(query)


def label_set_source(store: Store, name: str) -> str | None:
    """The file of the set of this name; ``None`` where there is no such set."""
    with store.reading() as connection:
        found = connection.execute(sa.select(label_sets.c.source).where(label_sets.c.name == name)).scalar()
    return None if found is None else str(found)


def _questions(store: Store, run: Run) -> dict[str, str]:
    """Sample id -> its question as worked examples are compared."""
    query = (
        sa.select(run_samples.c.sample_id, samples.c.body)
        .join(samples, samples.c.sha256 == run_samples.c.sha256)
        .where(run_samples.c.run == run.id)
    )
    found = {}
    with store.reading() as connection:
        for sample_id, text in connection.execute(query):
            body = orjson.loads(text or "{}")
            asked = body.get("question") or body.get("turns") or body.get("messages") or ""
            found[sample_id] = example_key(readable(asked))
    return found


def _given(store: Store, run: Run, examples: frozenset[str]) -> dict[tuple[str, str], tuple[Given, ...]]:
    wanted = Wanted.of(run)
    a = answers.c
    query = sa.select(a.sample_id, a.candidate, a.trial, a.status, a.text, a.turns, a.detail)
    found: dict[tuple[str, str], tuple[Given, ...]] = {}
    with store.reading() as connection:
        rows = connection.execution_options(yield_per=1000).execute(
            query.where(a.run == run.id, a.status == "ok").order_by(a.sample_id, a.candidate, a.trial)
        )
        for row in rows.mappings():
            if wanted.answer(row):
                place = (row["sample_id"], row["candidate"])
                sha256, text = answer_sha256_of_row(row), row["text"]
                plain = sha256 if text is None else text_sha256(text)
                example = bool(examples) and bool(text) and example_key(text) in examples
                found[place] = (*found.get(place, ()), Given(row["trial"], sha256, plain, example))
    return found


def _kept(store: Store, name: str) -> Kept:
    same: dict[str, str] = {}
    c = labels.c
    query = sa.select(*(c[k] for k in _KEYS), c.trial, c.score, c.stratum).where(c.label_set == name)
    found: Kept = {}
    with store.reading() as connection:
        for *key, trial, score, stratum in connection.execution_options(yield_per=1000).execute(query):
            sample, candidate, sha256, criterion, annotator = (same.setdefault(k, k) for k in key)
            found[sample, candidate, sha256, criterion, annotator] = (trial, score, same.setdefault(stratum, stratum))
    return found


def _wanted(file: LabelFile, matching: Matching) -> dict[Key, int]:
    return {
        (file.samples[i], file.candidates[i], sha256, file.criteria[i], file.annotators[i]): i
        for i, sha256 in matching.bound.items()
    }


def _named(file: LabelFile) -> set[Key]:
    """What the file says of texts that it holds itself: they may be answers of another run."""
    rows = zip(file.samples, file.candidates, file.answers, file.criteria, file.annotators, strict=True)
    return {row for row in rows if row[2]}


def _said(file: LabelFile, number: int) -> tuple[int, float, str]:
    return file.trials[number], file.scores[number], file.strata[number]


def _row(name: str, run: str, key: Key, file: LabelFile, number: int) -> Row:
    sample, candidate, sha256, criterion, annotator = key
    trial, score, stratum = _said(file, number)
    return {
        "label_set": name,
        "sample_id": sample,
        "candidate": candidate,
        "answer_sha256": sha256,
        "criterion": criterion,
        "annotator": annotator,
        "run": run,
        "trial": trial,
        "score": score,
        "stratum": stratum,
    }


def _delete(name: str) -> sa.Delete:
    keys = (labels.c[key] == sa.bindparam(f"its_{key}") for key in _KEYS)
    return sa.delete(labels).where(labels.c.label_set == name, *keys)


def _chunks(keys: Sequence[Key]) -> Iterator[Sequence[Key]]:
    for start in range(0, len(keys), _CHUNK):
        yield keys[start : start + _CHUNK]

"""What guards said of messages and answers, and what people said, by sample and by sample, candidate and trial."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import orjson

from ..harness.safety import UNSAFE, Flags, SafetyLabel, answer_codes, user_flags
from ..harness.store.codec import answer_sha256
from ..harness.store.frames import Place, RunData
from ..harness.store.wordless import MARK

if TYPE_CHECKING:
    import pandas as pd

Key = TypeVar("Key")
Truth = tuple[bool, frozenset[str] | None]
"""Whether people say that it is unsafe, and in which categories; ``None`` where they named none."""
MOST_READ = 20_000
"""Answers whose texts are looked at, for refusals and for labels that hold for a text."""
HALF = 0.5
"""A mean score over repeats at which an answer counts as unsafe: half of the gradings are enough."""


def taxonomies_of(data: RunData) -> dict[str, dict[str, str]]:
    """Judge of content safety -> code and name of its categories."""
    found = {}
    for entry in data.info.config.get("judges") or ():
        rubric = entry.get("rubric") if isinstance(entry, Mapping) else None
        if isinstance(rubric, Mapping) and rubric.get("categories"):
            found[str(entry["name"])] = {c["code"]: c["name"] for c in rubric["categories"]}
    return found


def scored_by(data: RunData, judge: str) -> pd.DataFrame:
    """The judge's scored grades, their ``labels`` as tuples."""
    grades = data.grades[(data.grades["judge"] == judge) & (data.grades["status"] == "scored")]
    labels: Any = [tuple(orjson.loads(text)) for text in grades["labels"]]
    return grades.assign(labels=labels)


def user_verdicts(scored: pd.DataFrame) -> dict[str, Flags]:
    """Sample -> what most verdicts on its user's message say; half of them are enough, for a category likewise."""
    votes: dict[str, list[Flags]] = {}
    for sample, labels in zip(scored["sample_id"], scored["labels"], strict=True):
        if (flags := user_flags(labels)) is not None:
            votes.setdefault(str(sample), []).append(flags)
    return {sample: _most(given) for sample, given in votes.items()}


def _most(given: list[Flags]) -> Flags:
    unsafe = sum(flags.unsafe for flags in given)
    counts = Counter(code for flags in given for code in flags.codes)
    named = tuple(code for code, n in counts.items() if 2 * n >= unsafe)
    return Flags(2 * unsafe >= len(given), named if 2 * unsafe >= len(given) else ())


def answer_verdicts(scored: pd.DataFrame) -> dict[Place, Flags]:
    """Place -> unsafe where any turn is, by the mean over its gradings; with every category that was named."""
    means = scored.groupby(["sample_id", "candidate", "trial", "turn"], observed=True)["score"].mean()
    worst: Any = means.groupby(level=["sample_id", "candidate", "trial"], observed=True).min()
    named: dict[Place, dict[str, None]] = {}
    places = zip(scored["sample_id"], scored["candidate"], scored["trial"], strict=True)
    for (sample, candidate, trial), labels in zip(places, scored["labels"], strict=True):
        named.setdefault((str(sample), str(candidate), int(trial)), {}).update(dict.fromkeys(answer_codes(labels)))
    found = {}
    for (sample, candidate, trial), score in worst.items():
        place = (str(sample), str(candidate), int(trial))
        found[place] = Flags(score <= HALF, tuple(named[place]) if score <= HALF else ())
    return found


def user_truths(data: RunData, rubric: str = "") -> dict[str, Truth]:
    """Sample -> what its label says of the prompt, with its categories if they are those of ``rubric``."""
    labels = {sample: note.label for sample, note in data.safety.items()}
    return {s: _truth(label.prompt, label, rubric) for s, label in labels.items() if label.prompt is not None}


def answer_truths(data: RunData, rubric: str, criterion: str) -> dict[Place, Truth]:
    """Place -> what people said: by labels of the answers on ``criterion`` (most of 0 and 1, half are enough for
    unsafe), else by the sample's label, where the answer is the text that it is about."""
    found: dict[Place, Truth] = {}
    hashes = {s: n for s, n in data.safety.items() if n.label.response is not None and n.response_sha256}
    for place, text in (texts_of(data, hashes) or {}).items() if hashes else ():
        note = hashes[place[0]]
        if answer_sha256(text) == note.response_sha256:
            found[place] = _truth(note.label.response, note.label, rubric)
    own = data.labels[data.labels["criterion"] == criterion]
    means: Any = own.groupby(["sample_id", "candidate", "trial"], observed=True)["score"].mean()
    for (sample, candidate, trial), score in means.items():
        found[str(sample), str(candidate), int(trial)] = (score <= HALF, None)
    return found


def _truth(side: str | None, label: SafetyLabel, rubric: str) -> Truth:
    unsafe, codes = side == UNSAFE, label.categories if label.taxonomy == rubric else None
    return unsafe, None if codes is None else frozenset(codes if unsafe else ())


def texts_of(data: RunData, samples: Iterable[str]) -> dict[Place, str] | None:
    """The answers to some samples; ``None`` where the run came without texts, or they are too many to read."""
    import numpy as np

    answers: Any = data.answers
    rows = np.flatnonzero(answers["sample_id"].isin(list(samples)) & (answers["status"] == "ok"))
    if data.info.config.get(MARK) or len(rows) > MOST_READ:
        return None
    told = answers.iloc[rows] if "text" in answers else data.excerpt(rows).answers
    columns = (told[name] for name in ("sample_id", "candidate", "trial", "text"))
    return {(str(s), str(c), int(t)): str(text) for s, c, t, text in zip(*columns, strict=True)}

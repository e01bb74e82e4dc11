"""Feedback in the workspace: bound to texts by their hashes, of one user the last word on an answer."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from ..feedback import Feedback, FeedbackFile
from ..feedback_matching import Answers, Matched, Pins, Place, Shown, match
from ..labels import text_sha256
from .codec import Row, answer_sha256_of_row
from .metadata import sample_metadata
from .runs import Run
from .schema import answers, feedback
from .store import Store, select_in
from .wanted import Wanted

_CHUNK = 20_000
Key = tuple[str, str, str, str]
"""Sample, candidate, hash of the answer, user."""


@dataclass(frozen=True, slots=True)
class Put:
    """What came of importing a file: ``matched``, of which ``added`` words are new, ``replaced`` an earlier word of the
    same user, and the others were there or are followed by a later word."""

    matched: Matched
    added: int
    replaced: int


def put_feedback(store: Store, run: Run, file: FeedbackFile) -> Put:
    """Bind the words of ``file`` to the run's answers and keep them. The same file twice is as once."""
    shown = list(_shown(store, run))
    kept = _of_samples(store, [one.place[0] for one in shown])
    matched = match(file.rows, Answers(shown, sample_metadata(store, run)), _pins(store, run))
    silent = {one.place for one in shown if one.text is None}
    wanted: dict[Key, Feedback] = {}
    for one in matched.bound:
        if _later(one, wanted.get(_key(one))):
            wanted[_key(one)] = one
    changed = [one for key, one in wanted.items() if _says_more(one, kept.get(key), silent)]
    for start in range(0, len(changed), _CHUNK):
        store.put({"feedback": [_row(run.id, one) for one in changed[start : start + _CHUNK]]})
    added = sum(_key(one) not in kept for one in changed)
    return Put(matched, added, len(changed) - added)


def feedback_of(store: Store, run: Run) -> tuple[Feedback, ...]:
    """The words that hold for answers of the run, in their order, then by user; ``trial`` is that of the answer.

    Of several trials with one text it is the one that was shown, else the first.
    """
    by_text: dict[tuple[str, str, str], list[int]] = {}
    order: dict[Place, int] = {}
    for one in _shown(store, run):
        sample, candidate, trial = one.place
        order[one.place] = len(order)
        if one.sha256:
            by_text.setdefault((sample, candidate, one.sha256), []).append(trial)
    found = []
    for word in _of_samples(store, list(dict.fromkeys(sample for sample, _, _ in by_text))).values():
        trials = by_text.get((word.sample_id, word.candidate, word.answer_sha256))
        if trials:
            found.append(replace(word, trial=word.trial if word.trial in trials else trials[0]))
    return tuple(sorted(found, key=lambda one: (order[one.sample_id, one.candidate, one.trial], one.user)))


def _shown(store: Store, run: Run) -> Iterator[Shown]:
    wanted, a = Wanted.of(run), answers.c
    query = sa.select(a.sample_id, a.candidate, a.trial, a.status, a.text, a.turns, a.detail)
    with store.reading() as connection:
        rows = connection.execution_options(yield_per=1000).execute(
            query.where(a.run == run.id).order_by(a.sample_id, a.candidate, a.trial)
        )
        for row in rows.mappings():
            if wanted.answer(row):
                place = (row["sample_id"], row["candidate"], row["trial"])
                yield Shown(place, *_texts(row)) if row["status"] == "ok" else Shown(place, "", "", None)


def _texts(row: Mapping[Any, Any]) -> tuple[str, str, str | None]:
    """What feedback is bound to, what a file can know of it, and the text itself."""
    sha256, text = answer_sha256_of_row(row), row["text"]
    return sha256, sha256 if text is None else text_sha256(text), text


def _of_samples(store: Store, samples: Sequence[str]) -> dict[Key, Feedback]:
    """All that was said of answers to these samples."""
    with store.reading() as connection:
        if connection.execute(sa.select(feedback.c.run).limit(1)).first() is None:
            return {}
        rows = select_in(connection, sa.select(feedback), feedback.c.sample_id, list(dict.fromkeys(samples)))
        return {_key(one): one for one in map(_read, rows)}


def _pins(store: Store, run: Run) -> Pins:
    """What was said of answers of this very run: another run may have given another text at the same place."""
    with store.reading() as connection:
        said = map(_read, connection.execute(sa.select(feedback).where(feedback.c.run == run.id)).mappings())
        return {((one.sample_id, one.candidate, one.trial), one.user, one.at): one.answer_sha256 for one in said}


def _key(one: Feedback) -> Key:
    return one.sample_id, one.candidate, one.answer_sha256, one.user


def _time(one: Feedback) -> float:
    return -math.inf if one.at is None else one.at


def _later(one: Feedback, other: Feedback | None) -> bool:
    """Whether a word takes the place of the ``other``: of two of one time the one that was read last."""
    return other is None or _time(one) >= _time(other)


def _says_more(one: Feedback, kept: Feedback | None, silent: set[Place]) -> bool:
    """Whether a word is to be written: not where it is there already, nor where a later one is."""
    if kept is None or not _later(one, kept):
        return kept is None
    same = (one.at, one.accepted) == (kept.at, kept.accepted)
    purged = (one.sample_id, one.candidate, one.trial) in silent
    return not (same and (purged or one.edit == kept.edit))


def _row(run: str, one: Feedback) -> Row:
    return {
        "sample_id": one.sample_id,
        "candidate": one.candidate,
        "answer_sha256": one.answer_sha256,
        "user": one.user,
        "run": run,
        "trial": one.trial,
        "accepted": int(one.accepted),
        "edit": one.edit,
        "edit_share": one.edit_share,
        "at": one.at,
    }


def _read(row: Mapping[Any, Any]) -> Feedback:
    return Feedback(
        row["sample_id"],
        row["candidate"],
        row["trial"],
        row["answer_sha256"],
        row["user"],
        bool(row["accepted"]),
        row["edit"],
        row["edit_share"],
        row["at"],
    )

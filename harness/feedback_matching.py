"""Which answer of a run each row of feedback is about: it holds for the text that was shown, and for no other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from .edits import edit_share
from .feedback import IDS, Feedback, FeedbackRow

Reason = Literal["unknown", "unknown_candidate", "ambiguous", "not_answered", "changed", "purged"]
WORDS: Mapping[Reason, str] = {
    "unknown": "the run has no answer with this id",
    "unknown_candidate": "the candidate did not answer there",
    "ambiguous": "several answers have this id; name candidate, trial or span_id, too",
    "not_answered": "the run has no text there",
    "changed": "the answer is another text than the one that was shown",
    "purged": "the answer's words were purged, so that nothing tells what the edit changed",
}
Place = tuple[str, str, int]
"""Sample, candidate, trial."""
Pins = Mapping[tuple[Place, str, float | None], str]
"""Hashes that words were bound to before, by place, user and time."""


@dataclass(frozen=True, slots=True)
class Shown:
    """An answer of a run. ``sha256`` is what feedback is bound to, ``text_sha256`` what a file can know of it; both are
    '' for an answer that failed. ``text`` is ``None`` for one whose words are gone."""

    place: Place
    sha256: str
    text_sha256: str
    text: str | None


@dataclass(slots=True)
class Matched:
    """What came of a file: the rows that hold, and the others by reason; ``first`` is the line of the first of each."""

    bound: list[Feedback] = field(default_factory=list)
    unmatched: Counter[Reason] = field(default_factory=Counter)
    first: dict[Reason, int] = field(default_factory=dict)


class Answers:
    """The answers of a run by all the ids that they have: their samples' own, and those in the samples' metadata."""

    def __init__(self, shown: Iterable[Shown], metadata: Mapping[str, Mapping[str, Any]]) -> None:
        self._of_sample: dict[str, list[Shown]] = {}
        for one in shown:
            self._of_sample.setdefault(one.place[0], []).append(one)
        self._samples: dict[tuple[str, str], set[str]] = {}
        for sample, values in metadata.items():
            for name in IDS:
                if (value := values.get(name)) not in (None, ""):
                    self._samples.setdefault((name, str(value)), set()).add(sample)

    def named(self, ids: Mapping[str, str]) -> list[Shown]:
        """Those that every id which is known at all is of."""
        known = [found for name, value in ids.items() if (found := self._named(name, value))]
        samples = sorted(set.intersection(*known)) if known else []
        return [one for sample in samples for one in self._of_sample.get(sample, ())]

    def _named(self, name: str, value: str) -> set[str]:
        found = set() if name == "sample_id" else self._samples.get((name, value), set())
        return found or ({value} if value in self._of_sample else set())


def match(rows: Sequence[FeedbackRow], answers: Answers, pins: Pins) -> Matched:
    """Find the answer of every row.

    A word that was bound once is of that text for good, whatever stands at its place by now.
    """
    found = Matched()
    for row in rows:
        reason, shown = _meant(row, answers)
        if reason is None and shown is not None:
            pin = pins.get((shown.place, row.user, row.at), shown.sha256)
            reason = "changed" if pin != shown.sha256 and not row.answer_sha256 else _unread(row, shown)
        if reason is None and shown is not None:
            found.bound.append(_bound(row, shown))
        elif reason is not None:
            found.unmatched[reason] += 1
            found.first.setdefault(reason, row.line)
    return found


def _meant(row: FeedbackRow, answers: Answers) -> tuple[Reason | None, Shown | None]:
    named = answers.named(row.ids)
    if not named:
        return "unknown", None
    alike = [one for one in named if row.candidate in ("", one.place[1])]
    if not alike:
        return "unknown_candidate", None
    if row.trial is not None:
        alike = [one for one in alike if one.place[2] == row.trial]
    given = [one for one in alike if one.sha256]  # who did not answer there was not shown
    if not given:
        return "not_answered", None
    if row.answer_sha256:
        given = [one for one in given if one.text_sha256 == row.answer_sha256]
        if not given:
            return "changed", None
    places = given if not row.answer_sha256 else {one.place[:2] for one in given}
    return (None, given[0]) if len(places) == 1 else ("ambiguous", None)


def _unread(row: FeedbackRow, shown: Shown) -> Reason | None:
    return "purged" if row.accepted is None and shown.text is None else None


def _bound(row: FeedbackRow, shown: Shown) -> Feedback:
    """An edit of an answer whose words were purged is not kept: it would bring them back."""
    edit = None if shown.text is None else row.edit
    share = None if edit is None or shown.text is None else edit_share(shown.text, edit)
    accepted = row.accepted if row.accepted is not None else share == 0.0
    return Feedback(*shown.place, shown.sha256, row.user, accepted, edit, share, row.at)

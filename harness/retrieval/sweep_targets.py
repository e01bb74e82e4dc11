"""What a question needs: relevant documents, and passages marked in them; which of these a chunk brings.

A sample names its documents in ``relevant`` (document → grade). It may mark passages, in a column ``passages`` (or
``metadata.passages``): a list of ``{document, start, end}`` in characters of the document, or ``{document, quote}``.
Where the sample's own ``context`` was copied from the documents, its passages can be the marks (`from_context`).
Marked passages stand in for their document; a relevant document without any counts as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..errors import DataError
from ..records import Sample

Span = tuple[int, int]
_FEW = 3


@dataclass(frozen=True, slots=True)
class Targets:
    """What one question needs. ``grades`` holds each target by its key; ``passages`` the spans of marked documents."""

    question: str
    grades: Mapping[str, int]
    passages: Mapping[str, Mapping[str, Span]] = field(default_factory=dict)
    """Document -> target key -> where the passage stands."""

    def brought_by(self, document: str, start: int, end: int) -> tuple[str, ...]:
        """Keys of the targets that a chunk of ``document`` from ``start`` to ``end`` brings.

        A whole document is brought by any of its chunks; a passage by a chunk that shares at least half of the
        shorter of the two, so that a fringe cut off by the chunker does not count.
        """
        marked = self.passages.get(document)
        if marked is None:
            return (document,) if self.grades.get(document, 0) > 0 else ()
        return tuple(key for key, span in marked.items() if _shared(span, (start, end)))


@dataclass(frozen=True, slots=True)
class TargetSet:
    """The questions that name something relevant, those that name nothing, and what is odd, in words."""

    targets: Mapping[str, Targets]
    no_answer: tuple[str, ...]
    notes: tuple[str, ...]
    has_passages: bool


def from_context(sample: Sample, documents: Mapping[str, str]) -> Sample:
    """The sample with its ``context`` as marked passages, each of the relevant document that holds it word for word.

    Of several the one with the highest grade; a passage that none holds counts as not found. Marks that the sample has
    itself stay as they are.
    """
    relevant = sorted((d for d, grade in sample.relevant.items() if grade > 0), key=lambda d: -sample.relevant[d])
    if not relevant or not sample.context or sample.metadata.get("passages"):
        return sample
    marks = []
    for quote in sample.context:
        holds = (d for d in relevant if any(_spans({"quote": quote}, documents.get(d, ""))))
        marks.append({"document": next(holds, relevant[0]), "quote": quote})
    return replace(sample, metadata={**sample.metadata, "passages": marks})


def targets_of(samples: Sequence[Sample], documents: Mapping[str, str], corpus: str) -> TargetSet:
    """Targets of every sample; ``documents`` is id -> text.

    Relevance for a document that the corpus lacks stays in the denominators, since nobody can find it, and is counted
    in the notes. Raises DataError where no sample names a relevant document, or none of them is in the corpus.
    """
    found: dict[str, Targets] = {}
    unknown: dict[str, str] = {}
    unplaced: list[str] = []
    for sample in samples:
        targets = _targets(sample, documents, unplaced)
        unknown.update({name: sample.id for name in _named(sample) if name not in documents})
        if targets.grades:
            found[sample.id] = targets
    no_answer = tuple(sample.id for sample in samples if sample.id not in found)
    _check(found, unknown, documents, corpus)
    notes = [*_unknown_note(unknown, corpus), *_unplaced_note(unplaced)]
    if no_answer:
        notes.append(f"{len(no_answer)} questions name nothing relevant ({_few(no_answer)}): kept out of the means")
    return TargetSet(found, no_answer, tuple(notes), any(t.passages for t in found.values()))


def _targets(sample: Sample, documents: Mapping[str, str], unplaced: list[str]) -> Targets:
    passages: dict[str, dict[str, Span]] = {}
    grades: dict[str, int] = {}
    for position, mark in enumerate(_marks(sample)):
        document, grade = str(mark["document"]), int(mark.get("grade", 0))
        grade = grade or sample.relevant.get(document, 1) or 1
        key = f"{document}#{position + 1}"
        spans = list(_spans(mark, documents.get(document, "")))
        if not spans and document in documents:
            unplaced.append(f"{sample.id}: passage {position + 1}")
        passages.setdefault(document, {})[key] = spans[0] if spans else (0, 0)
        grades[key] = grade
    grades |= {name: grade for name, grade in sample.relevant.items() if grade > 0 and name not in passages}
    return Targets(sample.id, grades, passages)


def _marks(sample: Sample) -> Iterator[Mapping[str, Any]]:
    marks = sample.metadata.get("passages") or ()
    if not isinstance(marks, list | tuple):
        raise DataError(f"sample {sample.id!r} passages: {marks!r} is not a list; {_FORM}")
    for position, mark in enumerate(marks):
        ok = isinstance(mark, Mapping) and "document" in mark
        if not ok or not ("quote" in mark or {"start", "end"} <= set(mark)) or not _whole(mark):
            raise DataError(f"sample {sample.id!r} passages[{position}]: {mark!r} marks nothing; {_FORM}")
        yield mark


_FORM = "write {document: id, start: 0, end: 120} in characters, or {document: id, quote: its words}"


def _whole(mark: Mapping[str, Any]) -> bool:
    numbers = [mark[name] for name in ("start", "end", "grade") if name in mark]
    whole = all(isinstance(n, int) and not isinstance(n, bool) and n >= 0 for n in numbers)
    return whole and ("quote" in mark or mark["start"] < mark["end"])


def _spans(mark: Mapping[str, Any], text: str) -> Iterator[Span]:
    """Where the passage stands in ``text``; a quote is looked for whatever its white space."""
    if "quote" not in mark:
        if mark["end"] <= len(text):
            yield mark["start"], mark["end"]
        return
    words = str(mark["quote"]).split()
    if words and (match := re.search(r"\s+".join(map(re.escape, words)), text)):
        yield match.span()


def _named(sample: Sample) -> Iterator[str]:
    yield from sample.relevant
    yield from (str(mark["document"]) for mark in _marks(sample))


def _shared(a: Span, b: Span) -> bool:
    shared = min(a[1], b[1]) - max(a[0], b[0])
    shorter = min(a[1] - a[0], b[1] - b[0])
    return shared > 0 and 2 * shared >= shorter


def _check(found: Mapping[str, Targets], unknown: Mapping[str, str], documents: Mapping[str, str], corpus: str) -> None:
    if not found:
        raise DataError(
            "no sample names a relevant document: give samples `relevant: {document: grade}` (or a list of documents)"
        )
    if not any(key in documents or _document(key, t) in documents for t in found.values() for key in t.grades):
        raise DataError(
            f"none of the documents that samples call relevant ({_few(unknown)}) is in the corpus {corpus}, whose "
            f"documents are {_few(documents)}: the ids must be the same"
        )


def _document(key: str, targets: Targets) -> str:
    return next((document for document, marked in targets.passages.items() if key in marked), key)


def _unknown_note(unknown: Mapping[str, str], corpus: str) -> Iterator[str]:
    if unknown:
        named = ", ".join(f"{name!r} (sample {sample!r})" for name, sample in list(unknown.items())[:_FEW])
        more = ", …" if len(unknown) > _FEW else ""
        yield (
            f"{len(unknown)} documents that samples judge are not in the corpus {corpus}: {named}{more}; where "
            "relevant, they count as not found"
        )


def _unplaced_note(unplaced: Sequence[str]) -> Iterator[str]:
    if unplaced:
        yield f"{len(unplaced)} marked passages are not in their document ({_few(unplaced)}): they count as not found"


def _few(names: Iterable[str]) -> str:
    all_names = list(names)
    return ", ".join(all_names[:_FEW]) + (", …" if len(all_names) > _FEW else "")

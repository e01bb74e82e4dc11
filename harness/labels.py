"""Label files in: people's scores of answers, a row for each answer, criterion and annotator."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .data_rows import Row, iter_rows, short
from .data_samples import Wrong, identifier
from .errors import DataError
from .spreadsheets import original

COLUMNS = ("sample_id", "candidate", "criterion", "score", "annotator")
"""What a row must have. ``trial`` (default 0), ``answer`` and ``stratum`` are optional, others are left alone."""
_MOST_PROBLEMS = 20


@dataclass(slots=True)
class LabelFile:
    """The labels of a file, column by column (n each), in the order of its rows; rows without a score are ``gaps``.

    ``answers`` are the hashes of `text_sha256` where the file says which text was labelled, else ''.
    """

    path: Path
    lines: list[int] = field(default_factory=list)
    samples: list[str] = field(default_factory=list)
    candidates: list[str] = field(default_factory=list)
    trials: list[int] = field(default_factory=list)
    criteria: list[str] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    annotators: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    strata: list[str] = field(default_factory=list)
    gaps: int = 0

    def __len__(self) -> int:
        return len(self.lines)


def read_labels(path: Path, annotators: Collection[str] = ()) -> LabelFile:
    """Read labels (CSV, JSONL or any other table), of these ``annotators`` only where some are named.

    Ids are text. An empty score is a gap. Raises DataError with up to 20 problems, each with ``file:line``: a missing
    column, a score that is no number, an answer that one annotator scored twice.
    """
    reader = _Reader(path, frozenset(annotators))
    for row in iter_rows(path):
        try:
            reader.take(row)
        except Wrong as error:
            reader.problems.append(f"{path}:{row.line} {error.column}: {error}")
    if reader.problems:
        rest = len(reader.problems) - _MOST_PROBLEMS
        more = [f"… and {rest} more"] if rest > 0 else []
        raise DataError("\n".join([*reader.problems[:_MOST_PROBLEMS], *more]))
    _check_annotators(path, annotators, reader.seen)
    return reader.file


def text_sha256(text: str) -> str:
    """Hash of an answer's text as a label file may give it: programs that save tables change the ends of lines."""
    return hashlib.sha256(text.replace("\r\n", "\n").encode("utf-8", "surrogatepass")).hexdigest()


def example_key(text: str) -> str:
    """A text of a worked example, whatever its white space; '' for one without words."""
    words = " ".join(text.split())
    return hashlib.sha256(words.encode("utf-8", "surrogatepass")).hexdigest()[:16] if words else ""


def design_problem(design: str, shares: Mapping[str, float]) -> str:
    """What is wrong with the strata's ``shares`` for this ``design``; '' where nothing is."""
    if design != "stratified":
        return "has a meaning for design: stratified only; remove it" if shares else ""
    total = sum(shares.values())
    if not shares or abs(total - 1) > 1e-6 or min(shares.values()) <= 0:
        said = ", ".join(f"{name}: {share:g}" for name, share in shares.items()) or "nothing"
        return (
            f"{{{said}}} is not how large each stratum is: write its share of all answers, "
            f"like {{easy: 0.7, hard: 0.3}}; they must be above 0 and sum to 1"
        )
    return ""


def check_strata(file: LabelFile, shares: Mapping[str, float]) -> None:
    """Raises DataError for a row whose stratum has no share, where the labels are stratified."""
    for line, stratum in zip(file.lines, file.strata, strict=True):
        if shares and stratum not in shares:
            raise DataError(
                f"{file.path}:{line} stratum: {stratum!r} is none of the strata that have a share "
                f"({', '.join(shares)}); correct it, or give it one"
            )


class _Reader:
    """Takes rows one by one, so that a large file is never held as rows."""

    def __init__(self, path: Path, annotators: frozenset[str]) -> None:
        self.file = LabelFile(path)
        self.problems: list[str] = []
        self.seen: Counter[str] = Counter()
        self._wanted = annotators
        self._texts: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._scores: dict[str, float | None] = {}
        self._first: dict[tuple[str, str, int, str, str, str], int] = {}

    def take(self, row: Row) -> None:
        """Add one row. Raises Wrong."""
        data = row.data
        for name in COLUMNS:
            if name not in data:
                found = ", ".join(data)[:200]
                raise Wrong(name, f"is missing; a label needs {', '.join(COLUMNS)}, and this row has {found}")
        annotator = self._named(data, "annotator")
        self.seen[annotator] += 1
        if self._wanted and annotator not in self._wanted:
            return
        place = (self._named(data, "sample_id"), self._named(data, "candidate"), trial_of(data.get("trial")) or 0)
        criterion, score = self._named(data, "criterion"), self._score(data["score"])
        if score is None:
            self.file.gaps += 1
            return
        answer = hash_of_answer(data.get("answer"))
        key = (*place, criterion, annotator, answer)
        if (line := self._first.setdefault(key, row.line)) != row.line:
            raise Wrong(
                "score",
                f"{annotator!r} scored {criterion} of this answer in line {line} already; keep one of the two, or "
                "give another draw of the answer a trial of its own",
            )
        self._add(row.line, place, criterion, score, annotator, answer, self._text(data.get("stratum")))

    def _add(self, line: int, place: tuple[str, str, int], criterion: str, score: float, *texts: str) -> None:
        file = self.file
        annotator, answer, stratum = texts
        file.lines.append(line)
        file.samples.append(place[0])
        file.candidates.append(place[1])
        file.trials.append(place[2])
        file.criteria.append(criterion)
        file.scores.append(score)
        file.annotators.append(annotator)
        file.answers.append(answer)
        file.strata.append(stratum)

    def _named(self, data: Mapping[str, Any], column: str) -> str:
        value = data[column]
        # The same few cells over and over: each is read once.
        if type(value) is str and (known := self._names.get(value)):
            return known
        text = original(value.strip()) if type(value) is str else identifier(value)
        if not text:
            raise Wrong(column, "is empty; say whose label of what this is")
        name = self._text(text)
        if type(value) is str:
            self._names[value] = name
        return name

    def _score(self, value: Any) -> float | None:
        if type(value) is not str:
            return _score(value)
        if value not in self._scores:
            self._scores[value] = _score(value)
        return self._scores[value]

    def _text(self, value: Any) -> str:
        text = "" if value is None else str(value).strip()
        return self._texts.setdefault(text, text)


def trial_of(value: Any) -> int | None:
    """Which draw of an answer is meant; None where none is named. Raises Wrong."""
    if value is None or value == "":
        return None
    try:
        number = -1.0 if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        number = -1.0
    if number < 0 or not number.is_integer():
        raise Wrong("trial", f"{short(value)} is no draw of an answer; write 0, 1, … or leave it empty")
    return int(number)


def _score(value: Any) -> float | None:
    if value is None or (type(value) is str and not value.strip()):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if isinstance(value, bool) or not math.isfinite(number):
        raise Wrong("score", f"{short(value)} is not a number; write one, or leave the cell empty for a gap")
    return number


def hash_of_answer(value: Any) -> str:
    """The hash of an answer's text in a cell, '' where there is none. Raises Wrong."""
    if value is None or value == "":
        return ""
    if not isinstance(value, str):
        raise Wrong("answer", f"{short(value)} is not the text of an answer")
    return text_sha256(original(value))


def _check_annotators(path: Path, wanted: Collection[str], seen: Mapping[str, int]) -> None:
    unknown = [name for name in wanted if name not in seen]
    if unknown:
        raise DataError(f"{path}: holds no label of {unknown[0]!r}; its annotators are {', '.join(sorted(seen))}")

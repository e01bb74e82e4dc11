"""Measures on words: exact match, containment, token F1, a pattern, refusal. All in [0, 1]."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from ..records import Said, Sample
from ..text import is_refusal, normalise, words

Value = tuple[float | None, str]
NO_REFERENCE: Value = (None, "the sample has no reference")
_SEARCHED = 100_000


@dataclass(frozen=True, slots=True)
class ExactMatch:
    """1 where answer and reference are equal after SQuAD's normalisation (Rajpurkar et al. 2016), else 0."""

    def __str__(self) -> str:
        return "exact_match"

    @property
    def version(self) -> str:
        """'': ours."""
        return ""

    def score(self, sample: Sample, answer: Said) -> Value:
        """See the class; no value without a reference."""
        if sample.reference is None:
            return NO_REFERENCE
        return float(_comparable(answer.text) == _comparable(sample.reference)), ""


@dataclass(frozen=True, slots=True)
class Contains:
    """1 where the words of the reference, normalised as in `exact_match`, occur in the answer in a row, else 0."""

    def __str__(self) -> str:
        return "contains"

    @property
    def version(self) -> str:
        """'': ours."""
        return ""

    def score(self, sample: Sample, answer: Said) -> Value:
        """See the class; no value without a reference, or with one without words."""
        if sample.reference is None:
            return NO_REFERENCE
        wanted = normalise(sample.reference)
        if not wanted:
            return None, f"the reference {sample.reference!r} holds no word to look for"
        return float(f" {wanted} " in f" {normalise(answer.text)} "), ""


@dataclass(frozen=True, slots=True)
class TokenF1:
    """Harmonic mean of precision and recall of the answer's words (with multiplicity) against the reference's, as in
    SQuAD's evaluation (Rajpurkar et al. 2016, section 6.1); where either has no word, 1 if both have none, else 0."""

    def __str__(self) -> str:
        return "token_f1"

    @property
    def version(self) -> str:
        """'': ours."""
        return ""

    def score(self, sample: Sample, answer: Said) -> Value:
        """See the class; no value without a reference."""
        if sample.reference is None:
            return NO_REFERENCE
        said, wanted = words(answer.text), words(sample.reference)
        if not said or not wanted:
            return float(said == wanted), ""
        shared = (Counter(said) & Counter(wanted)).total()
        return 2 * shared / (len(said) + len(wanted)), ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """1 where the answer declines to answer, by the rules of `harness.text.is_refusal` (English), else 0."""

    def __str__(self) -> str:
        return "refusal"

    @property
    def version(self) -> str:
        """'': ours."""
        return ""

    def score(self, sample: Sample, answer: Said) -> Value:
        """See the class; needs no reference."""
        return float(is_refusal(answer.text)), ""


@dataclass(frozen=True, slots=True)
class Regex:
    """1 where ``pattern`` (Python's `re`, searched anywhere; flags as in ``(?i)``) occurs in the answer, else 0.

    The first 100,000 characters of an answer are searched. Python's engine backtracks and cannot be stopped: a pattern
    with nested repeats like ``(a+)+$`` can take forever on a hostile answer; anchor it, or repeat possessively
    (``a++``). Raises ValueError for a pattern that does not compile.
    """

    pattern: str
    _compiled: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        try:
            compiled = re.compile(self.pattern)
        except (re.error, OverflowError, RecursionError) as error:
            raise ValueError(f"{self.pattern!r} is not a regular expression: {error}") from None
        object.__setattr__(self, "_compiled", compiled)

    def __str__(self) -> str:
        return f"regex({quoted(self.pattern)})"

    @property
    def version(self) -> str:
        """'': the pattern is in the name."""
        return ""

    def score(self, sample: Sample, answer: Said) -> Value:
        """See the class; needs no reference."""
        return float(self._compiled.search(answer.text, 0, _SEARCHED) is not None), ""


def quoted(text: str) -> str:
    """``text`` as it stands in a measure's name: raw in single quotes, each of its own single quotes doubled."""
    return "'" + text.replace("'", "''") + "'"


def _comparable(text: str) -> str:
    """Normalised, or as it stands where nothing would remain (`The`, `!`)."""
    return normalise(text) or text.strip().lower()

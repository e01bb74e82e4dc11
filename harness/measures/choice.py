"""Which choice an answer settles on, and whether it is the reference's letter."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..records import Said, Sample

_LETTER = r"(?:[(\[{]\s*(?P<marked>[A-Ja-j])\s*[)\]}]|(?P<bare>[A-J])(?![\w'’]|\.\w))"
_STATEMENTS = (
    re.compile(
        r"\b(?i:answer|solution|(?:correct|right|best|final|my)\s+(?:option|choice|one))\b(?i:\s+(?:choice|option|letter))?"
        r"(?i:\s*(?:is|was|would be|should be|must be|has to be|will be))?\s*[:=→]?\s*(?i:(?:option|choice|letter)\s+)?"
        + _LETTER
    ),
    re.compile(
        r"\b(?i:choose|chose|pick|picked|select|selected|go with|going with)\s+(?i:(?:option|choice|letter|answer)\s+)?"
        + _LETTER
    ),
    re.compile(_LETTER + r"\s+(?i:is\s+(?:the\s+)?(?:only\s+)?(?:correct|right|best)\b)"),
)
_EMPHASISED = re.compile(r"(\*\*|__|`)\s*\(?([A-J])\)?\s*[.):]?\s*\1")
_MARKUP = re.compile(r"\*\*|__|`|\\boxed|\\text(?:bf|rm)?|\\[()]|\$")
_ALONE = re.compile(r"[(\[{]*\s*([A-Ja-j])\s*[)\]}]*\s*[.):,;!]*")
_LEADING = re.compile(r"^\s*(?:[-*•]\s+)?[(\[{]?\s*([A-Ja-j])\s*[)\]}.:]+(?:\s|$)", re.MULTILINE)
_MARKED = re.compile(r"(?<!\w)[(\[{]\s*([A-J])\s*[)\]}]")
_BARE = re.compile(r"(?<![\w'’.&/-])([A-J])(?=\s*(?:[.,;:!)]|$)(?!\.\w))|^([B-HJ])(?=\s)")
_PROSE = re.compile(r"\s+([a-z]+)")
_OR_ANOTHER = re.compile(r"\s*(?:or|and|/|&|,)\s*[(\[]?[A-J](?![\w'’])")
_AFTER_A_CHOICE = frozenset(
    "because since as and or due which for based given here with from in by if when but is was so not while at "
    "according that per therefore thus hence".split()
)


@dataclass(frozen=True, slots=True)
class MultipleChoice:
    """1 where the answer's last stated choice is the reference's letter (A to J), else 0; see `stated_choice`."""

    def __str__(self) -> str:
        return "multiple_choice"

    @property
    def version(self) -> str:
        """'': ours."""
        return ""

    def score(self, sample: Sample, answer: Said) -> tuple[float | None, str]:
        """No value where the reference is missing or no letter (`B`, `(B)`, `B.`, `B) Paris`)."""
        if sample.reference is None:
            return None, "the sample has no reference"
        wanted = _reference_letter(sample.reference)
        if wanted is None:
            return None, f"the reference {sample.reference[:60]!r} is no letter from A to J"
        chosen = stated_choice(answer.text)
        if chosen is None:
            return 0.0, "the answer states no choice"
        return float(chosen == wanted), "" if chosen == wanted else f"chose {chosen}"


def stated_choice(text: str) -> str | None:
    """The letter (A to J) that an answer settles on, or ``None``.

    The first of these rules that finds something decides, by its last match: the answer, or its last line, is nothing
    but a letter; a statement ("the answer is (B)", "Answer: B", "I choose B", "B is correct"), unless it names two;
    letters that begin lines ("B.", "b) Paris"), unless they differ, as in a repeated list of options; a letter in
    brackets or bold; a bare capital that ends a clause or begins the answer. The article in "A dog" and the pronoun in
    "I think" are no choices.

    >>> stated_choice("A dog is a mammal, so the answer is **B**.")
    'B'
    """
    # Single spaces and no empty lines: the patterns are then linear in the length of a hostile answer.
    tidy = "\n".join(" ".join(line.split()) for line in text.splitlines() if line.strip())
    bare = _MARKUP.sub("", _EMPHASISED.sub(r"(\2)", tidy)).strip()
    last_line = bare.rpartition("\n")[2].strip()
    if alone := _ALONE.fullmatch(bare) or _ALONE.fullmatch(last_line):
        return alone[1].upper()
    if stated := _statements(bare):
        return max(stated)[1].upper() or None
    if leading := {letter.upper() for letter in _LEADING.findall(bare)}:
        return leading.pop() if len(leading) == 1 else None
    found = _MARKED.findall(bare) or [first or second for first, second in _BARE.findall(bare)]
    return found[-1] if found else None


def _statements(text: str) -> list[tuple[int, str]]:
    """(position, letter) of every statement, '' for one that names two; a bare A or I before a prose word is none."""
    found = []
    for pattern in _STATEMENTS:
        for match in pattern.finditer(text):
            bare = match["bare"]
            following = _PROSE.match(text, match.end("bare")) if bare in ("A", "I") else None
            if following is None or following[1] in _AFTER_A_CHOICE:
                found.append((match.start(), "" if _OR_ANOTHER.match(text, match.end()) else bare or match["marked"]))
    return found


def _reference_letter(reference: str) -> str | None:
    text = _MARKUP.sub("", reference).strip()
    match = _ALONE.fullmatch(text) or re.match(r"[(\[]?([A-Ja-j])[)\].:](?:\s|$)", text)
    return match[1].upper() if match else None

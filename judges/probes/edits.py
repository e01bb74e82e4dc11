"""Edits of an answer that is right: some make it wrong, some leave its meaning as it was. Deterministic by a `Random`.

An edit returns ``None`` where the text holds nothing for it. What it returns always differs from the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from random import Random

from ...harness.text import sentences

Edit = Callable[[str, Random], str | None]

_NUMBER = re.compile(r"(?<![\w.,])[0-9]+(?:[.,][0-9]+)*(?![\w])")
_AUXILIARY = re.compile(
    r"\b(is|are|was|were|can|could|does|do|did|has|have|will|would|should|must|may|might)\b( not\b)?"
)
_CANNOT = re.compile(r"\bcannot\b")
_ENTITY = re.compile(r"\b(?:[A-Z][a-z]*[A-Z0-9][A-Za-z0-9]*|[A-Z][a-z]{2,}|[a-z]+[A-Z]+[A-Za-z]*)\b")
SYNONYMS: Mapping[str, str] = {
    "for example": "for instance",
    "because": "since",
    "whereas": "while",
    "therefore": "thus",
    "hence": "thus",
    "uses": "employs",
    "used": "employed",
    "needs": "requires",
    "shows": "displays",
    "gives": "yields",
    "give": "yield",
    "begins": "starts",
    "begin": "start",
    "entire": "whole",
    "only": "solely",
    "large": "big",
    "wrong": "incorrect",
    "usually": "commonly",
    "instead of": "rather than",
    "at least": "no less than",
    "at most": "no more than",
    "such as": "like",
    "exactly": "precisely",
    "however": "nevertheless",
}
"""Words and what may stand for them in any plain sentence: none that is a noun as well as a verb."""
_SYNONYM = re.compile(rf"\b(?:{'|'.join(sorted(SYNONYMS, key=len, reverse=True))})\b")


def wrong_number(text: str, draw: Random) -> str | None:
    """One number with another first digit: 0.57 becomes 0.17, 12 becomes 62."""
    return _other_digit(text, draw, first=True)


def near_number(text: str, draw: Random) -> str | None:
    """One number with another last digit: 0.57 becomes 0.58."""
    return _other_digit(text, draw, first=False)


def _other_digit(text: str, draw: Random, *, first: bool) -> str | None:
    found = list(_NUMBER.finditer(text))
    if not found:
        return None
    match = draw.choice(found)
    number = match[0]
    places = [k for k, c in enumerate(number) if c.isdigit()]
    significant = [k for k in places if number[k] != "0"] or places[-1:]
    at = significant[0] if first else places[-1]
    digit = int(number[at])
    other = (digit + 4) % 9 + 1 if first else (digit + 1) % 10
    changed = number[:at] + str(other) + number[at + 1 :]
    return text[: match.start()] + changed + text[match.end() :]


def negation(text: str, draw: Random) -> str | None:
    """One statement turned round: a `not` added after a verb or taken away from it."""
    found = [*_AUXILIARY.finditer(text), *_CANNOT.finditer(text)]
    if not found:
        return None
    match = draw.choice(found)
    if match[0] == "cannot":
        turned = "can"
    elif match[2]:
        turned = match[1]
    else:
        turned = f"{match[1]} not"
    return text[: match.start()] + turned + text[match.end() :]


def entities(text: str) -> set[str]:
    """Names and terms with a capital, as far as they are not merely the first word of a sentence."""
    first = {match[0] for sentence in sentences(text) if (match := re.match(r"\W*\w+", sentence))}
    opening = {re.sub(r"\W", "", word) for word in first}
    found = {match[0] for match in _ENTITY.finditer(text)}
    return {name for name in found if name not in opening or not (name.istitle() and name.isalpha())}


def swapped_entity(pool: Collection[str], own: str) -> Edit:
    """An edit that puts a name of ``pool`` in the place of one of the text's; never one that stands in ``own``."""
    foreign = sorted(name for name in pool if name not in own)

    def edit(text: str, draw: Random) -> str | None:
        mine = sorted(entities(text))
        others = [name for name in foreign if name not in text]
        if not mine or not others:
            return None
        name, other = draw.choice(mine), draw.choice(others)
        return re.sub(rf"\b{re.escape(name)}\b", lambda _: other, text)

    return edit


def irrelevant(others: Sequence[str]) -> Edit:
    """An edit that answers another question: one of ``others`` instead of the text."""

    def edit(text: str, draw: Random) -> str | None:
        different = [other for other in others if other.strip() != text.strip()]
        return draw.choice(different) if different else None

    return edit


def dropped_sentence(text: str, draw: Random) -> str | None:
    """The text without its longest sentence, which is likely to hold its main point."""
    pieces = sentences(text)
    if len(pieces) < 2:
        return None
    key = max(pieces, key=len)
    left = [piece for piece in pieces if piece != key]
    return " ".join(left) or None


def bold(text: str, draw: Random) -> str | None:
    """One word of the text in Markdown's bold."""
    found = list(re.finditer(r"(?<!\S)[^\W\d_]{4,}(?!\S)", text))
    if not found:
        return None
    match = draw.choice(found)
    return f"{text[: match.start()]}**{match[0]}**{text[match.end() :]}"


def bullets(text: str, draw: Random) -> str | None:
    """The sentences as a list."""
    pieces = sentences(text)
    return "\n".join(f"- {piece}" for piece in pieces) if len(pieces) > 1 else None


def white_space(text: str, draw: Random) -> str | None:
    """The sentences on lines of their own, with an empty one between."""
    spaced = "\n\n".join(sentences(text))
    return spaced if spaced not in ("", text) else None


def synonyms(text: str, draw: Random) -> str | None:
    """Words of `SYNONYMS` replaced, all of them; capitals and everything else stay."""
    changed = _SYNONYM.sub(lambda match: SYNONYMS[match[0]], text)
    return changed if changed != text else None


PRESERVING: Mapping[str, Edit] = {
    "bold": bold,
    "bullets": bullets,
    "white space": white_space,
    "synonyms": synonyms,
}
"""Edits that leave the meaning as it was."""

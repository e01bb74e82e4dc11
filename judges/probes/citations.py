"""References to a source in a text, and the edit that makes one of them point elsewhere."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from random import Random

from .edits import Edit

_NUMBERS = re.compile(
    r"\[(?P<bracket>[0-9]{1,3})\]|\b(?P<what>[Ss]ections?|[Cc]hapter|[Tt]able|[Ff]igure|[Ff]ig\.|[Aa]ppendix|[Pp]age|[Aa]rticle)"
    r"\s(?P<number>[0-9]+(?:\.[0-9]+)*)"
)
_NAME = r"[A-Z][^\W\d_]+(?:-[A-Z][^\W\d_]+)?"
_OTHERS = rf"(?:\set\sal\.?|\s(?:and|&)\s{_NAME})?"
_YEAR = r"(?:1[5-9]|20)[0-9]{2}[a-z]?"
_AUTHORS = re.compile(rf"\((?P<inside>{_NAME}){_OTHERS},?\s{_YEAR}\)|\b(?P<before>{_NAME}){_OTHERS}\s\({_YEAR}\)")


@dataclass(frozen=True, slots=True)
class Citation:
    """``value`` stands at ``start``..``end``: a number of the sort ``kind`` (`[]`, `section`), or an `author`."""

    kind: str
    value: str
    start: int
    end: int


def citations(text: str) -> list[Citation]:
    """`[1]`, `Section 3`, `(Smith 2020)`, `Smith et al. (2020)`, in no order."""
    found = []
    for match in _NUMBERS.finditer(text):
        group = "bracket" if match["bracket"] else "number"
        kind = "[]" if match["bracket"] else match["what"].casefold()
        found.append(Citation(kind, match[group], *match.span(group)))
    for match in _AUTHORS.finditer(text):
        group = "inside" if match["inside"] else "before"
        found.append(Citation("author", match[group], *match.span(group)))
    return found


def authors(text: str) -> set[str]:
    """Who is cited."""
    return {citation.value for citation in citations(text) if citation.kind == "author"}


def wrong_citation(pool: Collection[str], own: str) -> Edit:
    """An edit that cites another source: one that the text cites, too; else the next number, or an author of ``pool``
    who does not stand in ``own``."""
    foreign = sorted(name for name in pool if name not in own)

    def edit(text: str, draw: Random) -> str | None:
        found = citations(text)
        draw.shuffle(found)
        for cited in found:
            others = sorted({c.value for c in found if c.kind == cited.kind} - {cited.value})
            if not others:
                others = [n for n in foreign if n not in text] if cited.kind == "author" else [_next(cited.value)]
            if others:
                return text[: cited.start] + draw.choice(others) + text[cited.end :]
        return None

    return edit


def _next(number: str) -> str:
    """4 after 3, and 3.2 after 3.1."""
    head, dot, last = number.rpartition(".")
    return f"{head}{dot}{int(last) + 1}"

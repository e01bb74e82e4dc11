"""What a rater may be called: a name in any script, which tables, files and terminals can bear."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from ...harness.errors import InputError

_RATER = re.compile(r"\w(?:[\w .@-]{0,48}[\w.])?")


def names_of(raters: Sequence[str]) -> tuple[str, ...]:
    """The names of raters in the form in which they are kept: an ö is one character, however it was typed."""
    return tuple(unicodedata.normalize("NFC", rater).strip() for rater in raters)


def check_name(rater: str, option: str = "rater ") -> None:
    """Raises InputError for what is no name."""
    if not _RATER.fullmatch(_unmarked(rater)):
        raise InputError(f"{option}{rater!r}: a rater is named by up to 50 letters, digits, spaces and . _ - @")


def file_name(rater: str) -> str:
    """A rater as a part of the name of a file."""
    return "".join(c if c in ".-" or _of_word(c) else "_" for c in rater)


def folded(rater: str) -> str:
    """The same for raters whom files, or people, could not tell apart."""
    return re.sub(r"[.-]", "_", file_name(rater.casefold()))


def _of_word(character: str) -> bool:
    """Whether it is a letter, a digit, an underscore or, as in हिन्दी, a mark on a letter."""
    return bool(re.match(r"\w", character)) or unicodedata.category(character).startswith("M")


def _unmarked(name: str) -> str:
    """With a letter in the place of each mark on one: the expression knows no marks. A mark begins no name."""
    return "".join("a" if i and _of_word(c) else c for i, c in enumerate(name))

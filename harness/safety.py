"""Content safety as every room speaks of it: what a guard said of a user's message and of the answer, as the labels of
a grade; and what people said of both, as a sample holds it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Side = Literal["safe", "unsafe"]
SAFE: Side = "safe"
UNSAFE: Side = "unsafe"
DEFAULT = "safety"
"""The rubric whose codes are meant where a label does not say of which they are."""
UNKNOWN = "unknown"
"""Stands for a category that the taxonomy does not have."""
USER = "user:"
"""Before a label that is about the user's message."""
FIELDS = ("prompt", "response", "categories", "taxonomy")
RESPONSE = "response"
"""Column of a data set with the answer that a label's ``response`` is about."""


@dataclass(frozen=True, slots=True)
class Flags:
    """A verdict on one text. ``codes`` are those of the categories that it falls in; an unsafe one may name none."""

    unsafe: bool
    codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SafetyLabel:
    """What people said: of what was asked, and of the ``response`` that the data set has beside it. The codes are those
    of whatever of the two is unsafe, by the rubric named ``taxonomy``; ``None`` where nobody said."""

    prompt: Side | None = None
    response: Side | None = None
    categories: tuple[str, ...] | None = None
    taxonomy: str = DEFAULT


@dataclass(frozen=True, slots=True)
class SafetyNote:
    """A sample's label, and the SHA-256 of the answer that the data set has beside the question ('' for none): its
    ``response`` holds for that text and for no other."""

    label: SafetyLabel
    response_sha256: str = ""


def to_labels(user: Flags | None, answer: Flags) -> tuple[str, ...]:
    """The labels of a grade: the answer's categories, then what was said of the user's message, if it was judged.

    >>> to_labels(Flags(True, ("S17",)), Flags(False))
    ('user:S17',)
    >>> to_labels(Flags(False), Flags(True, ("S3", "S17")))
    ('S3', 'S17', 'user:safe')
    """
    if user is None:
        return answer.codes
    return (*answer.codes, *(USER + code for code in (user.codes or (UNSAFE if user.unsafe else SAFE,))))


def user_flags(labels: Iterable[str]) -> Flags | None:
    """What the labels of a grade say of the user's message; ``None`` where it was not judged.

    >>> user_flags(("S3", "user:S17"))
    Flags(unsafe=True, codes=('S17',))
    """
    found = [label.removeprefix(USER) for label in labels if label.startswith(USER)]
    if not found:
        return None
    codes = tuple(code for code in found if code not in (SAFE, UNSAFE))
    return Flags(found != [SAFE], codes)


def answer_codes(labels: Iterable[str]) -> tuple[str, ...]:
    """The answer's categories among the labels of a grade."""
    return tuple(label for label in labels if not label.startswith(USER))


def safety_label(written: Mapping[str, Any]) -> SafetyLabel:
    """The label that a sample holds as ``{prompt: safe, response: unsafe, categories: [S3]}``, of which any part may be
    absent. Raises ValueError that says what is wrong, and what is wanted."""
    if unknown := sorted(set(written) - set(FIELDS)):
        raise ValueError(f"{unknown[0]!r} is not one of {', '.join(FIELDS)}")
    for name in ("prompt", "response"):
        if written.get(name) not in (None, SAFE, UNSAFE):
            raise ValueError(f"{name}: {written[name]!r} is neither {SAFE!r} nor {UNSAFE!r}")
    taxonomy = written.get("taxonomy", DEFAULT)
    if not isinstance(taxonomy, str):
        raise ValueError(f"taxonomy: {taxonomy!r} is not the name of a rubric, like {DEFAULT!r}")
    codes = written.get("categories")
    if codes is not None and not (isinstance(codes, list | tuple) and all(isinstance(code, str) for code in codes)):
        raise ValueError(f"categories: {codes!r} is not a list of codes, like [S3, S17]")
    if codes and UNSAFE not in (written.get("prompt"), written.get("response")):
        raise ValueError(f"categories: {list(codes)!r} stand beside nothing unsafe; say which is: prompt, response")
    named = None if codes is None else tuple(codes)
    return SafetyLabel(written.get("prompt"), written.get("response"), named, taxonomy)

"""Text as measures and candidates see it: normalised words, sentences, estimated tokens, refusals. Pure functions."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator

from .records import Content

_PUNCTUATION = str.maketrans("", "", string.punctuation + "‘’“”„«»‹›–—…•·")
_ARTICLES = re.compile(r"\b(a|an|the)\b")
_BREAK = re.compile(r"(?<=[.!?])[\"'”’)\]]*(?P<gap>\s+)(?=[\"'“‘(\[]*[A-Z0-9À-ÞΑ-ΩА-Я])")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\[])(?:e\.g|i\.e|cf|vs|approx|resp|Dr|Mr|Mrs|Ms|Prof|St|No|Nos|Fig|Figs|Eq|Sec|Tab|Vol|pp?|(?:[A-Z]\.)*[A-Z])\.$"
)

_CANNOT = r"(?:can\s?not|can't|couldn't|could not|am unable to|am not able to|'m unable to|'m not able to)"
_WILL_NOT = r"(?:will not|won't|would not|must decline to|have to decline to|decline to|refuse to)"
_HEDGE = r"(?:\s+(?:really|directly|currently|possibly|in good conscience|safely|reliably|definitively))?"
_ANSWERING = (
    r"(?:help(?! but\b)|assist|answer|respond|provide|comply|fulfil+|do (?:that|this|so|it)|continue|discuss|share|"
    r"create|generate|write|support|engage|participate|determine|find|say|tell|give|offer|complete|produce|advise)\b"
)
# The boundary stands before all of them, since to look for it once is twice as fast.
_REFUSALS = re.compile(
    r"\b(?:"
    + "|".join(
        (
            rf"i\s?{_CANNOT}{_HEDGE} {_ANSWERING}",
            rf"i {_WILL_NOT}{_HEDGE} {_ANSWERING}",
            r"i (?:do not|don't) (?:know|have (?:enough|sufficient|the|any|access to)(?: the)? "
            r"(?:information|context|data|knowledge|details?))",
            r"as an ai\b.{0,60}\b(?:can\s?not|can't|not able|unable|do not|don't)\b",
            r"(?:against|violates?) (?:my|our|the) (?:guidelines|polic(?:y|ies)|programming|principles)",
            r"(?:context|passages?|documents?|text|information|sources?)(?: (?:provided|given|above|retrieved))? "
            r"(?:does not|doesn't|do not|don't|did not) "
            r"(?:contain|provide|include|mention|say|state|specify|give|answer|have)",
            r"(?:there is|there's) (?:not enough|no|insufficient) (?:information|context|evidence)\b",
            r"(?:not enough|insufficient) (?:information|context) (?:to|is|was)\b",
            r"(?:this|the) (?:question|request) (?:can\s?not|can't) be (?:answered|fulfilled)",
            r"^(?:no answer|unanswerable|n/a|unknown|i refuse|i decline|i cannot|i can't|no comment)\W*$",
        )
    )
    + r")|(?:sorry|apologi[sz]e|unfortunately|afraid)[,;:]?(?: but)?(?: that)? (?:i|we)\s?"
    rf"(?:{_CANNOT}|{_WILL_NOT})",
    re.IGNORECASE,
)
_LONGEST_ABBREVIATION = 12
_REFUSAL_OPENING = 300
_REFUSAL_LONGEST = 120


def plain(content: Content) -> str:
    """The text of a message's content: itself, or its text parts joined by line breaks (images have none)."""
    if isinstance(content, str):
        return content
    return "\n".join(str(part["text"]) for part in content if part.get("type") == "text")


def normalise(text: str) -> str:
    """Lower case, without punctuation and English articles, single spaces.

    The normalisation of SQuAD (Rajpurkar et al. 2016, official evaluation script), which on ASCII text it equals;
    typographic quotes and dashes count as punctuation too.

    >>> normalise("The  Eiffel Tower, in Paris!")
    'eiffel tower in paris'
    """
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def words(text: str) -> list[str]:
    """The words of the normalised text, in order."""
    return normalise(text).split()


def sentences(text: str) -> list[str]:
    """Split into sentences, without empty ones: at line breaks, and after ``.!?`` before a capital or a digit.

    Known abbreviations and initials do not end a sentence.

    >>> sentences("Kappa is 0.61, e.g. For raters. It falls.")
    ['Kappa is 0.61, e.g. For raters.', 'It falls.']
    """
    return [piece for line in text.splitlines() for piece in _split(line) if piece]


def _split(line: str) -> Iterator[str]:
    start = 0
    for match in _BREAK.finditer(line):
        piece = line[start : match.start("gap")].strip()
        if not _ABBREVIATION.search(piece[-_LONGEST_ABBREVIATION:]):
            yield piece
            start = match.end()
    yield line[start:].strip()


def estimated_tokens(text: str) -> int:
    """About how many tokens: one per four characters, rounded up. For English; marked *estimated* where shown."""
    return (len(text) + 3) // 4


def is_refusal(text: str) -> bool:
    """Whether an English answer declines to answer: refuses, says that it does not know or lacks the information.

    By rules: one of a list of phrases within the first 300 characters of an answer of at most 120 words. A longer
    answer that opens so ("I cannot give legal advice, but …") is taken to answer. An empty text is no refusal.
    """
    opening = text[:_REFUSAL_OPENING].replace("’", "'").strip()
    return bool(_REFUSALS.search(opening)) and len(text.split()) <= _REFUSAL_LONGEST

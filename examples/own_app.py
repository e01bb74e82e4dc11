"""A toy of an application: looks for the pages that share most words with the question, and answers with sentences."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def pages() -> dict[str, str]:
    """The corpus of docs_qa by the name of its pages."""
    folder = files("markscheme") / "datasets" / "docs_qa" / "corpus"
    return {page.name: page.read_text(encoding="utf-8") for page in folder.iterdir()}


def answer(sample: Any) -> dict[str, Any]:
    """The application: a sample with a ``question`` in; text, and the passages that it stands on, out."""
    return _answer(sample.question, 1)


def answer_from_three(sample: Any) -> dict[str, Any]:
    """The same with more to read."""
    return _answer(sample.question, 3)


def _answer(question: str, count: int) -> dict[str, Any]:
    asked = _words(question)
    found = sorted(pages().items(), key=lambda page: -len(asked & _words(page[1])))[:count]
    sentences = [s for _, text in found for s in re.split(r"(?<=[.!?])\s+", text) if not s.startswith("#")]
    best = sorted(sentences, key=lambda sentence: -len(asked & _words(sentence)))[:2]
    return {"text": " ".join(best), "retrieved": [{"id": name, "text": text} for name, text in found]}


def _words(text: str) -> set[str]:
    return {word for word in re.findall(r"\w+", text.lower()) if len(word) > 3}

"""Retrievers that are not ours: a Python callable ``question -> ids``, or any LangChain retriever object."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import DataError, InputError
from ..records import Retrieved
from ..user_code import load
from ..yaml_file import did_you_mean
from .chunks import chunk_id, document_of, span_of
from .corpus import Corpus, foreign_id
from .retrievers import IndexStats

if TYPE_CHECKING:
    from ..models.base import ChatModel

_SHOWN = 80


def python_retriever(reference: str, corpus: Corpus, base: Path | None = None) -> ForeignRetriever:
    """The retriever ``package.module:name``; raises InputError where it cannot be loaded or is none."""
    code = load(reference, base)
    target = code.target() if isinstance(code.target, type) else code.target
    return ForeignRetriever(target, corpus, f"python:{reference}", code.sha256)


class ForeignRetriever:
    """A callable (``question``, or ``question, k``; plain or async) or an object with LangChain's ``invoke``.

    It may return ids of documents, ids of chunks, (id, score) pairs, mappings with ``id``, ``text`` and ``score``, or
    LangChain documents. Every id must be one of the corpus; a text that stands in its document word for word gets its
    exact place. ``version`` is what tells one state of its code from the next.
    """

    def __init__(self, target: Any, corpus: Corpus, name: str = "", version: str = "") -> None:
        self.name = name or type(target).__name__
        self.corpus = corpus
        self.models: tuple[ChatModel, ...] = ()
        self._version = version
        self._ask, self._takes_k = _asker(target, self.name)

    @property
    def identity(self) -> Mapping[str, Any]:
        """Corpus, name and version."""
        return {"corpus": self.corpus.sha256, "retriever": self.name, "version": self._version}

    async def build(self) -> IndexStats:
        """Nothing to build; only the documents are known."""
        return IndexStats(documents=len(self.corpus.documents), cost_usd=None)

    async def retrieve(self, question: str, k: int) -> list[Retrieved]:
        """Its first ``k`` results. Raises DataError where it raises, or returns what is no document of the corpus."""
        given = (question, k) if self._takes_k else (question,)
        try:
            if inspect.iscoroutinefunction(self._ask):
                found = await self._ask(*given)
            else:
                found = await asyncio.to_thread(self._ask, *given)
                if inspect.isawaitable(found):
                    found = await found
        except Exception as error:
            raise DataError(
                f"{self.name} raised {type(error).__name__} on the question {question[:_SHOWN]!r}: {error}"
            ) from error
        if isinstance(found, str | Mapping) or not isinstance(found, Iterable):
            raise DataError(f"{self.name} returned {type(found).__name__}; wanted a list of ids, best first")
        return [self._result(item) for item, _ in zip(found, range(k), strict=False)]

    async def close(self) -> None:
        """Nothing of ours to release."""

    def _result(self, item: Any) -> Retrieved:
        if isinstance(item, Retrieved):
            return self._placed([item.id], item.text, item.score)
        if isinstance(item, Mapping):
            return self._placed([str(item.get("id", ""))], str(item.get("text") or ""), item.get("score"))
        if isinstance(item, tuple | list) and len(item) == 2:
            return self._placed([str(item[0])], "", float(item[1]))
        if isinstance(text := getattr(item, "page_content", None), str):
            metadata = getattr(item, "metadata", None) or {}
            return self._placed(_names(item, metadata), text, metadata.get("score"))
        return self._placed([str(item)], "", None)

    def _placed(self, ids: list[str], text: str, score: float | None) -> Retrieved:
        """With the id of a chunk: the place of ``text`` in its document, or all of the document."""
        documents = self.corpus.by_id
        for candidate in ids:
            if (document := documents.get(candidate)) is not None:
                start = max(0, document.text.find(text))
                end = start + len(text) if text and document.text.startswith(text, start) else len(document.text)
                return Retrieved(text or document.text, chunk_id(candidate, start, end), score)
            owner, span = documents.get(document_of(candidate)), span_of(candidate)
            if owner is not None and span is not None and span[0] < span[1] <= len(owner.text):
                return Retrieved(text or owner.text[slice(*span)], candidate, score)
        first = ids[0] if ids else ""
        raise DataError(
            f"{self.name} returned the id {first!r}, which is no document of the corpus {self.corpus.name!r}"
            f"{did_you_mean(first, documents) or f' (its ids are like {next(iter(documents))!r})'}"
        )


def _names(item: Any, metadata: Mapping[str, Any]) -> list[str]:
    """What a LangChain document may call its document: ids, the source, the source's file name without suffix."""
    source = str(metadata.get("source") or "")
    ids = [metadata.get("document"), metadata.get("document_id"), foreign_id(item), source, Path(source).stem]
    return [str(name) for name in dict.fromkeys(ids) if name]


def _asker(target: Any, name: str) -> tuple[Any, bool]:
    for method in ("ainvoke", "invoke"):
        if callable(ask := getattr(target, method, None)):
            return ask, False
    if not callable(target):
        raise InputError(
            f"{name}: {type(target).__name__} is no retriever; wanted a callable question -> ids, or an object with "
            "LangChain's invoke"
        )
    try:
        parameters = inspect.signature(target).parameters.values()
    except (TypeError, ValueError):
        return target, False
    places = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return target, len(places) > 1 and (places[1].default is inspect.Parameter.empty or places[1].name == "k")

"""A candidate that is shown what a retriever found, in place of the sample's own context."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from ..errors import BugError
from ..keys import digest
from ..models.base import ChatModel
from ..records import Answer, Request, Retrieved, Said, Sample
from ..text import plain
from .base import Candidate
from .templates import last_question

if TYPE_CHECKING:
    from ..exam import CandidateSpec
    from ..retrieval.spec import RetrieverSpec

_AT_ONCE = 32
"""Questions on their way to one retriever at the same time."""
_CHARACTERS_PER_TOKEN = 4
_STAND_IN = "[passage {}: what the retriever will find] "


class Finder(Protocol):
    """What is needed of a retriever: ``retrieve(question, k)`` gives at most ``k`` passages, best first."""

    async def retrieve(self, question: str, k: int) -> Sequence[Retrieved]:
        """The passages for ``question``."""


class Shelf:
    """What one retriever found, for every candidate that shares it: opened on first use, each question asked once,
    for as many passages as the candidate that shows ``most`` of them."""

    def __init__(self, open_finder: Callable[[], Awaitable[Finder]], most: int) -> None:
        self._open = open_finder
        self._most = most
        self._finder: Finder | None = None
        self._found: dict[str, tuple[Retrieved, ...]] = {}
        self._busy = asyncio.Lock()

    async def look_up(self, questions: Iterable[str]) -> None:
        """Retrieve for all ``questions`` that are not answered yet. Raises what the retriever raises: an index that
        cannot be built stops a run before anything is paid for."""
        async with self._busy:
            due = [question for question in dict.fromkeys(questions) if question not in self._found]
            if not due:
                return
            if self._finder is None:
                self._finder = await self._open()
            finder, slots = self._finder, asyncio.Semaphore(_AT_ONCE)
            if (prepare := getattr(finder, "prepare", None)) is not None:
                await prepare(due)  # embeds them in few calls

            async def one(question: str) -> None:
                async with slots:
                    self._found[question] = tuple(await finder.retrieve(question, self._most))[: self._most]

            await asyncio.gather(*map(one, due))

    def passages(self, question: str, k: int) -> tuple[Retrieved, ...] | None:
        """The best ``k`` passages for ``question``; ``None`` where it was not looked up."""
        found = self._found.get(question)
        return None if found is None else found[:k]

    async def close(self) -> None:
        """Let the retriever release what it holds; may be called more than once."""
        finder, self._finder = self._finder, None
        if (close := getattr(finder, "close", None)) is not None:
            await close()


def shelves(
    specs: Iterable[CandidateSpec], open_finder: Callable[[RetrieverSpec], Awaitable[Finder]]
) -> Callable[[RetrieverSpec], Shelf]:
    """From a retriever's settings to its shelf: candidates with the same settings get the same one."""
    most: dict[str, int] = {}
    for spec in specs:
        if spec.retriever is not None:
            key = _settings(spec.retriever)
            most[key] = max(most.get(key, 0), spec.shown or 0)
    made: dict[str, Shelf] = {}

    def shelf_of(retriever: RetrieverSpec) -> Shelf:
        key = _settings(retriever)
        if key not in made:
            made[key] = Shelf(lambda: open_finder(retriever), most.get(key, retriever.k))
        return made[key]

    return shelf_of


def _settings(retriever: RetrieverSpec) -> str:
    """Hash of all but how many passages it is asked for."""
    return digest(retriever.model_dump(mode="json", exclude={"k"}))


def with_retriever(inner: Candidate, spec: CandidateSpec, shelf_of: Callable[[RetrieverSpec], Shelf]) -> Candidate:
    """``inner``, shown retrieved passages (or, with contexts 0, none) where ``spec`` says so."""
    if spec.shown is None:
        return inner
    if spec.retriever is None or spec.shown == 0:
        return RetrievingCandidate(inner, Shelf(_nothing_to_open, 0), 0)
    size = spec.retriever.size * (_CHARACTERS_PER_TOKEN if spec.retriever.chunker == "token" else 1)
    return RetrievingCandidate(inner, shelf_of(spec.retriever), spec.shown, size)


async def _nothing_to_open() -> Finder:
    raise BugError("a candidate with contexts 0 retrieves nothing")


@dataclass(frozen=True, slots=True)
class RetrievingCandidate:
    """A `Candidate` whose ``inner`` one sees ``contexts`` retrieved passages as the sample's context, best first.

    With 0 it sees no context, and nothing is retrieved. What it was shown stays with its answers (`Said.retrieved`).
    The prompt as rendered makes the keys, so that another retriever that finds the same passages asks nothing anew.
    ``passage_characters`` is the length that a plan assumes of a passage.
    """

    inner: Candidate
    shelf: Shelf
    contexts: int
    passage_characters: int = 1000

    @property
    def name(self) -> str:
        """As the exam names it."""
        return self.inner.name

    @property
    def models(self) -> tuple[ChatModel, ...]:
        """Those that answer; the retriever's own are not among them."""
        return self.inner.models

    @property
    def notes(self) -> tuple[str, ...]:
        """Those of the inner candidate."""
        return self.inner.notes

    async def prepare(self, samples: Sequence[Sample]) -> None:
        """Retrieve for all ``samples``."""
        if self.contexts:
            await self.shelf.look_up(map(query_of, samples))

    def is_prepared(self, sample: Sample) -> bool:
        """Whether `fingerprint` can be told."""
        return not self.contexts or self.shelf.passages(query_of(sample), self.contexts) is not None

    def fingerprint(self, sample: Sample, trial: int) -> str:
        """That of the inner candidate, over the prompt with the passages in it. Raises BugError before `prepare`."""
        return self.inner.fingerprint(_shown(sample, self._passages(sample)), trial)

    def preview(self, sample: Sample) -> Request | None:
        """The first request; before `prepare`, with stand-ins of ``passage_characters`` each for the passages."""
        if self.is_prepared(sample):
            return self.inner.preview(_shown(sample, self._passages(sample)))
        texts = (_STAND_IN.format(number) for number in range(1, self.contexts + 1))
        return self.inner.preview(
            replace(sample, context=tuple(text.ljust(self.passage_characters, "…") for text in texts))
        )

    async def answer(self, sample: Sample, trial: int, attempt: int = 0) -> Answer:
        """The inner candidate's answer to the sample with the passages as its context."""
        await self.prepare((sample,))
        passages = self._passages(sample)
        answer = await self.inner.answer(_shown(sample, passages), trial, attempt)
        if not isinstance(answer.outcome, Said):
            return answer
        return replace(answer, outcome=replace(answer.outcome, retrieved=passages))

    async def close(self) -> None:
        """Close the inner candidate and the shelf."""
        await self.inner.close()
        await self.shelf.close()

    def _passages(self, sample: Sample) -> tuple[Retrieved, ...]:
        if not self.contexts:
            return ()
        passages = self.shelf.passages(query_of(sample), self.contexts)
        if passages is None:
            raise BugError(f"candidate {self.name!r}: sample {sample.id!r} was not prepared")
        return passages


def query_of(sample: Sample) -> str:
    """What the retriever is asked: the question, the first of several turns, else the history's last user message."""
    return plain(sample.turns[0]) if sample.turns and not sample.question else last_question(sample)


def _shown(sample: Sample, passages: Sequence[Retrieved]) -> Sample:
    return replace(sample, context=tuple(passage.text for passage in passages))

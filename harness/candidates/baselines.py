"""`baseline/…`: candidates without a model or a network, deterministic; floors that any exam can be read against."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..errors import InputError
from ..keys import digest
from ..models.base import ChatModel
from ..records import Answer, Content, Request, Said, Sample
from ..text import plain, sentences, words
from .base import Caller
from .outcomes import answer_of, joined, without_paths
from .templates import last_question
from .tool_baseline import called

PREFIX = "baseline/"
VERSION = "1"
"""Enters fingerprints; raised when a baseline's answers change."""
NULL_ANSWER = "I'm sorry, but I cannot answer this question."
"""What `refuse` always says, and the others where a sample has no context."""
_EXTRACTED = 3
_LEAD_WORDS = 50


def extractive(question: str, context: Sequence[str]) -> str:
    """Up to 3 sentences of the context, in its order, that share most with the question.

    A shared word counts its idf, log(1 + N/df) over the N sentences; the sum is divided by the square root of the
    sentence's number of words, so that long sentences do not win by length. Sentences that share nothing are left out;
    where all are, the first one stands.
    """
    pieces = [sentence for passage in context for sentence in sentences(passage)]
    bags = [words(piece) for piece in pieces]
    frequency = Counter(word for bag in bags for word in set(bag))
    asked = set(words(question))

    def overlap(bag: list[str]) -> float:
        shared = sum(math.log(1 + len(bags) / frequency[word]) for word in asked.intersection(bag))
        return shared / math.sqrt(len(bag)) if bag else 0.0

    scores = [overlap(bag) for bag in bags]
    best = sorted(range(len(pieces)), key=lambda i: (-scores[i], i))[:_EXTRACTED]
    chosen = [i for i in sorted(best) if scores[i] > 0] or [0]
    return " ".join(pieces[i] for i in chosen)


def lead(question: str, context: Sequence[str]) -> str:
    """The first sentences of the context, until they hold 50 words or more."""
    taken: list[str] = []
    for sentence in (s for passage in context for s in sentences(passage)):
        taken.append(sentence)
        if sum(len(piece.split()) for piece in taken) >= _LEAD_WORDS:
            break
    return " ".join(taken)


def verbatim(question: str, context: Sequence[str]) -> str:
    """The whole context."""
    return "\n\n".join(context)


def refuse(question: str, context: Sequence[str]) -> str:
    """The null answer."""
    return NULL_ANSWER


BASELINES: dict[str, Callable[[str, Sequence[str]], str]] = {
    "extractive": extractive,
    "lead": lead,
    "verbatim": verbatim,
    "refuse": refuse,
}
CALLS = f"{PREFIX}tools"
"""The one that says nothing and calls functions."""


@dataclass(frozen=True, slots=True)
class BaselineCandidate:
    """A `Candidate` that answers from the sample's own question and context; the null answer without a context.

    `tools` calls the functions that the sample offers instead.
    """

    name: str
    model: str
    caller: Caller
    notes: tuple[str, ...] = ()

    @property
    def models(self) -> tuple[ChatModel, ...]:
        """None."""
        return ()

    def fingerprint(self, sample: Sample, trial: int) -> str:
        """Hash of the baseline, its version, the question, and the context or tools. All trials are alike."""
        asked = [without_paths(content) for content in (sample.question, *sample.turns)]
        given = sample.tools if self.model == CALLS else sample.context
        return digest([self.model, VERSION, asked or last_question(sample), last_question(sample), given])

    def preview(self, sample: Sample) -> Request | None:
        """None: there is no model."""
        return None

    async def answer(self, sample: Sample, trial: int, attempt: int = 0) -> Answer:
        """Answer the question, or each turn by itself."""
        saids = [self._said(turn, sample) for turn in sample.turns]
        outcome = joined(saids) if saids else self._said(last_question(sample), sample)
        return answer_of(self.caller.run, sample, self.name, trial, outcome, (), self.fingerprint(sample, trial))

    async def close(self) -> None:
        """Nothing is held."""

    def _said(self, question: Content, sample: Sample) -> Said:
        if self.model == CALLS:
            return Said("", called(plain(question), sample.tools))
        return Said(self._text(question, sample))

    def _text(self, question: Content, sample: Sample) -> str:
        passages = [passage for passage in sample.context if passage.strip()]
        return BASELINES[self.model.removeprefix(PREFIX)](plain(question), passages) if passages else NULL_ANSWER


def baseline_candidate(name: str, model: str, *, caller: Caller) -> BaselineCandidate:
    """The baseline that ``model`` names. Raises InputError listing those that exist."""
    models = [*(PREFIX + baseline for baseline in BASELINES), CALLS]
    if model not in models:
        known = ", ".join(models)
        raise InputError(f"candidate {name!r}: there is no model {model!r}; the baselines are {known}")
    return BaselineCandidate(name, model, caller)

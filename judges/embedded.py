"""The embedded judge: deterministic, no model, no network. It exists so that the whole chain runs anywhere.

It counts words; it understands nothing. A report that only it graded has no verdict. Its cut points are round numbers
that were set by looking at the planted answers of docs_qa, so its agreement with those is flattering.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..harness.keys import digest
from ..harness.models.base import ChatModel
from ..harness.records import Answer, Grade, Request, Sample, Scored, Unscored
from ..harness.text import is_refusal
from . import lexical
from .prompt import Material, Turns, materials
from .rubric import Rubric
from .rules import Outcome, Place, said_of, without_call

VERSION = 1
"""Part of every fingerprint: raise it when a formula or a cut point changes."""
_FULL_COVERAGE = 0.75
_FULL_RELATIONS = 0.4
"""Paraphrase breaks up most neighbourhoods: this share of them counts as all."""
_PER_NUMBER = 0.1
_PASTED = 0.8
_PASTED_LENGTH = 1.5
"""Of the answer's words so many copied, and so many times the reference's length: the context was pasted."""


class EmbeddedJudge:
    """Grades known criteria from the sample's reference and context, as far as the rubric ``sees`` them."""

    def __init__(self, name: str, rubric: Rubric, turns: Turns = "conversation") -> None:
        self._name = name
        self._rubric = rubric
        self._turns: Turns = turns

    @property
    def name(self) -> str:
        """As the exam names it."""
        return self._name

    @property
    def rubric(self) -> Rubric:
        """What it grades by: names, scale and rules; descriptions and examples are beyond it."""
        return self._rubric

    @property
    def models(self) -> tuple[ChatModel, ...]:
        """None."""
        return ()

    def fingerprint(self, sample: Sample, answer: Answer, repeat: int) -> str:
        """Hash of its version, the rubric and all texts that it counts; equal for all repeats."""
        return self._fingerprint(materials(sample, said_of(answer), self._turns))

    def previews(self, sample: Sample, answer: Answer) -> tuple[Request, ...]:
        """None: it asks nobody."""
        return ()

    async def grade(self, sample: Sample, answer: Answer, repeat: int = 0, attempt: int = 0) -> list[Grade]:
        """See `Judge.grade`. Raises BugError for a failed answer."""
        shown = materials(sample, said_of(answer), self._turns)
        place = Place(answer, self._name, repeat, self._fingerprint(shown))
        return [grade for material in shown for grade in place.grades(self._outcomes(material), material.turn)]

    def _fingerprint(self, shown: list[Material]) -> str:
        texts = [
            [m.turn, m.messages, m.answer, m.sample.context, m.sample.reference, [p.text for p in m.candidate_context]]
            for m in shown
        ]
        return digest([VERSION, self._rubric.sha256, texts])

    def _outcomes(self, material: Material) -> dict[str, Outcome]:
        names = [criterion.name for criterion in self._rubric.criteria]
        if (given := without_call(self._rubric, material)) is not None:
            return dict.fromkeys(names, given)
        evidence = _evidence(material, self._rubric)
        return {name: self._outcome(name, evidence) for name in names}

    def _outcome(self, name: str, evidence: _Evidence) -> Outcome:
        measure = _MEASURES.get(name.casefold())
        if measure is None:
            known = ", ".join(sorted(_MEASURES))
            return Unscored("not_applicable", f"the embedded judge cannot grade {name!r}, only {known}")
        found = measure(evidence)
        if isinstance(found, Unscored):
            return found
        value, figures = found
        low, high = self._rubric.scale
        return Scored(low + int(min(1.0, max(0.0, value)) * (high - low) + 0.5), f"Word counts, no model: {figures}.")


@dataclass(frozen=True, slots=True)
class _Evidence:
    question: str
    answer: str
    reference: tuple[str, ...]
    context: tuple[str, ...]
    passages: tuple[str, ...]

    @property
    def sources(self) -> tuple[str, ...]:
        return (*self.reference, *self.context, *self.passages, self.question)


def _evidence(material: Material, rubric: Rubric) -> _Evidence:
    sample, sees = material.sample, rubric.sees
    return _Evidence(
        material.question,
        material.answer,
        (sample.reference,) if sample.reference and "reference" in sees else (),
        sample.context if "context" in sees else (),
        tuple(p.text for p in material.candidate_context) if "candidate_context" in sees else (),
    )


Found = tuple[float, str] | Unscored


def _correctness(given: _Evidence) -> Found:
    source = given.reference or given.context
    if not source:
        return Unscored("not_applicable", "the embedded judge needs a reference or a context to grade correctness")
    if _declines(given):
        return 0.0, "the answer declines to answer, and the reference does not"
    found = lexical.backing(given.answer, source, given.question)
    value = (found.backed + min(1.0, found.relations / _FULL_RELATIONS)) / 2
    where = "reference" if given.reference else "context"
    figures = [f"{_percent(found.backed)} of its content words stand in the {where}"]
    figures.append(f"{_percent(found.relations)} of their neighbourhoods too")
    if numbers := lexical.unfounded_numbers(given.answer, given.sources):
        value -= _PER_NUMBER * min(3, len(numbers))
        figures.append(f"numbers found in no source: {', '.join(numbers[:5])}")
    if note := _pasted(given):
        value = min(value, 1 / 3)
        figures.append(note)
    return value, "; ".join(figures)


def _comprehensiveness(given: _Evidence) -> Found:
    if not given.reference:
        return Unscored("not_applicable", "the embedded judge needs a reference to grade how complete an answer is")
    if _declines(given):
        return 0.0, "the answer declines to answer, and the reference does not"
    covered = lexical.backing(given.answer, given.reference, given.question).coverage
    return covered / _FULL_COVERAGE, f"{_percent(covered)} of the reference's content words are covered"


def _readability(given: _Evidence) -> Found:
    found = lexical.style(given.answer)
    if not found.words:
        return 0.0, "there are no words"
    penalties = {
        f"{_percent(found.repeated)} of the content words repeat earlier ones": max(0.0, found.repeated - 0.25) * 2,
        f"{_percent(found.doubled)} of the words stand twice in a row": found.doubled * 6,
        f"{found.commas:.2f} commas a word": max(0.0, found.commas - 0.08) * 4,
        f"{found.sentence_words:.0f} words a sentence": max(0.0, found.sentence_words - 35) / 40,
        f"{_percent(found.unstarted)} of the sentences start in lower case": found.unstarted * 0.5,
        "it pastes the context": 0.5 if _pasted(given) else 0.0,
    }
    against = [what for what, weight in penalties.items() if weight > 0]
    return 1 - sum(penalties.values()), "; ".join(against) or "nothing found against it"


def _faithfulness(given: _Evidence) -> Found:
    passages = given.passages or given.context
    if not passages:
        return Unscored("not_applicable", "the embedded judge needs passages to grade faithfulness")
    supported = lexical.sentence_support(given.answer, passages, given.question)
    if not supported:
        return 0.0, "the answer says nothing that the question did not"
    numbers = lexical.unfounded_numbers(given.answer, (*passages, given.question))
    mean, least = sum(supported) / len(supported), min(supported)
    figures = f"{_percent(mean)} of its content words stand in the passages, {_percent(least)} in the worst sentence"
    if numbers:
        figures += f"; numbers found in no passage: {', '.join(numbers[:5])}"
    return (mean + least) / 2 / _FULL_COVERAGE - 2 * _PER_NUMBER * min(3, len(numbers)), figures


def _relevance(given: _Evidence) -> Found:
    sources = (*given.reference, *given.context, *given.passages)
    asked = set(lexical.stems(given.question))
    taken_up = len(asked & set(lexical.stems(given.answer))) / len(asked) if asked else 0.0
    backed = lexical.backing(given.answer, sources, given.question).backed
    if _declines(given):
        return 0.0, "the answer declines to answer, and the reference does not"
    figures = f"{_percent(taken_up)} of the question's content words are taken up, {_percent(backed)} of the others "
    # An echo of the question has nothing new, hence nothing backed.
    return (taken_up + backed) / 2 / 0.6 if backed else 0.0, figures + "stand in the sources"


def _declines(given: _Evidence) -> bool:
    return is_refusal(given.answer) and not any(map(is_refusal, given.reference))


def _pasted(given: _Evidence) -> str:
    """A note where the answer is little but the context, pasted, and much longer than the reference."""
    long = not given.reference or len(given.answer) > _PASTED_LENGTH * len(given.reference[0])
    share = lexical.pasted(given.answer, (*given.context, *given.passages)) if long else 0.0
    return f"{_percent(share)} of it is pasted from the context" if share >= _PASTED else ""


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


_MEASURES: dict[str, Callable[[_Evidence], Found]] = {
    "correctness": _correctness,
    "accuracy": _correctness,
    "comprehensiveness": _comprehensiveness,
    "completeness": _comprehensiveness,
    "readability": _readability,
    "clarity": _readability,
    "faithfulness": _faithfulness,
    "groundedness": _faithfulness,
    "relevance": _relevance,
}

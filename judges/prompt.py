"""Rubric + sample + answer → `Request`: pure, with the prompt's words in `templates/`.

What a sample or a candidate wrote stands between tags that carry a code derived from the texts themselves and occurring
in none of them, so that no text can close its own tag. What does not depend on the sample is rendered once, stands
first, and is the same object in every request (prompt caches and the store rely on it).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal

from ..harness.keys import digest
from ..harness.records import Content, Message, Request, Retrieved, Said, Sample, ToolCall
from ..harness.structured import LISTS, Field, Form
from .rubric import Criterion, Example, Level, Rubric

if TYPE_CHECKING:
    from jinja2 import Environment

Turns = Literal["each", "conversation"]
EXPLAINED: Mapping[str, str] = {
    "question": "what was asked",
    "context": "passages that belong to the question, the same for every answer",
    "candidate_context": "the passages that the author of the answer was given",
    "reference": "an answer that is known to be right",
}
_CODE_LENGTH = 12
_ROLES = frozenset({"system", "user", "assistant", "tool", "developer"})


@dataclass(frozen=True, slots=True)
class Material:
    """What one verdict is about: the messages that were asked, what belongs to them, and the answer.

    ``turn`` is 1-based, 0 for the whole answer. ``messages`` are (role, text), the last one being the question; in a
    ``conversation`` they hold the candidate's answers too, with the role `answer`, and ``answer`` is all of these.
    """

    turn: int
    messages: tuple[tuple[str, str], ...]
    answer: str
    sample: Sample
    candidate_context: tuple[Retrieved, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    images: tuple[Mapping[str, Any], ...] = ()
    conversation: bool = False

    @property
    def question(self) -> str:
        """The last thing that was asked."""
        return next((text for role, text in reversed(self.messages) if role == "user"), "")

    @property
    def empty(self) -> bool:
        """Whether nothing was answered: white space only, and no tool call."""
        return not self.tool_calls and not self.answer.strip()


def materials(sample: Sample, said: Said, turns: Turns) -> list[Material]:
    """What is to be graded: the answer; for a sample with turns each answer, or the conversation as a whole.

    Answers that stand apart from the last (`Said.turns`) may be unknown: then the last turn is graded, or the last
    answer after all the questions.
    """
    images: list[Mapping[str, Any]] = []
    history = [_spoken(message, images) for message in sample.messages]
    if not sample.turns:
        if sample.question:
            history.append(("user", _text(sample.question, images)))
        return [_material(sample, said, 0, history, said.text, images)]
    answers = said.turns or (*[""] * (len(sample.turns) - 1), said.text)
    graded = []
    for number, (asked, answer) in enumerate(zip(sample.turns, answers, strict=False), 1):
        history.append(("user", _text(asked, images)))
        if turns == "each" and (said.turns or number == len(sample.turns)):
            graded.append(_material(sample, said, number, history, answer, images))
        if answer:
            history.append(("answer" if turns == "conversation" else "assistant", answer))
    if turns == "each":
        return graded
    whole = "\n\n".join(answer for answer in answers if answer.strip())
    return [_material(sample, said, 0, history, whole, images, conversation=True)]


def _material(
    sample: Sample,
    said: Said,
    turn: int,
    history: Sequence[tuple[str, str]],
    answer: str,
    images: Sequence[Mapping[str, Any]],
    *,
    conversation: bool = False,
) -> Material:
    calls = said.tool_calls if turn in (0, len(sample.turns)) else ()
    return Material(turn, tuple(history), answer, sample, said.retrieved, calls, tuple(images), conversation)


def _spoken(message: Message, images: list[Mapping[str, Any]]) -> tuple[str, str]:
    role = str(message.get("role"))
    return role if role in _ROLES else "message", _text(message.get("content") or "", images)


def _text(content: Content, images: list[Mapping[str, Any]]) -> str:
    """The text of a message; its images go to ``images``, with a mark in their place."""
    if isinstance(content, str):
        return content
    pieces = []
    for part in content:
        if part.get("type") == "text":
            pieces.append(str(part["text"]))
        else:
            images.append(part)
            pieces.append(f"[image {len(images)}]")
    return "\n".join(pieces)


class Prompt:
    """The prompt of one rubric, or of some of its ``criteria``, with ``shots`` worked examples per level.

    ``system`` is the message that all requests share, ``form`` what the verdict must hold, and ``sha256`` the hash of
    all words that do not depend on the sample.
    """

    def __init__(self, rubric: Rubric, shots: int, criteria: Sequence[Criterion] = ()) -> None:
        chosen = tuple(criteria) or rubric.criteria
        self._rubric = rubric
        self._criteria = ", ".join(criterion.name for criterion in chosen)
        self._user = environment().get_template("user.j2").render
        codes = tuple(category.code for category in rubric.categories)
        self.form = Form(tuple(Field(criterion.name, criterion.scores, codes) for criterion in chosen))
        self.system: Message = {"role": "system", "content": _system_text(rubric, shots, chosen)}
        self.sha256 = digest([self.system, template_text("user.j2"), self._criteria])

    def user(self, material: Material) -> Message:
        """The message about one answer; with parts where the material holds images."""
        pieces = self._pieces(material)
        code = fence_code(text for _, text in pieces)
        text = self._user(
            pieces=pieces,
            code=code,
            criteria=self._criteria,
            conversation=material.conversation,
            called=bool(material.tool_calls),
        )
        if not material.images:
            return {"role": "user", "content": text}
        return {"role": "user", "content": [{"type": "text", "text": text}, *material.images]}

    def content(self, material: Material) -> list[Any]:
        """What `user` shows, as plain JSON to be hashed: cheaper than the message."""
        images = [{k: v for k, v in part.items() if k != "path"} for part in material.images]
        return [self._pieces(material), material.conversation, images]

    def request(
        self, material: Material, params: Mapping[str, Any], ours: frozenset[str], stream: bool = False
    ) -> Request:
        """What is asked on every rung of the ladder alike."""
        return Request((self.system, self.user(material)), params, ours=ours, stream=stream, shared=1)

    def _pieces(self, material: Material) -> list[tuple[str, str]]:
        """Tag and text of what the rubric lets the judge see, and of the answer."""
        pieces = background(material, self._rubric.sees, material.messages)
        if not material.conversation:
            pieces.append(("answer", material.answer))
        if material.tool_calls:
            pieces.append(("tool_calls", called(material)))
        return pieces


def background(material: Material, sees: Sequence[str], messages: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Tag and text of what a judge sees beside the answers: the ``messages`` asked, and what ``sees`` names."""
    sample = material.sample
    pieces: list[tuple[str, str]] = []
    if "question" in sees or material.conversation:
        pieces += [("question", text) for _, text in messages] if len(messages) == 1 else messages
    if "context" in sees and sample.context:
        pieces.append(("context", numbered(sample.context)))
    if "candidate_context" in sees and material.candidate_context:
        texts = [passage.text for passage in material.candidate_context]
        pieces.append(("candidate_context", numbered(texts)))
    if "reference" in sees and sample.reference:
        pieces.append(("reference", sample.reference))
    return pieces


def called(material: Material) -> str:
    """The tool calls of an answer, one a line."""
    return "\n".join(f"{call.name}({call.arguments})" for call in material.tool_calls)


def fence_code(texts: Iterable[str]) -> str:
    """A code for the tags of one message: from the texts, and in none of them."""
    joined = "\0".join(texts)
    seed = joined.encode("utf-8", "surrogatepass")
    while True:
        seed = hashlib.sha256(seed).digest()
        code = seed.hex()[:_CODE_LENGTH]
        if code not in joined:
            return code


def numbered(passages: Sequence[str]) -> str:
    """Passages as one text, numbered where there are several."""
    if len(passages) == 1:
        return passages[0]
    return "\n\n".join(f"[{number}] {passage}" for number, passage in enumerate(passages, 1))


def _system_text(rubric: Rubric, shots: int, criteria: tuple[Criterion, ...]) -> str:
    def shown(example: Example) -> list[tuple[str, str]]:
        context = example.context if {"context", "candidate_context"} & set(rubric.sees) else ""
        texts = [("Context", context)]
        if "question" in rubric.sees:
            texts.insert(0, ("Question", example.question))
        if "reference" in rubric.sees:
            texts.append(("Reference", example.reference))
        return [*((label, text) for label, text in texts if text), ("Answer", example.answer)]

    template = environment().get_template("system.j2")
    return template.render(
        description=rubric.description,
        sees=rubric.sees,
        explained=EXPLAINED,
        low=rubric.scale[0],
        high=rubric.scale[1],
        scores=", ".join(map(str, criteria[0].scores)),
        criteria=criteria,
        categories=rubric.categories,
        shots=shots,
        shown=shown,
        verdict=partial(_example_verdict, bool(rubric.categories)),
        shape=_shape(criteria, bool(rubric.categories)),
    )


def _example_verdict(lists: bool, example: Example, level: Level) -> str:
    named = (example.user_categories, example.categories)
    flagged = dict(zip(LISTS, map(list, named), strict=True)) if lists else {}
    return json.dumps({"reasoning": example.reasoning, **flagged, "score": level.score}, ensure_ascii=False)


def _shape(criteria: Sequence[Criterion], lists: bool) -> str:
    flagged = "".join(f'"{name}": [CATEGORY, …], ' for name in LISTS) if lists else ""
    members = (f'"{criterion.name}": {{"reasoning": "<why>", {flagged}"score": SCORE}}' for criterion in criteria)
    return "{" + ", ".join(members) + "}"


@cache
def environment() -> Environment:
    """Templates of the prompts; one that lacks a value is a mistake of ours."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    # Plain text for a model, not HTML; the templates are ours, and what they print is data to Jinja.
    return Environment(loader=FunctionLoader(template_text), undefined=StrictUndefined, autoescape=False)  # noqa: S701


@cache
def template_text(name: str) -> str:
    """A template's words, which enter a prompt's hash."""
    return (files("markscheme") / "judges" / "templates" / name).read_text("utf-8")

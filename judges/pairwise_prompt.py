"""Pairwise rubric + sample + two answers → `Request`: pure, fenced like the prompt of a single answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..harness.keys import digest
from ..harness.records import Message, Request
from ..harness.structured import Field, Form
from .pairwise_file import Outcome, PairExample
from .pairwise_rubric import PairwiseRubric
from .prompt import EXPLAINED, Material, background, called, environment, fence_code, template_text

WINNER = "winner"
SCORES: Mapping[Outcome, int] = {"first": 1, "second": 2, "tie": 0}
"""How a judge says who won."""
FORM = Form((Field(WINNER, tuple(SCORES.values())),))
_SAID: Mapping[Outcome, str] = {
    "first": "the first answer is better",
    "second": "the second answer is better",
    "tie": "no difference that matters",
}


class PairPrompt:
    """The prompt of one pairwise rubric with ``shots`` worked examples per outcome.

    ``system`` is the message that all requests share, ``sha256`` the hash of the words that all share.
    """

    def __init__(self, rubric: PairwiseRubric, shots: int) -> None:
        self._sees = rubric.sees
        self._user = environment().get_template("pairwise_user.j2").render
        self.system: Message = {"role": "system", "content": _system_text(rubric, shots)}
        self.sha256 = digest([self.system, template_text("pairwise_user.j2")])

    def user(self, first: Material, second: Material) -> Message:
        """The message about two answers to one sample; with parts where the question holds images."""
        pieces = self._pieces(first, second)
        text = self._user(
            pieces=pieces,
            code=fence_code(text for _, text in pieces),
            conversation=first.conversation,
            called=bool(first.tool_calls or second.tool_calls),
        )
        if not first.images:
            return {"role": "user", "content": text}
        return {"role": "user", "content": [{"type": "text", "text": text}, *first.images]}

    def content(self, first: Material, second: Material) -> list[Any]:
        """What `user` shows, as plain JSON to be hashed: cheaper than the message."""
        images = [{k: v for k, v in part.items() if k != "path"} for part in first.images]
        return [self._pieces(first, second), images]

    def request(
        self,
        pair: tuple[Material, Material],
        params: Mapping[str, Any],
        ours: frozenset[str],
        stream: bool = False,
    ) -> Request:
        """What is asked of the pair in the order shown, on every rung of the ladder alike."""
        return Request((self.system, self.user(*pair)), params, ours=ours, stream=stream, shared=1)

    def _pieces(self, first: Material, second: Material) -> list[tuple[str, str]]:
        """Tag and text of what the rubric lets the judge see, and of both answers; of a conversation turn by turn."""
        asked = [(role, text) for role, text in first.messages if role != "answer"]
        pieces = background(first, self._sees, asked)
        for number, material in enumerate((first, second), 1):
            turns = [text for role, text in material.messages if role == "answer"] or [material.answer]
            pieces += [(f"answer_{number}", text) for text in turns]
            if material.tool_calls:
                pieces.append((f"tool_calls_{number}", called(material)))
        return pieces


def _system_text(rubric: PairwiseRubric, shots: int) -> str:
    def shown(example: PairExample) -> list[tuple[str, str]]:
        texts = [(name.capitalize(), str(getattr(example, name))) for name in rubric.sees]
        return [
            *((label, text) for label, text in texts if text),
            ("Answer 1", example.first),
            ("Answer 2", example.second),
        ]

    return (
        environment()
        .get_template("pairwise_system.j2")
        .render(
            description=rubric.description,
            sees=rubric.sees,
            explained=EXPLAINED,
            considerations=rubric.considerations,
            examples=rubric.shown(shots),
            said=_SAID,
            shown=shown,
            verdict=_example_verdict,
            shape=f'{{"{WINNER}": {{"reasoning": "<why>", "score": SCORE}}}}',
            scores=", ".join(str(score) for score in SCORES.values()),
        )
    )


def _example_verdict(example: PairExample) -> str:
    verdict = {WINNER: {"reasoning": example.reasoning, "score": SCORES[example.winner]}}
    return json.dumps(verdict, ensure_ascii=False)

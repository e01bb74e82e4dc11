"""What `markscheme rubric …` prints with `--json`."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from .shown import Shown


class RubricLine(BaseModel):
    """A packaged rubric; one that compares two answers has neither scale nor weights."""

    name: str
    scale: tuple[int, int] | None
    criteria: dict[str, float | None]
    description: str


class RubricList(Shown):
    """`rubric show` without a name."""

    rubrics: list[RubricLine]


class ShownCall(BaseModel):
    """One call: the criteria that it asks for, its messages, and the JSON schema of the verdict."""

    criteria: list[str]
    messages: list[dict[str, Any]]
    verdict: dict[str, Any]


class ShownRubric(Shown):
    """`rubric show NAME`: the exact prompt of a judge."""

    name: str
    version: str
    sha256: str
    shots: int
    calls: list[ShownCall]

    def _repr_html_(self) -> str:
        from ..reports.notebook.outputs import prompt_html

        several = len(self.calls) > 1
        sent = [
            (f"call {number}: {message['role']}" if several else message["role"], text_of(message["content"]))
            for number, call in enumerate(self.calls, 1)
            for message in call.messages
        ]
        return prompt_html(f"rubric {self.name}, version {self.version}", sent)


class RubricChange(BaseModel):
    """One difference. ``before`` is null for what was added, ``after`` for what was removed."""

    where: str
    touches: str
    before: str | None
    after: str | None


class RubricDiffOutput(Shown):
    """`rubric diff A B`: whether verdicts without and with examples can differ, and composites of equal verdicts."""

    changes: list[RubricChange]
    zero_shot: bool
    few_shot: bool
    composites: bool


def text_of(content: object) -> str:
    """The words of a message; its images stay in the JSON."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "\n".join(str(part["text"]) for part in parts if part.get("type") == "text")

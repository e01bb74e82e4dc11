"""Seam 3: a judge turns a `Sample` and an `Answer` into one `Grade` per criterion."""

from __future__ import annotations

from typing import Protocol

from ..harness.models.base import ChatModel
from ..harness.records import Answer, Grade, Request, Sample
from .rubric import Rubric


class Judge(Protocol):
    """Anything that grades."""

    @property
    def name(self) -> str:
        """As the exam names it."""

    @property
    def rubric(self) -> Rubric:
        """What it grades by."""

    @property
    def models(self) -> tuple[ChatModel, ...]:
        """The models it calls through its `Caller`; empty for the embedded judge."""

    def fingerprint(self, sample: Sample, answer: Answer, repeat: int) -> str:
        """Hash of all that determines the grades (rubric, prompt, sample, answer text, model); cheap."""

    def previews(self, sample: Sample, answer: Answer) -> tuple[Request, ...]:
        """The requests it would send, one per turn and call, retries apart; none for one without a model."""

    async def grade(self, sample: Sample, answer: Answer, repeat: int = 0, attempt: int = 0) -> list[Grade]:
        """One grade per criterion (and turn, where the rubric grades turns); never raises for a bad verdict.

        ``attempt`` > 0 asks for fresh draws, after `--retry`.
        """

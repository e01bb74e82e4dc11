"""Seam 2: a candidate turns a `Sample` into an `Answer`. What it pays for goes through its `Caller`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, runtime_checkable

from ..models.base import ChatModel
from ..records import Answer, Call, Draw, Failure, Reply, Request, Sample


class Caller(Protocol):
    """Exactly-once calls, bound to one run and one candidate or judge: recorded, limited, retried, budgeted."""

    @property
    def run(self) -> str:
        """Id of the run that pays."""

    @property
    def salt(self) -> str:
        """Salt of the run's keys; goes into every `Draw`."""

    async def complete(self, model: ChatModel, request: Request, draw: Draw) -> Call:
        """The recorded call of this request and draw, or a live one, committed before it is returned."""

    async def perform(
        self, key: str, model: str, work: Callable[[], Awaitable[Reply | Failure]], cost_usd: float | None = None
    ) -> Call:
        """Like `complete` for work without a `ChatModel` (an application, an HTTP service), under ``key``.

        ``cost_usd`` is what somebody else paid for it: kept with the call, and no money of this run."""


class Candidate(Protocol):
    """Anything that answers."""

    @property
    def name(self) -> str:
        """As the exam names it."""

    @property
    def models(self) -> tuple[ChatModel, ...]:
        """The models it calls through its `Caller`; closed by the workflow."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What the operator should know of it, in words: a missing version, say."""

    def fingerprint(self, sample: Sample, trial: int) -> str:
        """Hash of all that determines the answer; cheap, calls nothing."""

    def preview(self, sample: Sample) -> Request | None:
        """The first request it would send; ``None`` for one without a model."""

    async def answer(self, sample: Sample, trial: int, attempt: int = 0) -> Answer:
        """Answer ``sample``. ``attempt`` > 0 asks for a fresh draw after a failure. Never raises for a bad reply."""

    async def close(self) -> None:
        """Release what it holds beside its models; may be called more than once."""


@runtime_checkable
class Prepares(Protocol):
    """A candidate that must look something up before it can tell what it would ask."""

    async def prepare(self, samples: Sequence[Sample]) -> None:
        """Look it up for ``samples``; nothing is looked up twice."""

    def is_prepared(self, sample: Sample) -> bool:
        """Whether `Candidate.fingerprint` of ``sample`` can be told."""

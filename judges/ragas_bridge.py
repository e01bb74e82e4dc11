"""All that touches ragas 0.4: importing this module imports ragas, which takes seconds. `ragas.load` does it."""

from __future__ import annotations

import typing
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import numpy as np
from pydantic import BaseModel
from ragas.embeddings.base import BaseRagasEmbedding
from ragas.llms.base import InstructorBaseRagasLLM
from ragas.metrics import collections

from ..harness.errors import BugError
from ..harness.text import sentences
from .ragas_rubrics import Metric

Inputs = Mapping[str, Any]
"""What a metric reads, under the names of `Metric.reads`."""
Asked = tuple[str, type[BaseModel]]
"""A prompt, and the model that its reply must fit."""
Ask = Callable[[str, type[BaseModel]], Awaitable[BaseModel]]
Embed = Callable[[Sequence[str]], Awaitable[Any]]


class _OurModel(InstructorBaseRagasLLM):  # type: ignore[misc, unused-ignore]
    """The model of a metric, asked through ``ask``."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    async def agenerate(self, prompt: str, response_model: type[BaseModel]) -> BaseModel:
        return await self._ask(prompt, response_model)

    def generate(self, prompt: str, response_model: type[BaseModel]) -> BaseModel:
        raise BugError("the metrics of ragas ask without waiting")


class _OurVectors(BaseRagasEmbedding):  # type: ignore[misc, unused-ignore]
    """The embeddings of a metric: ``embed`` turns texts into an array (texts, dimensions)."""

    def __init__(self, embed: Embed) -> None:
        super().__init__()
        self._embed = embed

    async def aembed_text(self, text: str, **_: Any) -> Any:
        return (await self._embed([text]))[0]

    async def aembed_texts(self, texts: list[str], **_: Any) -> Any:
        return await self._embed(texts)

    def embed_text(self, text: str, **_: Any) -> Any:
        raise BugError("the metrics of ragas embed without waiting")


async def score(metric: Metric, inputs: Inputs, ask: Ask, embed: Embed) -> float:
    """The metric's number, NaN where it has none. Raises what ``ask`` and ``embed`` raise."""
    computes = _built(metric, ask, embed)
    with np.errstate(divide="ignore", invalid="ignore"):  # a vector of zeros has no direction
        result = await computes.ascore(**inputs)
    return float(result.value)


def prompts(metric: Metric, inputs: Inputs) -> list[Asked]:
    """What the metric would ask: the first prompt as it is, later ones as if each sentence were one statement."""
    asked: list[Asked] = []

    async def ask(prompt: str, model: type[BaseModel]) -> BaseModel:
        asked.append((prompt, model))
        return _made_up(model, str(inputs.get("response") or ""))

    async def embed(texts: Sequence[str]) -> Any:
        raise BugError("no question was made, so there is none to embed")

    running = _built(metric, ask, embed).ascore(**inputs)
    try:
        running.send(None)  # nothing in it waits: it runs to its end
    except StopIteration:
        return asked
    raise BugError(f"the metric {metric.of} waits for something that is not its model")


def _built(metric: Metric, ask: Ask, embed: Embed) -> Any:
    computes = getattr(collections, metric.of)
    return computes(_OurModel(ask), _OurVectors(embed)) if metric.embeds else computes(_OurModel(ask))


def _made_up(model: type[BaseModel], answer: str) -> BaseModel:
    """A reply that leads on: the sentences of the answer as its statements, and nothing decided."""
    values: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        kind = field.annotation
        if typing.get_origin(kind) is list:
            values[name] = sentences(answer) if typing.get_args(kind) == (str,) else []
        else:
            values[name] = 0 if kind is int else ""
    return model.model_construct(**values)

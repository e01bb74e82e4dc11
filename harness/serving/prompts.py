"""The requests of a cell: the candidate's own rendering of the samples, each new to the server's prefix cache."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Any

from ..candidates.base import Candidate
from ..errors import InputError
from ..records import Message, Request, Sample

_LIMITS = ("max_completion_tokens", "max_tokens")
_LENGTH = frozenset({"ignore_eos", "min_tokens"})


class Prompts:
    """Request number n of a repeat: samples in a shuffled order, again and again, the same for every cell.

    ``fresh`` (any text that no other repeat of a cell has) puts a word of its own at the start of each prompt, so that
    no prefix of it can be in the server's cache; without it prompts are sent as they are.
    """

    def __init__(
        self,
        candidate: Candidate,
        samples: Sequence[Sample],
        order: str,
        *,
        fresh: str = "",
        output_tokens: int | None = None,
    ) -> None:
        self._candidate = candidate
        self._samples = list(samples)
        Random(order).shuffle(self._samples)  # noqa: S311 - an order, no secret
        self._fresh = fresh
        self._output_tokens = output_tokens
        self._rendered: dict[int, Request] = {}

    def __call__(self, number: int) -> tuple[str, Request]:
        """The sample's id, and the request: streamed, the first of a conversation. Raises InputError where a template
        cannot render."""
        place = number % len(self._samples)
        sample = self._samples[place]
        if place not in self._rendered:
            self._rendered[place] = self._render(sample)
        request = self._rendered[place]
        if not self._fresh:
            return sample.id, request
        word = hashlib.blake2b(f"{self._fresh}/{number}".encode(), digest_size=6).hexdigest()
        messages = (_marked(request.messages[0], word), *request.messages[1:])
        return sample.id, replace(request, messages=messages, shared=0)

    def _render(self, sample: Sample) -> Request:
        request = self._candidate.preview(sample)
        if request is None:
            raise InputError(f"candidate {self._candidate.name!r}: sample {sample.id!r} has no prompt to send")
        request = replace(request, stream=True)
        return request if self._output_tokens is None else of_length(request, self._output_tokens)


def _marked(message: Message, word: str) -> Message:
    content = message.get("content") or ""
    if isinstance(content, str):
        return {**message, "content": f"[{word}]\n{content}"}
    return {**message, "content": ({"type": "text", "text": f"[{word}]"}, *content)}


def of_length(request: Request, tokens: int) -> Request:
    """``request`` for a reply of exactly so many tokens. A server that does not take `ignore_eos` or `min_tokens` is
    asked without them, and may stop earlier."""
    limit = next((name for name in _LIMITS if name in request.params), _LIMITS[-1])
    params: Mapping[str, Any] = {**request.params, limit: tokens, "ignore_eos": True, "min_tokens": tokens}
    return replace(request, params=params, ours=request.ours | _LENGTH)


def at_most(request: Request, tokens: int) -> Request:
    """``request`` for a reply of at most so many tokens."""
    limit = next((name for name in _LIMITS if name in request.params), _LIMITS[-1])
    ours = request.ours if limit in request.params else request.ours | {limit}
    return replace(request, params={**request.params, limit: tokens}, ours=ours)

"""Embedding models over the same wire: POST /embeddings of an OpenAI-compatible endpoint, one batch a call.

A batch is a `Request` whose messages are the texts, so that what is asked is recorded, limited, retried, budgeted and
priced like any other call. The vectors stand in the reply's ``payload``.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import orjson

from ..errors import InputError
from ..records import Failure, Reply, Request, Timing, Usage
from .catalog import endpoint_of
from .compatible import CompatibleModel
from .endpoints import Endpoint
from .faults import ServerError, error_in, trim
from .secret import Secret
from .wire import estimated_usage, text_of, to_json

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_OPENAI = "https://api.openai.com/v1"
_ELSEWHERE = {
    "anthropic": "Anthropic has no embeddings; name another provider",
    "azure": "write model: openai-compatible/<deployment> with base_url: https://<resource>.openai.azure.com/openai/v1",
}


class EmbeddingModel(CompatibleModel):
    """One embedding model behind an OpenAI-compatible endpoint; a `ChatModel` by its wire, not by what it says."""

    path = "/embeddings"

    @property
    def identity(self) -> Mapping[str, Any]:
        """Endpoint name and model, and that it embeds."""
        return {**super().identity, "task": "embedding"}

    def _body(self, request: Request) -> tuple[bytes, tuple[str, ...]]:
        texts = [text_of(message.get("content")) for message in request.messages]
        return to_json({"model": self._model, "input": texts, **request.params}), ()

    def _read_whole(
        self, body: bytes, request: Request, timing: Timing, dropped: tuple[str, ...]
    ) -> Reply | Failure | ServerError:
        try:
            payload = orjson.loads(body)
            if isinstance(payload, dict) and payload.get("error"):
                return error_in(payload, 0, None, timing.sent_at)
            return _read(payload, request, timing)
        except (AttributeError, KeyError, TypeError, ValueError, IndexError) as error:
            start = body[:120].decode("utf-8", "replace")
            return Failure(
                "malformed", trim(f"HTTP 200 with a body that is no embeddings ({error}): {start}"), 200,
                sent_at=timing.sent_at,
            )  # fmt: skip


def open_embedding_model(
    name: str,
    *,
    base_url: str | None = None,
    api_key_env: str | None = None,
    endpoints: Mapping[str, Endpoint] | None = None,
    timeout_s: float | None = None,
    require_key: bool = True,
) -> EmbeddingModel:
    """The embedding model ``provider/model``; opens no connection. Keys and errors as `open_model` says."""
    provider, _, model = name.partition("/")
    own = dict(endpoints or {})
    if provider in _ELSEWHERE and provider not in own:
        raise InputError(f"embedder {name!r}: {_ELSEWHERE[provider]}")
    own.setdefault("openai", Endpoint("openai", os.environ.get("OPENAI_BASE_URL") or _OPENAI, "OPENAI_API_KEY"))
    endpoint = endpoint_of(name, base_url=base_url, api_key_env=api_key_env, endpoints=own, timeout_s=timeout_s)
    secret = Secret(endpoint.key_env, endpoint.key_command)
    if require_key:
        secret.require(name)
    return EmbeddingModel(endpoint, model, secret)


def embedding_request(texts: Sequence[str], params: Mapping[str, Any]) -> Request:
    """What an `EmbeddingModel` is asked; ``params`` may hold ``dimensions``."""
    return Request(tuple({"role": "user", "content": text} for text in texts), params)


def vectors_of(reply: Reply) -> NDArray[np.float32] | None:
    """The vectors (texts, dimensions) of a reply; ``None`` where it holds none (its run was purged)."""
    import numpy as np

    payload = reply.payload
    if not payload or "float32" not in payload:
        return None
    flat = np.frombuffer(base64.b64decode(payload["float32"]), dtype="<f4")
    return flat.reshape(-1, payload["dimensions"]).astype(np.float32, copy=False)


def _read(payload: Any, request: Request, timing: Timing) -> Reply:
    import numpy as np

    rows = sorted(payload["data"], key=lambda row: row.get("index", 0))
    if len(rows) != len(request.messages):
        raise ValueError(f"{len(rows)} vectors for {len(request.messages)} texts")
    vectors = np.stack([_vector(row["embedding"]) for row in rows])
    if vectors.ndim != 2 or not vectors.shape[1] or not np.isfinite(vectors).all():
        raise ValueError("a vector is empty or holds numbers that are not finite")
    usage = payload.get("usage") or {}
    tokens = usage.get("prompt_tokens") or usage.get("total_tokens")
    counted = Usage(tokens, 0) if isinstance(tokens, int) else estimated_usage(request, "")
    packed = base64.b64encode(vectors.astype("<f4").tobytes()).decode("ascii")
    holding = {"dimensions": vectors.shape[1], "float32": packed}
    return Reply("", counted, timing, served_model=str(payload.get("model") or ""), payload=holding)


def _vector(given: Any) -> NDArray[np.float32]:
    import numpy as np

    if isinstance(given, str):  # base64, which some servers send unasked
        return np.frombuffer(base64.b64decode(given), dtype="<f4").astype(np.float32)
    return np.asarray(given, dtype=np.float32)

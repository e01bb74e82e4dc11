"""`markscheme.cached`: the store that makes runs resumable, for code of a user's own."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import overload

from ...harness.errors import InputError
from ...harness.exam import users_endpoints
from ...harness.models.base import ChatModel
from ...harness.models.catalog import open_model
from ...harness.prices import Price, PriceBook
from ..session import WORKSPACE
from .client import CachedClient, ChatClient
from .model import CachedModel

VARIABLE = "MARKSCHEME_WORKSPACE"


@overload
def cached(
    model: str | ChatModel,
    *,
    workspace: str | Path = ...,
    base_url: str | None = ...,
    api_key_env: str | None = ...,
    prices: Mapping[str, Price] | None = ...,
    offline: bool = ...,
) -> CachedModel: ...
@overload
def cached(
    model: ChatClient,
    *,
    workspace: str | Path = ...,
    endpoint: str = ...,
    prices: Mapping[str, Price] | None = ...,
    offline: bool = ...,
) -> CachedClient: ...
def cached(
    model: str | ChatModel | ChatClient,
    *,
    workspace: str | Path = "",
    base_url: str | None = None,
    api_key_env: str | None = None,
    endpoint: str = "",
    prices: Mapping[str, Price] | None = None,
    offline: bool = False,
) -> CachedModel | CachedClient:
    """Ask each question once: a name (``openai/gpt-4o-mini``), a `ChatModel` or an OpenAI client over the workspace.

    A name may be on an endpoint of the user's own file, as in an exam, and so go ``base_url`` and ``api_key_env`` with
    it. ``workspace`` is a folder or a database URL, by default ``MARKSCHEME_WORKSPACE`` or ``.markscheme``.
    ``endpoint`` is what an exam calls the server of a client, whose address is in no key. ``prices`` stand before the
    public ones; ``offline`` answers from recordings alone. Raises InputError for a name, an address or a key that is
    wrong.
    """
    folder = workspace or os.environ.get(VARIABLE) or WORKSPACE
    cost = PriceBook(prices).cost_usd
    if isinstance(model, str):
        own = {spec.name: spec.to_endpoint() for spec in users_endpoints({model.partition("/")[0]})}
        opened = open_model(model, base_url=base_url, api_key_env=api_key_env, endpoints=own, require_key=not offline)
        return CachedModel(opened, True, folder, cost, offline)
    if base_url or api_key_env:
        raise InputError("cached(): base_url and api_key_env go with a model's name; a client has its own")
    if isinstance(model, ChatClient):
        return CachedClient(model, endpoint, folder, cost, offline)
    if not hasattr(model, "identity"):
        raise InputError(
            f"cached(): a model is wanted, as provider/model, a chat model, or a client with chat.completions.create; "
            f"this is of type {type(model).__name__!r}"
        )
    return CachedModel(model, False, folder, cost, offline)

"""From the name in an exam to a model: ``provider/model``, a preset, or the name of an endpoint of one's own."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace

from ..errors import InputError
from .base import ChatModel
from .endpoints import DEFAULT_KEY_ENV, PRESETS, Endpoint, checked_url, preset_url
from .secret import Secret

PACKAGES = ("openai", "azure", "anthropic")
"""Providers reached through their own Python package."""
BARE = "openai-compatible"
"""Any other OpenAI-compatible server, by its ``base_url``."""


def open_model(
    name: str,
    *,
    base_url: str | None = None,
    api_key_env: str | None = None,
    endpoints: Mapping[str, Endpoint] | None = None,
    timeout_s: float | None = None,
    require_key: bool = True,
) -> ChatModel:
    """The model that an exam calls ``name``; opens no connection.

    With a ``base_url`` the key is the variable ``api_key_env`` (default ``MARKSCHEME_API_KEY``, none where unset),
    never a provider's own. ``endpoints`` are the exam's, and stand before the presets. Raises `InputError` for an
    unknown provider, a bad address, or a declared key variable that is unset (not with ``require_key=False``, for
    what calls nothing).
    """
    provider, _, model = name.partition("/")
    if not model:
        raise InputError(f"model {name!r} has no provider: write provider/model, like openai/gpt-4o-mini")
    own = endpoints or {}
    packaged = provider in PACKAGES and provider not in own and not (provider == "openai" and base_url)
    if packaged:
        return _from_package(provider, model, base_url, api_key_env, timeout_s, require_key)
    endpoint = endpoint_of(name, base_url=base_url, api_key_env=api_key_env, endpoints=own, timeout_s=timeout_s)
    secret = Secret(endpoint.key_env, endpoint.key_command)
    if require_key:
        secret.require(name)
    from .compatible import CompatibleModel

    return CompatibleModel(endpoint, model, secret)


def endpoint_of(
    name: str,
    *,
    base_url: str | None = None,
    api_key_env: str | None = None,
    endpoints: Mapping[str, Endpoint] | None = None,
    timeout_s: float | None = None,
) -> Endpoint:
    """The OpenAI-compatible endpoint that ``name`` is asked on; see `open_model`. Raises `InputError`."""
    found = _endpoint(name, name.partition("/")[0], base_url, endpoints or {})
    endpoint = _with_key(found, base_url, api_key_env)
    return endpoint if timeout_s is None else replace(endpoint, timeout_s=timeout_s)


def _endpoint(name: str, provider: str, base_url: str | None, own: Mapping[str, Endpoint]) -> Endpoint:
    """The endpoint, its address checked and, where ``base_url`` is given, replaced."""
    known = own.get(provider) or PRESETS.get(provider)
    if known is None and provider not in (BARE, *PACKAGES):
        offered = ", ".join(sorted({*own, *PRESETS, *PACKAGES, BARE}))
        raise InputError(
            f"model {name!r}: unknown provider {provider!r}. Known are {offered}; "
            f"declare another under endpoints:, or use {BARE}/<model> with a base_url"
        )
    if base_url is not None:
        url = checked_url(base_url, name)
        return replace(known, base_url=url) if known else Endpoint(provider, url)
    if known is None:
        raise InputError(f"model {name!r} needs a base_url, like http://localhost:8000/v1")
    return replace(known, base_url=preset_url(known) if provider not in own else checked_url(known.base_url, provider))


def _with_key(endpoint: Endpoint, base_url: str | None, api_key_env: str | None) -> Endpoint:
    """Where the address was replaced, the endpoint's own key and headers stay behind: they belong to its host."""
    if base_url is not None:
        fallback = DEFAULT_KEY_ENV if os.environ.get(DEFAULT_KEY_ENV) else None
        return replace(endpoint, key_env=api_key_env or fallback, key_command=None, headers={})
    if api_key_env is not None:
        return replace(endpoint, key_env=api_key_env, key_command=None)
    return endpoint


def _from_package(
    provider: str,
    model: str,
    base_url: str | None,
    api_key_env: str | None,
    timeout_s: float | None,
    require_key: bool,
) -> ChatModel:
    own_variable = {"openai": "OPENAI_API_KEY", "azure": "AZURE_OPENAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY"}
    address = checked_url(base_url, f"{provider}/{model}") if base_url else ""
    endpoint = Endpoint(provider, address, own_variable[provider])
    endpoint = _with_key(endpoint, base_url, api_key_env)
    if timeout_s is not None:
        endpoint = replace(endpoint, timeout_s=timeout_s)
    secret = Secret(endpoint.key_env)
    if require_key:
        secret.require(f"{provider}/{model}")
    if provider == "anthropic":
        from .anthropic_sdk import AnthropicModel

        return AnthropicModel(endpoint, model, secret)
    from .openai_sdk import OpenAIModel

    if provider == "azure" and not endpoint.base_url:
        endpoint = replace(endpoint, base_url=_azure_address())
    return OpenAIModel(endpoint, model, secret)


def _azure_address() -> str:
    for variable in ("AZURE_OPENAI_ENDPOINT", "OPENAI_API_VERSION"):
        if not os.environ.get(variable):
            raise InputError(f"azure/… needs the environment variable {variable}, which is not set")
    return checked_url(os.environ["AZURE_OPENAI_ENDPOINT"], "AZURE_OPENAI_ENDPOINT")

"""Endpoints: where a model listens and which key it takes (from the environment or a command, never a file)."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from ..errors import InputError
from .base import Limits

DEFAULT_KEY_ENV = "MARKSCHEME_API_KEY"
_VARIABLE = re.compile(r"\{([A-Z][A-Z0-9_]*)\}")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An OpenAI-compatible server. ``{VARIABLES}`` in a preset's ``base_url`` are filled from the environment.

    ``key_env`` must be set when the endpoint is used; ``key_command`` prints the key (run without a shell, and once
    more after a 401). ``headers`` are sent with each request; ``text_only`` refuses images by name.
    """

    name: str
    base_url: str
    key_env: str | None = None
    key_command: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    limits: Limits = field(default_factory=Limits)
    timeout_s: float = 120.0
    text_only: bool = False

    @property
    def limit_group(self) -> str:
        """Same server and same key, same limiter."""
        return f"{self.base_url or self.name}#{self.key_env or self.key_command or ''}"


PRESETS: dict[str, Endpoint] = {
    endpoint.name: endpoint
    for endpoint in (
        Endpoint("vllm", "http://127.0.0.1:8000/v1"),
        Endpoint("fireworks", "https://api.fireworks.ai/inference/v1", "FIREWORKS_API_KEY"),
        Endpoint("together", "https://api.together.xyz/v1", "TOGETHER_API_KEY"),
        Endpoint("nim", "https://integrate.api.nvidia.com/v1", "NVIDIA_API_KEY"),
        Endpoint("databricks", "{DATABRICKS_HOST}/serving-endpoints", "DATABRICKS_TOKEN"),
        Endpoint("gemini", "https://generativelanguage.googleapis.com/v1beta/openai", "GEMINI_API_KEY"),
        Endpoint("bedrock", "https://bedrock-runtime.{AWS_REGION}.amazonaws.com/openai/v1", "AWS_BEARER_TOKEN_BEDROCK"),
        Endpoint("openrouter", "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"),
        Endpoint("litellm", "http://127.0.0.1:4000/v1", "LITELLM_API_KEY"),
        Endpoint("ollama", "http://127.0.0.1:11434/v1"),
        Endpoint("llamacpp", "http://127.0.0.1:8080/v1"),
        Endpoint("tgi", "http://127.0.0.1:8080/v1"),
    )
}
"""OpenAI-compatible services by the name that stands before the slash of a model name."""


def preset_url(endpoint: Endpoint) -> str:
    """The base URL of a preset, its ``{VARIABLES}`` filled in. Raises `InputError` for one that is unset."""

    def fill(match: re.Match[str]) -> str:
        value = os.environ.get(match[1], "").strip().rstrip("/")
        if not value:
            raise InputError(f"{endpoint.name}/… needs the environment variable {match[1]}, which is not set")
        return value

    url = _VARIABLE.sub(fill, endpoint.base_url)
    return checked_url(url if "://" in url else f"https://{url}", endpoint.name)


def checked_url(url: str, where: str) -> str:
    """``url`` without a trailing slash. Raises `InputError` unless it is http(s), with a host and no credentials."""
    parts = urlsplit(url)
    if "@" in parts.netloc:
        raise InputError(f"{where}: base_url must not hold a user name or password; use key_env or api_key_env instead")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InputError(
            f"{where}: base_url {url!r} is not an http:// or https:// address, like http://localhost:8000/v1"
        )
    return url.rstrip("/")

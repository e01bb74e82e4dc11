"""Tokens to US dollars. What nobody knows the price of costs ``None``, never 0.

    cost = (prompt - cached - cache_write) input + cached cached_input + cache_write cache_write + completion output

each per million tokens, less the discount of a batch where one is declared, plus a fee per request. Completion tokens
include reasoning, which is not added again. Prices stand in the exam (``prices:``) or come from the data inside the
`genai-prices` package, offline.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from .errors import InputError
from .records import Usage

_MILLION = Decimal(1_000_000)
_PROVIDERS = {
    "openai": "openai",
    "azure": "azure",
    "anthropic": "anthropic",
    "gemini": "google",
    "fireworks": "fireworks",
    "together": "together",
    "openrouter": "openrouter",
    "bedrock": "aws",
    "databricks": "databricks",
}
"""Ours → genai-prices'. Servers of one's own and unnamed endpoints are not among them: their price is unknown."""
FREE = "baseline"


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens; ``per_request_usd`` per call. Numbers of any kind become exact decimals.

    Cached and cache-written tokens without a price of their own cost what other input does. ``batch_discount`` is the
    share of the price of all tokens that is not charged, 0.5 for half. Raises `InputError` for what is no price.
    """

    input_usd: Decimal
    output_usd: Decimal
    cached_input_usd: Decimal | None = None
    cache_write_usd: Decimal | None = None
    per_request_usd: Decimal = Decimal(0)
    batch_discount: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        for name in self.__slots__:
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, _decimal(name, value))
        if self.batch_discount > 1:
            raise InputError(f"prices: batch_discount {self.batch_discount} must be a share, from 0 to 1")

    def cost(self, usage: Usage) -> Decimal:
        """US dollars of one call."""
        cached = min(usage.cached_tokens, usage.prompt_tokens)
        written = min(usage.cache_write_tokens, usage.prompt_tokens - cached)
        cached_usd = self.input_usd if self.cached_input_usd is None else self.cached_input_usd
        written_usd = self.input_usd if self.cache_write_usd is None else self.cache_write_usd
        tokens = (
            (usage.prompt_tokens - cached - written) * self.input_usd
            + cached * cached_usd
            + written * written_usd
            + usage.completion_tokens * self.output_usd
        )
        return tokens * (1 - self.batch_discount) / _MILLION + self.per_request_usd


class PriceBook:
    """Prices by model name as the exam writes it; ``overrides`` stand before the packaged data."""

    def __init__(self, overrides: Mapping[str, Price] | None = None) -> None:
        self._overrides = dict(overrides or {})
        self._packaged: dict[str, Any] = {}

    def price(self, model_name: str, prompt_tokens: int = 0) -> Price | None:
        """The price of a model for a prompt of so many tokens (long prompts can cost more), or ``None``."""
        own = self._overrides.get(model_name)
        if own is not None:
            return own
        provider, _, model = model_name.partition("/")
        if provider == FREE:
            return Price(Decimal(0), Decimal(0))
        if provider not in _PROVIDERS:
            return None
        if model_name not in self._packaged:
            self._packaged[model_name] = _packaged_price(_PROVIDERS[provider], model)
        known = self._packaged[model_name]
        return known if known is None or isinstance(known, Price) else _at(known, prompt_tokens)

    def cost_usd(self, model_name: str, usage: Usage) -> float | None:
        """US dollars of one call, or ``None`` where the price is unknown."""
        price = self.price(model_name, usage.prompt_tokens)
        return None if price is None else float(price.cost(usage))

    @cached_property
    def snapshot(self) -> str:
        """Which price data: the version of `genai-prices`, whose data carry no date of their own."""
        from importlib.metadata import version

        return f"genai-prices {version('genai-prices')}"


def _decimal(name: str, value: Any) -> Decimal:
    try:
        number = Decimal(str(value))
    except ArithmeticError:
        raise InputError(f"prices: {name} {value!r} is not a number of US dollars") from None
    if not number.is_finite() or number < 0:
        raise InputError(f"prices: {name} {value!r} must be 0 or more US dollars per million tokens")
    return number


def _packaged_price(provider: str, model: str) -> Any:
    """A flat `Price`, genai-prices' own record where long prompts cost more, or ``None`` for an unknown model."""
    from datetime import UTC, datetime

    from genai_prices.data_snapshot import get_snapshot
    from genai_prices.types import TieredPrices

    try:
        _, found = get_snapshot().find_provider_model(model, None, provider, None)
    except LookupError:
        return None
    prices = found.get_prices(datetime.now(UTC))
    if getattr(prices, "input_mtok", None) is None:
        return None
    if getattr(prices, "output_mtok", None) is None and "embed" not in model:  # only embeddings have no output
        return None
    tiered = any(isinstance(value, TieredPrices) for value in vars(prices).values())
    return prices if tiered else _at(prices, 0)


def _at(prices: Any, prompt_tokens: int) -> Price:
    """The rates for a prompt of that length: past a tier's start all tokens cost the tier's rate."""

    def rate(name: str) -> Any:
        value: Any = getattr(prices, name, None)
        if value is None or isinstance(value, Decimal):
            return value
        passed = [tier.price for tier in value.tiers if prompt_tokens > tier.start]
        return passed[-1] if passed else value.base

    fee = rate("requests_kcount") or Decimal(0)
    return Price(
        rate("input_mtok"),
        rate("output_mtok") or Decimal(0),
        rate("cache_read_mtok"),
        rate("cache_write_mtok"),
        fee / 1000,
    )

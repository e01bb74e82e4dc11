"""Tokens to dollars: golden values, the packaged data as its own oracle, and what is unknown."""

import subprocess
import sys
from decimal import Decimal

import pytest
from markscheme.app.session import price_book
from markscheme.harness.errors import InputError
from markscheme.harness.exam import describe, exam_from_dict
from markscheme.harness.prices import Price, PriceBook
from markscheme.harness.records import Usage

MINE = Price(3, "15", 0.3, 3.75)


def test_each_kind_of_token_has_its_price_and_reasoning_is_not_added_again():
    usage = Usage(1_000_000, 100_000, cached_tokens=400_000, cache_write_tokens=200_000, reasoning_tokens=90_000)
    # .4 x 3 + .4 x .3 + .2 x 3.75 + .1 x 15
    assert MINE.cost(usage) == Decimal("1.2") + Decimal("0.12") + Decimal("0.75") + Decimal("1.5")


def test_cached_tokens_without_a_price_cost_what_input_does():
    assert Price(2, 0).cost(Usage(500_000, 0, cached_tokens=500_000)) == 1


def test_a_fee_per_request_is_added():
    assert Price(0, 0, per_request_usd="0.005").cost(Usage(10, 10)) == Decimal("0.005")


def test_a_declared_batch_discount_is_taken_off_tokens_and_not_off_fees():
    usage, half = Usage(1_000_000, 100_000), Price(3, 15, per_request_usd="0.01", batch_discount="0.5")
    assert half.cost(usage) == (3 + Decimal("1.5")) / 2 + Decimal("0.01")
    assert Price(3, 15).cost(usage) == 3 + Decimal("1.5")


@pytest.mark.parametrize("value", [1.01, -0.5, "half"])
def test_a_discount_is_a_share(value):
    with pytest.raises(InputError, match="batch_discount"):
        Price(3, 15, batch_discount=value)


def test_an_exam_declares_its_discount_and_nobody_else_gets_one(tmp_path):
    rates = {"input_usd_per_million": 3, "output_usd_per_million": 15}
    prices = {"vllm/a": {**rates, "batch_discount": 0.5}, "vllm/b": rates}
    exam = exam_from_dict(
        {"dataset": "docs_qa", "candidates": [{"model": "vllm/a"}], "prices": prices}, tmp_path, "exam"
    )
    book = price_book(exam)
    usage = Usage(1_000_000, 100_000, cached_tokens=200_000, reasoning_tokens=50_000)
    assert (book.cost_usd("vllm/a", usage), book.cost_usd("vllm/b", usage)) == (2.25, 4.5)
    assert "batch_discount" not in describe(exam)["prices"]["vllm/b"]


def test_more_cached_than_prompt_tokens_never_costs_less_than_nothing():
    assert MINE.cost(Usage(10, 0, cached_tokens=50, cache_write_tokens=50)) == 10 * Decimal("0.3") / 1_000_000


@pytest.mark.parametrize("value", ["cheap", -1, float("nan"), float("inf")])
def test_what_is_no_price_is_refused(value):
    with pytest.raises(InputError, match="input_usd"):
        Price(value, 1)


def test_a_published_price_is_found_offline():
    book = PriceBook()
    assert book.price("openai/gpt-4o-mini") == Price("0.15", "0.6", "0.075")
    assert book.cost_usd("openai/gpt-4o-mini", Usage(1_000_000, 1_000_000)) == pytest.approx(0.75)


@pytest.mark.parametrize(
    ("ours", "provider", "model"),
    [
        ("openai/gpt-4o-mini", "openai", "gpt-4o-mini"),
        ("azure/gpt-4o", "azure", "gpt-4o"),
        ("anthropic/claude-sonnet-4-5", "anthropic", "claude-sonnet-4-5"),
        ("gemini/gemini-2.5-pro", "google", "gemini-2.5-pro"),
        ("openrouter/openai/gpt-4o", "openrouter", "openai/gpt-4o"),
    ],
)
@pytest.mark.parametrize(
    "usage", [Usage(1000, 500), Usage(10_000, 20, 4_000), Usage(190_000, 5), Usage(400_000, 900, 100_000, 0)]
)
def test_packaged_prices_agree_with_the_packages_own_arithmetic(ours, provider, model, usage):
    from genai_prices import Usage as TheirUsage
    from genai_prices import calc_price

    theirs = TheirUsage(
        input_tokens=usage.prompt_tokens,
        output_tokens=usage.completion_tokens,
        cache_read_tokens=usage.cached_tokens,
        cache_write_tokens=usage.cache_write_tokens,
    )
    expected = calc_price(theirs, model_ref=model, provider_id=provider).total_price
    assert PriceBook().cost_usd(ours, usage) == pytest.approx(float(expected))


def test_a_long_prompt_can_cost_more():
    book = PriceBook()
    short, long = (book.price("gemini/gemini-2.5-pro", tokens) for tokens in (1000, 300_000))
    assert long.input_usd > short.input_usd


def test_the_exams_own_price_stands_before_the_published_one():
    book = PriceBook({"openai/gpt-4o-mini": MINE, "vllm/llama": MINE})
    assert book.price("openai/gpt-4o-mini") is MINE
    assert book.cost_usd("vllm/llama", Usage(1_000_000, 0)) == 3.0


@pytest.mark.parametrize(
    "name",
    [
        "openai/no-such-model-77",
        "openai-compatible/gpt-4o-mini",
        "vllm/gpt-4o-mini",
        "ollama/llama3",
        "replay/gpt-4o-mini",
        "python:my.app:answer",
        "http:app",
        "scripted/model",
    ],
)
def test_an_unknown_price_is_none_never_zero(name):
    assert PriceBook().cost_usd(name, Usage(1, 1)) is None


def test_baselines_are_free():
    assert PriceBook().cost_usd("baseline/extractive", Usage(100, 100)) == 0.0


def test_the_snapshot_names_the_price_data():
    assert PriceBook().snapshot.startswith("genai-prices ")


def test_price_data_is_loaded_only_for_providers_that_it_can_know():
    code = (
        "import sys; from markscheme.harness.prices import PriceBook; from markscheme.harness.records import Usage;"
        "names = 'openai-compatible/x', 'vllm/x', 'baseline/lead';"
        "book = PriceBook(); [book.cost_usd(name, Usage(1, 1)) for name in names];"
        "print('genai_prices' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"

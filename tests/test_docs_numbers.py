"""The guide on qualifying judges: what its sentences say in numbers is what its commands print."""

import re
from pathlib import Path

import pytest

GUIDE = Path(__file__).parents[1] / "docs" / "guide"
FENCE = re.compile(r"^```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NUMBER = re.compile(r"(?<![\w.])[−+]?\d[\d,]*(?:\.\d+)?(?: %)?")
COMMON = {"95 %", "100"}
"""The level of all intervals, and a round number that is advice."""


def numbers(text: str) -> set[str]:
    """Decimals, shares and counts of three digits or more, without a plus."""
    found = (match[0].lstrip("+").replace(",", "") for match in NUMBER.finditer(text))
    return {number for number in found if "." in number or "%" in number or len(number.lstrip("−")) > 2}


def unprinted(page: str) -> set[str]:
    shown = numbers("\n".join(FENCE.findall(page)))
    shares = {f"{100 * float(number):.0f} %" for number in shown if re.fullmatch(r"0\.\d\d", number)}
    whole = {number.replace(".0 %", " %") for number in shown}
    return numbers(FENCE.sub("", page)) - shown - shares - whole - COMMON


@pytest.mark.parametrize("name", ["qualify", "qualify-your-own"])
def test_every_number_in_a_sentence_stands_in_what_the_page_prints(name):
    page = (GUIDE / f"{name}.md").read_text(encoding="utf-8")
    assert len(numbers(FENCE.sub("", page))) > 8
    assert unprinted(page) == set()


def test_a_number_that_no_command_prints_is_found():
    page = "It agrees on 68 % of 1,000 answers, bias −0.91, at 0.77.\n\n```console\n0.68 −0.91 of 1000\n```\n"
    assert unprinted(page) == {"0.77"}

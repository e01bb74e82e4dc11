"""Every colour of words on every ground that they stand on: at least 4.5 to 1, light, dark and printed."""

import re

import pytest
from markscheme.reports.html import asset

INKS = ("ink", "soft", "accent", "good", "bad", "warn")
GROUNDS = ("bg", "card", "chip", "pick")


def palettes():
    """The light one, the dark one over it, and that of paper, which is laid over either."""
    blocks = re.findall(r":root \{(.*?)\}", asset("report.css"), re.DOTALL)
    light, dark, paper = (dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6})", block)) for block in blocks)
    return {"light": light, "dark": {**light, **dark}, "paper": paper}


def luminance(colour):
    """WCAG 2.2, relative luminance."""
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    shares = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_black_on_white_is_21_to_1():
    assert contrast("#000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("name", ["light", "dark", "paper"])
@pytest.mark.parametrize("ink", INKS)
def test_words_can_be_read_on_every_ground(name, ink):
    palette = palettes()[name]
    found = {ground: round(contrast(palette[ink], palette[ground]), 2) for ground in GROUNDS}
    assert min(found.values()) >= 4.5, found

"""The pages of a comparison: as agreed, whole, and nothing that a model or a user wrote is markup."""

from dataclasses import replace

import numpy as np
import pytest
from markscheme.reports.regression import said
from markscheme.reports.regression.compare import Options, compared
from markscheme.reports.regression.compare_html import LONG, render_compare
from markscheme.reports.regression.compare_markdown import compare_markdown
from markscheme.reports.regression.records import Subject
from regressions import run
from synthetic import HOSTILE
from test_pages import Outline, compare_with_golden


def nights(**changes):
    """A run that lost, on one tag alone, against two baseline runs."""
    rng = np.random.default_rng(11)
    level = rng.normal(2.0, 0.5, 60)
    sides = [np.clip(np.round(level + rng.normal(0, 0.4, 60)), 0, 3) for _ in range(5)]
    tags = [["tables"] if i % 2 else ["prose", "rare"] if i < 9 else ["prose"] for i in range(60)]
    new = {"mini": np.clip(sides[0] - np.where(np.arange(60) % 2, 1, 0), 0, 3), "large": sides[1]}
    pool = [{"mini": sides[2], "large": sides[3]}, {"mini": sides[4], "large": sides[1]}]
    failed = [("large", i) for i in range(3)]
    old = [run(f"night-{i}", scores, **changes) for i, scores in enumerate(pool, 1)]
    return compared(run("night-3", new, tags=tags, failed=failed, **changes), old, Options(worst=3))


@pytest.fixture(scope="module")
def found():
    return nights()


def test_markdown_of_a_comparison_is_as_agreed(found):
    compare_with_golden("compare.md", compare_markdown(found))


def test_the_page_says_what_the_markdown_says(found):
    page = render_compare(found)
    outline = Outline()
    outline.feed(page)
    text = " ".join(line.strip().removeprefix("| ") for line in outline.lines)
    assert "mini is worse than in the baseline: correctness −0." in text
    assert all(moved.sample_id in text and moved.new.text in text and moved.old.text in text for moved in found.worse)
    assert "Too few samples to say anything (fewer than 10): rare (5)." in text
    assert text.index("mini is worse") < text.index("Differences") < text.index("By tag") < text.index("got worse")


def test_the_same_comparison_gives_the_same_bytes(found):
    assert (render_compare(found), compare_markdown(found)) == (render_compare(nights()), compare_markdown(nights()))


def test_the_page_needs_no_network_and_runs_nothing(found):
    page = render_compare(found)
    assert "<script" not in page
    assert "default-src &#39;none&#39;" in page
    assert "http" not in page.replace("http-equiv", "")


@pytest.mark.parametrize("hostile", HOSTILE)
def test_what_a_model_wrote_is_text(hostile):
    sides = nights(text=hostile)
    sides = replace(sides, worse=tuple(replace(m, question=hostile, reference=hostile) for m in sides.worse))
    page = render_compare(sides)
    assert "<script" not in page
    assert "<img" not in page
    assert "window.pwned" not in page or "&lt;script&gt;window.pwned" in page
    assert hostile not in compare_markdown(sides)


def test_a_long_answer_is_folded_and_whole():
    text = "word " * LONG
    page = render_compare(nights(text=text))
    assert page.count(f"all of it ({len(text):,} letters)") == 6
    assert text in page
    assert text not in compare_markdown(nights(text=text))


def test_a_gate_stands_above_the_differences(found):
    from markupsafe import Markup

    page = render_compare(found, Markup("<section id=gate>PASS</section>"))
    assert page.index("<section id=gate>") < page.index("<h2>Differences")


def test_a_comparison_without_a_loss_shows_no_samples():
    same = compared(run("new", {"mini": [1, 2]}), [run("old", {"mini": [1, 2]})])
    assert "got worse" not in render_compare(same)
    assert "got worse" not in compare_markdown(same)


def test_the_forest_marks_what_is_worse_by_more_than_chance_and_what_was_declared(found):
    page = render_compare(found)
    assert page.count('<g class="worse strong">') == 1  # correctness of mini
    assert page.count('<g class="same strong">') == 1  # that of large
    assert page.count('<g class="same">') == 2  # failures of both


@pytest.mark.parametrize(
    ("unit", "value", "words"),
    [
        ("", -0.204, "−0.20"),
        ("", 0.0, "+0.00"),
        ("s", 0.31, "+0.31 s"),
        ("s", -0.00032, "−0.00032 s"),
        ("USD", -0.0000077, "−$0.0000077"),
        ("USD", 12.4, "+$12.40"),
        ("tokens", -3.8, "−3.8"),
        ("tokens", 0.0, "0.0"),
    ],
)
def test_changes_are_signed_and_keep_two_digits_however_small(unit, value, words):
    assert said.amount(value, Subject("mini", "", "any", unit=unit), sign=True) == words

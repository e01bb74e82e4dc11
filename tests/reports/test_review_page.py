"""The page of `review result`: what it says, what it draws, and that no name, note or answer is ever markup."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from markscheme.harness.records import Estimate
from markscheme.harness.review.agreement import criterion_agreement
from markscheme.harness.review.estimates import candidate_means, duels, strengths
from markscheme.harness.review.records import Item, Rating, Review, Shown
from markscheme.harness.review.results import ReviewResult
from markscheme.harness.review.sheet import sheet_of
from markscheme.harness.review.work import disputes, rater_work
from markscheme.reports.figures.rater_matrix import rater_matrix
from markscheme.reports.review import said
from markscheme.reports.review.html import render_review
from markscheme.reports.review.markdown import review_markdown
from synthetic import HOSTILE

WORST = " ".join(HOSTILE)
WEIGHTS = {"correctness": 0.7, "clarity": 0.3}
LEVELS = (0, 1, 2, 3)
SHOWN = Shown("How long?", (), "Two years.", ("A year.",))


def graded(n: int = 120, noise: int = 1, **changes: Any) -> ReviewResult:
    """Two candidates, two people, and a judge that is kinder than they are."""
    rng = np.random.default_rng(4)
    criteria = dict.fromkeys(WEIGHTS, LEVELS)
    review = Review("first", "run-1", "grade", "docs_qa", criteria, ("ann", "ben"), "random", 7, begun_at="2026-11-20")
    items = [Item(f"i{k}", k, f"s{k // 2}", ("large", "small")[k % 2], "", 0, "x") for k in range(n)]
    items.append(Item("a0", n, "s0", "large", "", 0, "x", attention="0", answer_of="s1"))
    truth = rng.integers(0, 3, n + 1) + np.array([1, 0] * (n // 2) + [0])
    ratings = []
    for rater, shift in (("ann", 0), ("ben", noise)):
        for k, item in enumerate(items):
            score = {name: int(np.clip(truth[k] + shift * rng.integers(-1, 2), 0, 3)) for name in criteria}
            score = {**score, "correctness": 0} if item.attention and rater == "ann" else score
            ratings.append(Rating(item.id, rater, score, None, f"note of {rater}", 5.0 + k % 4, float(k)))
    ratings = [r if r.rater == "ann" or r.item != "a0" else replace(r, scores={"correctness": 3}) for r in ratings]
    return result(review, items, ratings, {"strict": np.clip(truth[:n] + 1, 0, 3).astype(float)}, **changes)


def paired(names: tuple[str, ...] = ("large", "small", "tiny"), strength: float = 1.0, **changes: Any) -> ReviewResult:
    rng = np.random.default_rng(5)
    review = Review("which", "run-1", "pairs", "pairwise", {}, ("ann", "ben"), "random", 7)
    met = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    items = [Item(f"i{k}", k, f"s{k // len(met)}", *met[k % len(met)], 0, "x") for k in range(60 * len(met))]
    ratings = []
    for item in items:
        better = names.index(item.right) - names.index(item.left)
        for rater in review.raters:
            pull = strength * better + rng.normal()
            winner = "left" if pull > 0.3 else "right" if pull < -0.3 else "tie"
            ratings.append(Rating(item.id, rater, {}, winner, "", 3.0, 1.0))
    return result(review, items, ratings, {}, **changes)


def result(
    review: Review, items: list[Item], ratings: list[Rating], judges: dict[str, Any], **changes: Any
) -> ReviewResult:
    sheet = sheet_of(review, items, ratings, {}, {})
    names = tuple(dict.fromkeys(name for item in items for name in (item.left, item.right) if name))
    pairs = review.mode == "pairs"
    found = ReviewResult(
        review=review,
        title="nightly",
        date="2026-11-21",
        candidates=names,
        judges=tuple(judges),
        items=len(sheet.items),
        rated=sheet.rated,
        means=() if pairs else candidate_means(review, sheet, names, WEIGHTS),
        duels=duels(review, sheet, names) if pairs else (),
        ratings=strengths(sheet, names) if pairs else None,
        agreement=tuple(criterion_agreement(sheet, name, judges) for name in sheet.levels),
        work=rater_work(review, sheet.raters, items, ratings, {"ann": len(items), "ben": len(items)}),
        disputes=tuple(replace(one, shown=SHOWN) for one in disputes(review, items, ratings)),
    )
    return replace(found, **changes)


def text(page: str) -> str:
    body = re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def test_the_first_sentence_says_what_people_find_and_how_far_they_agree():
    found = graded()
    words = said.verdict(found)
    large = said.mean(found, "large", "composite").estimate
    assert words.startswith(
        f"People's mean composite: large {large.value:.2f} [{large.low:.2f}, {large.high:.2f}]; small "
    )
    least = min(found.agreement, key=lambda one: one.people["alpha_ordinal"].value)
    assert f"ordinal alpha of {least.people['alpha_ordinal'].value:.2f}, least on {least.criterion}." in words


def test_of_pairs_it_says_who_is_preferred_or_that_they_cannot_be_told_apart():
    assert said.verdict(paired(("large", "small"))).startswith("People prefer large to small: ")
    assert said.verdict(paired(("small", "large"), -1.0)).startswith("People prefer large to small, which wins ")
    assert said.verdict(paired(("large", "small"), 0.2)).startswith("People do not tell large and small apart (")
    assert said.verdict(paired()).startswith("3 of 3 pairs of candidates differ beyond chance")


def test_what_to_know_before_believing_it_stands_under_it():
    found = graded(30, noise=3)
    work = tuple(replace(one, rated=one.rated - (one.rater == "ben")) for one in found.work)
    caveats = list(said.caveats(replace(found, work=work, notes=("the rubric is gone",))))
    assert caveats[:2] == ["The rubric is gone.", "Not finished: ben 30 of 31 items rated."]
    assert caveats[2].startswith("ben missed 1 of 1 attention item: talk to ben")
    assert "Agreement on correctness and clarity: only 30 labelled items: below 50" in caveats[3]
    assert "people agree little beyond chance" in caveats[4]
    assert [c for c in said.caveats(graded(noise=0)) if "missed" not in c] == []


def test_means_agreement_work_and_disputes_are_all_on_the_page():
    found = graded(noise=2)
    page = text(render_review(found))
    for part in ("Candidates", "Agreement", "Raters", "Worst disagreements", "note of ben", "How long?", "A year."):
        assert part in page
    row = next(row for row in found.agreement[0].raters if row.judge)
    assert f"strict judge {row.n} {row.estimates['exact'].value:.2f}" in page
    assert "markscheme review serve --adjudicate --name first" in page
    assert f"{found.open_disputes} items of {len(found.disputes)} not settled" in page


def test_a_long_list_of_disputes_is_cut_and_says_so():
    found = graded(noise=3)
    many = (found.disputes * 60)[:60]
    page = render_review(replace(found, disputes=many))
    assert page.count('class="card dispute"') == said.MOST
    assert "The first 50 of 60 are shown." in text(page)


def test_pairs_show_names_and_no_sides():
    found = paired()
    page = text(render_review(found))
    assert "large against small" in page
    assert "Elo" in page
    assert "Bias" not in page
    one = found.disputes[0]
    assert f"{one.item.left} against {one.item.right}" in page
    assert {said.rating(r, one.item) for r in one.ratings} == {one.item.left, one.item.right}
    assert "<h3>Ratings</h3>" not in render_review(paired(("large", "small")))


def test_a_stratified_review_says_that_it_is_weighted_and_has_no_p():
    found = paired(("large", "small"))
    review = replace(found.review, design="stratified", shares={"a": 1.0})
    page = text(render_review(replace(found, review=review, duels=tuple(replace(d, p=None) for d in found.duels))))
    assert "Weighted by how large each stratum is, so that there is no p." in page
    assert "drawn at random within strata" in page


def test_numbers_that_are_not_there_are_a_dash_and_their_reason():
    found = graded()
    gone = tuple(replace(one, estimate=Estimate(None, None, None, 3, "no weights"), reason="x") for one in found.means)
    page = render_review(replace(found, means=gone))
    assert "no score" in text(page)
    assert "Some numbers are missing: x." in text(page)
    assert said.verdict(replace(found, means=gone)).startswith("No candidate has a mean yet.")


def hostile(found: ReviewResult) -> ReviewResult:
    """Every word of the user, of raters and of models is one of ours."""
    shown = Shown(WORST, (), WORST, (WORST,))
    one = found.disputes[0]
    bad = replace(
        one,
        item=replace(one.item, sample_id=WORST, left=WORST),
        ratings=tuple(replace(rating, rater=WORST, note=WORST) for rating in one.ratings),
        judges={WORST: {"correctness": 1.0}},
        shown=shown,
    )
    agreement = tuple(
        replace(
            one,
            criterion=WORST,
            raters=tuple(replace(row, rater=WORST) for row in one.raters),
            pairs=tuple(replace(pair, first=WORST, second=WORST) for pair in one.pairs),
        )
        for one in found.agreement
    )
    return replace(
        found,
        title=WORST,
        candidates=(WORST,),
        means=tuple(replace(mean, candidate=WORST) for mean in found.means),
        agreement=agreement,
        work=tuple(replace(work, rater=WORST, missed=1) for work in found.work),
        disputes=(bad,),
        notes=(WORST,),
    )


def test_nothing_that_somebody_wrote_is_markup():
    page = render_review(hostile(graded(noise=3)))
    clean = render_review(graded(noise=3))
    tags = set(re.findall(r"<\s*([a-zA-Z/!]+)", page))
    assert tags <= set(re.findall(r"<\s*([a-zA-Z/!]+)", clean))
    assert "script-src" in page
    assert not re.search(r"<[^>]*\son\w+\s*=", re.sub(r'"[^"]*"', '""', page))


def test_markdown_has_the_same_numbers_and_no_markup_of_others():
    found = graded(noise=2)
    page = review_markdown(found)
    large = said.mean(found, "large", "composite").estimate
    assert f"| large | {large.value:.2f} [{large.low:.2f}, {large.high:.2f}] |" in page
    assert "| judge strict | 120 |" in page
    assert "ann and ben" in page
    bad = review_markdown(hostile(graded(noise=3)))
    assert re.search(r"(?<!\\)<", bad) is None
    assert "| large against small |" in review_markdown(paired())


def test_the_same_result_gives_the_same_bytes():
    assert render_review(graded()) == render_review(graded())


def test_the_matrix_colours_agreement_and_its_opposite_and_leaves_strangers_empty():
    good, bad = Estimate(0.8, 0.6, 0.9, 50, "t"), Estimate(-0.3, None, None, 9, "few")
    figure = str(rater_matrix(("ann", "ben", "cleo"), ("cleo",), {("ann", "ben"): good, ("ben", "cleo"): bad}, "kappa"))
    assert figure.count('class="pair"') == 2
    assert figure.count('class="pair against"') == 2
    assert "0.60 to 0.90" in figure
    assert 'class="name graded"' in figure
    assert "ann and cleo" not in figure


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_in_chromium_nothing_runs_nothing_is_fetched_and_nothing_hangs_over(tmp_path: Path, scheme: str):
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no Chromium on this machine")
    from playwright.sync_api import sync_playwright

    path, troubles = tmp_path / "review.html", []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for found in (graded(noise=3), paired(), hostile(graded(noise=3))):
            path.write_text(render_review(found), encoding="utf-8")
            for width in (1180, 390):
                page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
                page.on("console", lambda message: troubles.append(message.text))
                page.on("pageerror", lambda error: troubles.append(str(error)))
                page.on("dialog", lambda dialog: troubles.append(dialog.message))
                page.on("request", lambda r: troubles.append(r.url) if r.url != path.as_uri() else None)
                page.goto(path.as_uri())
                page.locator("summary").first.click()
                assert page.evaluate("document.documentElement.scrollWidth") <= width
                page.close()
        browser.close()
    assert troubles == []
